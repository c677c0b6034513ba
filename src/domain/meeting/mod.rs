//! Meetings that are planned (SPEC §5, "Sessions"): times are proposed in a room, everybody in it says which suit, and
//! the neutral sets one. The rules are here, and what each reader sees of a meeting in `seen`; meetings that took place
//! are in `conversation`, and how a meeting reaches a calendar is `mail`'s business.
mod seen;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, Timelike};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Capacity, CapacityName, writes_room};
use super::case::Case;
use super::conversation::Way;
use super::decide::Flaw;
use super::id::{MeetingId, PersonId, TimeId};
use super::reason::Reason;
use super::room::{Room, closed_because};
use super::text::Prose;
use super::time::{Moment, WhenSaid};

pub use seen::{AnswersSeen, MeetingSight, View, seen, view};

/// The most times that are proposed at once.
pub const MOST_TIMES: usize = 8;
/// How soon a meeting may begin, in minutes from now.
const SOONEST_MINUTES: i64 = 15;
/// How far ahead a meeting may be, in days.
const FURTHEST_DAYS: i64 = 400;
/// The shortest and the longest meeting, in minutes.
const SHORTEST: u16 = 15;
const LONGEST: u16 = 480;

/// Whether a time suits somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suits {
    Yes,
    IfNeeded,
    No,
}

/// How far a meeting has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeetingState {
    /// Times were proposed, and none is set.
    Proposed,
    /// It has a time.
    Confirmed,
    /// It will not take place.
    Cancelled,
}

/// One of the times a meeting may take place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MeetingTime")]
pub struct TimeOption {
    pub id: TimeId,
    pub start: Moment,
    pub minutes: u16,
}

/// What somebody in the room has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// As what they answered: it decides who reads their access needs.
    pub by: CapacityName,
    pub times: BTreeMap<TimeId, Suits>,
    pub access_needs: Option<Prose>,
}

/// A meeting that is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    pub id: MeetingId,
    pub room: Room,
    pub options: Vec<TimeOption>,
    pub answers: BTreeMap<PersonId, Answers>,
    pub state: MeetingState,
    /// When it begins, once that is set; it stays when the meeting is cancelled.
    pub start: Option<Moment>,
    /// How long it lasts, once that is set; before that, nothing.
    pub minutes: u16,
    pub way: Way,
    /// An address, a telephone number or a link, in words.
    pub place: Option<Prose>,
    pub note: Option<Prose>,
    /// How often what calendars know of it has changed (RFC 5545 §3.8.7.4).
    pub sequence: u32,
    pub proposer: PersonId,
    /// As what they proposed it.
    pub proposed_by: CapacityName,
    pub proposed_at: Moment,
    /// When what calendars know of it changed last.
    pub changed_at: Moment,
}

/// A time as it is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposedTime {
    pub start: WhenSaid,
    #[schemars(range(min = 15, max = 480))]
    pub minutes: u16,
}

/// A meeting as it is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProposeMeeting")]
pub struct Proposal {
    /// `joint`, or a side's private room: `initiating` or `invited`.
    pub room: Room,
    pub way: Way,
    /// An address, a telephone number or a link, if it is known. It is never in a letter or in a calendar.
    #[serde(default)]
    pub place: Option<Prose>,
    #[serde(default)]
    pub note: Option<Prose>,
    #[schemars(length(min = 1, max = 8))]
    pub times: Vec<ProposedTime>,
}

/// Which of the times suit somebody. It replaces what they answered before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AnswerMeeting")]
pub struct AnswerTimes {
    /// By the id of the time.
    pub times: BTreeMap<TimeId, Suits>,
    /// What would make it easier to come. Your side and the facilitator read it, and nobody else.
    #[serde(default)]
    pub access_needs: Option<Prose>,
}

/// The time that is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ConfirmMeeting")]
pub struct ChooseTime {
    pub time: TimeId,
    /// Where or how, if that was not said before or is another now.
    #[serde(default)]
    pub place: Option<Prose>,
}

/// Another time for a meeting that is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MoveMeeting")]
pub struct NewTime {
    pub start: WhenSaid,
    /// How long it lasts, if not as long as before.
    #[serde(default)]
    #[schemars(range(min = 15, max = 480))]
    pub minutes: Option<u16>,
}

/// Who acts or looks, and as what.
#[derive(Debug, Clone, Copy)]
pub struct Viewer {
    pub person: PersonId,
    pub capacity: Capacity,
}

/// Why nothing happens to a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingStop {
    /// It belongs to somebody else in the room.
    NotYours,
    /// It could happen, but not now.
    Reason(Reason),
    /// What was said cannot be.
    Flawed(Vec<Flaw>),
}

impl From<Reason> for MeetingStop {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

fn flawed(pointer: &str, message: &str) -> MeetingStop {
    MeetingStop::Flawed(vec![Flaw::at(pointer, message)])
}

/// Whether people meet in this room: at the table, or a side with the neutral.
#[must_use]
pub fn is_for_meetings(room: Room) -> bool {
    match room {
        Room::Joint | Room::Private(_) => true,
        Room::Own(_) | Room::Neutrals | Room::Process | Room::Notes => false,
    }
}

/// Whether somebody in `capacity` takes part in meetings in `room`: proposes and answers.
#[must_use]
pub fn takes_part(case: &Case, capacity: Capacity, room: Room) -> bool {
    is_for_meetings(room) && writes_room(case, capacity, room)
}

/// What stands between somebody who takes part and planning a meeting now. People may plan to meet at the table before
/// everybody has agreed to talk, and while the neutral keeps the joint room closed: a meeting may be what helps.
#[must_use]
pub fn closed_for_meetings(case: &Case, room: Room) -> Option<Reason> {
    closed_because(case, room).filter(|reason| !(case.is_open() && plans_anyway(*reason)))
}

fn plans_anyway(reason: Reason) -> bool {
    matches!(reason, Reason::NotEveryoneAgreedToTalk | Reason::RoomClosed)
}

/// What is wrong with a time, said at `at`.
fn time_flaws(start: Moment, minutes: u16, at: &str, now: Moment) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        flaws.push(Flaw::at(&format!("{at}/{field}"), message));
    };
    if start.0.second() != 0 || start.0.nanosecond() != 0 {
        wrong("start", "please name a whole minute");
    } else if start < now.plus(Duration::minutes(SOONEST_MINUTES)) {
        wrong("start", "please choose a time at least 15 minutes from now");
    } else if start > now.plus(Duration::days(FURTHEST_DAYS)) {
        wrong("start", "please choose a time within the next 400 days");
    }
    if !(SHORTEST..=LONGEST).contains(&minutes) {
        wrong("minutes", "a meeting lasts 15 to 480 minutes");
    }
    flaws
}

impl Meeting {
    /// A meeting that `by` proposes; `options` are the proposed times, each with its new name. Whether they may propose
    /// in this room has been asked at `takes_part`.
    pub fn propose(
        id: MeetingId,
        said: &Proposal,
        options: Vec<TimeOption>,
        by: Viewer,
        now: Moment,
    ) -> Result<Self, MeetingStop> {
        if !is_for_meetings(said.room) {
            return Err(flawed("/room", WHICH_ROOMS));
        }
        if options.is_empty() || options.len() > MOST_TIMES {
            return Err(flawed("/times", "please propose one to eight times"));
        }
        let (mut seen, mut flaws) = (BTreeSet::new(), Vec::new());
        for (i, option) in options.iter().enumerate() {
            let at = format!("/times/{i}");
            flaws.extend(time_flaws(option.start, option.minutes, &at, now));
            if !seen.insert(option.start) {
                flaws.push(Flaw::at(
                    &format!("{at}/start"),
                    "this time is in the list already",
                ));
            }
        }
        if !flaws.is_empty() {
            return Err(MeetingStop::Flawed(flaws));
        }
        Ok(Self {
            id,
            room: said.room,
            options,
            answers: BTreeMap::new(),
            state: MeetingState::Proposed,
            start: None,
            minutes: 0,
            way: said.way,
            place: said.place.clone(),
            note: said.note.clone(),
            sequence: 0,
            proposer: by.person,
            proposed_by: by.capacity.name(),
            proposed_at: now,
            changed_at: now,
        })
    }

    /// Somebody in the room says which times suit them; until one is set they may say it anew.
    pub fn answer(&self, said: &AnswerTimes, by: Viewer) -> Result<Self, MeetingStop> {
        self.still_open()?;
        let unknown: Vec<Flaw> = said
            .times
            .keys()
            .filter(|time| self.option(**time).is_none())
            .map(|time| {
                Flaw::at(
                    &format!("/times/{time}"),
                    "this is not one of the times of this meeting",
                )
            })
            .collect();
        if !unknown.is_empty() {
            return Err(MeetingStop::Flawed(unknown));
        }
        let mut after = self.clone();
        after.answers.insert(
            by.person,
            Answers {
                by: by.capacity.name(),
                times: said.times.clone(),
                access_needs: said.access_needs.clone(),
            },
        );
        Ok(after)
    }

    /// The neutral sets one of the times.
    pub fn confirm(&self, said: &ChooseTime, by: Viewer, now: Moment) -> Result<Self, MeetingStop> {
        neutral_only(by)?;
        self.still_open()?;
        let chosen = self
            .option(said.time)
            .ok_or_else(|| flawed("/time", "this is not one of the times of this meeting"))?;
        if chosen.start <= now {
            return Err(flawed(
                "/time",
                "this time has passed; please choose another",
            ));
        }
        Ok(Self {
            state: MeetingState::Confirmed,
            start: Some(chosen.start),
            minutes: chosen.minutes,
            place: said.place.clone().or_else(|| self.place.clone()),
            changed_at: now,
            ..self.clone()
        })
    }

    /// The neutral gives a meeting that is set another time.
    pub fn move_to(&self, said: &NewTime, by: Viewer, now: Moment) -> Result<Self, MeetingStop> {
        neutral_only(by)?;
        self.still_ahead(now)?;
        let (start, minutes) = (said.start.0, said.minutes.unwrap_or(self.minutes));
        let mut flaws = time_flaws(start, minutes, "", now);
        if (self.start, self.minutes) == (Some(start), minutes) {
            flaws.push(Flaw::at("/start", "the meeting is at this time already"));
        }
        if !flaws.is_empty() {
            return Err(MeetingStop::Flawed(flaws));
        }
        Ok(Self {
            start: Some(start),
            minutes,
            sequence: self.sequence + 1,
            changed_at: now,
            ..self.clone()
        })
    }

    /// The neutral cancels; until a time is set, whoever proposed the meeting may, too.
    pub fn cancel(&self, by: Viewer, now: Moment) -> Result<Self, MeetingStop> {
        match self.state {
            MeetingState::Proposed if by.person == self.proposer => {}
            MeetingState::Proposed => neutral_only(by)?,
            MeetingState::Confirmed | MeetingState::Cancelled => {
                neutral_only(by)?;
                self.still_ahead(now)?;
            }
        }
        Ok(Self {
            state: MeetingState::Cancelled,
            sequence: self.sequence + 1,
            changed_at: now,
            ..self.clone()
        })
    }

    fn option(&self, id: TimeId) -> Option<&TimeOption> {
        self.options.iter().find(|option| option.id == id)
    }

    fn still_open(&self) -> Result<(), MeetingStop> {
        match self.state {
            MeetingState::Proposed => Ok(()),
            MeetingState::Confirmed | MeetingState::Cancelled => Err(Reason::MeetingNotOpen.into()),
        }
    }

    /// It is set, and has not begun: nothing past is changed.
    fn still_ahead(&self, now: Moment) -> Result<(), MeetingStop> {
        match (self.state, self.start) {
            (MeetingState::Confirmed, Some(start)) if start > now => Ok(()),
            (
                MeetingState::Proposed | MeetingState::Confirmed | MeetingState::Cancelled,
                Some(_) | None,
            ) => Err(Reason::MeetingNotSet.into()),
        }
    }
}

/// What is said of a room in which nobody meets.
pub const WHICH_ROOMS: &str =
    "people meet in the joint room, or in a side's private room: joint, initiating or invited";

fn neutral_only(by: Viewer) -> Result<(), MeetingStop> {
    if by.capacity == Capacity::Neutral {
        Ok(())
    } else {
        Err(MeetingStop::NotYours)
    }
}
