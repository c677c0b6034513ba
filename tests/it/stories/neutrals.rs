//! Neutrals: connection excludes, objections are decided by somebody else, and exclusion beats every grant.
use common_ground::domain::people::Role;
use serde_json::json;

use crate::cast::{Cast, accepting};
use crate::on_both;
use crate::support::App;

on_both! {
    fn a_role_at_a_party_in_the_last_three_years_excludes(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        cast.coordinator.did(&case, json!({ "event": "screen", "result": "suitable" }));
        // Who is being asked is not for the sides: to them it stays the coordinator's turn, in every list.
        let waits = |turn: &str| cast.initiating_lead.get(&format!("/api/v1/cases?waiting_for={turn}")).expect(200).body["items"].as_array().map(Vec::len);
        let before = (waits("coordinator"), waits("facilitator"));
        assert_eq!(before, (Some(1), Some(0)));
        let declare = |until: Option<&str>| cast.other_facilitator.post(&format!("/api/v1/people/{}/affiliations", cast.other_facilitator.id), &json!({ "organisation": cast.invited, "role": "trustee", "since": "2019-01-01", "until": until })).expect(201);
        declare(Some("2023-09-01"));
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.other_facilitator.id }));
        assert_eq!((waits("coordinator"), waits("facilitator")), before);
        let asked = cast.other_facilitator.sees(&case).expect(200).body;
        assert_eq!(asked["you_are"], "asked_facilitator");
        assert!(asked["summary"].is_null() && asked["accounts"].is_null() && asked["sides"].is_object(), "names only: {asked}");
        declare(Some("2024-01-01"));
        cast.other_facilitator.sees(&case).expect(404);
        assert!(cast.other_facilitator.get("/api/v1/cases").body["items"].as_array().expect("a list").is_empty());
        cast.coordinator.did(&case, json!({ "event": "replace_facilitator", "person": cast.facilitator.id }));
        cast.facilitator.did(&case, accepting());
    }

    fn an_invitation_nobody_took_up_ties_nobody(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let invited = cast.invited_lead.post(&format!("/api/v1/organisations/{}/members", cast.invited), &json!({ "name": "x", "email": cast.facilitator.email })).expect(201).body;
        cast.facilitator.sees(&case).expect(200);
        cast.invited_lead.post(&format!("/api/v1/memberships/{}/end", invited["id"].as_str().expect("an id")), &json!({})).expect(200);
        cast.facilitator.sees(&case).expect(200);
    }

    fn a_connected_coordinator_sees_nothing(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        let connected = app.staff("Con Nect", &[Role::Coordinator, Role::Auditor]);
        connected.sees(&case).expect(200);
        cast.coordinator.post(&format!("/api/v1/people/{}/affiliations", connected.id), &json!({ "organisation": cast.initiating, "role": "manager", "since": "2024-01-01" })).expect(201);
        let nothing = connected.sees(&case).expect(404);
        let unknown = connected.sees("00000000-0000-4000-8000-000000000000").expect(404);
        assert_eq!(nothing.fingerprint(), unknown.fingerprint());
        assert!(connected.get("/api/v1/cases").body["items"].as_array().expect("a list").is_empty());
        let before = app.subjects_to(&connected).len();
        cast.initiating_lead.did(&case, json!({ "event": "withdraw" }));
        assert_eq!(app.subjects_to(&connected).len(), before, "and is told nothing");
    }

    fn an_objection_is_decided_in_writing_and_an_upheld_one_excludes(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.invited_lead.did(&case, json!({ "event": "object", "reasons": "We would feel easier with somebody else." }));
        assert_eq!(cast.facilitator.can(&case, "close")["reasons"][0]["code"], "objection_open");
        let objection = cast.coordinator.sees(&case).body["objections"][0]["id"].clone();
        cast.coordinator.did(&case, json!({ "event": "decide_objection", "objection": objection, "result": "upheld", "reasons": "So that both are at ease." }));
        cast.facilitator.sees(&case).expect(404);
        assert!(cast.initiating_lead.sees(&case).body["facilitator"].is_null());
        assert_eq!(cast.coordinator.does(&case, json!({ "event": "assign_facilitator", "person": cast.facilitator.id })).expect(409).reasons(), ["facilitator_connected"]);
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.other_facilitator.id }));
        cast.other_facilitator.did(&case, accepting());
        for side in [&cast.initiating_lead, &cast.invited_lead] { assert_eq!(side.sees(&case).body["objections"][0]["result"], "upheld"); }
    }

    fn what_an_excluded_neutral_was_told_is_gone_with_the_case(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let told = |who: &crate::support::Person| who.get("/api/v1/notifications").expect(200).body["items"].as_array().map(Vec::len);
        assert!(told(&cast.facilitator) > Some(0));
        cast.invited_lead.did(&case, json!({ "event": "object", "reasons": "Somebody else, please." }));
        let objection = cast.coordinator.sees(&case).body["objections"][0]["id"].clone();
        cast.coordinator.did(&case, json!({ "event": "decide_objection", "objection": objection, "result": "upheld", "reasons": "So that both are at ease." }));
        assert_eq!(told(&cast.facilitator), Some(0));
    }

    fn a_conflicted_neutral_types_nothing_for_anybody(app: &App) {
        let cast = Cast::new(app);
        cast.facilitator.post(&format!("/api/v1/people/{}/affiliations", cast.facilitator.id), &json!({ "organisation": cast.initiating, "role": "trustee", "since": "2025-01-01" })).expect(201);
        let draft = |person: &crate::support::Person, organisation: &str, with: &str| {
            let behalf = json!({ "organisation": organisation, "channel": "phone", "read_back_and_confirmed": true });
            person.post("/api/v1/cases", &json!({ "organisation": organisation, "on_behalf_of": behalf, "draft": { "with": [with] } }))
        };
        draft(&cast.facilitator, &cast.initiating, &cast.invited).expect(422);
        draft(&cast.facilitator, &cast.invited, &cast.initiating).expect(422);
        let case = draft(&cast.other_facilitator, &cast.invited, &cast.initiating).expect(201).body["id"].as_str().expect("an id").to_owned();
        assert_eq!(cast.other_facilitator.does(&case, json!({ "event": "save_draft" })).expect(422).flaws(), ["/on_behalf_of"], "each time with whom it is for");
    }

    fn a_neutral_may_decline_or_step_back_and_then_sees_nothing(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        cast.coordinator.did(&case, json!({ "event": "screen", "result": "suitable" }));
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.facilitator.id }));
        let gone = cast.facilitator.did(&case, json!({ "event": "decline_appointment" }));
        assert!(gone.body["case"].is_null());
        cast.facilitator.sees(&case).expect(404);
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.other_facilitator.id }));
        cast.other_facilitator.did(&case, accepting());
        cast.other_facilitator.did(&case, json!({ "event": "step_back" }));
        cast.other_facilitator.sees(&case).expect(404);
        assert!(app.subjects_to(&cast.other_facilitator).iter().any(|s| s.contains("left") || s.contains("thank")), "{:?}", app.subjects_to(&cast.other_facilitator));
    }

    fn an_observer_needs_both_sides_and_reads_what_is_joint(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let observer = app.staff("Olu Serve", &[]);
        cast.initiating_lead.did(&case, json!({ "event": "admit_observer", "person": observer.id }));
        observer.sees(&case).expect(404);
        cast.invited_lead.did(&case, json!({ "event": "admit_observer", "person": observer.id }));
        let seen = observer.sees(&case).expect(200).body;
        assert_eq!(seen["you_are"], "observer");
        assert!(seen["accounts"]["initiating"].is_null() && seen["summary"].is_object());
        assert_eq!(cast.initiating_lead.does(&case, json!({ "event": "admit_observer", "person": cast.invited_member.id })).expect(409).reasons(), ["observer_connected"]);
    }

    fn nobody_appoints_themselves_or_somebody_who_is_no_facilitator(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        let both = app.staff("Bo Oth", &[Role::Coordinator, Role::Facilitator]);
        assert_eq!(both.does(&case, json!({ "event": "assign_facilitator", "person": both.id })).expect(422).flaws(), ["/person"]);
        assert_eq!(cast.coordinator.does(&case, json!({ "event": "assign_facilitator", "person": cast.invited_member.id })).expect(409).reasons(), ["not_a_facilitator"]);
        let unknown = cast.coordinator.does(&case, json!({ "event": "assign_facilitator", "person": "00000000-0000-4000-8000-000000000000" })).expect(409);
        assert_eq!(unknown.reasons(), ["not_a_facilitator"], "somebody unknown is answered in the same way");
    }
}
