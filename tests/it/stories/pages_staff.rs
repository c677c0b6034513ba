//! The pages of those who look after the whole: what they show, to whom, and never more.
use common_ground::domain::notice::Letter;
use common_ground::domain::people::Role;
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::wire::drawn;
use crate::support::{App, CANARY, Call, Person, Reply};

/// A page as somebody sees it.
fn page(who: &Person, path: &str) -> Reply {
    let reply = who.get(path);
    assert!(reply.status < 500, "{path}: {}", reply.text);
    for group in [
        "next",
        "pile",
        "clock",
        "letter_for",
        "letter_topic",
        "log_event",
        "staff_role",
        "done",
        "problem",
    ] {
        assert!(
            !reply.text.contains(&format!("[{group}.")),
            "a word is missing in {path}: {}",
            reply.text
        );
    }
    reply
}

/// What is typed into a form and sent.
fn form(who: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
    let once = drawn();
    let mut all = vec![("_once", once.as_str())];
    all.extend(fields);
    let body = url(&all);
    who.app.send(&Call {
        method: "POST",
        path: path.to_owned(),
        token: Some(who.token.clone()),
        body: Some(body),
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )],
    })
}

fn url(fields: &[(&str, &str)]) -> String {
    let plain = |text: &str| -> String {
        let keep = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        text.bytes()
            .map(|b| {
                if keep(b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    fields
        .iter()
        .map(|(n, v)| format!("{}={}", plain(n), plain(v)))
        .collect::<Vec<_>>()
        .join("&")
}

/// The tag that a page's form says its reader saw.
fn seen(reply: &Reply) -> String {
    let (_, rest) = reply
        .text
        .split_once("name=\"_seen\" value=\"")
        .expect("a tag");
    rest.split('"').next().expect("an end").to_owned()
}

fn went_to(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.header("location").expect("a place").to_owned()
}

on_both! {
    fn the_board_shows_what_clero_must_do_next_and_nothing_private(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        let board = page(&cast.coordinator, "/board").expect(200);
        for shown in ["Alder Room", "Birch Table", "Wyre", "Read what was sent in", "A first answer is due by", &format!("/cases/{case}")] {
            assert!(board.text.contains(shown), "{shown}: {}", board.text);
        }
        assert!(!board.text.contains(CANARY));
        for (query, there) in [("show=new", true), ("show=late", false), ("stage=intake", true), ("stage=closed", false), ("waiting_for=coordinator", true), ("waiting_for=invited", false), ("text=birch", true), ("text=cedar", false), ("show=nonsense", true), ("from=99", false)] {
            let narrowed = page(&cast.coordinator, &format!("/board?{query}")).expect(200);
            assert_eq!(narrowed.text.contains(&case), there, "{query}");
        }
        cast.coordinator.did(&case, json!({ "event": "screen", "result": "suitable" }));
        assert!(page(&cast.coordinator, "/board").text.contains("Find a facilitator"));
        assert!(page(&cast.coordinator, "/tasks").text.contains(&case));
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.facilitator.id }));
        assert!(page(&cast.coordinator, "/board").text.contains("Fay Lund has been asked"));
        assert!(!page(&cast.coordinator, "/tasks").text.contains(&case));

        let others = [("Ad Min", Role::Administrator), ("Au Dit", Role::Auditor)].map(|(name, role)| app.staff(name, &[role]));
        for other in others.iter().chain([&cast.facilitator, &cast.initiating_lead]) {
            for path in ["/board", "/tasks"] {
                let refused = page(other, path).expect(403);
                assert!(!refused.text.contains("Alder Room"), "{path} as {}", other.name);
            }
        }
        let nobody = app.send(&Call { method: "GET", path: "/board".to_owned(), ..Call::default() });
        assert_eq!(went_to(&nobody), "/sign-in?next=%2Fboard");
    }

    fn a_coordinator_with_a_connection_does_not_find_the_case_on_the_board(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        let connected = app.staff("Conny Dent", &[Role::Coordinator]);
        assert!(page(&connected, "/board").text.contains(&case));
        let fields = [("organisation!", cast.invited.as_str()), ("role!", "Trustee"), ("since!@day", "1"), ("since!@month", "4"), ("since!@year", "2020")];
        let place = format!("/people/{}/connections/new", connected.id);
        page(&cast.coordinator, &place).expect(200);
        let empty = form(&cast.coordinator, &place, &[("organisation!", ""), ("role!", ""), ("since!@day", "")]);
        assert_eq!(empty.status, 422, "{}", empty.text);
        assert!(empty.text.contains("href=\"#f-organisation\""), "{}", empty.text);
        assert_eq!(went_to(&form(&cast.coordinator, &place, &fields)), format!("/people/{}?done=connection_declared", connected.id));
        assert!(!page(&connected, "/board").text.contains(&case));
        assert!(page(&cast.coordinator, &format!("/people/{}", connected.id)).text.contains("Birch Table"));
    }

    fn people_are_added_and_changed_by_form(app: &App) {
        let cast = Cast::new(app);
        let keeper = app.staff("Ad Min", &[Role::Administrator]);
        page(&keeper, "/people/new").expect(200);
        let wrong = form(&keeper, "/people/new", &[("name!", ""), ("email!", "nowhere")]);
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("Error:") && wrong.text.contains("nowhere"), "{}", wrong.text);
        let to = went_to(&form(&keeper, "/people/new", &[("name!", "Nell Ash"), ("email!", "nell@clero.example"), ("roles[]", "facilitator")]));
        let place = to.strip_suffix("?done=person_added").expect("the person").to_owned();
        assert!(page(&keeper, &to).expect(200).text.contains("the letter with their code is on its way"));
        assert!(page(&keeper, "/people?name=nell").text.contains("Nell Ash"));
        assert!(page(&keeper, "/people?name=ELL%20a").text.contains("Nell Ash"));
        assert!(!page(&keeper, "/people?name=%25").text.contains("Nell Ash"));

        // A coordinator makes facilitators, and nothing else; nobody changes themselves.
        assert_eq!(form(&cast.coordinator, "/people/new", &[("name!", "Ned Ash"), ("email!", "ned@clero.example"), ("roles[]", "auditor")]).status, 403);
        assert_eq!(page(&cast.coordinator, &format!("{place}/change")).status, 403);
        assert_eq!(page(&keeper, &format!("/people/{}/change", keeper.id)).status, 403);

        let change = page(&keeper, &format!("{place}/change")).expect(200);
        let old = seen(&change);
        let taken = form(&keeper, &format!("{place}/change"), &[("_seen", &old), ("active?", "yes"), ("roles[]", "coordinator")]);
        assert_eq!(went_to(&taken), format!("{place}?done=person_changed"));
        let stale = form(&keeper, &format!("{place}/change"), &[("_seen", &old), ("active?", "no"), ("roles[]", "auditor")]);
        assert_eq!(stale.status, 412);
        assert!(stale.text.contains("Somebody else changed this") && stale.text.contains("What is there now"), "{}", stale.text);
        let last = page(&keeper, &format!("{place}/change"));
        went_to(&form(&keeper, &format!("{place}/change"), &[("_seen", &seen(&last)), ("active?", "no")]));
        let person = page(&keeper, &place).expect(200).text;
        assert!(person.contains("No role") && person.contains("Closed"), "{person}");

        for other in [&cast.facilitator, &cast.initiating_lead] {
            for path in ["/people", "/people/new"] {
                assert_eq!(page(other, path).status, 403, "{path}");
            }
            assert_eq!(page(other, &place).status, 404);
        }
    }

    fn a_request_to_look_into_a_room_waits_for_somebody_else(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let wish = json!({ "room": "initiating", "ground": "serious_risk_of_harm", "reason": format!("A call. {CANARY}"), "hours": 4 });
        cast.coordinator.fresh().post(&format!("/api/v1/cases/{case}/room-looks"), &wish).expect(201);
        let second = app.staff("Cyn Vale", &[Role::Coordinator]);
        let tasks = page(&second, "/tasks").expect(200).text;
        assert!(tasks.contains("Cora Dell asks to look into") && tasks.contains("Read it and decide") && !tasks.contains(CANARY), "{tasks}");
        assert!(page(&cast.coordinator, "/tasks").text.contains("A colleague decides"));
    }

    fn vouching_needs_a_fresh_look_at_who_it_is(app: &App) {
        let cast = Cast::new(app);
        let place = format!("/people/{}", cast.initiating_lead.id);
        assert!(page(&cast.coordinator, &format!("{place}/vouch")).expect(200).text.contains("First make sure"));
        assert_eq!(form(&cast.coordinator, &format!("{place}/vouch"), &[]).status, 403, "a token is not fresh");
        let browser = cast.coordinator.fresh();
        let made = browser.post(&format!("/api/v1{place}/recoveries"), &json!({})).expect(201);
        let tasks = page(&cast.coordinator, "/tasks").expect(200).text;
        assert!(tasks.contains("Help to get back in") && tasks.contains("Ada Alder"), "{tasks}");
        assert!(page(&cast.coordinator, &place).text.contains("Stop this help"));
        let stop = format!("{place}/recoveries/{}/stop", made.body["id"].as_str().expect("an id"));
        assert_eq!(went_to(&form(&cast.coordinator, &stop, &[])), format!("{place}?done=recovery_stopped"));
        assert!(!page(&cast.coordinator, "/tasks").text.contains("Help to get back in"));
        assert_eq!(page(&cast.coordinator, &format!("/people/{}/vouch", cast.facilitator.id)).status, 403, "a coordinator does not vouch for staff");
    }

    fn letters_the_outbox_settings_and_the_log_are_for_those_they_are_for(app: &App) {
        let cast = Cast::new(app);
        let case = cast.submitted("share_all");
        app.work();
        let [keeper, auditor] = [("Ad Min", Role::Administrator), ("Au Dit", Role::Auditor)].map(|(name, role)| app.staff(name, &[role]));
        let lead = &cast.initiating_lead;
        for (path, who) in [("/letters", "coordinator administrator auditor"), ("/letters/invitation", "coordinator administrator auditor"), ("/letters/invitation/html", "coordinator administrator auditor"), ("/outbox", "coordinator administrator"), ("/settings", "administrator"), ("/log", "administrator auditor"), ("/people", "coordinator administrator")] {
            for (name, person) in [("coordinator", &cast.coordinator), ("administrator", &keeper), ("auditor", &auditor), ("facilitator", &cast.facilitator), ("lead", lead)] {
                let reply = page(person, path);
                assert_eq!(reply.status, if who.contains(name) { 200 } else { 403 }, "{path} as {name}");
                assert!(!reply.text.contains(CANARY) && !reply.text.contains(&case), "{path} as {name}");
            }
        }
        let all = page(&keeper, "/letters").text;
        for letter in Letter::ALL {
            assert!(all.contains(&format!("/letters/{}\"", letter.word())));
            let shown = page(&keeper, &format!("/letters/{}", letter.word())).expect(200);
            assert!(shown.header("content-security-policy").is_some_and(|policy| policy.contains("frame-src 'self'")));
            let html = page(&keeper, &format!("/letters/{}/html", letter.word())).expect(200);
            assert!(html.header("content-security-policy").is_some_and(|policy| policy.starts_with("sandbox;")));
        }
        assert_eq!(page(&keeper, "/letters/no_such_letter").status, 404);

        let outbox = page(&cast.coordinator, "/outbox?state=sent").text;
        assert!(outbox.contains("Ada Alder") && outbox.contains("Left the house"), "{outbox}");
        assert!(page(&cast.coordinator, "/outbox?state=could_not_be_delivered").text.contains("There is no such letter"));

        let log = page(&auditor, "/log").text;
        assert!(log.contains("An organisation was added to the register") && !log.contains("Cora Dell"), "{log}");
        let security = page(&keeper, "/log").text;
        assert!(!security.contains("An organisation was added") && security.contains("A token was made"), "{security}");
        let held = form(&auditor, "/log", &[]).expect(200).text;
        assert!(held.contains("The log holds"), "{held}");
        assert_eq!(form(&keeper, "/log", &[]).status, 403);
        assert_eq!(form(lead, "/log", &[]).status, 403);
    }
}
