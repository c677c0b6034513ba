//! HTTP and JSON that nobody in their right mind would send (SAFETY §4).
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::cast::Cast;
use crate::support::{App, Call, wire};

fn raw(app: &App, request: &[u8]) -> String {
    let mut line =
        TcpStream::connect(app.base.trim_start_matches("http://")).expect("a connection");
    line.set_read_timeout(Some(Duration::from_secs(8)))
        .expect("patience");
    line.write_all(request).expect("a request");
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(n) = line.read(&mut piece) {
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&piece[..n]);
        if answer.windows(4).any(|w| w == b"\r\n\r\n") && answer.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn requests_that_are_not_for_us_or_not_in_our_form_are_answered_clearly() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let with = |method, path: &str, body: Option<&str>, headers: &[(&str, &str)]| {
        wire::send_unchecked(
            &app.base,
            &Call {
                method,
                path: path.into(),
                token: Some(cast.coordinator.token.clone()),
                body: body.map(str::to_owned),
                headers: headers
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                    .collect(),
            },
        )
    };
    let cases = "/api/v1/cases";
    assert_eq!(
        with("GET", "/api/v1/nowhere", None, &[]).problem(),
        "not-found"
    );
    let wrong = with("DELETE", cases, None, &[]);
    assert_eq!(
        (wrong.problem(), wrong.header("allow")),
        ("method-not-allowed", Some("GET, POST, HEAD"))
    );
    with(
        "POST",
        cases,
        Some("{}"),
        &[("x-http-method-override", "GET")],
    )
    .expect(422);
    assert_eq!(
        with("GET", cases, None, &[("host", "evil.example")]).problem(),
        "misdirected"
    );
    assert_eq!(
        with("POST", cases, Some("{}"), &[("content-type", "text/plain")]).problem(),
        "unsupported-media-type"
    );
    assert_eq!(
        with(
            "POST",
            cases,
            Some("{}"),
            &[
                ("content-type", "application/json"),
                ("content-encoding", "gzip")
            ]
        )
        .problem(),
        "unsupported-media-type"
    );
    assert_eq!(
        with("GET", cases, None, &[("accept", "text/html")]).problem(),
        "not-acceptable"
    );
    assert_eq!(
        with("GET", "/api/v1/cases?limit=2&limit=3", None, &[]).flaws(),
        ["#limit"]
    );
    assert_eq!(
        with("GET", "/api/v1/cases?colour=red", None, &[]).problem(),
        "bad-request"
    );
    for bad in [
        "limit=0",
        "limit=101",
        "limit=x",
        "stage=later",
        "party=1",
        "text=%00",
        "text=%FF",
        "cursor=..",
        "neutral=00000000000040008000000000000000",
    ] {
        with("GET", &format!("/api/v1/cases?{bad}"), None, &[]).expect(400);
    }
    with(
        "GET",
        "/api/v1/cases/00000000-0000-4000-8000-00000000000A",
        None,
        &[],
    )
    .expect(404);
    assert_eq!(
        with("POST", cases, Some(&"x".repeat(300_000)), &[]).problem(),
        "too-large"
    );
    for bad in [
        "",
        "{",
        "{}{}",
        "{\"organisation\":1,\"organisation\":2}",
        "[]x",
        "\u{FEFF}{}",
    ] {
        assert_eq!(
            with("POST", cases, Some(bad), &[]).problem(),
            "bad-json",
            "{bad}"
        );
    }
    assert_eq!(
        with(
            "POST",
            cases,
            Some(&json!({ "organisation": cast.initiating, "colour": "red" }).to_string()),
            &[]
        )
        .flaws(),
        ["/colour"]
    );
    assert_eq!(
        with(
            "POST",
            cases,
            Some(&json!({ "organisation": cast.initiating }).to_string()),
            &[("idempotency-key", "")]
        )
        .problem(),
        "bad-request"
    );
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(with("GET", cases, None, &[]).header(name), Some(value));
    }
}

#[test]
fn slow_and_broken_bodies_are_answered_and_the_service_goes_on() {
    let app = App::on_sqlite();
    let host = app.base.trim_start_matches("http://").to_owned();
    let slow = raw(&app, format!("POST /api/v1/cases HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{").as_bytes());
    assert!(
        slow.starts_with("HTTP/1.1 408") && slow.to_lowercase().contains("connection: close"),
        "{slow}"
    );
    let mut chunked = format!("POST /api/v1/cases HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..80 {
        chunked.extend_from_slice(format!("1000\r\n{}\r\n", "x".repeat(4096)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let large = raw(&app, &chunked).to_lowercase();
    assert!(
        large.starts_with("http/1.1 413") && large.contains("connection: close"),
        "{large}"
    );
    let elsewhere = raw(
        &app,
        format!("GET http://evil.example/health/live HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(),
    );
    assert!(elsewhere.starts_with("HTTP/1.1 421"), "{elsewhere}");
    assert!(raw(&app, b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400"));
    let head = raw(
        &app,
        format!("HEAD /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .as_bytes(),
    );
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

#[test]
fn lists_do_not_stand_for_objects_and_days_have_one_spelling() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.in_review();
    let path = format!("/api/v1/cases/{case}/reading");
    let tag = cast.initiating_lead.get(&path).tag.expect("a tag");
    for bad in [
        json!([]),
        json!([{}, null]),
        json!({ "offices": ["yes", "no"] }),
        json!({ "entries": { "1": ["partly", null, null, null] } }),
        json!({ "entries": { "01": { "view": "partly" } } }),
    ] {
        cast.initiating_lead.put(&path, &bad, &tag).expect(422);
    }
    cast.coordinator
        .post(
            "/api/v1/people",
            &json!(["Array Person", "a@x.example", []]),
        )
        .expect(422);
    // A set names each thing once, and a longest list is counted as it was sent.
    let roles = json!({ "name": "Twice", "email": "twice@x.example", "roles": ["auditor", "facilitator", "auditor"] });
    let twice = cast.coordinator.post("/api/v1/people", &roles);
    assert_eq!(twice.expect(422).flaws(), ["/roles/2"]);
    assert_eq!(
        cast.facilitator
            .does(
                &case,
                json!({ "event": "log_session", "session": ["2026-09-08", "phone", "both", 30] })
            )
            .expect(422)
            .flaws(),
        ["/session"]
    );
    for day in [
        "2026-9-8",
        " 2026-09-08",
        "+10000-01-01",
        "-0001-01-01",
        "0000-01-01",
        "2026-02-30",
        "+262142-12-31",
        "2026-09-08T00:00:00Z",
    ] {
        let tie = cast.facilitator.post(
            &format!("/api/v1/people/{}/affiliations", cast.facilitator.id),
            &json!({ "organisation": cast.initiating, "role": "x", "since": day }),
        );
        assert_eq!(tie.expect(422).flaws(), ["/since"], "{day}");
    }
}

#[test]
fn words_are_shown_as_they_are_and_dangerous_ones_refused() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.drafted("share_all");
    let save = |about: &str| {
        cast.initiating_lead.does(
            &case,
            json!({ "event": "save_draft", "statement": { "about": about } }),
        )
    };
    for bad in [
        "a\u{0}b",
        "a\u{202E}b",
        "",
        &"x".repeat(4001),
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    ] {
        assert_eq!(
            save(bad).expect(422).flaws(),
            ["/statement/about"],
            "{bad:?}"
        );
    }
    for good in [
        "<script>alert(1)</script>",
        "{{7*7}} ${jndi:ldap://x}",
        "Zoë Łódź 日本",
    ] {
        assert_eq!(
            save(good).expect(200).body["case"]["intake"]["statement"]["about"],
            good
        );
    }
    assert_eq!(cast.initiating_lead.does(&case, json!({ "event": "save_draft", "statement": { "localities": ["E07000128", "E06000028"] } })).expect(422).flaws(), ["/statement/localities/1"]);
    for bad in [
        json!({ "event": "jump" }),
        json!({ "event": 7 }),
        json!({}),
        json!([]),
        json!({ "event": "submit", "now": true }),
    ] {
        let reply = cast.initiating_lead.post_with(
            &format!("/api/v1/cases/{case}/events"),
            &bad,
            &[("if-match", "*")],
        );
        assert_eq!(reply.status, 422, "{bad}");
    }
}

#[test]
fn names_in_requests_never_reach_the_log_of_problems() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let said = cast
        .coordinator
        .post(
            "/api/v1/people",
            &json!({ "name": "x", "email": "Secret Person <secret@person.example>" }),
        )
        .expect(422);
    assert!(
        !said.text.contains("secret@person"),
        "what was sent is not echoed: {}",
        said.text
    );
}

#[test]
fn pages_are_there_without_a_script() {
    let app = App::on_sqlite();
    for path in ["/api/docs", "/problems/stale", "/sign-in"] {
        let page = wire::send_unchecked(
            &app.base,
            &Call {
                method: "GET",
                path: path.into(),
                ..Call::default()
            },
        )
        .expect(200);
        assert!(
            page.text.starts_with("<!DOCTYPE html>")
                && page.text.matches("<script").count()
                    == page.text.matches("<script src=\"/assets/").count()
                && page.text.contains("lang=\"en-GB\""),
            "{path}"
        );
        assert!(
            page.header("content-security-policy")
                .is_some_and(|p| p.contains("default-src 'none'"))
        );
    }
    wire::send_unchecked(
        &app.base,
        &Call {
            method: "GET",
            path: "/problems/none".into(),
            ..Call::default()
        },
    )
    .expect(404);
    let document = wire::send_unchecked(
        &app.base,
        &Call {
            method: "GET",
            path: "/api/openapi.json".into(),
            ..Call::default()
        },
    )
    .expect(200);
    assert_eq!(document.body["openapi"], "3.1.0");
}
