//! Pausing, leaving, going back a step, coming back. Nobody has to say why.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;

on_both! {
    fn a_break_stops_moves_and_clocks_and_its_reason_stays_with_its_side(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.invited_member.did(&case, json!({ "event": "hold", "reason": "A bereavement." }));
        assert!(!cast.initiating_lead.sees(&case).text.contains("bereavement"));
        assert!(cast.facilitator.sees(&case).text.contains("bereavement"));
        assert!(!cast.initiating_lead.get("/api/v1/cases").text.contains("bereavement"));
        assert_eq!(cast.facilitator.can(&case, "begin_standards_review")["reasons"].as_array().map(|r| r.iter().any(|r| r["code"] == "on_hold")), Some(true));
        cast.invited_lead.did(&case, json!({ "event": "respond", "answer": "take_part" }));
        assert_eq!(cast.initiating_lead.does(&case, json!({ "event": "hold", "until": "2026-09-10" })).expect(409).reasons(), ["already_on_hold"], "nobody cuts another's break short");
        assert_eq!(cast.facilitator.does(&case, json!({ "event": "hold", "until": "2026-12-31" })).expect(422).flaws(), ["/until"]);
        cast.facilitator.did(&case, json!({ "event": "hold", "until": "2026-09-30" }));
        app.days(30);
        assert_eq!(cast.initiating_lead.sees(&case).body["on_hold"], false, "the end of the pause restarts the clocks");
        assert!(app.subjects_to(&cast.initiating_lead).iter().any(|s| s.contains("pause is over") || s.contains("again")), "{:?}", app.subjects_to(&cast.initiating_lead));
    }

    fn either_side_may_end_a_break(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let due = || cast.facilitator.sees(&case).body["deadlines"].as_array().expect("deadlines").iter().find(|d| d["kind"] == "response").and_then(|d| d["due"].as_str().map(str::to_owned));
        let before = due();
        cast.initiating_lead.did(&case, json!({ "event": "hold" }));
        app.days(6);
        cast.invited_lead.did(&case, json!({ "event": "resume" }));
        let after = due();
        assert!(after > before && after.is_some(), "the clocks get back what was left: {before:?} {after:?}");
    }

    fn anyone_may_leave_at_any_time_even_during_a_break(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.initiating_lead.did(&case, json!({ "event": "hold" }));
        cast.invited_member.did(&case, json!({ "event": "withdraw" }));
        let seen = cast.initiating_lead.sees(&case).body;
        assert_eq!((seen["stage"].clone(), seen["closure"]["outcome"].clone()), (json!("closed"), json!("withdrawn")));
        assert!(!seen["closure"].to_string().contains("invited"), "nobody is named as the one who left");
        assert_eq!(cast.facilitator.can(&case, "close")["reasons"][0]["code"], "not_at_this_stage");
    }

    fn one_step_back_and_forward_again(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.facilitator.did(&case, json!({ "event": "return_to_stage", "reason": "We want to read once more." }));
        assert_eq!(cast.initiating_lead.sees(&case).body["stage"], "standards_review");
        cast.facilitator.did(&case, json!({ "event": "begin_agreed_actions" }));
    }

    fn a_case_comes_back_only_to_where_it_was_and_in_time(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.facilitator.did(&case, json!({ "event": "close", "outcome": "resolved_in_conversation", "summary": "All is well.", "sessions_logged": true }));
        assert_eq!(cast.initiating_lead.can(&case, "reopen")["reasons"][0]["code"], "not_your_part");
        app.days(95);
        assert_eq!(cast.invited_lead.does(&case, json!({ "event": "request_reopen", "why": "Once more." })).expect(409).reasons(), ["reopening_not_possible"]);
        assert_eq!(cast.coordinator.does(&case, json!({ "event": "reopen", "stage": "early_conversation" })).expect(409).reasons(), ["reopening_not_asked", "reopening_not_possible"]);
        cast.invited_lead.did(&case, json!({ "event": "request_reopen", "why": "There is a new hall.", "new_facts": true }));
        assert_eq!(cast.coordinator.sees(&case).body["closure"]["reopening_asked"]["why"], "There is a new hall.");
        assert_eq!(cast.coordinator.does(&case, json!({ "event": "reopen", "stage": "agreed_actions" })).expect(409).reasons(), ["stage_not_reached"]);
        cast.coordinator.did(&case, json!({ "event": "reopen", "stage": "early_conversation" }));
        assert_eq!(cast.initiating_lead.sees(&case).body["stage"], "early_conversation");
    }
}
