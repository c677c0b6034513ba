//! Private means private, for any history (SPEC §1.3): two services live through the same history, but in one of them a
//! side and the neutrals are also busy among themselves. Everything the other side can fetch, and every letter it gets,
//! is compared after each step, octet for octet, once random names are renamed by first appearance.
use std::collections::BTreeMap;

use common_ground::domain::case::Side;
use common_ground::domain::people::Role;
use common_ground::domain::room::Room;
use common_ground::domain::time::Clock;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cast::{Cast, reading};
use crate::support::{App, Call, Person};

/// Something everybody at the table may notice.
#[derive(Debug, Clone, Copy)]
enum Open {
    OtherSaysJoint,
    OwnSaysJoint,
    NeutralSaysJoint,
    OtherSaysPrivate,
    OtherReadsOn,
    CoordinatorNotices,
    JointCloses,
    JointOpens,
    Timetable,
    Pause,
    GoOn,
    BeginReview,
    OtherSharesReading,
    NeutralStrikes,
    LaidOnTheTable,
    MeetAtTheTable,
}

/// Something between one side and the neutrals, or of one of them alone.
#[derive(Debug, Clone, Copy)]
enum Private {
    Says,
    NeutralAnswers,
    Corrects,
    Strikes,
    ReadsOn,
    Notes,
    AmongNeutrals,
    WritesReading,
    Refused,
    LaysDown,
    LaysAside,
    TakesHome,
    Meets,
    CleroAsks,
}

fn open() -> impl Strategy<Value = Open> {
    use Open::*;
    prop::sample::select(vec![
        OtherSaysJoint,
        OwnSaysJoint,
        NeutralSaysJoint,
        OtherSaysPrivate,
        OtherReadsOn,
        CoordinatorNotices,
        JointCloses,
        JointOpens,
        Timetable,
        Pause,
        GoOn,
        BeginReview,
        OtherSharesReading,
        NeutralStrikes,
        LaidOnTheTable,
        MeetAtTheTable,
    ])
}

fn private() -> impl Strategy<Value = Private> {
    use Private::*;
    prop::sample::select(vec![
        Says,
        NeutralAnswers,
        Corrects,
        Strikes,
        ReadsOn,
        Notes,
        AmongNeutrals,
        WritesReading,
        Refused,
        LaysDown,
        LaysAside,
        TakesHome,
        Meets,
        CleroAsks,
    ])
}

/// One of the two worlds: `side` is the one that is busy in private, the other one looks on.
struct World<'a> {
    cast: Cast<'a>,
    case: String,
    side: Side,
    /// Somebody else of CLERO.
    second: Person<'a>,
    /// The address of the other side's calendar.
    feed: String,
    names: Names,
}

impl<'a> World<'a> {
    fn new(app: &'a App, side: Side) -> Self {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.invited_lead
            .did(&case, json!({ "event": "respond", "answer": "take_part" }));
        cast.initiating_lead
            .did(&case, json!({ "event": "agree_to_talk" }));
        cast.invited_lead
            .did(&case, json!({ "event": "agree_to_talk" }));
        cast.facilitator.did(&case, json!({ "event": "log_session", "session": { "on": cast.today(), "way": "video", "who_came": "both", "minutes": 60 } }));
        let second = app.staff("Cyn Vale", &[Role::Coordinator]);
        let looks_on = match side {
            Side::Initiating => &cast.invited_lead,
            Side::Invited => &cast.initiating_lead,
        };
        let made = looks_on
            .post("/api/v1/calendar-feed", &json!({}))
            .expect(201);
        let url = made.body["url"].as_str().expect("an address");
        let feed = url[url.find("/calendar/").expect("a path")..].to_owned();
        Self {
            cast,
            case,
            side,
            second,
            feed,
            names: Names::default(),
        }
    }

    fn lead(&self, side: Side) -> &Person<'a> {
        match side {
            Side::Initiating => &self.cast.initiating_lead,
            Side::Invited => &self.cast.invited_lead,
        }
    }

    fn messages(&self, who: &Person, room: Room) -> Vec<Value> {
        let all = who.get(&self.path(room, "messages")).body;
        all["items"].as_array().cloned().unwrap_or_default()
    }

    fn path(&self, room: Room, rest: &str) -> String {
        format!("/api/v1/cases/{}/rooms/{}/{rest}", self.case, room.word())
    }

    fn say(&self, who: &Person, room: Room, text: &str) {
        who.post(&self.path(room, "messages"), &json!({ "text": text }));
    }

    fn own(&self, who: &Person, room: Room) -> Option<String> {
        let mine = |m: &&Value| m["author"]["id"] == json!(who.id);
        Some(
            self.messages(who, room).iter().find(mine)?["id"]
                .as_str()?
                .to_owned(),
        )
    }

    fn strike(&self, who: &Person, room: Room) {
        if let Some(id) = self.own(who, room) {
            who.post(
                &self.path(room, &format!("messages/{id}/strike")),
                &json!({ "reason": "Said too quickly." }),
            );
        }
    }

    fn read_on(&self, who: &Person, room: Room) {
        if let Some(newest) = self.messages(who, room).first() {
            who.post(
                &self.path(room, "read"),
                &json!({ "message": newest["id"] }),
            );
        }
    }

    fn write_reading(&self, who: &Person) {
        let path = format!("/api/v1/cases/{}/reading", self.case);
        if let Some(tag) = who.get(&path).tag {
            who.put(&path, &reading("partly"), &tag);
        }
    }

    fn lay(&self, who: &Person, room: Room) {
        who.upload(
            &self.path(room, "documents"),
            ("plan.txt", b"Mornings, or not."),
            &[],
            &[],
        );
    }

    /// Proposes a meeting in `room`, and sets it.
    fn meet(&self, room: Room) {
        let neutral = &self.cast.facilitator;
        let path = format!("/api/v1/cases/{}/meetings", self.case);
        let start = self
            .cast
            .app
            .clock
            .now()
            .plus(chrono::Duration::days(3))
            .0
            .format("%Y-%m-%dT%H:%M:00Z")
            .to_string();
        let wish = json!({ "room": room.word(), "way": "phone", "times": [{ "start": start, "minutes": 30 }] });
        let proposed = neutral.post(&path, &wish);
        if let (Some(id), Some(tag)) = (proposed.body["id"].as_str(), &proposed.tag) {
            let time = json!({ "time": proposed.body["times"][0]["id"] });
            neutral.post_with(&format!("{path}/{id}/confirm"), &time, &[("if-match", tag)]);
        }
    }

    /// CLERO asks to look into a room, somebody else allows it, and it is looked into.
    fn look(&self, room: Room) {
        let path = format!("/api/v1/cases/{}/room-looks", self.case);
        let wish = json!({ "room": room.word(), "ground": "required_by_law", "reason": "A letter from a court.", "hours": 1 });
        let asked = self.cast.coordinator.fresh().post(&path, &wish).expect(201);
        let id = asked.body["id"].as_str().expect("an id");
        self.second
            .fresh()
            .post(&format!("{path}/{id}/approve"), &json!({}))
            .expect(200);
        self.cast
            .coordinator
            .get(&self.path(room, "messages"))
            .expect(200);
    }

    /// What happens in the open; what cannot be at this moment is refused, in both worlds.
    fn happens(&self, what: Open) {
        let (own, other, neutral) = (
            self.lead(self.side),
            self.lead(self.side.other()),
            &self.cast.facilitator,
        );
        let step = |who: &Person, event: Value| {
            who.does(&self.case, event);
        };
        match what {
            Open::OtherSaysJoint => self.say(other, Room::Joint, "From across the table."),
            Open::OwnSaysJoint => self.say(own, Room::Joint, "From this side."),
            Open::NeutralSaysJoint => self.say(neutral, Room::Joint, "Let us go on."),
            Open::OtherSaysPrivate => {
                self.say(other, Room::Private(self.side.other()), "Between us.")
            }
            Open::OtherReadsOn => self.read_on(other, Room::Joint),
            Open::CoordinatorNotices => {
                self.say(&self.cast.coordinator, Room::Process, "The room is booked.")
            }
            Open::JointCloses => step(neutral, json!({ "event": "close_joint_room" })),
            Open::JointOpens => step(neutral, json!({ "event": "open_joint_room" })),
            Open::Timetable => step(
                other,
                json!({ "event": "propose_timetable", "until": { "early_conversation": "2026-12-18" } }),
            ),
            Open::Pause => step(other, json!({ "event": "hold" })),
            Open::GoOn => step(other, json!({ "event": "resume" })),
            Open::BeginReview => step(neutral, json!({ "event": "begin_standards_review" })),
            Open::OtherSharesReading => {
                self.write_reading(other);
                step(other, json!({ "event": "share_reading", "answers": "" }));
            }
            Open::NeutralStrikes => self.strike(neutral, Room::Joint),
            Open::LaidOnTheTable => self.lay(neutral, Room::Joint),
            Open::MeetAtTheTable => self.meet(Room::Joint),
        }
    }

    /// What the other side is not to notice.
    fn busy(&self, what: Private) {
        let (own, neutral) = (self.lead(self.side), &self.cast.facilitator);
        let room = Room::Private(self.side);
        match what {
            Private::Says => self.say(own, room, "Between us and you."),
            Private::NeutralAnswers => self.say(neutral, room, "I hear you."),
            Private::Corrects => {
                if let Some(id) = self.own(own, room) {
                    own.post(
                        &self.path(room, "messages"),
                        &json!({ "text": "Rather so.", "corrects": id }),
                    );
                }
            }
            Private::Strikes => self.strike(own, room),
            Private::ReadsOn => self.read_on(own, room),
            Private::Notes => self.say(neutral, Room::Notes, "Ask about mornings."),
            Private::AmongNeutrals => {
                self.say(neutral, Room::Neutrals, "For whoever comes after me.")
            }
            Private::WritesReading => self.write_reading(own),
            Private::LaysDown => self.lay(own, room),
            Private::LaysAside => self.lay(own, Room::Own(self.side)),
            Private::TakesHome => {
                let laid = neutral.get(&self.path(room, "documents")).body;
                if let Some(id) = laid["items"][0]["id"].as_str() {
                    neutral.get(&format!(
                        "/api/v1/cases/{}/documents/{id}/content",
                        self.case
                    ));
                }
            }
            Private::Meets => self.meet(room),
            Private::CleroAsks => self.look(room),
            Private::Refused => {
                own.post(&self.path(room, "messages"), &json!({ "text": "" }));
            }
        }
    }

    /// Everything the other side can fetch, and its letters, with random names renamed.
    fn seen(&mut self) -> String {
        let mut page = String::new();
        let member = match self.side {
            Side::Initiating => &self.cast.invited_member,
            Side::Invited => &self.cast.initiating_member,
        };
        for who in [self.lead(self.side.other()), member] {
            let case = format!("/api/v1/cases/{}", self.case);
            let mut paths: Vec<String> = [
                "",
                "/available-events",
                "/events?limit=100",
                "/rooms",
                "/room-looks",
                "/reading",
                "/meetings?limit=100",
            ]
            .iter()
            .map(|rest| format!("{case}{rest}"))
            .collect();
            for room in Room::ALL {
                paths.push(self.path(room, "messages?limit=100"));
                paths.push(self.path(room, "documents?limit=100"));
            }
            paths.extend(
                [
                    "/api/v1/cases",
                    "/api/v1/notifications?limit=100",
                    "/api/v1/letters?limit=100",
                    "/api/v1/me",
                ]
                .map(str::to_owned),
            );
            for path in paths {
                let reply = who.get(&path);
                let headers: BTreeMap<&str, &str> = reply
                    .headers
                    .iter()
                    .filter(|(n, _)| n != "date" && n != "content-length")
                    .map(|(n, v)| (n.as_str(), v.as_str()))
                    .collect();
                page.push_str(&format!(
                    "{path} {} {headers:?}\n{}\n",
                    reply.status,
                    steady(&reply.body)
                ));
            }
            for letter in self.cast.app.letters_to(Some(who)) {
                page.push_str(&letter);
            }
        }
        let calendar = self.cast.app.send(&Call {
            method: "GET",
            path: self.feed.clone(),
            ..Call::default()
        });
        page.push_str(&calendar.expect(200).text);
        self.names.renamed(&page)
    }
}

/// A value written so that the order of random names does not show: fields and items are put in the order of what they
/// say beside their names.
fn steady(value: &Value) -> String {
    let sorted = |mut parts: Vec<String>| {
        parts.sort_by_key(|part| Names::blanked(part));
        parts.join(",")
    };
    match value {
        Value::Object(fields) => {
            let parts = fields.iter().map(|(k, v)| format!("{k}:{}", steady(v)));
            format!("{{{}}}", sorted(parts.collect()))
        }
        Value::Array(items) => format!("[{}]", sorted(items.iter().map(steady).collect())),
        plain => plain.to_string(),
    }
}

/// Random names, in the order in which they were first met.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    /// Whether a word is drawn at random, or made of something that is: an id, a hash, a reference, a boundary.
    fn is_random(word: &str) -> bool {
        let hex = |w: &str| w.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let long = word.len() >= 30 && (hex(word) || word.chars().all(char::is_alphanumeric));
        let code = word.len() == 11
            && word.split('-').all(|half| {
                half.len() == 5
                    && half
                        .chars()
                        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            });
        long || code || word.starts_with("CG-2026-")
    }

    fn words(page: &str) -> impl Iterator<Item = &str> {
        page.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-')
    }

    fn renamed(&mut self, page: &str) -> String {
        let mut out = String::with_capacity(page.len());
        for piece in Self::words(page) {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let bare = word.trim_matches('-');
            if Self::is_random(bare) {
                let next = self.0.len();
                let number = *self.0.entry(bare.to_owned()).or_insert(next);
                out.push_str(&piece.replacen(bare, &format!("name{number}"), 1));
            } else {
                out.push_str(piece);
            }
        }
        out
    }

    fn blanked(text: &str) -> String {
        Self::words(text)
            .map(|piece| {
                if Self::is_random(piece.trim_matches(|c: char| !c.is_ascii_alphanumeric())) {
                    "?"
                } else {
                    piece
                }
            })
            .collect()
    }
}

fn differs(one: &str, other: &str) -> String {
    let line = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    format!(
        "{line:?}, and {} lines are {}",
        one.lines().count(),
        other.lines().count()
    )
}

fn lives(side: Side, history: &[(Open, Vec<Private>)]) -> Result<(), TestCaseError> {
    let (quiet, busy) = (App::on_sqlite(), App::on_sqlite());
    let (mut one, mut other) = (World::new(&quiet, side), World::new(&busy, side));
    let (first, second) = (one.seen(), other.seen());
    prop_assert!(
        first == second,
        "before anything: {}",
        differs(&first, &second)
    );
    for (at, (what, hidden)) in history.iter().enumerate() {
        for act in hidden {
            other.busy(*act);
        }
        for world in [&one, &other] {
            world.happens(*what);
        }
        for app in [&quiet, &busy] {
            app.clock.advance(chrono::Duration::minutes(47));
            app.work();
        }
        let (first, second) = (one.seen(), other.seen());
        prop_assert!(
            first == second,
            "after step {at}: {}",
            differs(&first, &second)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(64), max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn what_one_side_does_in_private_leaves_no_trace_for_the_other(initiating in any::<bool>(), history in prop::collection::vec((open(), prop::collection::vec(private(), 0..4)), 1..9)) {
        lives(if initiating { Side::Initiating } else { Side::Invited }, &history)?;
    }
}
