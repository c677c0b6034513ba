//! Early conversation: answers, ground rules, sessions, and what must be true to go on.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;

on_both! {
    fn the_review_waits_for_answers_ground_rules_and_a_session(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let review = json!({ "event": "begin_standards_review" });
        assert_eq!(cast.facilitator.does(&case, review.clone()).expect(409).reasons(), ["not_everyone_responded", "not_everyone_agreed_to_talk"]);
        cast.invited_member.did(&case, json!({ "event": "respond", "answer": "more_time" }));
        cast.invited_member.did(&case, json!({ "event": "respond", "answer": "take_part_with_own_account", "account": "We see it differently.", "share_account": false }));
        assert!(cast.initiating_lead.sees(&case).body["accounts"]["invited"].is_null(), "an account is shared only when its side says so");
        assert!(cast.facilitator.sees(&case).body["accounts"]["invited"]["texts"][0]["text"].is_string());
        cast.invited_member.did(&case, json!({ "event": "share_statement" }));
        assert!(cast.initiating_lead.sees(&case).body["accounts"]["invited"]["texts"][0]["text"].is_string());
        assert_eq!(cast.invited_member.does(&case, json!({ "event": "agree_to_talk", "answers": "x" })).expect(403).problem(), "not-your-part");
        cast.invited_lead.did(&case, json!({ "event": "agree_to_talk" }));
        cast.initiating_lead.did(&case, json!({ "event": "agree_to_talk" }));
        assert_eq!(cast.facilitator.does(&case, review.clone()).expect(409).reasons(), ["no_session_yet"]);
        cast.facilitator.did(&case, json!({ "event": "begin_standards_review", "without_session_because": "They spoke on the telephone by themselves." }));
    }

    fn each_organisation_shares_its_own_words(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let answer = |account: &str, share: bool| json!({ "event": "respond", "answer": "take_part_with_own_account", "account": account, "share_account": share, "needs": { "access_needs": "A quiet room." } });
        cast.invited_lead.did(&case, answer("First words.", true));
        assert!(cast.initiating_lead.sees(&case).text.contains("First words."));
        assert!(app.subjects_to(&cast.initiating_lead).iter().any(|s| s.contains("something new to read")), "{:?}", app.subjects_to(&cast.initiating_lead));
        cast.invited_lead.did(&case, answer("Second words.", false));
        let seen = cast.initiating_lead.sees(&case).text;
        assert!(!seen.contains("Second words.") && !seen.contains("quiet room"), "{seen}");
        let neutral = cast.facilitator.sees(&case).body;
        assert_eq!(neutral["needs"]["invited"][0]["access_needs"], "A quiet room.");
        assert_eq!(neutral["needs"]["initiating"][0]["contact"], "phone");
    }

    fn an_answer_names_what_it_answers(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.invited_lead.does(&case, json!({ "event": "respond", "answers": "0".repeat(64), "answer": "take_part" })).expect(412);
        cast.invited_lead.does(&case, json!({ "event": "agree_to_talk", "answers": "" })).expect(412);
        assert_eq!(cast.invited_lead.sees(&case).body["conversation"]["responses"], json!({}));
    }

    fn more_time_is_given_once_and_the_change_is_kept(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let due = |who: &crate::support::Person| who.sees(&case).body["deadlines"].as_array().expect("deadlines").iter().find(|d| d["kind"] == "response").map(|d| d["due"].clone());
        let first = due(&cast.invited_lead);
        cast.invited_lead.did(&case, json!({ "event": "respond", "answer": "more_time" }));
        let second = due(&cast.invited_lead);
        assert!(second.is_some() && second != first);
        cast.invited_lead.did(&case, json!({ "event": "respond", "answer": "more_time" }));
        assert_eq!(due(&cast.invited_lead), second);
    }

    fn both_sides_may_agree_other_dates(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.initiating_member.did(&case, json!({ "event": "propose_timetable", "until": { "early_conversation": "2026-12-18" } }));
        cast.initiating_lead.did(&case, json!({ "event": "agree_timetable" }));
        cast.invited_lead.did(&case, json!({ "event": "agree_timetable" }));
        let seen = cast.facilitator.sees(&case).body;
        assert!(seen["timetable"].is_object() && seen["proposed_timetable"].is_null());
        cast.invited_lead.did(&case, json!({ "event": "propose_timetable", "until": { "signing": "2027-03-01" } }));
        assert_eq!(cast.initiating_lead.sees(&case).body["timetable"], seen["timetable"], "what was agreed stands until both agree to something else");
        let until = seen["deadlines"].as_array().expect("deadlines").iter().find(|d| d["kind"] == "early_conversation").map(|d| d["due"].clone());
        assert_eq!(until, Some(json!("2026-12-18T17:00:00.000000Z")));
    }
}
