//! The standards review: sealed until both have shared, then open to both at once.
use serde_json::json;

use crate::cast::{Cast, joint_reading, reading};
use crate::on_both;
use crate::support::App;

on_both! {
    fn readings_are_sealed_until_every_side_has_shared(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let path = format!("/api/v1/cases/{case}/reading");
        let before = cast.invited_lead.sees(&case);
        let found = |turn: &str| cast.invited_lead.get(&format!("/api/v1/cases?waiting_for={turn}")).fingerprint();
        let lists = [found("initiating"), found("invited"), found("facilitator")];
        let letters = app.letters_to(Some(&cast.invited_lead)).len();
        cast.reads(&cast.initiating_lead, &case, "in_place");
        let after = cast.invited_lead.sees(&case);
        assert_eq!(before.fingerprint(), after.fingerprint(), "sharing leaves no trace on the other side");
        assert_eq!(lists, [found("initiating"), found("invited"), found("facilitator")], "nor in any list");
        assert_eq!(letters, app.letters_to(Some(&cast.invited_lead)).len());
        let events = |who: &crate::support::Person| who.get(&format!("/api/v1/cases/{case}/events")).body["items"].as_array().map(Vec::len);
        assert_eq!(events(&cast.initiating_lead).map(|n| n > events(&cast.invited_lead).unwrap_or(0)), Some(true));
        assert_eq!(cast.facilitator.sees(&case).body["review"]["side_by_side"][0]["readings"]["invited"], json!(null), "the facilitator reads what has been shared with them");
        cast.facilitator.get(&path).expect(404);
        cast.coordinator.get(&path).expect(404);
        cast.reads(&cast.invited_lead, &case, "partly");
        for who in [&cast.initiating_member, &cast.invited_member, &cast.facilitator] {
            let review = who.sees(&case).body["review"].clone();
            assert_eq!(review["revealed"], true);
            assert_eq!(review["side_by_side"][0]["beside"], "differing");
        }
        assert_eq!(events(&cast.initiating_lead).map(|n| n - 2), events(&cast.invited_lead), "both read the same history, but for what came before the invitation");
        assert!(cast.coordinator.sees(&case).body["review"]["side_by_side"].is_null(), "the coordinator knows that, not what");
    }

    fn a_reading_is_whole_before_it_is_shared_and_locked_after(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let path = format!("/api/v1/cases/{case}/reading");
        let tag = cast.initiating_member.get(&path).expect(200).tag.expect("a tag");
        cast.initiating_member.put(&path, &json!({ "entries": { "1": { "view": "left_open" } } }), &tag).expect(200);
        cast.initiating_lead.put(&path, &reading("in_place"), &tag).expect(412);
        assert_eq!(cast.initiating_lead.does(&case, json!({ "event": "share_reading", "answers": "x" })).expect(409).reasons(), ["reading_incomplete"]);
        cast.reads(&cast.initiating_lead, &case, "not_yet");
        let tag = cast.initiating_lead.get(&path).expect(200).tag.expect("a tag");
        assert_eq!(cast.initiating_lead.put(&path, &reading("in_place"), &tag).expect(409).reasons(), ["reading_already_shared"]);
    }

    fn a_joint_reading_covers_the_principles_and_is_confirmed_by_all(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        assert_eq!(cast.facilitator.does(&case, joint_reading()).expect(409).reasons(), ["readings_not_revealed"]);
        cast.reads(&cast.initiating_lead, &case, "in_place");
        cast.reads(&cast.invited_lead, &case, "in_place");
        let thin = json!({ "event": "record_joint_reading", "minutes": [{ "theme": "governance", "held_in_common": "Both." }] });
        assert_eq!(cast.facilitator.does(&case, thin).expect(409).reasons(), ["principles_not_covered"]);
        cast.facilitator.did(&case, joint_reading());
        cast.initiating_lead.did(&case, json!({ "event": "confirm_joint_reading" }));
        assert_eq!(cast.facilitator.does(&case, json!({ "event": "begin_agreed_actions" })).expect(409).reasons(), ["joint_reading_not_confirmed"]);
        cast.facilitator.did(&case, joint_reading());
        assert_eq!(cast.initiating_lead.sees(&case).body["review"]["joint_reading"]["confirmed"], json!({ "initiating": [], "invited": [] }), "new words are confirmed anew");
    }
}
