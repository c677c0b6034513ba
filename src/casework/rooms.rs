//! Talking in rooms (SPEC §5): saying something, corrections, struck lines, and the release of one's own words into a
//! wider room. How it is read is in `seen`, what a room is, in `domain::room`; documents are in `documents`.
mod seen;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::read;
use super::signin::{self, Credential};
use super::tell::{About, people_of_room, send};
use super::{Desk, Error, OnceKey, once};
use crate::domain::access::{Audience, Capacity, CapacityName, reads_room, writes_room};
use crate::domain::case::{Case, OnBehalf, Side};
use crate::domain::hash::hash_of;
use crate::domain::id::{CaseId, EventId, MessageId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::people::Actor;
use crate::domain::room::{
    Message, Put, Room, Said, Struck, closed_because, is_wider, may_release, may_strike,
};
use crate::domain::text::Prose;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{cases, events, messages, people};
use seen::sight;
pub use seen::{MessageSight, ReadUpTo, RoomSight};

/// As long as something of the last so many hours is unread, no further letter speaks of the same room.
const QUIET_HOURS: i64 = 24;

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    pub text: Prose,
    /// Your own earlier message in this room that this one puts right.
    #[serde(default)]
    pub corrects: Option<MessageId>,
    /// For the facilitator: written down for somebody who is offline.
    #[serde(default)]
    pub on_behalf_of: Option<OnBehalf>,
}

/// Why a message is struck; the reason stays in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strike {
    pub reason: Prose,
}

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub to: Room,
}

impl Desk {
    /// Says something in a room.
    pub async fn say(
        &self,
        caller: Credential,
        (id, room): (CaseId, Room),
        new: NewMessage,
        key: Option<OnceKey>,
    ) -> Result<MessageSight, Error> {
        let said = self.in_room(caller, (id, room), key, room, move |desk, conn, at| {
            writable(at.case, at.capacity, room)?;
            let said = checked(conn, at, &new)?;
            let own = (at.person, at.capacity.name());
            put(conn, desk, at, room, (own, said), "say").map(Some)
        });
        said.await?.ok_or(Error::Missing)
    }

    /// Strikes a message: its words go, its place and the reason stay. A note of one's own goes altogether. That can be
    /// done while a room is closed, too.
    pub async fn strike(
        &self,
        caller: Credential,
        (id, room, message): (CaseId, Room, MessageId),
        strike: Strike,
        key: Option<OnceKey>,
    ) -> Result<Option<MessageSight>, Error> {
        self.in_room(caller, (id, room), key, room, move |_, conn, at| {
            let mut found = found(conn, at, message)?.ok_or(Error::Missing)?;
            let writes = writes_room(at.case, at.capacity, room);
            if !writes || !may_strike(at.capacity, room, found.author == at.person) {
                return Err(Error::NotAllowed);
            }
            if room == Room::Notes {
                messages::remove(conn, message)?;
                log(
                    conn,
                    at,
                    room,
                    "remove_note",
                    &json!({ "message": message }),
                )?;
                return Ok(None);
            }
            if found.said.struck.is_none() {
                found.said.text = None;
                found.said.struck = Some(Struck {
                    at: at.now,
                    capacity: at.capacity.name(),
                    reason: strike.reason.clone(),
                });
                messages::save(conn, id, room, &found)?;
                log(conn, at, room, "strike", &json!({ "message": message }))?;
            }
            Ok(Some(message))
        })
        .await
    }

    /// Releases a message into a wider room: a copy is made there, and both rooms record it (SPEC §5).
    pub async fn release(
        &self,
        caller: Credential,
        (id, room, message): (CaseId, Room, MessageId),
        release: Release,
        key: Option<OnceKey>,
    ) -> Result<MessageSight, Error> {
        let to = release.to;
        let released = self.in_room(caller, (id, room), key, to, move |desk, conn, at| {
            let found = found(conn, at, message)?.ok_or(Error::Missing)?;
            let from = Put {
                room,
                by: owner_of(at.case, &found),
                at: found.at,
            };
            if !is_wider(room, to) {
                return Err(Error::flaw(
                    "/to",
                    "a message can be released into the joint room only",
                ));
            }
            if !may_release(at.case, at.capacity, from, to) {
                return Err(Error::NotAllowed);
            }
            let Some(text) = found.said.text else {
                return Err(Error::flaw(
                    "",
                    "this message was struck, so there is nothing to release",
                ));
            };
            writable(at.case, at.capacity, room)?;
            writable(at.case, at.capacity, to)?;
            signin::fresh(at.actor, at.now)?;
            log(
                conn,
                at,
                room,
                "release",
                &json!({ "message": message, "to": to }),
            )?;
            let copy = Said {
                text: Some(text),
                corrects: None,
                on_behalf_of: found.said.on_behalf_of,
                released: true,
                struck: None,
            };
            // The words stay those of whoever said them; the log of both rooms says who released them.
            let author = (found.author, found.capacity);
            put(conn, desk, at, to, (author, copy), "released").map(Some)
        });
        released.await?.ok_or(Error::Missing)
    }

    /// Runs a write in a room: once, on the case as it is, by somebody who enters there. Answers the message it names,
    /// which lies in the room `shown_in`, as it stands by then: what was said is kept in one place only.
    async fn in_room(
        &self,
        caller: Credential,
        (id, room): (CaseId, Room),
        key: Option<OnceKey>,
        shown_in: Room,
        work: impl Fn(&Desk, &mut Conn, &At<'_>) -> Result<Option<MessageId>, Error> + Send + 'static,
    ) -> Result<Option<MessageSight>, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let person = actor.person.ok_or(Error::SignIn)?;
                enter(conn, id, room, &actor, now)?;
                let done = once(conn, Some(person), key.as_ref(), now, |conn| {
                    cases::lock(conn, id)?.ok_or(Error::Missing)?;
                    let (case, capacity) = enter(conn, id, room, &actor, now)?;
                    let at = At {
                        case: &case,
                        capacity,
                        actor: &actor,
                        person,
                        room,
                        now,
                    };
                    work(&desk, conn, &at)
                })?;
                let Some(message) = done else {
                    return Ok(None);
                };
                enter(conn, id, shown_in, &actor, now)?;
                let owner = owner(shown_in, person);
                let message = messages::find(conn, id, shown_in, owner, message)?;
                message.map(|message| sight(conn, message)).transpose()
            })
            .await
    }
}

/// Who does something in which room of which case, as what, and when.
struct At<'a> {
    case: &'a Case,
    capacity: Capacity,
    actor: &'a Actor,
    person: PersonId,
    room: Room,
    now: Moment,
}

/// The case and as what the actor meets it, if they may read what is in `room`; to everybody else there is no such room.
pub(super) fn enter(
    conn: &mut Conn,
    id: CaseId,
    room: Room,
    actor: &Actor,
    now: Moment,
) -> Result<(Arc<Case>, Capacity), Error> {
    let (case, capacity) = read::find(conn, id, actor, now)?;
    if !room.is_for_talk() || !reads_room(&case, capacity, room) {
        return Err(Error::Missing);
    }
    Ok((case, capacity))
}

/// Whether somebody in `capacity` may write in `room` now.
fn writable(case: &Case, capacity: Capacity, room: Room) -> Result<(), Error> {
    if !writes_room(case, capacity, room) {
        return Err(Error::NotAllowed);
    }
    match closed_because(case, room) {
        Some(reason) => Err(Error::Unmet(case.stage, vec![reason])),
        None => Ok(()),
    }
}

/// Notes are their author's; in every other room people read one another.
fn owner(room: Room, person: PersonId) -> Option<PersonId> {
    (room == Room::Notes).then_some(person)
}

/// As what somebody spoke whose words these are: where a neutral wrote them down for an organisation, as that side.
fn owner_of(case: &Case, message: &Message) -> CapacityName {
    let behalf = message.said.on_behalf_of.as_ref();
    match behalf.and_then(|behalf| case.side_of(behalf.organisation)) {
        Some(Side::Initiating) => CapacityName::InitiatingMember,
        Some(Side::Invited) => CapacityName::InvitedMember,
        None => message.capacity,
    }
}

/// Whatever is wrong with an id in a body, the answer is the same.
fn unknown(pointer: &str) -> Error {
    Error::flaw(pointer, "this is not a message of yours in this room")
}

fn found(conn: &mut Conn, at: &At<'_>, id: MessageId) -> Result<Option<Message>, Error> {
    Ok(messages::find(
        conn,
        at.case.id,
        at.room,
        owner(at.room, at.person),
        id,
    )?)
}

/// What somebody says, if it can be said so.
fn checked(conn: &mut Conn, at: &At<'_>, new: &NewMessage) -> Result<Said, Error> {
    if let Some(id) = new.corrects {
        found(conn, at, id)?
            .filter(|m| m.author == at.person)
            .ok_or_else(|| unknown("/corrects"))?;
    }
    if let Some(behalf) = &new.on_behalf_of {
        let side = at.case.side_of(behalf.organisation);
        let in_room = side.is_some() && at.room.side().is_none_or(|of| side == Some(of));
        if at.capacity != Capacity::Neutral
            || !in_room
            || matches!(at.room, Room::Neutrals | Room::Notes)
        {
            return Err(Error::flaw(
                "/on_behalf_of",
                "here you cannot write for this organisation",
            ));
        }
        if !behalf.read_back_and_confirmed {
            return Err(Error::flaw(
                "/on_behalf_of/read_back_and_confirmed",
                "please read it back to them first",
            ));
        }
    }
    Ok(Said {
        text: Some(new.text.clone()),
        corrects: new.corrects,
        on_behalf_of: new.on_behalf_of.clone(),
        released: false,
        struck: None,
    })
}

/// Puts something into a room: the message, its entry in the room's log, and the letters.
fn put(
    conn: &mut Conn,
    desk: &Desk,
    at: &At<'_>,
    room: Room,
    ((author, capacity), said): ((PersonId, CapacityName), Said),
    event: &'static str,
) -> Result<MessageId, Error> {
    let message = Message {
        id: MessageId::random(),
        at: at.now,
        author,
        capacity,
        said,
    };
    let to_be_told = to_be_told(conn, at, room)?;
    messages::add(conn, at.case.id, room, &message)?;
    messages::set_mark(conn, at.person, at.case.id, room, (message.at, message.id))?;
    let body = json!({ "message": message.id, "hash": hash_of(&message.said.text) });
    let event = log(conn, at, room, event, &body)?;
    for person in people::all_of(conn, &to_be_told)? {
        send(
            conn,
            &desk.letters,
            &desk.settings,
            &person,
            Letter::MessageAdded,
            About {
                case: Some((at.case.id, &at.case.reference.0)),
                ..About::default()
            },
            &format!("{event}:message_added"),
            at.now,
        )?;
    }
    Ok(message.id)
}

/// Whom a letter tells of something new in a room: those who read it and are not waiting to read something recent there.
fn to_be_told(conn: &mut Conn, at: &At<'_>, room: Room) -> Result<BTreeSet<PersonId>, Error> {
    if room == Room::Notes {
        return Ok(BTreeSet::new());
    }
    let mut those = people_of_room(conn, at.case, room, at.now)?;
    those.remove(&at.person);
    let since = at.now.plus(-chrono::Duration::hours(QUIET_HOURS));
    let mut told = BTreeSet::new();
    for person in those {
        let waiting = messages::unread(conn, person, at.case.id, room, 1)?;
        if waiting.first().is_none_or(|(newest, _)| *newest < since) {
            told.insert(person);
        }
    }
    Ok(told)
}

fn log(
    conn: &mut Conn,
    at: &At<'_>,
    room: Room,
    event: &'static str,
    body: &serde_json::Value,
) -> Result<EventId, Error> {
    let case = at.case.id;
    let entry = events::Entry {
        chain: chain(case, room, at.person),
        at: at.now,
        actor: Some(at.person),
        capacity: at.capacity.name(),
        on_behalf_of: None,
        event,
        audience: audience(room),
        keeper: Keeper::of(case, room, at.person),
        body: body.clone(),
    };
    Ok(events::append(conn, entry)?)
}

/// The chain of a room; each neutral's notes have one of their own.
pub(super) fn chain(case: CaseId, room: Room, person: PersonId) -> String {
    match owner(room, person) {
        Some(owner) => format!("room:{case}:{}:{owner}", room.word()),
        None => format!("room:{case}:{}", room.word()),
    }
}

/// Whom an entry in a room's log concerns.
pub(super) fn audience(room: Room) -> Audience {
    match (room.side(), room) {
        (Some(side), _) => Audience::of(side),
        (None, Room::Joint) => Audience::Table,
        (None, _) => Audience::Process,
    }
}
