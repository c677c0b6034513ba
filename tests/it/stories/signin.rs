//! Getting in, staying in and getting back in (SPEC §11).
use chrono::Duration;
use common_ground::casework::Settings;
use common_ground::config::{Config, Over};
use common_ground::domain::people::Role;
use serde_json::{Value, json};

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, Browser, Call, PASSWORD, Person, Reply, settings};

const OTHER: &str = "seven quiet herons walking";

fn anybody(app: &App, path: &str, body: &Value) -> Reply {
    app.send(&Call {
        method: "POST",
        path: path.to_owned(),
        body: Some(body.to_string()),
        ..Call::default()
    })
}

fn codes(reply: &Reply) -> Vec<String> {
    reply.body["recovery_codes"]
        .as_array()
        .expect("codes")
        .iter()
        .map(|c| c.as_str().expect("a code").to_owned())
        .collect()
}

/// The id of an active membership.
fn place(who: &Person, organisation: &str, of: &Person) -> String {
    let members = who
        .get(&format!("/api/v1/organisations/{organisation}/members"))
        .expect(200)
        .body;
    members["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|m| m["person"] == json!(of.id))
        .expect("a member")["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

type Headers = Vec<(String, String)>;

on_both! {
    fn a_password_and_six_digits_open_the_door_in_one_browser(app: &App) {
        let cast = Cast::new(app);
        let (lead, browser, other) = (&cast.initiating_lead, Browser::new(app), Browser::new(app));
        assert_eq!(browser.try_password(&lead.email, PASSWORD).expect(200).body["next"], "code");
        let code = app.code_for(lead);
        assert_eq!(other.answer(&code).expect(422).flaws(), ["/code"], "another browser");
        browser.get("/api/v1/session").expect(401);
        let inside = browser.answer(&code).expect(200).body;
        assert_eq!(inside["next"], "signed_in");
        assert!(inside["fresh_until"].is_string());
        assert_eq!(browser.get("/api/v1/session").expect(200).body["person"]["email"], json!(lead.email));
        assert!(app.subjects_to(lead).iter().any(|s| s.contains("Somebody signed in")));
        browser.answer(&code).expect(422);
        let left = browser.post("/api/v1/session/end", &json!({})).expect(204);
        assert!(left.header("clear-site-data").is_some_and(|h| h.contains("storage")));
        browser.get("/api/v1/me").expect(401);
    }

    fn whatever_is_wrong_looks_the_same(app: &App) {
        let cast = Cast::new(app);
        let try_one = |email: &str| anybody(app, "/api/v1/sign-in", &json!({ "email": email, "password": "quite another thing" })).expect(422).fingerprint();
        let wrong = try_one(&cast.initiating_lead.email);
        assert_eq!(wrong, try_one("nobody@lero.example"), "nobody of that address");
        assert_eq!(wrong, try_one(&cast.coordinator.email), "an account without a password");
    }

    fn five_wrong_codes_end_it_and_so_does_time(app: &App) {
        let cast = Cast::new(app);
        let (lead, browser) = (&cast.initiating_lead, Browser::new(app));
        browser.try_password(&lead.email, PASSWORD).expect(200);
        let code = app.code_for(lead);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for _ in 0..5 { browser.answer(wrong).expect(422); }
        browser.answer(&code).expect(422);
        browser.try_password(&lead.email, PASSWORD).expect(200);
        let code = app.code_for(lead);
        app.clock.advance(Duration::minutes(11));
        browser.answer(&code).expect(422);
    }

    fn a_mail_scanner_changes_nothing(app: &App) {
        let cast = Cast::new(app);
        let (lead, browser) = (&cast.initiating_lead, Browser::new(app));
        browser.try_password(&lead.email, PASSWORD).expect(200);
        let code = app.code_for(lead);
        for n in 0..100 {
            let method = if n % 2 == 0 { "GET" } else { "HEAD" };
            let look = Call { method, path: "/sign-in".into(), ..Call::default() };
            crate::support::wire::send_unchecked(&app.base, &look).expect(200);
            anybody(app, "/api/v1/sign-in/code", &json!({})).expect(422);
        }
        browser.answer(&code).expect(200);
    }

    fn a_trusted_browser_needs_the_password_only(app: &App) {
        let cast = Cast::new(app);
        let (lead, browser) = (&cast.initiating_lead, Browser::new(app));
        browser.try_password(&lead.email, PASSWORD).expect(200);
        browser.answer_and_trust(&app.code_for(lead)).expect(200);
        browser.post("/api/v1/session/end", &json!({})).expect(204);
        let again = browser.try_password(&lead.email, PASSWORD).expect(200).body;
        assert_eq!((again["next"].clone(), again["fresh_until"].is_null()), (json!("signed_in"), true));
        let all = browser.get("/api/v1/trusted-browsers").expect(200).body;
        let id = all["items"][0]["id"].as_str().expect("an id").to_owned();
        browser.post(&format!("/api/v1/trusted-browsers/{id}/end"), &json!({})).expect(204);
        assert_eq!(browser.try_password(&lead.email, PASSWORD).expect(200).body["next"], "code");
    }

    fn a_code_on_paper_works_once(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let kept = codes(&lead.fresh().post("/api/v1/recovery-codes", &json!({})).expect(201));
        assert_eq!(kept.len(), 10);
        for (again, status) in [(false, 200), (true, 422)] {
            let browser = Browser::new(app);
            browser.try_password(&lead.email, PASSWORD).expect(200);
            let reply = browser.post("/api/v1/sign-in/code", &json!({ "recovery_code": kept[0].to_lowercase() }));
            assert_eq!(reply.status, status, "again: {again}");
        }
        assert_eq!(lead.get("/api/v1/recovery-codes").expect(200).body["left"], 9);
    }

    fn a_fresh_step_renews_the_session(app: &App) {
        let cast = Cast::new(app);
        let (lead, browser) = (&cast.initiating_lead, cast.initiating_lead.fresh());
        app.clock.advance(Duration::minutes(20));
        assert_eq!(browser.post("/api/v1/recovery-codes", &json!({})).expect(403).problem(), "fresh-step");
        let before = browser.cookies.borrow()["__Host-session"].clone();
        browser.post("/api/v1/session/step", &json!({})).expect(200);
        browser.post("/api/v1/session/step/code", &json!({ "code": app.code_for(lead) })).expect(200);
        assert_ne!(before, browser.cookies.borrow()["__Host-session"]);
        browser.post("/api/v1/recovery-codes", &json!({})).expect(201);
        let old = Call { method: "GET", path: "/api/v1/session".into(), headers: vec![("cookie".to_owned(), format!("__Host-session={before}"))], ..Call::default() };
        app.send(&old).expect(401);
    }

    fn other_pages_change_nothing(app: &App) {
        let cast = Cast::new(app);
        let browser = cast.initiating_lead.fresh();
        let path = "/api/v1/sessions/end-others";
        let with = |change: &dyn Fn(&mut Headers)| {
            let mut call = browser.call("POST", path, Some(&json!({})), &[]);
            change(&mut call.headers);
            app.send(&call)
        };
        assert_eq!(with(&|h| h.retain(|(n, _)| n != "x-csrf-token")).expect(403).problem(), "cross-site");
        assert_eq!(with(&|h| h.iter_mut().filter(|(n, _)| n == "sec-fetch-site").for_each(|(_, v)| *v = "cross-site".into())).expect(403).problem(), "cross-site");
        assert_eq!(with(&|h| h.push(("origin".into(), "https://evil.example".into()))).expect(403).problem(), "cross-site");
        with(&|h| h.push(("origin".into(), app.base.clone()))).expect(204);
        let twice = Call { method: "GET", path: "/api/v1/session".into(), headers: vec![("cookie".to_owned(), "__Host-session=a; __Host-session=b".to_owned())], ..Call::default() };
        app.send(&twice).expect(400);
    }

    fn sessions_are_listed_and_end(app: &App) {
        let cast = Cast::new(app);
        let (one, two) = (cast.initiating_lead.fresh(), cast.initiating_lead.fresh());
        let all = one.get("/api/v1/sessions").expect(200).body;
        let items = all["items"].as_array().expect("a list").clone();
        assert_eq!(items.iter().filter(|s| s["current"] == true).count(), 1);
        let other = items.iter().find(|s| s["current"] == false).expect("the other")["id"].as_str().expect("an id").to_owned();
        cast.invited_lead.fresh().post(&format!("/api/v1/sessions/{other}/end"), &json!({})).expect(404);
        one.post(&format!("/api/v1/sessions/{other}/end"), &json!({})).expect(204);
        two.get("/api/v1/me").expect(401);
        app.clock.advance(Duration::hours(3));
        one.get("/api/v1/me").expect(401);
    }

    fn a_token_does_what_its_scopes_say(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let browser = lead.fresh();
        let make = |body: Value| browser.post("/api/v1/tokens", &body);
        assert_eq!(make(json!({ "name": "x", "scopes": ["sign"], "hours": 25 })).expect(422).flaws(), ["/hours"]);
        assert_eq!(make(json!({ "name": "x", "scopes": ["read"], "days": 366 })).expect(422).flaws(), ["/days"]);
        let read = make(json!({ "name": "Reports", "scopes": ["read"], "days": 30 })).expect(201).body;
        let mut reader = lead.clone();
        reader.token = read["token"].as_str().expect("a token").to_owned();
        reader.get("/api/v1/me").expect(200);
        reader.post("/api/v1/cases", &json!({ "organisation": cast.initiating })).expect(403);
        lead.post("/api/v1/tokens", &json!({ "name": "x", "scopes": ["read"] })).expect(403);
        let case = cast.in_actions();
        lead.did(&case, cast.proposal(&cast.initiating, "cooperation"));
        cast.invited_lead.did(&case, cast.proposal(&cast.invited, "community_benefit"));
        cast.facilitator.did(&case, json!({ "event": "circulate" }));
        let accept = json!({ "event": "accept_agreement", "answers": lead.can(&case, "accept_agreement")["answers"] });
        let path = format!("/api/v1/cases/{case}/events");
        assert_eq!(lead.post(&path, &accept).expect(403).problem(), "fresh-step");
        let sign = make(json!({ "name": "Today", "scopes": ["sign"] })).expect(201).body;
        let mut signer = lead.clone();
        signer.token = sign["token"].as_str().expect("a token").to_owned();
        signer.post(&path, &accept).expect(200);
        let id = sign["id"].as_str().expect("an id");
        lead.post(&format!("/api/v1/tokens/{id}/revoke"), &json!({})).expect(204);
        signer.get("/api/v1/me").expect(401);
    }

    fn another_password_ends_what_was_open(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let (one, two) = (lead.fresh(), lead.fresh());
        assert_eq!(one.post("/api/v1/password", &json!({ "new_password": "short" })).expect(422).flaws(), ["/new_password"]);
        assert_eq!(one.post("/api/v1/password", &json!({ "new_password": "aaaaaaaaaaaaaaaa" })).expect(422).flaws(), ["/new_password"]);
        one.post("/api/v1/password", &json!({ "new_password": OTHER })).expect(204);
        two.get("/api/v1/me").expect(401);
        one.get("/api/v1/me").expect(200);
        Browser::new(app).try_password(&lead.email, PASSWORD).expect(422);
        Browser::new(app).try_password(&lead.email, OTHER).expect(200);
        assert!(app.subjects_to(lead).iter().any(|s| s.contains("Your account was changed")));
    }

    fn the_mailbox_alone_opens_nothing(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let browser = lead.fresh();
        let kept = codes(&browser.post("/api/v1/recovery-codes", &json!({})).expect(201));
        let ask = |email: &str| anybody(app, "/api/v1/password-resets", &json!({ "email": email })).expect(202).fingerprint();
        assert_eq!(ask(&lead.email), ask("nobody@lero.example"));
        let code = app.code_for(lead);
        let reset = |body: Value| anybody(app, "/api/v1/password-resets/accept", &body);
        reset(json!({ "email": lead.email, "code": code, "new_password": OTHER })).expect(422);
        reset(json!({ "email": lead.email, "code": "x", "new_password": OTHER, "recovery_code": kept[0] })).expect(422);
        reset(json!({ "email": lead.email, "code": code, "new_password": OTHER, "recovery_code": kept[0] })).expect(204);
        browser.get("/api/v1/me").expect(401);
        Browser::new(app).try_password(&lead.email, OTHER).expect(200);
    }

    fn clero_vouches_and_a_day_goes_by(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let path = format!("/api/v1/people/{}/recoveries", lead.id);
        assert_eq!(cast.coordinator.post(&path, &json!({})).expect(403).problem(), "fresh-step");
        cast.invited_lead.post(&path, &json!({})).expect(403);
        let staff = cast.coordinator.fresh();
        staff.post(&format!("/api/v1/people/{}/recoveries", cast.facilitator.id), &json!({})).expect(403);
        let first = staff.post(&path, &json!({})).expect(201).body["id"].as_str().expect("an id").to_owned();
        assert!(app.subjects_to(lead).iter().any(|s| s.contains("Help to get back in")));
        let try_it = || {
            anybody(app, "/api/v1/password-resets", &json!({ "email": lead.email })).expect(202);
            let body = json!({ "email": lead.email, "code": app.code_for(lead), "new_password": OTHER });
            anybody(app, "/api/v1/password-resets/accept", &body)
        };
        try_it().expect(422);
        lead.post(&format!("/api/v1/recoveries/{first}/stop"), &json!({})).expect(200);
        app.clock.advance(Duration::hours(25));
        try_it().expect(422);
        cast.coordinator.fresh().post(&path, &json!({})).expect(201);
        app.clock.advance(Duration::hours(25));
        try_it().expect(204);
        assert_eq!(lead.get(&path).expect(401).problem(), "sign-in", "tokens of before end, too");
        assert_eq!(cast.coordinator.get(&path).expect(200).body["items"].as_array().map(Vec::len), Some(2));
    }

    fn another_address_is_shown_to_be_ones_own(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let browser = lead.fresh();
        browser.post("/api/v1/address", &json!({ "email": cast.invited_lead.email })).expect(200);
        browser.post("/api/v1/address/confirm", &json!({ "code": "000000" })).expect(422);
        browser.post("/api/v1/address", &json!({ "email": "ada@new.example" })).expect(200);
        let mut there = lead.clone();
        there.email = "ada@new.example".to_owned();
        let code = app.code_for(&there);
        assert_eq!(browser.post("/api/v1/address/confirm", &json!({ "code": code })).expect(200).body["email"], "ada@new.example");
        for who in [lead, &there] { assert!(app.subjects_to(who).iter().any(|s| s.contains("address was changed")), "{}", who.email); }
        Browser::new(app).try_password(&lead.email, PASSWORD).expect(422);
        Browser::new(app).try_password("ada@new.example", PASSWORD).expect(200);
    }

    fn asking_for_a_new_password_takes_nobodys_sign_in_away(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        for _ in 0..8 { anybody(app, "/api/v1/password-resets", &json!({ "email": lead.email })).expect(202); }
        let browser = Browser::new(app);
        browser.try_password(&lead.email, PASSWORD).expect(200);
        browser.answer(&app.code_for(lead)).expect(200);
        let resets = app.subjects_to(lead).iter().filter(|s| s.contains("new password")).count();
        assert_eq!(resets, 5, "{:?}", app.subjects_to(lead));
    }

    fn a_token_made_for_signing_only_signs(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let lead = &cast.initiating_lead;
        let made = lead.fresh().post("/api/v1/tokens", &json!({ "name": "For signing", "scopes": ["sign"], "hours": 2 })).expect(201);
        let signing = Person { token: made.body["token"].as_str().expect("a token").to_owned(), ..lead.clone() };
        let room = format!("/api/v1/cases/{case}/rooms/initiating/messages");
        let said = signing.post(&room, &json!({ "text": "Between us." })).expect(201).body["id"].as_str().expect("an id").to_owned();
        assert_eq!(signing.post(&format!("{room}/{said}/release"), &json!({ "to": "joint" })).expect(403).problem(), "fresh-step");
        let member = place(lead, &cast.initiating, &cast.initiating_member);
        assert_eq!(signing.post(&format!("/api/v1/organisations/{}/lead", cast.initiating), &json!({ "to": member })).expect(403).problem(), "fresh-step");
    }

    fn an_organisations_leads_hear_whom_clero_invites(app: &App) {
        let cast = Cast::new(app);
        let path = format!("/api/v1/organisations/{}/members", cast.invited);
        let new = json!({ "name": "New Face", "email": "new.face@lero.example" });
        assert_eq!(cast.coordinator.post(&path, &new).expect(403).problem(), "fresh-step");
        cast.coordinator.fresh().post(&path, &new).expect(201);
        let told = |who: &Person| app.subjects_to(who).iter().any(|s| s.contains("was invited to your organisation"));
        assert!(told(&cast.invited_lead) && !told(&cast.invited_member) && !told(&cast.initiating_lead));
    }

    fn the_lead_is_handed_over(app: &App) {
        let cast = Cast::new(app);
        let (lead, member) = (&cast.initiating_lead, &cast.initiating_member);
        let path = format!("/api/v1/organisations/{}/lead", cast.initiating);
        let to = json!({ "to": place(lead, &cast.initiating, member) });
        assert_eq!(lead.post(&path, &to).expect(403).problem(), "fresh-step");
        member.fresh().post(&path, &to).expect(403);
        cast.invited_lead.fresh().post(&path, &to).expect(403);
        let stranger = json!({ "to": place(&cast.coordinator, &cast.invited, &cast.invited_member) });
        assert_eq!(lead.fresh().post(&path, &stranger).expect(422).flaws(), ["/to"]);
        assert_eq!(lead.fresh().post(&path, &to).expect(200).body["lead"], true);
        lead.fresh().post(&path, &json!({ "to": place(lead, &cast.initiating, lead) })).expect(403);
        for who in [lead, member] { assert!(app.subjects_to(who).iter().any(|s| s.contains("lead of your organisation")), "{}", who.name); }
    }

    fn a_closed_account_is_out_at_the_next_request(app: &App) {
        let cast = Cast::new(app);
        let administrator = app.staff("Ad Min", &[Role::Administrator]);
        let browser = cast.initiating_lead.fresh();
        browser.get("/api/v1/me").expect(200);
        let path = format!("/api/v1/people/{}", cast.initiating_lead.id);
        let tag = administrator.get(&path).expect(200).tag.expect("a tag");
        administrator.patch(&path, &json!({ "active": false }), &tag).expect(200);
        browser.get("/api/v1/me").expect(401);
        Browser::new(app).try_password(&cast.initiating_lead.email, PASSWORD).expect(422);
    }

    fn who_guesses_is_stopped_and_nobody_else(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let trusted = Browser::new(app);
        trusted.try_password(&lead.email, PASSWORD).expect(200);
        trusted.answer_and_trust(&app.code_for(lead)).expect(200);
        trusted.post("/api/v1/session/end", &json!({})).expect(204);
        let attacker = Browser::from(app, "203.0.113.9");
        for _ in 0..10 { attacker.try_password(&lead.email, "a wrong guess of theirs").expect(422); }
        let stopped = attacker.try_password(&lead.email, PASSWORD).expect(429);
        assert_eq!(stopped.problem(), "too-many-tries");
        assert!(stopped.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| (1..=900).contains(&s))));
        assert_eq!(trusted.try_password(&lead.email, PASSWORD).expect(200).body["next"], "signed_in");
        app.clock.advance(Duration::minutes(16));
        attacker.try_password(&lead.email, PASSWORD).expect(200);
    }
}

/// Whether an account exists cannot be told by the clock either (SAFETY §4): with what a password costs in service, the
/// quickest of many answers takes as long for an address nobody has. The two are asked in turn, so that whatever else
/// this machine does is done to both.
#[test]
fn an_address_that_nobody_has_takes_as_long() {
    let usual = Config::from(None, &|_| None, &Over::default()).expect("the usual configuration");
    let app = App::with(Settings {
        hashing: usual.settings.hashing,
        ..settings()
    });
    let cast = Cast::new(&app);
    let mut quickest = [u128::MAX; 2];
    for n in 0..24 {
        // Each network is asked a few times only, so that nobody is refused for one try too many.
        let from = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"][n % 4];
        for (which, email) in [cast.initiating_lead.email.as_str(), "nobody@lero.example"]
            .into_iter()
            .enumerate()
        {
            let browser = Browser::from(&app, from);
            let begin = std::time::Instant::now();
            browser
                .try_password(email, "quite another thing")
                .expect(422);
            quickest[which] = quickest[which].min(begin.elapsed().as_micros());
        }
    }
    let [somebody, nobody] = quickest;
    assert!(
        nobody * 4 > somebody * 3 && somebody * 4 > nobody * 3,
        "{somebody} and {nobody} microseconds"
    );
    assert!(
        somebody > 5_000,
        "{somebody} microseconds are too few for what a password costs"
    );
}
