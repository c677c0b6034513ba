//! Rooms: what is said in them, who can read it, corrections, struck lines, release, and what the other side never sees.
use serde_json::{Value, json};

use crate::cast::Cast;
use crate::on_both;
use crate::support::browser::Browser;
use crate::support::{App, CANARY, Person, Reply};

fn say(who: &Person, case: &str, room: &str, text: &str) -> Reply {
    who.post(
        &format!("/api/v1/cases/{case}/rooms/{room}/messages"),
        &json!({ "text": text }),
    )
}

fn reads(who: &Person, case: &str, room: &str) -> Reply {
    who.get(&format!("/api/v1/cases/{case}/rooms/{room}/messages"))
}

fn texts(reply: &Reply) -> Vec<Value> {
    reply.body["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| m["text"].clone())
        .collect()
}

fn id(reply: &Reply) -> String {
    reply.body["id"].as_str().expect("an id").to_owned()
}

/// A case whose sides have agreed to talk.
fn talking(cast: &Cast) -> String {
    let case = cast.in_conversation();
    cast.invited_lead
        .did(&case, json!({ "event": "respond", "answer": "take_part" }));
    cast.initiating_lead
        .did(&case, json!({ "event": "agree_to_talk" }));
    cast.invited_lead
        .did(&case, json!({ "event": "agree_to_talk" }));
    case
}

on_both! {
    fn the_joint_room_is_the_table(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        assert_eq!(say(&cast.initiating_lead, &case, "joint", "Too early.").expect(409).reasons(), ["not_everyone_agreed_to_talk"]);
        cast.invited_lead.did(&case, json!({ "event": "respond", "answer": "take_part" }));
        cast.initiating_lead.did(&case, json!({ "event": "agree_to_talk" }));
        cast.invited_lead.did(&case, json!({ "event": "agree_to_talk" }));
        say(&cast.initiating_member, &case, "joint", &format!("Shall we begin? {CANARY}")).expect(201);
        app.clock.advance(chrono::Duration::minutes(5));
        say(&cast.invited_lead, &case, "joint", &format!("Gladly. {CANARY}")).expect(201);
        for reader in [&cast.initiating_lead, &cast.invited_member, &cast.facilitator] {
            assert_eq!(texts(&reads(reader, &case, "joint").expect(200)), [json!(format!("Gladly. {CANARY}")), json!(format!("Shall we begin? {CANARY}"))]);
        }
        for nobody in [&cast.coordinator, &cast.other_facilitator] { reads(nobody, &case, "joint").expect(404); }
        assert!(app.subjects_to(&cast.invited_member).iter().any(|s| s.contains("new to read")), "{:?}", app.subjects_to(&cast.invited_member));
        cast.facilitator.did(&case, json!({ "event": "close_joint_room" }));
        assert_eq!(say(&cast.invited_lead, &case, "joint", "One more thing.").expect(409).reasons(), ["room_closed"]);
        say(&cast.invited_lead, &case, "invited", "One more thing, then.").expect(201);
        assert!(cast.initiating_lead.sees(&case).body["conversation"]["joint_room_closed"].is_string());
        cast.facilitator.did(&case, json!({ "event": "open_joint_room" }));
        say(&cast.invited_lead, &case, "joint", "There you are.").expect(201);
        cast.initiating_lead.did(&case, json!({ "event": "withdraw" }));
        assert_eq!(say(&cast.invited_lead, &case, "joint", "Too late.").expect(409).reasons(), ["room_closed"]);
        assert_eq!(texts(&reads(&cast.invited_lead, &case, "joint").expect(200)).len(), 3, "what was said stays");
    }

    fn each_reads_the_rooms_that_are_theirs_and_no_others_exist(app: &App) {
        let cast = Cast::new(app);
        let case = talking(&cast);
        let rooms = |who: &Person| -> Vec<String> { who.get(&format!("/api/v1/cases/{case}/rooms")).expect(200).body["items"].as_array().expect("a list").iter().map(|r| r["room"].as_str().expect("a word").to_owned()).collect() };
        assert_eq!(rooms(&cast.initiating_lead), ["joint", "initiating", "initiating_own", "process"]);
        assert_eq!(rooms(&cast.invited_member), ["joint", "invited", "invited_own", "process"]);
        assert_eq!(rooms(&cast.facilitator), ["joint", "initiating", "invited", "neutrals", "process", "notes"]);
        assert_eq!(rooms(&cast.coordinator), ["process"]);
        say(&cast.initiating_lead, &case, "initiating", &format!("Between us: {CANARY}")).expect(201);
        say(&cast.facilitator, &case, "initiating", "I hear you.").expect(201);
        assert_eq!(texts(&reads(&cast.initiating_member, &case, "initiating").expect(200)).len(), 2);
        let unknown = cast.invited_lead.get(&format!("/api/v1/cases/{case}/rooms/nowhere/messages")).expect(404);
        for (who, room) in [(&cast.invited_lead, "initiating"), (&cast.invited_lead, "notes"), (&cast.invited_lead, "neutrals"), (&cast.invited_lead, "invited_own"), (&cast.coordinator, "initiating"), (&cast.initiating_lead, "invited")] {
            assert_eq!(reads(who, &case, room).fingerprint(), unknown.fingerprint(), "{room}");
            assert_eq!(say(who, &case, room, "Hello?").fingerprint(), unknown.fingerprint(), "{room}");
        }
        say(&cast.coordinator, &case, "process", "The room downstairs is booked.").expect(201);
        assert_eq!(texts(&reads(&cast.invited_member, &case, "process").expect(200)).len(), 1);
        say(&cast.invited_member, &case, "process", "Thank you.").expect(403);
        say(&cast.facilitator, &case, "notes", &format!("Ask about mornings. {CANARY}")).expect(201);
        assert_eq!(texts(&reads(&cast.facilitator, &case, "notes").expect(200)).len(), 1);
        // Another facilitator who takes over has notes of their own.
        cast.coordinator.did(&case, json!({ "event": "replace_facilitator", "person": cast.other_facilitator.id }));
        cast.other_facilitator.did(&case, crate::cast::accepting());
        assert_eq!(texts(&reads(&cast.other_facilitator, &case, "notes").expect(200)).len(), 0);
        assert_eq!(texts(&reads(&cast.other_facilitator, &case, "initiating").expect(200)).len(), 2);
        reads(&cast.facilitator, &case, "notes").expect(404);
    }

    fn nothing_is_changed_in_silence(app: &App) {
        let cast = Cast::new(app);
        let case = talking(&cast);
        let first = id(&say(&cast.initiating_lead, &case, "joint", "On Tuesday.").expect(201));
        let path = format!("/api/v1/cases/{case}/rooms/joint/messages");
        let theirs = id(&say(&cast.invited_lead, &case, "joint", "On Monday.").expect(201));
        let unknown = "00000000-0000-4000-8000-000000000000";
        let elsewhere = id(&say(&cast.initiating_lead, &case, "initiating", "Elsewhere.").expect(201));
        let wrong = |other: &str| cast.initiating_lead.post(&path, &json!({ "text": "On Thursday.", "corrects": other })).expect(422).fingerprint();
        for other in [&theirs, &elsewhere] { assert_eq!(wrong(other), wrong(unknown)); }
        cast.initiating_lead.post(&path, &json!({ "text": "On Thursday.", "corrects": first })).expect(201);
        assert_eq!(texts(&reads(&cast.invited_lead, &case, "joint")).len(), 3, "what was said first is still there");
        let strike = |who: &Person, message: &str, room: &str| who.post(&format!("/api/v1/cases/{case}/rooms/{room}/messages/{message}/strike"), &json!({ "reason": "It named somebody." }));
        strike(&cast.initiating_lead, &theirs, "joint").expect(403);
        strike(&cast.invited_lead, &elsewhere, "initiating").expect(404);
        strike(&cast.facilitator, &elsewhere, "initiating").expect(403);
        strike(&cast.initiating_lead, &elsewhere, "joint").expect(404);
        let struck = strike(&cast.facilitator, &theirs, "joint").expect(200).body;
        assert!(struck["text"].is_null() && struck["struck"]["reason"] == "It named somebody." && struck["struck"]["capacity"] == "facilitator");
        strike(&cast.initiating_lead, &first, "joint").expect(200);
        let seen = reads(&cast.invited_lead, &case, "joint");
        assert_eq!(texts(&seen).iter().filter(|t| t.is_null()).count(), 2, "a struck line keeps its place");
        let note = id(&say(&cast.facilitator, &case, "notes", "Mornings.").expect(201));
        strike(&cast.facilitator, &note, "notes").expect(200);
        assert_eq!(texts(&reads(&cast.facilitator, &case, "notes")).len(), 0, "one's own notes go altogether");
    }

    fn unread_marks_are_ones_own_and_letters_wait_until_one_has_read(app: &App) {
        let cast = Cast::new(app);
        let case = talking(&cast);
        let unread = |who: &Person| who.get(&format!("/api/v1/cases/{case}/rooms")).body["items"][0]["unread"].as_u64();
        let told = |who: &Person| app.subjects_to(who).iter().filter(|s| s.contains("new to read")).count();
        say(&cast.initiating_lead, &case, "joint", "One.").expect(201);
        app.clock.advance(chrono::Duration::minutes(1));
        let last = id(&say(&cast.initiating_lead, &case, "joint", "Two.").expect(201));
        assert_eq!((unread(&cast.invited_lead), unread(&cast.facilitator), unread(&cast.initiating_lead)), (Some(2), Some(2), Some(0)));
        assert_eq!((told(&cast.invited_lead), told(&cast.facilitator), told(&cast.initiating_lead)), (1, 1, 0));
        let before = cast.initiating_lead.get(&format!("/api/v1/cases/{case}/rooms")).fingerprint();
        cast.invited_lead.post(&format!("/api/v1/cases/{case}/rooms/joint/read"), &json!({ "message": last })).expect(204);
        assert_eq!(unread(&cast.invited_lead), Some(0));
        assert_eq!(cast.initiating_lead.get(&format!("/api/v1/cases/{case}/rooms")).fingerprint(), before, "nobody sees who has read");
        app.clock.advance(chrono::Duration::minutes(1));
        say(&cast.initiating_lead, &case, "joint", "Three.").expect(201);
        assert_eq!((told(&cast.invited_lead), told(&cast.facilitator)), (2, 1), "who has read is told of what is new");
        app.clock.advance(chrono::Duration::hours(30));
        say(&cast.initiating_lead, &case, "joint", "Four.").expect(201);
        assert_eq!(told(&cast.facilitator), 2);
        assert_eq!(cast.invited_lead.post(&format!("/api/v1/cases/{case}/rooms/joint/read"), &json!({ "message": "00000000-0000-4000-8000-000000000000" })).expect(422).flaws(), ["/message"]);
    }

    fn what_stays_private_is_agreed_and_agreed_anew(app: &App) {
        let cast = Cast::new(app);
        let case = talking(&cast);
        assert_eq!(cast.facilitator.does(&case, json!({ "event": "set_confidentiality", "model": "private_rooms_confidential" })).expect(409).reasons(), ["model_chosen_already"]);
        cast.facilitator.did(&case, json!({ "event": "set_confidentiality", "model": "open" }));
        assert_eq!(say(&cast.initiating_lead, &case, "joint", "Wait.").expect(409).reasons(), ["not_everyone_agreed_to_talk"]);
        cast.initiating_lead.did(&case, json!({ "event": "agree_to_talk" }));
        cast.invited_lead.did(&case, json!({ "event": "agree_to_talk" }));
        say(&cast.initiating_lead, &case, "joint", "Now.").expect(201);
    }

    fn somebody_offline_can_be_written_down(app: &App) {
        let cast = Cast::new(app);
        let case = talking(&cast);
        let path = |room: &str| format!("/api/v1/cases/{case}/rooms/{room}/messages");
        let said = |organisation: &str, sure: bool| json!({ "text": "Mornings suit us.", "on_behalf_of": { "organisation": organisation, "channel": "phone", "read_back_and_confirmed": sure } });
        assert_eq!(cast.facilitator.post(&path("joint"), &said(&cast.invited, false)).expect(422).flaws(), ["/on_behalf_of/read_back_and_confirmed"]);
        cast.facilitator.post(&path("joint"), &said(&cast.invited, true)).expect(201);
        cast.facilitator.post(&path("invited"), &said(&cast.invited, true)).expect(201);
        assert_eq!(cast.facilitator.post(&path("initiating"), &said(&cast.invited, true)).expect(422).flaws(), ["/on_behalf_of"]);
        assert_eq!(cast.invited_lead.post(&path("joint"), &said(&cast.invited, true)).expect(422).flaws(), ["/on_behalf_of"]);
    }
}

on_both! {
    fn ones_own_words_are_released_by_oneself_and_nobody_else(app: &App) {
        let cast = Cast::new(app);
        let case = talking(&cast);
        let ours = id(&say(&cast.initiating_member, &case, "initiating", "We could share Tuesdays.").expect(201));
        let theirs = id(&say(&cast.facilitator, &case, "initiating", "That sounds generous.").expect(201));
        let path = |message: &str| format!("/api/v1/cases/{case}/rooms/initiating/messages/{message}/release");
        let release = |who: &Browser, message: &str, to: &str| who.post(&path(message), &json!({ "to": to }));
        assert_eq!(cast.initiating_lead.post(&path(&ours), &json!({ "to": "joint" })).expect(403).problem(), "fresh-step");
        let (lead, other, neutral) = (cast.initiating_lead.fresh(), cast.invited_lead.fresh(), cast.facilitator.fresh());
        release(&neutral, &ours, "joint").expect(403);
        release(&lead, &theirs, "joint").expect(403);
        release(&other, &ours, "joint").expect(404);
        for to in ["invited", "process", "notes", "initiating"] { assert_eq!(release(&lead, &ours, to).expect(422).flaws(), ["/to"]); }
        let copy = release(&lead, &ours, "joint").expect(201).body;
        assert_eq!((&copy["released"], &copy["text"]), (&json!(true), &json!("We could share Tuesdays.")));
        assert_ne!(copy["id"], json!(ours));
        assert_eq!(texts(&reads(&cast.invited_lead, &case, "joint")), [json!("We could share Tuesdays.")]);
        assert_eq!(texts(&reads(&cast.initiating_lead, &case, "initiating")).len(), 2, "the room keeps what was said in it");
        // Once everybody has agreed to the open model, the facilitator may pass on what is said from then on.
        app.clock.advance(chrono::Duration::minutes(1));
        cast.facilitator.did(&case, json!({ "event": "set_confidentiality", "model": "open" }));
        let before = id(&say(&cast.initiating_lead, &case, "initiating", "Before.").expect(201));
        cast.initiating_lead.did(&case, json!({ "event": "agree_to_talk" }));
        app.clock.advance(chrono::Duration::minutes(1));
        cast.invited_lead.did(&case, json!({ "event": "agree_to_talk" }));
        let after = id(&say(&cast.initiating_lead, &case, "initiating", "After.").expect(201));
        release(&neutral, &before, "joint").expect(403);
        release(&neutral, &after, "joint").expect(201);
    }

    fn clero_looks_into_a_room_only_with_two_people_and_in_the_open(app: &App) {
        let cast = Cast::new(app);
        let second = app.staff("Cyn Vale", &[common_ground::domain::people::Role::Coordinator]);
        let case = talking(&cast);
        say(&cast.initiating_lead, &case, "initiating", "Somebody is not safe.").expect(201);
        let path = format!("/api/v1/cases/{case}/room-looks");
        let wish = json!({ "room": "initiating", "ground": "serious_risk_of_harm", "reason": "A call to the safeguarding lead.", "hours": 4 });
        assert_eq!(cast.coordinator.post(&path, &wish).expect(403).problem(), "fresh-step");
        for nobody in [&cast.facilitator, &cast.invited_lead] { assert_eq!(nobody.fresh().post(&path, &wish).expect(403).problem(), "not-allowed"); }
        cast.other_facilitator.fresh().post(&path, &wish).expect(404);
        let asking = cast.coordinator.fresh();
        for (field, bad) in [("hours", json!(25)), ("hours", json!(0)), ("room", json!("notes"))] {
            let mut wrong = wish.clone();
            wrong[field] = bad;
            assert_eq!(asking.post(&path, &wrong).expect(422).flaws(), [format!("/{field}")]);
        }
        let look = id(&asking.post(&path, &wish).expect(201));
        reads(&cast.coordinator, &case, "initiating").expect(404);
        asking.post(&format!("{path}/{look}/approve"), &json!({})).expect(403);
        assert!(app.subjects_to(&second).iter().any(|s| s.contains("decide")), "{:?}", app.subjects_to(&second));
        for side in [&cast.initiating_lead, &cast.invited_lead] { assert_eq!(side.get(&path).expect(200).body["items"], json!([])); }
        assert_eq!(second.post(&format!("{path}/{look}/approve"), &json!({})).expect(403).problem(), "fresh-step");
        let deciding = second.fresh();
        deciding.post(&format!("{path}/{look}/approve"), &json!({})).expect(200);
        assert_eq!(deciding.post(&format!("{path}/{look}/decline"), &json!({})).expect(409).problem(), "conflict");
        assert_eq!(texts(&reads(&cast.coordinator, &case, "initiating").expect(200)).len(), 1);
        let laid = cast.initiating_lead.upload(&format!("/api/v1/cases/{case}/rooms/initiating/documents"), ("note.txt", b"What I saw."), &[], &[]).expect(201);
        let content = format!("/api/v1/cases/{case}/documents/{}/content", id(&laid));
        assert_eq!(cast.coordinator.get(&content).expect(200).octets, b"What I saw.");
        second.get(&content).expect(404);
        reads(&second, &case, "initiating").expect(404);
        reads(&cast.coordinator, &case, "invited").expect(404);
        say(&cast.coordinator, &case, "initiating", "Hello.").expect(404);
        let told = cast.initiating_member.get(&path).expect(200).body["items"][0].clone();
        assert_eq!((&told["ground"], &told["reason"], told["looked_at"].as_array().map(Vec::len)), (&json!("serious_risk_of_harm"), &wish["reason"], Some(2)));
        assert!(app.subjects_to(&cast.initiating_member).iter().any(|s| s.contains("privacy")), "{:?}", app.subjects_to(&cast.initiating_member));
        assert!(!app.subjects_to(&cast.invited_lead).iter().any(|s| s.contains("privacy")));
        assert_eq!(cast.invited_lead.get(&path).expect(200).body["items"], json!([]), "the other side's room is not theirs");
        app.clock.advance(chrono::Duration::hours(5));
        reads(&cast.coordinator, &case, "initiating").expect(404);
        assert_eq!(cast.initiating_lead.get(&path).body["items"][0]["state"], "over");
        let again = id(&cast.coordinator.fresh().post(&path, &wish).expect(201));
        second.fresh().post(&format!("{path}/{again}/decline"), &json!({})).expect(200);
        reads(&cast.coordinator, &case, "initiating").expect(404);
        assert_eq!(cast.initiating_lead.get(&path).body["items"].as_array().map(Vec::len), Some(1), "a no leaves no trace");
    }
}
