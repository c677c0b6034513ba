//! Time: lateness is a fact that is told, and never moves a case.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;

on_both! {
    fn a_date_that_passes_is_noticed_once_and_moves_nothing(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        app.days(30);
        let seen = cast.coordinator.sees(&case).body;
        assert_eq!(seen["stage"], "intake");
        assert_eq!(seen["deadlines"], json!([{ "kind": "triage", "due": "2026-09-15T16:00:00.000000Z", "passed": true }]));
        let told = app.letters_to(Some(&cast.coordinator)).iter().filter(|l| l.contains("X-Auto-Response-Suppress") && l.contains("date")).count();
        assert!(told >= 1);
        let events: Vec<_> = cast.coordinator.get(&format!("/api/v1/cases/{case}/events")).body["items"].as_array().expect("a list").iter().filter(|e| e["event"] == "deadline_passed").cloned().collect();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["at"], "2026-09-16T09:00:00.000000Z", "late from the next working morning");
    }

    fn only_the_clock_says_that_a_date_has_passed(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        assert_eq!(cast.facilitator.can(&case, "deadline_passed")["reasons"][0]["code"], "not_your_part");
        let said = cast.facilitator.post_with(&format!("/api/v1/cases/{case}/events"), &json!({ "event": "deadline_passed", "deadline": "response" }), &[("if-match", "*")]);
        assert_eq!(said.expect(422).flaws(), ["/event"]);
    }
}
