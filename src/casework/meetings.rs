//! Planning meetings (SPEC §5): times are proposed in a room, those in it answer, the neutral sets one, moves or cancels
//! it, and everybody's calendar hears of it by letter. The rules are in `domain::meeting`; calendars that are fetched
//! are in `feeds`.
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::act::Tags;
use super::read::{self, Page, Slice};
use super::rooms::{audience, chain};
use super::signin::{self, Credential};
use super::tell::{About, people_of_room, send};
use super::{Desk, Error, OnceKey, Settings, once};
use crate::domain::access::Capacity;
use crate::domain::case::Case;
use crate::domain::id::{CaseId, EventId, MeetingId, PersonId, TimeId};
use crate::domain::meeting::{
    AnswerTimes, ChooseTime, Meeting, MeetingSight, MeetingState, MeetingStop, NewTime, Proposal,
    TimeOption, View, Viewer, closed_for_meetings, seen, takes_part, view,
};
use crate::domain::notice::Letter;
use crate::domain::people::Actor;
use crate::domain::room::Room;
use crate::domain::time::Moment;
use crate::mail::calendar::{Entry, Method};
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{cases, events, meetings, people};

/// What is done to a meeting that was proposed.
#[derive(Debug, Clone)]
pub enum Change {
    Answer(AnswerTimes),
    Confirm(ChooseTime),
    Move(NewTime),
    Cancel,
}

impl Change {
    fn word(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer_meeting",
            Self::Confirm(_) => "confirm_meeting",
            Self::Move(_) => "move_meeting",
            Self::Cancel => "cancel_meeting",
        }
    }

    fn letter(&self) -> Letter {
        match self {
            Self::Answer(_) => Letter::MeetingAnswered,
            Self::Confirm(_) => Letter::MeetingConfirmed,
            Self::Move(_) => Letter::MeetingMoved,
            Self::Cancel => Letter::MeetingCancelled,
        }
    }

    /// Whether it changes what others read, so that whoever does it must have seen how it stands.
    fn needs_a_tag(&self) -> bool {
        !matches!(self, Self::Answer(_))
    }

    fn done_to(&self, meeting: &Meeting, by: Viewer, now: Moment) -> Result<Meeting, MeetingStop> {
        match self {
            Self::Answer(said) => meeting.answer(said, by),
            Self::Confirm(said) => meeting.confirm(said, by, now),
            Self::Move(said) => meeting.move_to(said, by, now),
            Self::Cancel => meeting.cancel(by, now),
        }
    }

    /// What calendars are to do, once a meeting has a time: nothing for answers, and nothing for a meeting that never
    /// had one.
    fn method(&self, before: &Meeting) -> Option<Method> {
        match self {
            Self::Answer(_) => None,
            Self::Confirm(_) | Self::Move(_) => Some(Method::Request),
            Self::Cancel => (before.state == MeetingState::Confirmed).then_some(Method::Cancel),
        }
    }
}

impl Desk {
    /// The meetings of a case that the caller may know of, in the order they were proposed.
    pub async fn meetings(
        &self,
        caller: Credential,
        id: CaseId,
        slice: Slice,
    ) -> Result<Page<MeetingSight>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, capacity) = read::find(conn, id, &actor, now)?;
                let viewer = Viewer {
                    person: actor.person.ok_or(Error::SignIn)?,
                    capacity,
                };
                let list = ("meetings", viewer.person, id);
                let after = slice.place::<(Moment, MeetingId)>(&list)?;
                let rooms = rooms_seen(&case, capacity, |_| true);
                let most = slice.most() as i64 + 1;
                let found = meetings::page(conn, id, &rooms, after, most)?;
                let page = slice.page(found, &list, |m| (m.proposed_at, m.id));
                let items: Result<Vec<MeetingSight>, Error> = page
                    .items
                    .iter()
                    .map(|m| sight(conn, &case, m, viewer))
                    .collect();
                Ok(Page {
                    items: items?,
                    next: page.next,
                })
            })
            .await
    }

    /// A meeting as the caller may see it.
    pub async fn meeting(
        &self,
        caller: Credential,
        place: (CaseId, MeetingId),
    ) -> Result<MeetingSight, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                shown(conn, place, &actor, now)
            })
            .await
    }

    /// Proposes times for a meeting to those who read a room.
    pub async fn propose_meeting(
        &self,
        caller: Credential,
        id: CaseId,
        said: Proposal,
        key: Option<OnceKey>,
    ) -> Result<MeetingSight, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                enter(conn, id, said.room, &actor, now)?;
                let meeting = once(conn, actor.person, key.as_ref(), now, |conn| {
                    cases::lock(conn, id)?.ok_or(Error::Missing)?;
                    let (case, by) = enter(conn, id, said.room, &actor, now)?;
                    may_plan(&case, by, said.room)?;
                    let meeting = propose(&case, &said, by, now)?;
                    meetings::add(conn, id, &meeting)?;
                    let event = log(conn, &case, &meeting, by, "propose_meeting", now)?;
                    let mut those = people_of_room(conn, &case, said.room, now)?;
                    those.remove(&by.person);
                    let news = (Letter::MeetingProposed, event, None);
                    tell(conn, &desk, &case, &meeting, &those, news, now)?;
                    Ok(meeting.id)
                })?;
                shown(conn, (id, meeting), &actor, now)
            })
            .await
    }

    /// Answers a meeting that was proposed; sets, moves or cancels it.
    pub async fn change_meeting(
        &self,
        caller: Credential,
        place: (CaseId, MeetingId),
        change: Change,
        if_match: Option<Tags>,
        key: Option<OnceKey>,
    ) -> Result<MeetingSight, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                shown(conn, place, &actor, now)?;
                once(conn, actor.person, key.as_ref(), now, |conn| {
                    cases::lock(conn, place.0)?.ok_or(Error::Missing)?;
                    let before = meetings::lock(conn, place.0, place.1)?.ok_or(Error::Missing)?;
                    let (case, by) = enter(conn, place.0, before.room, &actor, now)?;
                    if change.needs_a_tag() {
                        Tags::check(if_match.as_ref(), &sight(conn, &case, &before, by)?)?;
                    }
                    match change {
                        // An entry must not stay in calendars because the case has closed.
                        Change::Cancel if takes_part(&case, by.capacity, before.room) => {}
                        Change::Cancel => return Err(Error::NotAllowed),
                        Change::Answer(_) | Change::Confirm(_) | Change::Move(_) => {
                            may_plan(&case, by, before.room)?;
                        }
                    }
                    carry_out(conn, &desk, &case, &before, &change, by, now)
                })?;
                shown(conn, place, &actor, now)
            })
            .await
    }
}

/// The rooms in whose meetings somebody may look as far as `enough` says.
pub(super) fn rooms_seen(
    case: &Case,
    capacity: Capacity,
    enough: impl Fn(View) -> bool,
) -> Vec<Room> {
    let all = Room::ALL.into_iter();
    all.filter(|room| view(case, capacity, *room).is_some_and(&enough))
        .collect()
}

/// The case and who somebody is in it, if they may know of meetings in `room`.
fn enter(
    conn: &mut Conn,
    id: CaseId,
    room: Room,
    actor: &Actor,
    now: Moment,
) -> Result<(Arc<Case>, Viewer), Error> {
    let (case, capacity) = read::find(conn, id, actor, now)?;
    view(&case, capacity, room).ok_or(Error::Missing)?;
    let person = actor.person.ok_or(Error::SignIn)?;
    Ok((case, Viewer { person, capacity }))
}

/// Whether somebody may plan meetings in `room` now.
fn may_plan(case: &Case, by: Viewer, room: Room) -> Result<(), Error> {
    if !takes_part(case, by.capacity, room) {
        return Err(Error::NotAllowed);
    }
    match closed_for_meetings(case, room) {
        Some(reason) => Err(Error::Unmet(case.stage, vec![reason])),
        None => Ok(()),
    }
}

fn propose(case: &Case, said: &Proposal, by: Viewer, now: Moment) -> Result<Meeting, Error> {
    let option = |time: &crate::domain::meeting::ProposedTime| TimeOption {
        id: TimeId::random(),
        start: time.start.0,
        minutes: time.minutes,
    };
    let options = said.times.iter().map(option).collect();
    Meeting::propose(MeetingId::random(), said, options, by, now).map_err(|why| stopped(case, why))
}

fn stopped(case: &Case, why: MeetingStop) -> Error {
    match why {
        MeetingStop::NotYours => Error::NotAllowed,
        MeetingStop::Reason(reason) => Error::Unmet(case.stage, vec![reason]),
        MeetingStop::Flawed(flaws) => Error::Flawed(flaws),
    }
}

/// Carries a change out: the meeting, the room's log, and those who are told.
fn carry_out(
    conn: &mut Conn,
    desk: &Desk,
    case: &Case,
    before: &Meeting,
    change: &Change,
    by: Viewer,
    now: Moment,
) -> Result<(), Error> {
    let after = change
        .done_to(before, by, now)
        .map_err(|why| stopped(case, why))?;
    meetings::save(conn, case.id, &after)?;
    let event = log(conn, case, &after, by, change.word(), now)?;
    let those = match change {
        Change::Answer(_) => {
            let neutral = case.neutrals.in_place();
            neutral.into_iter().filter(|p| *p != by.person).collect()
        }
        // Whoever sets, moves or cancels hears of it too: the calendar comes with the letter.
        Change::Confirm(_) | Change::Move(_) | Change::Cancel => {
            people_of_room(conn, case, after.room, now)?
        }
    };
    let news = (change.letter(), event, change.method(before));
    tell(conn, desk, case, &after, &those, news, now)
}

/// What a calendar may know of a meeting that has a time.
pub(super) fn entry(settings: &Settings, case: &Case, meeting: &Meeting) -> Option<Entry> {
    Some(Entry {
        uid: format!("{}@{}", meeting.id, settings.sender.host()),
        reference: case.reference.0.clone(),
        sequence: meeting.sequence,
        start: meeting.start?,
        minutes: meeting.minutes,
        changed_at: meeting.changed_at,
        cancelled: meeting.state == MeetingState::Cancelled,
    })
}

fn tell(
    conn: &mut Conn,
    desk: &Desk,
    case: &Case,
    meeting: &Meeting,
    those: &BTreeSet<PersonId>,
    (letter, event, method): (Letter, EventId, Option<Method>),
    now: Moment,
) -> Result<(), Error> {
    let entry = entry(&desk.settings, case, meeting);
    for person in people::all_of(conn, those)? {
        let about = About {
            case: Some((case.id, &case.reference.0)),
            calendar: method.zip(entry.as_ref()),
            ..About::default()
        };
        let cause = format!("{event}:{}", letter.word());
        send(
            conn,
            &desk.letters,
            &desk.settings,
            &person,
            letter,
            about,
            &cause,
            now,
        )?;
    }
    Ok(())
}

fn log(
    conn: &mut Conn,
    case: &Case,
    meeting: &Meeting,
    by: Viewer,
    event: &'static str,
    now: Moment,
) -> Result<EventId, Error> {
    let entry = events::Entry {
        chain: chain(case.id, meeting.room, by.person),
        at: now,
        actor: Some(by.person),
        capacity: by.capacity.name(),
        on_behalf_of: None,
        event,
        audience: audience(meeting.room),
        keeper: Keeper::of(case.id, meeting.room, by.person),
        body: json!({ "meeting": meeting.id, "state": meeting.state, "sequence": meeting.sequence }),
    };
    Ok(events::append(conn, entry)?)
}

fn sight(
    conn: &mut Conn,
    case: &Case,
    meeting: &Meeting,
    viewer: Viewer,
) -> Result<MeetingSight, Error> {
    let names = people::names(conn, &meeting.answers.keys().copied().collect())?;
    seen(case, meeting, viewer, &names).ok_or(Error::Missing)
}

/// A meeting for somebody who may know of it; one of a room they do not read looks like one that is not there.
fn shown(
    conn: &mut Conn,
    (id, meeting): (CaseId, MeetingId),
    actor: &Actor,
    now: Moment,
) -> Result<MeetingSight, Error> {
    let (case, capacity) = read::find(conn, id, actor, now)?;
    let person = actor.person.ok_or(Error::SignIn)?;
    let meeting = meetings::find(conn, id, meeting)?.ok_or(Error::Missing)?;
    sight(conn, &case, &meeting, Viewer { person, capacity })
}
