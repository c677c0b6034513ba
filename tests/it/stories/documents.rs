//! Documents: laid down in a room, read by those who read there, superseded, released, taken home; and files that are
//! not taken in.
use std::io::{Read, Write};
use std::net::TcpStream;

use common_ground::casework::Settings;
use common_ground::domain::document::Shelf;
use serde_json::{Value, json};

use crate::cast::Cast;
use crate::on_both;
use crate::support::browser::Browser;
use crate::support::{App, Call, Person, Reply, settings, wire};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const HOURS: (&str, &[u8]) = ("Hours.csv", b"\xEF\xBB\xBFwho,hours\r\nAda,10\r\n");
const LETTER: (&str, &[u8]) = (
    "letter.pdf",
    b"%PDF-1.7\n<< /Type /Catalog >>\nstartxref\n9\n%%EOF\n",
);

fn room(case: &str, room: &str) -> String {
    format!("/api/v1/cases/{case}/rooms/{room}/documents")
}

fn place(case: &str, laid: &Reply) -> String {
    let id = laid.body["id"].as_str().expect("an id");
    format!("/api/v1/cases/{case}/documents/{id}")
}

fn lays(who: &Person, case: &str, into: &str, file: (&str, &[u8])) -> Reply {
    who.upload(&room(case, into), file, &[], &[])
}

fn ids(list: &Reply) -> Vec<String> {
    let items = list.body["items"].as_array().expect("a list");
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    items.iter().map(id).collect()
}

fn told(app: &App, who: &Person) -> usize {
    let subjects = app.subjects_to(who);
    subjects.iter().filter(|s| *s == "a new document").count()
}

on_both! {
    fn what_is_laid_on_the_table_is_read_by_both(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let laid = cast.initiating_lead.upload(&room(&case, "joint"), HOURS, &[("note", "Who is there when.")], &[]).expect(201);
        assert_eq!(laid.header("location"), Some(place(&case, &laid).as_str()));
        assert_eq!((laid.body["name"].as_str(), laid.body["kind"].as_str(), laid.body["by"].as_str()), (Some("Hours.csv"), Some("csv"), Some("initiating_lead")));
        assert!(laid.body["audience"].as_str().is_some_and(|words| words.contains("both sides")));
        lays(&cast.invited_member, &case, "joint", LETTER).expect(201);
        for reader in [&cast.initiating_lead, &cast.initiating_member, &cast.invited_lead, &cast.invited_member, &cast.facilitator] {
            assert_eq!(ids(&reader.get(&room(&case, "joint")).expect(200)).len(), 2);
            assert_eq!(reader.get(&place(&case, &laid)).expect(200).body, laid.body);
            let kept = reader.get(&format!("{}/content", place(&case, &laid))).expect(200);
            assert_eq!(kept.octets, HOURS.1, "octet for octet");
        }
        for stranger in [&cast.coordinator, &cast.other_facilitator] {
            stranger.get(&room(&case, "joint")).expect(404);
            stranger.get(&format!("{}/content", place(&case, &laid))).expect(404);
        }
        let first = cast.invited_lead.get(&format!("{}?limit=1", room(&case, "joint"))).expect(200);
        let rest = cast.invited_lead.get(&format!("{}?limit=1&cursor={}", room(&case, "joint"), first.body["next"].as_str().expect("a cursor"))).expect(200);
        assert_ne!(ids(&first), ids(&rest));
        assert!(rest.body["next"].is_null());
        assert_eq!((told(app, &cast.initiating_lead), told(app, &cast.initiating_member), told(app, &cast.facilitator), told(app, &cast.coordinator)), (1, 2, 2, 0), "everybody who reads there but whoever did it");
    }

    fn what_a_side_lays_down_leaves_nothing_for_the_other(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        app.work();
        let seen = || (cast.invited_lead.sees(&case).fingerprint(), cast.invited_lead.get(&format!("/api/v1/cases/{case}/events")).text, cast.invited_lead.get("/api/v1/notifications").text, cast.invited_lead.get(&room(&case, "joint")).text);
        let before = seen();
        let private = lays(&cast.initiating_member, &case, "initiating", LETTER).expect(201);
        let own = lays(&cast.initiating_lead, &case, "initiating_own", HOURS).expect(201);
        assert_eq!((told(app, &cast.invited_lead), told(app, &cast.invited_member), told(app, &cast.coordinator)), (0, 0, 0));
        assert_eq!((told(app, &cast.initiating_lead), told(app, &cast.initiating_member), told(app, &cast.facilitator)), (1, 1, 1));
        assert_eq!(seen(), before);
        let nothing = cast.invited_lead.get(&room(UNKNOWN, "initiating")).expect(404).fingerprint();
        for there in [room(&case, "initiating"), room(&case, "initiating_own"), room(&case, "nowhere")] {
            assert_eq!(cast.invited_lead.get(&there).fingerprint(), nothing, "{there}");
        }
        for laid in [&private, &own] {
            for what in ["", "/content", "/downloads"] {
                let unknown = format!("/api/v1/cases/{case}/documents/{UNKNOWN}{what}");
                assert_eq!(cast.invited_lead.get(&format!("{}{what}", place(&case, laid))).fingerprint(), cast.invited_lead.get(&unknown).expect(404).fingerprint());
            }
            let release = |at: &str| cast.invited_lead.post(&format!("{at}/release"), &json!({ "to": "joint" })).expect(404).fingerprint();
            assert_eq!(release(&place(&case, laid)), release(&format!("/api/v1/cases/{case}/documents/{UNKNOWN}")));
        }
        assert_eq!(lays(&cast.invited_lead, &case, "initiating", HOURS).expect(404).fingerprint(), lays(&cast.invited_lead, UNKNOWN, "initiating", HOURS).fingerprint());
    }

    fn a_sides_own_documents_are_its_own_until_it_releases_them(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let own = cast.initiating_lead.upload(&room(&case, "initiating_own"), LETTER, &[("note", "Between us.")], &[]).expect(201);
        let (lead, member, neutral) = (cast.initiating_lead.fresh(), cast.initiating_member.fresh(), cast.facilitator.fresh());
        assert_eq!(cast.initiating_lead.post(&format!("{}/release", place(&case, &own)), &json!({ "to": "joint" })).expect(403).problem(), "fresh-step");
        let release = |who: &Browser, laid: &Reply, to: &str| who.post(&format!("{}/release", place(&case, laid)), &json!({ "to": to }));
        assert_eq!(ids(&cast.initiating_member.get(&room(&case, "initiating_own")).expect(200)).len(), 1);
        cast.facilitator.get(&room(&case, "initiating_own")).expect(404);
        cast.facilitator.get(&place(&case, &own)).expect(404);
        for to in ["invited", "invited_own", "initiating_own", "neutrals", "process", "notes"] {
            assert_eq!(release(&lead, &own, to).expect(422).flaws(), ["/to"], "{to}");
        }
        let private = release(&member, &own, "initiating").expect(201);
        assert_eq!((private.body["room"].as_str(), private.body["released"].as_bool(), private.body["note"].is_null()), (Some("initiating"), Some(true), true));
        assert_eq!(cast.facilitator.get(&format!("{}/content", place(&case, &private))).expect(200).octets, LETTER.1);
        cast.invited_lead.get(&place(&case, &private)).expect(404);
        assert_eq!(release(&neutral, &private, "joint").expect(403).problem(), "not-allowed", "it is the side's own");
        let joint = release(&lead, &private, "joint").expect(201);
        assert_eq!(cast.invited_member.get(&format!("{}/content", place(&case, &joint))).expect(200).octets, LETTER.1);
        cast.invited_member.get(&place(&case, &own)).expect(404);
        assert_eq!(told(app, &cast.invited_lead), 1);
        assert_eq!(cast.initiating_lead.get(&place(&case, &own)).expect(200).body, own.body, "what was laid down stays as it was");
    }

    fn rooms_are_written_in_by_those_they_are_for(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let early = lays(&cast.initiating_lead, &case, "joint", HOURS).expect(409);
        assert_eq!((early.problem(), early.reasons()), ("not-possible-now", vec!["not_everyone_agreed_to_talk".to_owned()]));
        assert_eq!(early.body["stage"], "early_conversation");
        assert_eq!(lays(&cast.facilitator, &case, "initiating", HOURS).expect(403).problem(), "not-allowed", "the neutral reads there");
        assert_eq!(lays(&cast.invited_lead, &case, "process", HOURS).expect(403).problem(), "not-allowed");
        lays(&cast.coordinator, &case, "process", HOURS).expect(201);
        assert_eq!(ids(&cast.invited_lead.get(&room(&case, "process")).expect(200)).len(), 1);
        let notes = lays(&cast.facilitator, &case, "notes", HOURS).expect(201);
        let neutrals = lays(&cast.facilitator, &case, "neutrals", HOURS).expect(201);
        for laid in [&notes, &neutrals] {
            cast.facilitator.get(&place(&case, laid)).expect(200);
            cast.coordinator.get(&place(&case, laid)).expect(404);
            cast.initiating_lead.get(&place(&case, laid)).expect(404);
        }
        cast.facilitator.did(&case, json!({ "event": "step_back" }));
        cast.coordinator.did(&case, json!({ "event": "assign_facilitator", "person": cast.other_facilitator.id }));
        cast.other_facilitator.did(&case, crate::cast::accepting());
        assert_eq!(ids(&cast.other_facilitator.get(&room(&case, "notes")).expect(200)), Vec::<String>::new(), "notes are their author's alone");
        cast.other_facilitator.get(&place(&case, &notes)).expect(404);
        cast.other_facilitator.get(&place(&case, &neutrals)).expect(200);
    }

    fn a_later_version_takes_the_place_of_the_latest_one(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let elsewhere = cast.in_conversation_again();
        let first = lays(&cast.initiating_lead, &case, "initiating", HOURS).expect(201);
        let version = |of: &str| cast.initiating_member.upload(&room(&case, "initiating"), LETTER, &[("supersedes", of)], &[]);
        let id = |laid: &Reply| laid.body["id"].as_str().expect("an id").to_owned();
        app.clock.advance(chrono::Duration::minutes(1));
        let second = version(&id(&first)).expect(201);
        assert_eq!(second.body["supersedes"], first.body["id"]);
        let before = cast.facilitator.get(&place(&case, &first)).expect(200);
        assert_eq!(before.body["superseded_by"], second.body["id"]);
        assert_eq!(cast.facilitator.get(&format!("{}/content", place(&case, &first))).expect(200).octets, HOURS.1, "nothing is altered");
        assert_eq!(told(app, &cast.facilitator), 2);
        assert_eq!(version(&id(&first)).expect(422).flaws(), ["/supersedes"], "it has a later version");
        let other_room = lays(&cast.initiating_lead, &case, "joint", HOURS).expect(201);
        let other_side = lays(&cast.invited_lead, &case, "invited", HOURS).expect(201);
        let other_case = lays(&cast.initiating_lead, &elsewhere, "initiating", HOURS).expect(201);
        let unknown = version(UNKNOWN).expect(422);
        assert_eq!(unknown.flaws(), ["/supersedes"]);
        for of in [id(&other_room), id(&other_side), id(&other_case), "nonsense".to_owned()] {
            assert_eq!(version(&of).fingerprint(), unknown.fingerprint(), "{of}");
        }
        assert_eq!(ids(&cast.facilitator.get(&room(&case, "initiating")).expect(200)), [id(&first), id(&second)]);
    }

    fn a_side_sees_who_took_its_documents_home(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let private = lays(&cast.initiating_lead, &case, "initiating", LETTER).expect(201);
        let joint = lays(&cast.initiating_lead, &case, "joint", LETTER).expect(201);
        let took = |who: &Person, laid: &Reply| who.get(&format!("{}/downloads", place(&case, laid)));
        assert_eq!(took(&cast.initiating_lead, &private).expect(200).body["items"], json!([]));
        cast.facilitator.get(&format!("{}/content", place(&case, &private))).expect(200);
        cast.invited_lead.get(&format!("{}/content", place(&case, &joint))).expect(200);
        let list = took(&cast.initiating_member, &private).expect(200);
        assert_eq!((list.body["items"][0]["name"].as_str(), list.body["items"][0]["capacity"].as_str()), (Some("Fay Lund"), Some("facilitator")));
        assert_eq!(list.body["items"].as_array().map(Vec::len), Some(1));
        took(&cast.facilitator, &private).expect(403);
        for reader in [&cast.initiating_lead, &cast.invited_member, &cast.facilitator] {
            assert_eq!(took(reader, &joint).expect(200).body["items"][0]["capacity"], "invited_lead");
        }
    }

    fn one_key_lays_down_one_document(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let send = |file| cast.initiating_lead.upload(&room(&case, "joint"), file, &[], &[("idempotency-key", "d-1")]);
        let (first, second) = (send(HOURS).expect(201), send(HOURS).expect(201));
        assert_eq!(first.body, second.body);
        assert_eq!(ids(&cast.invited_lead.get(&room(&case, "joint"))).len(), 1);
        assert_eq!(send(LETTER).expect(422).problem(), "key-reused");
    }
}

#[test]
fn a_download_is_a_file_to_keep_and_never_a_page() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.in_review();
    let laid = lays(
        &cast.initiating_lead,
        &case,
        "joint",
        ("../../Zo\u{EB}'s plan.pdf", LETTER.1),
    )
    .expect(201);
    assert_eq!(laid.body["name"], "Zo\u{EB}'s plan.pdf");
    let content = format!("{}/content", place(&case, &laid));
    let kept = cast.invited_lead.get(&content).expect(200);
    for (name, value) in [
        ("content-type", "application/pdf"),
        (
            "content-disposition",
            "attachment; filename=\"Zo_'s plan.pdf\"; filename*=UTF-8''Zo%C3%AB%27s%20plan.pdf",
        ),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(kept.header(name), Some(value));
    }
    let hours = lays(&cast.initiating_lead, &case, "joint", HOURS).expect(201);
    let text = cast
        .invited_lead
        .get(&format!("{}/content", place(&case, &hours)))
        .expect(200);
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    for (accepted, status) in [
        ("application/pdf", 200),
        ("image/png, */*;q=0.1", 200),
        ("text/html", 406),
    ] {
        let call = Call {
            method: "GET",
            path: content.clone(),
            token: Some(cast.invited_lead.token.clone()),
            headers: vec![("accept".into(), accepted.into())],
            ..Call::default()
        };
        assert_eq!(app.send(&call).status, status, "{accepted}");
    }
}

#[test]
fn what_is_no_document_is_not_taken_in() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.in_review();
    let send =
        |name: &str, octets: &[u8]| lays(&cast.initiating_lead, &case, "joint", (name, octets));
    for (name, octets) in [
        ("evil.html.pdf", LETTER.1),
        ("invoice.pdf.exe", LETTER.1),
        ("page.html", b"<html>".as_slice()),
        ("logo.svg", b"<svg/>".as_slice()),
        ("logo.txt", b"<svg/>".as_slice()),
        ("a.png", LETTER.1),
        ("a.txt", b"a\0b".as_slice()),
        ("a.pdf", b"<html>%PDF-1.7 %%EOF".as_slice()),
        ("a.docm", b"PK\x03\x04".as_slice()),
    ] {
        let refused = send(name, octets).expect(415);
        assert_eq!(refused.problem(), "unsupported-media-type", "{name}");
        assert!(
            refused.body["detail"]
                .as_str()
                .is_some_and(|d| d.contains("PDF, DOCX, ODT")),
            "{name}"
        );
    }
    for (name, octets) in [
        ("", LETTER.1),
        (".pdf", LETTER.1),
        ("a\u{202E}fdp.pdf", LETTER.1),
        ("a.pdf", b"".as_slice()),
    ] {
        assert_eq!(send(name, octets).expect(422).flaws(), ["/file"], "{name}");
    }
    let long = "x".repeat(201);
    let noted = cast
        .initiating_lead
        .upload(&room(&case, "joint"), HOURS, &[("note", &long)], &[]);
    assert_eq!(noted.expect(422).flaws(), ["/note"]);
    assert_eq!(
        ids(&cast.invited_lead.get(&room(&case, "joint"))),
        Vec::<String>::new()
    );
}

#[test]
fn forms_that_make_no_sense_are_answered_clearly() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.in_review();
    let send = |kind: &str, token: &str, body: &[u8]| {
        let call = Call {
            method: "POST",
            path: room(&case, "joint"),
            token: Some(token.to_owned()),
            headers: vec![("content-type".into(), kind.into())],
            ..Call::default()
        };
        wire::send_octets(&app.base, &call, body)
    };
    let (form, token) = (
        "multipart/form-data; boundary=b",
        cast.initiating_lead.token.as_str(),
    );
    let whole = wire::form("b", HOURS, &[]);
    let twice = [&whole[..whole.len() - b"--b--\r\n".len()], whole.as_slice()].concat();
    for body in [
        b"".as_slice(),
        b"nonsense",
        b"--b\r\n\r\n--b--\r\n",
        &whole[..whole.len() / 2],
        &twice,
        &wire::form("b", HOURS, &[("colour", "red")]),
        &wire::form("other", HOURS, &[]),
    ] {
        assert_eq!(send(form, token, body).expect(400).problem(), "bad-request");
    }
    send("multipart/form-data", token, &whole).expect(400);
    send("multipart/mixed; boundary=b", token, &whole).expect(415);
    send("application/json", token, b"{}").expect(415);
    send(form, "cg_wrong", &whole).expect(401);
    send(form, token, &whole).expect(201);
    // A form is read where documents are laid down, and nowhere else.
    let elsewhere = Call {
        method: "POST",
        path: "/api/v1/cases".into(),
        token: Some(token.to_owned()),
        headers: vec![("content-type".into(), form.into())],
        ..Call::default()
    };
    wire::send_octets(&app.base, &elsewhere, &whole).expect(415);
}

#[test]
fn a_document_and_a_room_hold_so_much_and_no_more() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.in_review();
    let mut words = vec![b'a'; 10 * 1024 * 1024];
    let large = lays(&cast.initiating_lead, &case, "joint", ("a.txt", &words)).expect(201);
    let kept = cast
        .invited_lead
        .get(&format!("{}/content", place(&case, &large)))
        .expect(200);
    assert!(kept.octets == words, "octet for octet");
    words.push(b'a');
    let refused = lays(&cast.initiating_lead, &case, "joint", ("a.txt", &words)).expect(413);
    assert_eq!(refused.problem(), "too-large");
    let host = app.base.trim_start_matches("http://");
    let mut line = TcpStream::connect(host).expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 11000000\r\n\r\n",
        room(&case, "joint")
    );
    line.write_all(head.as_bytes()).expect("a request");
    let mut answer = [0; 12];
    line.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413", "refused by its length alone");
}

#[test]
fn a_full_room_says_so() {
    let shelf = Shelf {
        document_mb: 1,
        room_mb: 1,
    };
    let app = App::with(Settings {
        shelf,
        ..settings()
    });
    let cast = Cast::new(&app);
    let case = cast.in_review();
    let words = vec![b'a'; 400 * 1024];
    let send = |into: &str| lays(&cast.initiating_lead, &case, into, ("a.txt", &words));
    let first = send("joint").expect(201);
    send("joint").expect(201);
    let full = send("joint").expect(409);
    assert_eq!(
        (full.problem(), full.reasons()),
        ("not-possible-now", vec!["room_full".to_owned()])
    );
    let id = first.body["id"].as_str().expect("an id");
    let again = cast.initiating_lead.upload(
        &room(&case, "joint"),
        ("a.txt", &words),
        &[("supersedes", id)],
        &[],
    );
    assert_eq!(
        again.expect(409).reasons(),
        ["room_full"],
        "every version counts"
    );
    send("initiating").expect(201);
    let more = vec![b'a'; 1024 * 1024 + 1];
    lays(&cast.initiating_lead, &case, "initiating", ("a.txt", &more)).expect(413);
}
