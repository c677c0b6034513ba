//! Agreed actions: the same hash for everybody, composition, concluding once.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;

on_both! {
    fn a_draft_goes_round_only_when_it_is_composed(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        assert!(cast.facilitator.does(&case, json!({ "event": "circulate" })).expect(409).reasons().contains(&"no_actions_yet".to_owned()));
        cast.initiating_lead.did(&case, cast.proposal(&cast.initiating, "shared_learning"));
        assert_eq!(cast.facilitator.does(&case, json!({ "event": "circulate" })).expect(409).reasons(), ["each_side_owns_one", "no_cooperation_action", "no_community_benefit_action"]);
        let outside = app.lero(&cast.coordinator, "Dogwood Steps", "england");
        assert_eq!(cast.initiating_lead.does(&case, cast.proposal(&outside, "cooperation")).expect(422).flaws(), ["/terms/owner"]);
    }

    fn an_edit_clears_what_was_accepted(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.initiating_lead.did(&case, cast.proposal(&cast.initiating, "cooperation"));
        cast.invited_lead.did(&case, cast.proposal(&cast.invited, "community_benefit"));
        cast.facilitator.did(&case, json!({ "event": "circulate" }));
        let old = cast.invited_lead.can(&case, "accept_agreement")["answers"].clone();
        cast.initiating_lead.did(&case, json!({ "event": "accept_agreement" }));
        assert_eq!(cast.facilitator.does(&case, json!({ "event": "conclude_agreement" })).expect(409).reasons(), ["not_everyone_accepted"]);
        let action = cast.invited_lead.sees(&case).body["agreement"]["drafting"][0].clone();
        let mut terms = action["terms"].clone();
        terms["what"] = json!("Open the Wednesday group.");
        cast.invited_lead.did(&case, json!({ "event": "amend_action", "action": action["id"], "terms": terms }));
        assert_eq!(cast.invited_lead.sees(&case).body["agreement"]["state"], "drafting");
        cast.facilitator.did(&case, json!({ "event": "circulate" }));
        cast.invited_lead.does(&case, json!({ "event": "accept_agreement", "answers": old })).expect(412);
        assert_eq!(cast.facilitator.sees(&case).body["agreement"]["circulated"]["accepted"], json!([]));
    }

    fn a_side_takes_back_its_own_proposals_only(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.initiating_lead.did(&case, cast.proposal(&cast.initiating, "cooperation"));
        let action = cast.invited_lead.sees(&case).body["agreement"]["drafting"][0]["id"].clone();
        assert_eq!(cast.invited_lead.does(&case, json!({ "event": "withdraw_action", "action": action })).expect(409).reasons(), ["not_your_action"]);
        cast.initiating_member.did(&case, json!({ "event": "withdraw_action", "action": action }));
        cast.facilitator.did(&case, cast.proposal(&cast.invited, "cooperation"));
        assert_eq!(cast.invited_lead.sees(&case).body["agreement"]["drafting"][0]["proposed_by"], "neutral", "a neutral's proposal is labelled");
    }

    fn somebody_would_rather_change_something(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.initiating_lead.did(&case, cast.proposal(&cast.initiating, "cooperation"));
        cast.invited_lead.did(&case, cast.proposal(&cast.invited, "community_benefit"));
        cast.facilitator.did(&case, json!({ "event": "circulate", "still_open": "The name of the group." }));
        cast.invited_lead.did(&case, json!({ "event": "accept_agreement" }));
        cast.invited_lead.did(&case, json!({ "event": "decline_agreement", "what_would_help": "A later day." }));
        let seen = cast.initiating_lead.sees(&case).body["agreement"]["circulated"].clone();
        assert_eq!((seen["accepted"].clone(), seen["declined"][&cast.invited].clone()), (json!([]), json!("A later day.")));
        cast.invited_lead.did(&case, json!({ "event": "accept_agreement" }));
        cast.initiating_lead.did(&case, json!({ "event": "accept_agreement" }));
        cast.facilitator.did(&case, json!({ "event": "conclude_agreement" }));
        assert_eq!(cast.invited_lead.sees(&case).body["agreement"]["in_force"]["still_open"], "The name of the group.", "a partial agreement says what is still open");
    }

    fn a_telephone_acceptance_reads_the_digits_back(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.initiating_lead.did(&case, cast.proposal(&cast.initiating, "cooperation"));
        cast.invited_lead.did(&case, cast.proposal(&cast.invited, "community_benefit"));
        cast.facilitator.did(&case, json!({ "event": "circulate" }));
        let hash = cast.facilitator.sees(&case).body["agreement"]["circulated"]["hash"].as_str().expect("a hash").to_owned();
        let by_phone = |code: &str| json!({ "event": "accept_agreement", "answers": hash, "on_behalf_of": { "organisation": cast.invited, "channel": "phone", "read_back_and_confirmed": true, "read_back_code": code } });
        assert_eq!(cast.facilitator.does(&case, by_phone("000000")).expect(409).reasons(), ["read_back_does_not_match"]);
        cast.facilitator.did(&case, by_phone(&common_ground::domain::hash::read_back_code(&hash)));
        assert_eq!(cast.coordinator.does(&case, by_phone("000000")).expect(403).problem(), "not-your-part");
        cast.initiating_lead.did(&case, json!({ "event": "accept_agreement" }));
        let done = cast.facilitator.did(&case, json!({ "event": "conclude_agreement" }));
        assert_eq!(done.body["case"]["agreement"]["in_force"]["signed"][&cast.invited]["channel"], "read_back");
    }

    fn the_coordinator_knows_that_there_is_an_agreement_not_what_it_says(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_force();
        let seen = cast.coordinator.sees(&case).body;
        assert_eq!(seen["agreement"], json!({ "state": "in_force" }));
        assert!(!seen.to_string().contains("Tuesday"));
    }

    fn closing_says_what_becomes_of_every_action(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_force();
        let close = |actions: serde_json::Value| json!({ "event": "close", "outcome": "agreed_full", "summary": "Two mornings.", "actions": actions, "sessions_logged": true });
        assert_eq!(cast.facilitator.does(&case, close(json!([]))).expect(409).reasons(), ["actions_left_open"]);
        assert_eq!(cast.facilitator.does(&case, close(json!([{ "action": "00000000-0000-4000-8000-000000000000", "becomes": "done" }]))).expect(422).flaws(), ["/actions/0/action"]);
        let early = cast.in_conversation_again();
        assert_eq!(cast.facilitator.does(&early, close(json!([]))).expect(409).reasons(), ["outcome_does_not_fit"]);
    }
}
