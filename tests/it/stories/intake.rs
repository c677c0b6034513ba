//! Intake: what is missing, questions, screening, signposting, the invitation.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, Call};

on_both! {
    fn a_draft_says_what_is_missing_until_it_can_be_sent(app: &App) {
        let cast = Cast::new(app);
        let case = cast.initiating_lead.post("/api/v1/cases", &json!({ "organisation": cast.initiating })).expect(201).body["id"].as_str().expect("an id").to_owned();
        let refused = cast.initiating_lead.does(&case, json!({ "event": "submit" })).expect(409);
        for reason in ["no_ground", "no_other_lero", "no_good_outcome", "authority_not_stated", "first_contact_not_chosen", "personal_data_notice_not_read"] { assert!(refused.reasons().contains(&reason.to_owned()), "{reason}"); }
        cast.initiating_lead.did(&case, json!({ "event": "save_draft", "with": [cast.invited], "statement": Cast::statement("share_summary") }));
        assert_eq!(cast.initiating_lead.can(&case, "submit")["allowed"], true);
        cast.initiating_lead.did(&case, json!({ "event": "submit" }));
        assert!(app.subjects_to(&cast.initiating_lead).iter().any(|s| s.contains("we have")), "a receipt");
        assert_eq!(cast.coordinator.get("/api/v1/cases?stage=intake").body["items"].as_array().map(Vec::len), Some(1));
    }

    fn a_draft_is_nobody_elses_and_can_be_thrown_away(app: &App) {
        let cast = Cast::new(app);
        let case = cast.drafted("share_all");
        for other in [&cast.coordinator, &cast.facilitator, &cast.invited_lead] { other.sees(&case).expect(404); }
        cast.initiating_member.sees(&case).expect(200);
        cast.initiating_lead.did(&case, json!({ "event": "discard_draft" }));
        cast.initiating_lead.sees(&case).expect(404);
    }

    fn one_matter_is_opened_once(app: &App) {
        let cast = Cast::new(app);
        cast.submitted("share_all");
        let again = cast.drafted("share_all");
        assert_eq!(cast.initiating_lead.does(&again, json!({ "event": "submit" })).expect(409).reasons(), ["already_open"]);
    }

    fn questions_are_asked_and_answered_before_anything_else(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        cast.coordinator.did(&case, json!({ "event": "ask_for_more", "question": "Have you met?" }));
        assert_eq!(cast.initiating_lead.sees(&case).body["waiting_for"], json!(["initiating"]));
        cast.initiating_member.did(&case, json!({ "event": "give_more", "answer": "Not yet." }));
        assert_eq!(cast.coordinator.sees(&case).body["intake"]["questions"][0]["answer"], "Not yet.");
    }

    fn another_place_can_help_better(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        cast.coordinator.did(&case, json!({ "event": "decline_intake", "reasons": ["in_court"], "signposting": "Your solicitor can help better." }));
        let seen = cast.initiating_lead.sees(&case).expect(200);
        assert_eq!(seen.body["closure"]["outcome"], "not_suitable_signposted");
        cast.invited_lead.sees(&case).expect(404);
        assert!(app.subjects_to(&cast.invited_lead).iter().all(|s| s.contains("nvitation to Common Ground")), "the invited side never hears of it");
    }

    fn the_other_side_first_hears_in_the_way_that_was_chosen(app: &App) {
        let cast = Cast::new(app);
        for (way, whole) in [("share_all", true), ("share_summary", false), ("facilitator_rings_first", false)] {
            let case = cast.with_facilitator(way);
            cast.invited_lead.sees(&case).expect(404);
            cast.coordinator.did(&case, json!({ "event": "invite" }));
            let seen = cast.invited_lead.sees(&case).expect(200).body;
            assert_eq!(seen["accounts"]["initiating"].is_object(), whole, "{way}");
            assert!(seen["intake"].is_null(), "{way}: needs and questions stay with the side that has them");
            assert!(seen["summary"]["good_outcome"].is_string(), "{way}: both read what a good outcome would be");
            cast.initiating_lead.did(&case, json!({ "event": "share_statement" }));
            assert!(cast.invited_lead.sees(&case).body["accounts"]["initiating"].is_object(), "{way}");
            cast.initiating_lead.did(&case, json!({ "event": "withdraw" }));
        }
    }

    fn an_organisation_without_an_account_gets_its_first(app: &App) {
        let cast = Cast::new(app);
        let newcomer = app.lero(&cast.coordinator, "Cedar Porch", "wales");
        let body = json!({ "organisation": cast.initiating, "draft": { "with": [newcomer], "statement": Cast::statement("share_all") } });
        let case = cast.initiating_lead.post("/api/v1/cases", &body).expect(201).body["id"].as_str().expect("an id").to_owned();
        cast.initiating_lead.did(&case, json!({ "event": "submit" }));
        cast.coordinator.did(&case, json!({ "event": "screen", "result": "suitable" }));
        assert_eq!(cast.coordinator.does(&case, json!({ "event": "invite" })).expect(409).reasons(), ["no_first_account"]);
        cast.coordinator.did(&case, json!({ "event": "invite", "first_accounts": [{ "organisation": newcomer, "name": "Cai Cedar", "email": "cai@cedar.example" }] }));
        let mut cai = cast.invited_lead.clone();
        (cai.name, cai.email) = ("Cai Cedar".to_owned(), "cai@cedar.example".to_owned());
        let code = app.code_for(&cai);
        let take_up = |code: &str| app.send(&Call { method: "POST", path: "/api/v1/invitations/accept".into(), body: Some(json!({ "email": "cai@cedar.example", "code": code }).to_string()), ..Call::default() });
        take_up("AAAAA-AAAAA").expect(422);
        cai.token = take_up(&code.to_lowercase()).expect(201).body["token"].as_str().expect("a token").to_owned();
        take_up(&code).expect(422);
        assert_eq!(cai.sees(&case).expect(200).body["you_are"], "invited_lead");
    }

    fn five_wrong_codes_end_an_invitation(app: &App) {
        let cast = Cast::new(app);
        let email = "dot@alder.example";
        cast.initiating_lead.post(&format!("/api/v1/organisations/{}/members", cast.initiating), &json!({ "name": "Dot", "email": email })).expect(201);
        let mut dot = cast.initiating_member.clone();
        dot.email = email.to_owned();
        let code = app.code_for(&dot);
        let take_up = |email: &str, code: &str| app.send(&Call { method: "POST", path: "/api/v1/invitations/accept".into(), body: Some(json!({ "email": email, "code": code }).to_string()), ..Call::default() });
        let unknown = take_up("nobody@alder.example", "AAAAA-AAAAA");
        for _ in 0..5 { assert_eq!(take_up(email, "AAAAA-AAAAA").fingerprint(), unknown.fingerprint(), "nobody learns which addresses have an account"); }
        take_up(email, &code).expect(422);
    }

    fn somebody_offline_is_entered_for_and_read_back_to(app: &App) {
        let cast = Cast::new(app);
        let behalf = json!({ "organisation": cast.initiating, "channel": "phone", "read_back_and_confirmed": true });
        let body = json!({ "organisation": cast.initiating, "on_behalf_of": behalf, "draft": { "with": [cast.invited], "statement": Cast::statement("share_all") } });
        let case = cast.coordinator.post("/api/v1/cases", &body).expect(201).body["id"].as_str().expect("an id").to_owned();
        cast.coordinator.did(&case, json!({ "event": "submit", "on_behalf_of": behalf }));
        assert_eq!(cast.initiating_lead.sees(&case).expect(200).body["stage"], "intake");
        let history = cast.initiating_lead.get(&format!("/api/v1/cases/{case}/events")).body;
        assert_eq!(history["items"][0]["on_behalf_of"], json!(cast.initiating));
    }
}
