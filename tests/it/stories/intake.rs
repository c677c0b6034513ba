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

    fn cases_about_the_same_matter_are_linked_for_those_who_see_both(app: &App) {
        let cast = Cast::new(app);
        let one = cast.submitted("share_all");
        let other = cast.in_conversation_again();
        cast.coordinator.did(&one, json!({ "event": "link_case", "case": other }));
        assert_eq!(cast.coordinator.sees(&one).body["intake"]["linked"], json!([other]));
        assert!(cast.initiating_lead.sees(&one).body["intake"]["linked"].is_null(), "a note of CLERO's own");
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
        let take_up = |code: &str| app.accept("cai@cedar.example", code);
        take_up("AAAAA-AAAAA").expect(422);
        take_up(&code.to_lowercase()).expect(201);
        cai.token = app.token("cai@cedar.example");
        take_up(&code).expect(422);
        assert_eq!(cai.sees(&case).expect(200).body["you_are"], "invited_lead");
    }

    fn wrong_codes_lock_nobody_out_and_tell_nobody_who_has_an_account(app: &App) {
        let cast = Cast::new(app);
        let email = "dot@alder.example";
        cast.initiating_lead.post(&format!("/api/v1/organisations/{}/members", cast.initiating), &json!({ "name": "Dot", "email": email })).expect(201);
        let mut dot = cast.initiating_member.clone();
        dot.email = email.to_owned();
        let code = app.code_for(&dot);
        let call = |email: &str, code: &str| Call { method: "POST", path: "/api/v1/invitations/accept".into(), body: Some(json!({ "email": email, "code": code, "password": crate::support::PASSWORD }).to_string()), ..Call::default() };
        let unknown = app.send(&call("nobody@alder.example", "AAAAA-AAAAA"));
        for _ in 0..9 { assert_eq!(app.send(&call(email, "AAAAA-AAAAA")).fingerprint(), unknown.fingerprint()); }
        let right = call(email, &code);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let hands: Vec<_> = (0..20).map(|_| scope.spawn(|| crate::support::wire::send(&app.base, &right).status)).collect();
            hands.into_iter().map(|h| h.join().expect("an answer")).collect()
        });
        assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "a code works once: {statuses:?}");
    }

    fn a_coordinator_does_not_become_a_party(app: &App) {
        let cast = Cast::new(app);
        let newcomer = app.lero(&cast.coordinator, "Cedar Porch", "wales");
        let body = json!({ "organisation": cast.initiating, "draft": { "with": [newcomer], "statement": Cast::statement("share_all") } });
        let case = cast.initiating_lead.post("/api/v1/cases", &body).expect(201).body["id"].as_str().expect("an id").to_owned();
        cast.initiating_lead.did(&case, json!({ "event": "submit" }));
        cast.coordinator.did(&case, json!({ "event": "screen", "result": "suitable" }));
        for somebody in [&cast.coordinator, &cast.facilitator, &cast.initiating_member] {
            let invite = json!({ "event": "invite", "first_accounts": [{ "organisation": newcomer, "name": "Me", "email": somebody.email }] });
            assert_eq!(cast.coordinator.does(&case, invite).expect(422).flaws(), ["/first_accounts/0/email"], "{}", somebody.name);
        }
        let behalf = json!({ "organisation": newcomer, "channel": "phone", "read_back_and_confirmed": true });
        for event in ["withdraw", "hold"] { cast.coordinator.does(&case, json!({ "event": event, "on_behalf_of": behalf })).expect(422); }
    }

    fn nobody_sits_on_both_sides(app: &App) {
        let cast = Cast::new(app);
        let members = format!("/api/v1/organisations/{}/members", cast.invited);
        cast.invited_lead.post(&members, &json!({ "name": "Ada Alder", "email": cast.initiating_lead.email })).expect(201);
        let code = app.code_for(&cast.initiating_lead);
        app.accept(&cast.initiating_lead.email, &code).expect(201);
        let with = json!({ "organisation": cast.initiating, "draft": { "with": [cast.invited] } });
        assert_eq!(cast.initiating_lead.post("/api/v1/cases", &with).expect(409).reasons(), ["one_person_on_both_sides"]);
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
