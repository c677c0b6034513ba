//! What each reader sees of a meeting (SAFETY §1, row "meeting").
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Meeting, MeetingState, Suits, TimeOption, Viewer, is_for_meetings};
use crate::domain::access::{Capacity, CapacityName, reads_room};
use crate::domain::case::{Case, Stage};
use crate::domain::conversation::Way;
use crate::domain::id::{MeetingId, PersonId, TimeId};
use crate::domain::room::Room;
use crate::domain::text::Prose;
use crate::domain::time::Moment;

/// How much of a meeting a reader may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Whole,
    StateAndStart,
}

/// How much somebody in `capacity` may know of a meeting in `room` (SAFETY §1, row "meeting"): whoever reads the room
/// all of it, a coordinator of a joint one the state and the time.
#[must_use]
pub fn view(case: &Case, capacity: Capacity, room: Room) -> Option<View> {
    if !is_for_meetings(room) {
        return None;
    }
    if reads_room(case, capacity, room) {
        return Some(View::Whole);
    }
    let skeleton =
        capacity == Capacity::Coordinator && room == Room::Joint && case.stage != Stage::Draft;
    skeleton.then_some(View::StateAndStart)
}

/// What somebody answered, as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MeetingAnswers")]
pub struct AnswersSeen {
    pub person: PersonId,
    pub name: String,
    pub times: BTreeMap<TimeId, Suits>,
    /// Left out where you may not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_needs: Option<Prose>,
}

/// A meeting as a reader sees it. To a coordinator it is its room, its state and when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Meeting")]
pub struct MeetingSight {
    pub id: MeetingId,
    pub room: Room,
    pub state: MeetingState,
    /// When it begins, once that is set.
    pub start: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Prose>,
    /// As what somebody proposed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<CapacityName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_at: Option<Moment>,
    /// The times that were proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeOption>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswersSeen>,
}

/// The meeting as `viewer` sees it, or nothing; `names` are those of whoever answered.
#[must_use]
pub fn seen(
    case: &Case,
    meeting: &Meeting,
    viewer: Viewer,
    names: &BTreeMap<PersonId, String>,
) -> Option<MeetingSight> {
    let mut sight = MeetingSight {
        id: meeting.id,
        room: meeting.room,
        state: meeting.state,
        start: meeting.start,
        minutes: None,
        way: None,
        place: None,
        note: None,
        proposed_by: None,
        proposed_at: None,
        times: Vec::new(),
        answers: Vec::new(),
    };
    match view(case, viewer.capacity, meeting.room)? {
        View::StateAndStart => {}
        View::Whole => {
            sight.minutes = meeting.start.map(|_| meeting.minutes);
            sight.way = Some(meeting.way);
            sight.place = meeting.place.clone();
            sight.note = meeting.note.clone();
            sight.proposed_by = Some(meeting.proposed_by);
            sight.proposed_at = Some(meeting.proposed_at);
            sight.times = meeting.options.clone();
            sight.answers = answers_seen(meeting, viewer, names);
        }
    }
    Some(sight)
}

/// The times of everybody; access needs are one's own, one's own side's, and for the neutral everybody's.
fn answers_seen(
    meeting: &Meeting,
    viewer: Viewer,
    names: &BTreeMap<PersonId, String>,
) -> Vec<AnswersSeen> {
    let side = viewer.capacity.side();
    meeting
        .answers
        .iter()
        .map(|(person, given)| {
            let reads_needs = *person == viewer.person
                || viewer.capacity == Capacity::Neutral
                || (side.is_some() && side == given.by.side());
            AnswersSeen {
                person: *person,
                name: names.get(person).cloned().unwrap_or_default(),
                times: given.times.clone(),
                access_needs: given.access_needs.clone().filter(|_| reads_needs),
            }
        })
        .collect()
}
