//! Rights end at once (SAFETY §1): on a session that is open, a token, a letter that waits and a document's address, the
//! next request already behaves as if the right had never been.
use common_ground::domain::people::Role;
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;

on_both! {
    fn a_membership_that_ends_takes_everything_with_it(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let member = &cast.invited_member;
        let browser = member.fresh();
        let laid = cast.invited_lead.upload(&format!("/api/v1/cases/{case}/rooms/invited/documents"), ("plan.txt", b"Mornings."), &[], &[]).expect(201);
        let content = format!("/api/v1/cases/{case}/documents/{}/content", laid.body["id"].as_str().expect("an id"));
        let room = format!("/api/v1/cases/{case}/rooms/invited/messages");
        let paths = [format!("/api/v1/cases/{case}"), room.clone(), content, format!("/api/v1/cases/{case}/rooms")];
        for path in &paths {
            browser.get(path).expect(200);
            member.get(path).expect(200);
        }
        app.letters_to(None);
        cast.invited_lead.post(&room, &json!({ "text": "One more thing." })).expect(201);
        // The letter waits; before the courier comes, the membership ends.
        let members = cast.invited_lead.get(&format!("/api/v1/organisations/{}/members", cast.invited)).expect(200).body;
        let membership = members["items"].as_array().expect("a list").iter().find(|m| m["person"] == json!(member.id)).expect("a membership")["id"].as_str().expect("an id").to_owned();
        let before = member_letters(app, member, false);
        cast.invited_lead.post(&format!("/api/v1/memberships/{membership}/end"), &json!({})).expect(200);
        for path in &paths {
            let unknown = path.replace(&case, "00000000-0000-4000-8000-000000000000");
            assert_eq!(browser.get(path).expect(404).fingerprint(), browser.get(&unknown).fingerprint(), "{path}");
            member.get(path).expect(404);
        }
        assert_eq!(member_letters(app, member, true), before, "a letter that waited is not sent");
        assert_eq!(member.get("/api/v1/cases").expect(200).body["items"], json!([]));
        let told = member.get("/api/v1/notifications").expect(200).body;
        assert!(told["items"].as_array().expect("a list").iter().all(|n| n["case"].is_null()), "{told}");
    }

    fn a_facilitator_who_is_replaced_sees_nothing_any_more(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let browser = cast.facilitator.fresh();
        for room in ["joint", "initiating", "invited", "neutrals", "process", "notes"] { browser.get(&format!("/api/v1/cases/{case}/rooms/{room}/messages")).expect(200); }
        cast.coordinator.did(&case, json!({ "event": "replace_facilitator", "person": cast.other_facilitator.id }));
        for room in ["joint", "initiating", "invited", "neutrals", "process", "notes"] { browser.get(&format!("/api/v1/cases/{case}/rooms/{room}/messages")).expect(404); }
        browser.get(&format!("/api/v1/cases/{case}")).expect(404);
        // Who was asked and has not accepted reads names only.
        cast.other_facilitator.get(&format!("/api/v1/cases/{case}/rooms/joint/messages")).expect(404);
    }

    fn a_tie_that_is_declared_beats_every_grant(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let browser = cast.facilitator.fresh();
        browser.get(&format!("/api/v1/cases/{case}/rooms/initiating/messages")).expect(200);
        cast.facilitator.post(&format!("/api/v1/people/{}/affiliations", cast.facilitator.id), &json!({ "organisation": cast.invited, "role": "trustee", "since": "2026-01-01" })).expect(201);
        browser.get(&format!("/api/v1/cases/{case}/rooms/initiating/messages")).expect(404);
        cast.facilitator.sees(&case).expect(404);
    }

    fn an_account_that_is_closed_is_nobodys(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let administrator = app.staff("Ad Min", &[Role::Administrator]);
        let browser = cast.facilitator.fresh();
        browser.get(&format!("/api/v1/cases/{case}")).expect(200);
        let path = format!("/api/v1/people/{}", cast.facilitator.id);
        let tag = administrator.get(&path).expect(200).tag.expect("a tag");
        administrator.patch(&path, &json!({ "active": false }), &tag).expect(200);
        browser.get(&format!("/api/v1/cases/{case}")).expect(401);
        cast.facilitator.sees(&case).expect(401);
    }
}

/// How many letters about the case somebody has got; the courier comes first, if it is to come.
fn member_letters(app: &App, who: &crate::support::Person, courier: bool) -> usize {
    if courier {
        return app
            .letters_to(Some(who))
            .iter()
            .filter(|l| l.contains("new to read"))
            .count();
    }
    app.delivered_to(who)
        .iter()
        .filter(|l| l.contains("new to read"))
        .count()
}
