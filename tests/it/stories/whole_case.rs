//! A disagreement from the first letter to the last, on both databases.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, CANARY};

on_both! {
    fn a_case_walks_from_submission_to_closure_and_back(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_force();
        cast.facilitator.did(&case, json!({ "event": "propose_summary", "summary": "We found two mornings." }));
        cast.initiating_lead.did(&case, json!({ "event": "agree_summary" }));
        cast.invited_lead.did(&case, json!({ "event": "agree_summary" }));
        let actions: Vec<_> = cast.facilitator.sees(&case).body["agreement"]["in_force"]["actions"].as_array().expect("actions").iter().map(|a| json!({ "action": a["id"], "becomes": "moved_to_follow_up" })).collect();
        let closed = cast.facilitator.did(&case, json!({ "event": "close", "outcome": "agreed_full", "actions": actions, "sessions_logged": true }));
        assert_eq!(closed.body["case"]["stage"], "closed");
        assert_eq!(closed.body["case"]["closure"]["words_of"], "both");

        for who in [&cast.initiating_lead, &cast.invited_lead] {
            let subjects = app.subjects_to(who);
            assert!(subjects.iter().any(|s| s.contains("closed")), "{}: {subjects:?}", who.name);
        }
        let history = cast.invited_lead.get(&format!("/api/v1/cases/{case}/events?limit=100")).expect(200);
        let events: Vec<&str> = history.body["items"].as_array().expect("a list").iter().filter_map(|e| e["event"].as_str()).collect();
        assert_eq!(events.first(), Some(&"close"));
        assert!(!events.contains(&"submit"), "what came before the invitation is not the invited side's");
        let own = cast.initiating_lead.get(&format!("/api/v1/cases/{case}/events?limit=100")).expect(200);
        assert_eq!(own.body["items"].as_array().and_then(|e| e.last()).map(|e| e["event"].clone()), Some(json!("save_draft")));

        cast.invited_lead.did(&case, json!({ "event": "request_reopen", "why": "The hall has burnt down." }));
        let reopened = cast.coordinator.did(&case, json!({ "event": "reopen", "stage": "agreed_actions" }));
        assert_eq!(reopened.body["case"]["stage"], "agreed_actions");
        assert!(cast.invited_lead.sees(&case).body["agreement"]["in_force"]["hash"].is_string(), "the agreement is still in force");
    }

    fn letters_say_nothing_of_the_case(app: &App) {
        let cast = Cast::new(app);
        cast.in_force();
        let all = app.letters_to(None);
        assert!(all.len() > 20, "{}", all.len());
        for letter in &all {
            for word in [CANARY, "Alder Room", "Birch Table", "Wyre", "overlap"] { assert!(!letter.contains(word), "{word} in\n{letter}"); }
        }
    }

    fn everybody_hears_at_the_same_moment_whichever_side_they_are_on(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let (one, other) = (app.subjects_to(&cast.initiating_member), app.subjects_to(&cast.invited_member));
        let told = |subjects: &[String], words: &str| subjects.iter().any(|s| s.contains(words));
        let review = one.iter().find(|s| s.contains("review")).expect("a letter about the review");
        assert!(told(&other, review), "{other:?}");
        assert!(cast.facilitator.sees(&case).status == 200);
    }
}
