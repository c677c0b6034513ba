//! Once and only once: keys, tags, and many hands at the same moment.
use common_ground::store::db::{Conn, DbError};
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, Call, wire};

/// Runs a statement behind the service's back, as each database spells it.
fn run(app: &App, sqlite: &'static str, postgres: &'static str) {
    app.wait(app.desk.db.write(move |conn| {
        match conn {
            Conn::Sqlite(c) => c.batch_execute(sqlite),
            Conn::Postgres(c) => c.batch_execute(postgres),
        }
        .map_err(DbError::from)
    }))
    .expect("a statement of the harness");
}

on_both! {
    fn the_same_key_makes_the_same_answer(app: &App) {
        let cast = Cast::new(app);
        let body = json!({ "organisation": cast.initiating, "draft": { "with": [cast.invited], "statement": Cast::statement("share_all") } });
        let first = cast.initiating_lead.post_with("/api/v1/cases", &body, &[("idempotency-key", "a-1")]).expect(201);
        let second = cast.initiating_lead.post_with("/api/v1/cases", &body, &[("idempotency-key", "a-1")]).expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(cast.initiating_lead.get("/api/v1/cases").body["items"].as_array().map(Vec::len), Some(1));
        let other = cast.initiating_lead.post_with("/api/v1/cases", &json!({ "organisation": cast.initiating }), &[("idempotency-key", "a-1")]).expect(422);
        assert_eq!(other.problem(), "key-reused");
        cast.initiating_member.post_with("/api/v1/cases", &body, &[("idempotency-key", "a-1")]).expect(201);
    }

    fn an_answer_is_not_given_twice_to_somebody_who_may_no_longer_know(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let path = format!("/api/v1/cases/{case}/events");
        let tag = cast.facilitator.sees(&case).tag.expect("a tag");
        let log = json!({ "event": "log_session", "session": { "on": cast.today(), "way": "phone", "who_came": "both", "minutes": 30 } });
        let send = || cast.facilitator.post_with(&path, &log, &[("idempotency-key", "s-1"), ("if-match", &tag)]);
        send().expect(200);
        send().expect(200);
        assert_eq!(cast.facilitator.sees(&case).body["conversation"]["sessions"].as_array().map(Vec::len), Some(1));
        cast.facilitator.did(&case, json!({ "event": "step_back" }));
        send().expect(404);
    }

    fn an_answer_given_again_shows_what_may_be_seen_now(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        let path = format!("/api/v1/cases/{case}/events");
        let tag = cast.coordinator.sees(&case).tag.expect("a tag");
        let screen = || cast.coordinator.post_with(&path, &json!({ "event": "screen", "result": "suitable" }), &[("idempotency-key", "k"), ("if-match", &tag)]).expect(200);
        assert!(screen().text.contains(crate::support::CANARY));
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.facilitator.id }));
        cast.facilitator.did(&case, crate::cast::accepting());
        assert!(!screen().body["case"]["accounts"].to_string().contains(crate::support::CANARY), "the account is the neutral's now");
    }

    fn of_many_changes_of_one_person_or_organisation_one_wins(app: &App) {
        let cast = Cast::new(app);
        let administrator = app.staff("Ad Min", &[common_ground::domain::people::Role::Administrator]);
        let path = format!("/api/v1/people/{}", cast.other_facilitator.id);
        let tag = administrator.get(&path).tag.expect("a tag");
        let call = Call { method: "PATCH", path, token: Some(administrator.token.clone()), body: Some(json!({ "roles": [] }).to_string()), headers: vec![("if-match".into(), tag)] };
        let same = Call { method: "POST", path: "/api/v1/people".into(), token: Some(administrator.token.clone()), body: Some(json!({ "name": "New", "email": "new@clero.example" }).to_string()), headers: Vec::new() };
        let (changed, added): (Vec<u16>, Vec<u16>) = std::thread::scope(|scope| {
            let hands: Vec<_> = (0..20).map(|_| (scope.spawn(|| wire::send(&app.base, &call).status), scope.spawn(|| wire::send(&app.base, &same).status))).collect();
            hands.into_iter().map(|(a, b)| (a.join().expect("an answer"), b.join().expect("an answer"))).unzip()
        });
        assert_eq!((changed.iter().filter(|s| **s == 200).count(), added.iter().filter(|s| **s == 201).count()), (1, 1), "{changed:?} {added:?}");
        assert!(changed.iter().all(|s| [200, 412].contains(s)) && added.iter().all(|s| [201, 409].contains(s)), "{changed:?} {added:?}");
    }

    fn one_matter_is_opened_once_however_many_send_it(app: &App) {
        let cast = Cast::new(app);
        let drafts: Vec<Call> = (0..8).map(|_| {
            let case = cast.drafted("share_all");
            let tag = cast.initiating_lead.sees(&case).tag.expect("a tag");
            Call { method: "POST", path: format!("/api/v1/cases/{case}/events"), token: Some(cast.initiating_lead.token.clone()), body: Some(json!({ "event": "submit" }).to_string()), headers: vec![("if-match".into(), tag)] }
        }).collect();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let hands: Vec<_> = drafts.iter().map(|call| scope.spawn(|| wire::send(&app.base, call).status)).collect();
            hands.into_iter().map(|h| h.join().expect("an answer")).collect()
        });
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|s| [200, 409].contains(s)), "{statuses:?}");
    }

    fn a_step_happens_whole_or_not_at_all(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        app.work();
        let (before, told) = (cast.initiating_lead.sees(&case), cast.invited_lead.get("/api/v1/notifications").text);
        let history = || cast.initiating_lead.get(&format!("/api/v1/cases/{case}/events")).text;
        let happened = history();
        // The very last thing a step writes is its letters: if they cannot be kept, nothing is.
        run(app, "CREATE TRIGGER no_letters BEFORE INSERT ON letters BEGIN SELECT RAISE(ABORT, 'no letters today'); END",
            "CREATE FUNCTION no_letters() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no letters today'; END $$; CREATE TRIGGER no_letters BEFORE INSERT ON letters FOR EACH ROW EXECUTE FUNCTION no_letters()");
        let failed = cast.initiating_lead.does(&case, json!({ "event": "hold" })).expect(500);
        assert_eq!(failed.problem(), "internal");
        assert!(!failed.text.contains("no letters today"), "the cause is written down, not sent");
        assert_eq!(before.fingerprint(), cast.initiating_lead.sees(&case).fingerprint());
        assert_eq!((happened, told), (history(), cast.invited_lead.get("/api/v1/notifications").text));
        run(app, "DROP TRIGGER no_letters", "DROP TRIGGER no_letters ON letters");
        cast.initiating_lead.did(&case, json!({ "event": "hold" }));
    }

    fn a_change_says_what_it_saw(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let path = format!("/api/v1/cases/{case}/events");
        let hold = json!({ "event": "hold" });
        assert_eq!(cast.initiating_lead.post(&path, &hold).expect(428).problem(), "precondition-required");
        let tag = cast.initiating_lead.sees(&case).tag.expect("a tag");
        let other = cast.invited_lead.sees(&case).tag.expect("a tag");
        assert_ne!(tag, other, "each reader has a tag of their own");
        cast.initiating_lead.post_with(&path, &hold, &[("if-match", &other)]).expect(412);
        cast.initiating_lead.post_with(&path, &hold, &[("if-match", &format!("W/{tag}"))]).expect(412);
        cast.initiating_lead.post_with(&path, &hold, &[("if-match", &tag)]).expect(200);
        cast.initiating_lead.post_with(&path, &hold, &[("if-match", &tag)]).expect(412);
    }

    fn of_many_at_the_same_moment_exactly_one_wins(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let tag = cast.facilitator.sees(&case).tag.expect("a tag");
        let call = Call { method: "POST", path: format!("/api/v1/cases/{case}/events"), token: Some(cast.facilitator.token.clone()), body: Some(json!({ "event": "log_session", "session": { "on": cast.today(), "way": "phone", "who_came": "both", "minutes": 30 } }).to_string()), headers: vec![("if-match".into(), tag)] };
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let hands: Vec<_> = (0..50).map(|_| scope.spawn(|| wire::send(&app.base, &call).status)).collect();
            hands.into_iter().map(|h| h.join().expect("an answer")).collect()
        });
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|s| [200, 412].contains(s)), "{statuses:?}");
    }

    fn two_acceptances_at_one_instant_are_both_kept(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        cast.initiating_lead.did(&case, cast.proposal(&cast.initiating, "cooperation"));
        cast.invited_lead.did(&case, cast.proposal(&cast.invited, "community_benefit"));
        cast.facilitator.did(&case, json!({ "event": "circulate" }));
        let hash = cast.facilitator.sees(&case).body["agreement"]["circulated"]["hash"].clone();
        let accept = json!({ "event": "accept_agreement", "answers": hash });
        let call = |who: &crate::support::Person| who.fresh().call("POST", &format!("/api/v1/cases/{case}/events"), Some(&accept), &[]);
        let (one, other) = (call(&cast.initiating_lead), call(&cast.invited_lead));
        std::thread::scope(|scope| {
            let first = scope.spawn(|| wire::send(&app.base, &one).expect(200));
            let second = scope.spawn(|| wire::send(&app.base, &other).expect(200));
            first.join().expect("an answer");
            second.join().expect("an answer");
        });
        cast.facilitator.did(&case, json!({ "event": "conclude_agreement" }));
        assert_eq!(cast.facilitator.does(&case, json!({ "event": "conclude_agreement" })).expect(409).reasons(), ["nothing_circulating", "not_everyone_accepted"]);
    }
}
