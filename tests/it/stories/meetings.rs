//! Meetings: times are proposed, answered, set, moved and cancelled; calendars hear of it; the other side of a private
//! meeting does not.
use base64::Engine;
use serde_json::{Value, json};

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, CANARY, Call, Person, Reply};

fn path(case: &str) -> String {
    format!("/api/v1/cases/{case}/meetings")
}

fn wish(room: &str, starts: &[&str]) -> Value {
    let times: Vec<Value> = starts
        .iter()
        .map(|start| json!({ "start": start, "minutes": 60 }))
        .collect();
    json!({ "room": room, "way": "in_person", "place": format!("The library, by the side door. {CANARY}"), "note": format!("Tea from half past nine. {CANARY}"), "times": times })
}

fn id(reply: &Reply) -> String {
    reply.body["id"].as_str().expect("an id").to_owned()
}

fn time(reply: &Reply, n: usize) -> String {
    reply.body["times"][n]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// What the last letter to somebody says to their calendar.
fn calendar(app: &App, who: &Person) -> Option<String> {
    let letter = app.letters_to(Some(who)).pop()?;
    let (_, part) = letter.split_once("text/calendar")?;
    let (_, body) = part.split_once("\r\n\r\n")?;
    let octets: String = body.split("\r\n--").next()?.split_whitespace().collect();
    let page = base64::engine::general_purpose::STANDARD
        .decode(octets)
        .expect("base64");
    Some(String::from_utf8(page).expect("text").replace("\r\n ", ""))
}

fn fetched(app: &App, url: &str) -> Reply {
    let (_, rest) = url.split_once("/calendar/").expect("an address");
    app.send(&Call {
        method: "GET",
        path: format!("/calendar/{rest}"),
        ..Call::default()
    })
}

on_both! {
    fn a_meeting_is_found_set_moved_and_cancelled_and_calendars_hear_of_it(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let proposed = cast.initiating_member.post(&path(&case), &wish("joint", &["2026-09-22T10:00", "2026-09-24T13:30:00Z"])).expect(201);
        assert_eq!((proposed.body["times"][0]["start"].as_str(), proposed.body["state"].as_str()), (Some("2026-09-22T09:00:00.000000Z"), Some("proposed")), "a time without an offset is London's");
        let at = format!("{}/{}", path(&case), id(&proposed));
        assert!(app.subjects_to(&cast.invited_lead).iter().any(|s| s.contains("meet")), "{:?}", app.subjects_to(&cast.invited_lead));
        let suits = |who: &Person, first: &str, needs: &str| who.post(&format!("{at}/answers"), &json!({ "times": { time(&proposed, 0): first, time(&proposed, 1): "yes" }, "access_needs": needs }));
        suits(&cast.invited_lead, "no", "No stairs, please.").expect(200);
        suits(&cast.initiating_lead, "if_needed", "A quiet corner.").expect(200);
        let seen = |who: &Person| who.get(&at).expect(200);
        let needs = |who: &Person| seen(who).text;
        assert!(needs(&cast.invited_member).contains("No stairs") && !needs(&cast.invited_member).contains("quiet corner"));
        assert!(needs(&cast.facilitator).contains("No stairs") && needs(&cast.facilitator).contains("quiet corner"));
        let choice = json!({ "time": time(&proposed, 1) });
        let tag = seen(&cast.facilitator).tag.expect("a tag");
        cast.facilitator.post(&format!("{at}/confirm"), &choice).expect(428);
        cast.initiating_lead.post_with(&format!("{at}/confirm"), &choice, &[("if-match", &seen(&cast.initiating_lead).tag.expect("a tag"))]).expect(403);
        let set = cast.facilitator.post_with(&format!("{at}/confirm"), &choice, &[("if-match", &tag)]).expect(200);
        assert_eq!((set.body["state"].as_str(), set.body["start"].as_str()), (Some("confirmed"), Some("2026-09-24T13:30:00.000000Z")));
        assert_eq!(cast.facilitator.post_with(&format!("{at}/confirm"), &choice, &[("if-match", &tag)]).expect(412).problem(), "stale");
        assert_eq!(suits(&cast.invited_lead, "yes", "Late.").expect(409).reasons(), ["meeting_not_open"]);
        for who in [&cast.initiating_lead, &cast.invited_member, &cast.facilitator] {
            let page = calendar(app, who).expect("a calendar part");
            for line in ["METHOD:REQUEST", "SEQUENCE:0", "DTSTART;TZID=Europe/London:20260924T143000", "DTEND;TZID=Europe/London:20260924T153000", "STATUS:CONFIRMED", "TZID:Europe/London"] { assert!(page.contains(&format!("{line}\r\n")), "{line} in {page}"); }
            assert!(page.contains(&format!("mailto:{}", who.email)) && page.matches("ATTENDEE").count() == 1);
            assert!(!page.contains("LOCATION") && !page.contains("library") && !page.contains("Birch"), "{page}");
        }
        let uid = |page: &str| page.lines().find(|l| l.starts_with("UID:")).map(str::to_owned);
        let first = calendar(app, &cast.invited_lead).expect("a calendar part");
        let moved = cast.facilitator.post_with(&format!("{at}/move"), &json!({ "start": "2026-10-26T10:00" }), &[("if-match", &seen(&cast.facilitator).tag.expect("a tag"))]).expect(200);
        assert_eq!(moved.body["start"], "2026-10-26T10:00:00.000000Z", "after the clocks went back");
        let second = calendar(app, &cast.invited_lead).expect("a calendar part");
        assert!(second.contains("SEQUENCE:1\r\n") && second.contains("METHOD:REQUEST") && uid(&first) == uid(&second), "{second}");
        cast.facilitator.post_with(&format!("{at}/cancel"), &json!({}), &[("if-match", &seen(&cast.facilitator).tag.expect("a tag"))]).expect(200);
        let third = calendar(app, &cast.invited_lead).expect("a calendar part");
        assert!(third.contains("METHOD:CANCEL\r\n") && third.contains("SEQUENCE:2\r\n") && third.contains("STATUS:CANCELLED") && uid(&first) == uid(&third), "{third}");
        let again = cast.facilitator.post_with(&format!("{at}/move"), &json!({ "start": "2026-10-27T10:00" }), &[("if-match", &seen(&cast.facilitator).tag.expect("a tag"))]);
        assert_eq!(again.expect(409).reasons(), ["meeting_not_set"]);
    }

    fn a_private_meeting_leaves_nothing_for_the_other_side(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let (feed, other) = (cast.initiating_lead.post("/api/v1/calendar-feed", &json!({})).expect(201), cast.invited_lead.post("/api/v1/calendar-feed", &json!({})).expect(201));
        let url = |reply: &Reply| reply.body["url"].as_str().expect("an address").to_owned();
        let (quiet, letters) = (fetched(app, &url(&other)).expect(200).text, app.letters_to(Some(&cast.invited_lead)).len());
        let meeting = cast.facilitator.post(&path(&case), &wish("initiating", &["2026-09-22T10:00"])).expect(201);
        let at = format!("{}/{}", path(&case), id(&meeting));
        let confirm = |who: &Person| who.post_with(&format!("{at}/confirm"), &json!({ "time": time(&meeting, 0) }), &[("if-match", &meeting.tag.clone().expect("a tag"))]);
        let unknown = format!("{}/00000000-0000-4000-8000-000000000000", path(&case));
        assert_eq!(cast.invited_lead.get(&at).expect(404).fingerprint(), cast.invited_lead.get(&unknown).fingerprint());
        confirm(&cast.invited_lead).expect(404);
        confirm(&cast.facilitator).expect(200);
        assert_eq!(cast.invited_lead.post(&path(&case), &wish("initiating", &["2026-09-22T10:00"])).expect(404).problem(), "not-found");
        for nobody in [&cast.invited_lead, &cast.coordinator] { assert_eq!(nobody.get(&path(&case)).expect(200).body["items"], json!([])); }
        assert_eq!((fetched(app, &url(&other)).text, app.letters_to(Some(&cast.invited_lead)).len()), (quiet, letters));
        let own = fetched(app, &url(&feed)).expect(200);
        assert!(own.text.contains("DTSTART;TZID=Europe/London:20260922T100000") && own.text.contains("METHOD:PUBLISH") && !own.text.contains("library"), "{}", own.text);
        assert!(own.header("content-type").is_some_and(|kind| kind.starts_with("text/calendar")));
    }

    fn a_calendars_address_can_be_taken_away_and_follows_rights(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let member = &cast.invited_member;
        let url = member.post("/api/v1/calendar-feed", &json!({})).expect(201).body["url"].as_str().expect("an address").to_owned();
        let meeting = cast.facilitator.post(&path(&case), &wish("joint", &["2026-09-22T10:00"])).expect(201);
        cast.facilitator.post_with(&format!("{}/{}/confirm", path(&case), id(&meeting)), &json!({ "time": time(&meeting, 0) }), &[("if-match", &meeting.tag.clone().expect("a tag"))]).expect(200);
        let count = |url: &str| fetched(app, url).expect(200).text.matches("BEGIN:VEVENT").count();
        assert_eq!(count(&url), 1);
        let next = member.post("/api/v1/calendar-feed", &json!({})).expect(201).body["url"].as_str().expect("an address").to_owned();
        let nowhere = fetched(app, &url).expect(404).fingerprint();
        let members = cast.invited_lead.get(&format!("/api/v1/organisations/{}/members", cast.invited)).expect(200).body;
        let membership = members["items"].as_array().expect("a list").iter().find(|m| m["person"] == json!(member.id)).expect("a membership")["id"].as_str().expect("an id").to_owned();
        assert_eq!(count(&next), 1);
        cast.invited_lead.post(&format!("/api/v1/memberships/{membership}/end"), &json!({})).expect(200);
        assert_eq!(count(&next), 0, "rights end with the next time it is fetched");
        member.post("/api/v1/calendar-feed/revoke", &json!({})).expect(204);
        assert_eq!(fetched(app, &next).expect(404).fingerprint(), nowhere);
        assert_eq!(member.get("/api/v1/calendar-feed").expect(200).body, json!({ "active": false }));
    }

    fn times_that_cannot_be_are_said_where_they_are(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let flaws = |body: Value| cast.facilitator.post(&path(&case), &body).expect(422).flaws();
        assert_eq!(flaws(wish("joint", &["2026-09-01T10:00"])), ["/times/0/start"], "past");
        assert_eq!(flaws(wish("joint", &["2026-10-25T01:30"])), ["/times/0/start"], "twice");
        assert_eq!(flaws(wish("joint", &["2027-03-28T01:30"])), ["/times/0/start"], "never");
        assert_eq!(flaws(wish("joint", &["2028-09-01T10:00"])), ["/times/0/start"], "too far");
        assert_eq!(flaws(wish("joint", &["2026-09-22T10:00", "2026-09-22T09:00:00Z"])), ["/times/1/start"], "the same");
        assert_eq!(flaws(wish("joint", &[])), ["/times"]);
        let many: Vec<String> = (10..19).map(|day| format!("2026-11-{day}T10:00")).collect();
        assert_eq!(flaws(wish("joint", &many.iter().map(String::as_str).collect::<Vec<_>>())), ["/times"]);
        for minutes in [0, 14, 481] {
            let mut wrong = wish("joint", &["2026-09-22T10:00"]);
            wrong["times"][0]["minutes"] = json!(minutes);
            assert_eq!(flaws(wrong), ["/times/0/minutes"]);
        }
        assert_eq!(cast.facilitator.post(&path(&case), &wish("notes", &["2026-09-22T10:00"])).expect(404).problem(), "not-found", "nobody meets there");
        let one = cast.facilitator.post(&path(&case), &wish("joint", &["2026-09-22T10:00"])).expect(201);
        let other = cast.facilitator.post(&path(&case), &wish("initiating", &["2026-09-22T10:00"])).expect(201);
        let at = format!("{}/{}", path(&case), id(&one));
        let stranger = time(&other, 0);
        assert_eq!(cast.invited_lead.post(&format!("{at}/answers"), &json!({ "times": { &stranger: "yes" } })).expect(422).flaws(), [format!("/times/{stranger}")]);
        assert_eq!(cast.facilitator.post_with(&format!("{at}/confirm"), &json!({ "time": stranger }), &[("if-match", &one.tag.clone().expect("a tag"))]).expect(422).flaws(), ["/time"]);
        cast.coordinator.post(&path(&case), &wish("joint", &["2026-09-22T10:00"])).expect(403);
        let shown = cast.coordinator.get(&at).expect(200);
        assert_eq!(shown.body, json!({ "id": one.body["id"], "room": "joint", "state": "proposed", "start": null }), "when and whether, and no more");
        cast.initiating_lead.did(&case, json!({ "event": "withdraw" }));
        assert_eq!(cast.facilitator.post(&path(&case), &wish("joint", &["2026-09-22T10:00"])).expect(409).reasons(), ["room_closed"]);
    }
}
