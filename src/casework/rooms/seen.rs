//! Rooms as somebody reads them: which there are for them, what is said there, and how far they have read.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{enter, owner, unknown};
use crate::casework::read::{self, Page, Slice};
use crate::casework::signin::{self, Credential};
use crate::casework::{Desk, Error, OnceKey, looks};
use crate::domain::access::{Capacity, CapacityName, reads_room, writes_room};
use crate::domain::case::{Case, OnBehalf};
use crate::domain::id::{CaseId, MessageId};
use crate::domain::people::Actor;
use crate::domain::reason::NamedReason;
use crate::domain::room::{Message, Room, Struck, closed_because};
use crate::domain::sight::PersonName;
use crate::domain::text::Prose;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{messages, people};

/// The most unread messages that are counted.
const COUNTED: i64 = 99;

/// A room as somebody who may enter it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomSight {
    pub room: Room,
    /// Who reads what is written here, in words.
    pub audience: String,
    /// Whether you may write here at all.
    pub you_may_write: bool,
    /// Why nobody writes here at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_because: Option<NamedReason>,
    /// How many messages of others you have not marked as read, up to 99. Nobody else sees this.
    pub unread: u8,
}

/// A message as somebody who may enter its room reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageSight {
    pub id: MessageId,
    pub at: Moment,
    pub author: PersonName,
    /// As what the author spoke.
    pub capacity: CapacityName,
    /// Left out once it is struck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<OnBehalf>,
    /// Whether it was first said in a narrower room, and released by its owner.
    pub released: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub struck: Option<Struck>,
}

/// How far somebody has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadUpTo {
    pub message: MessageId,
}

impl Desk {
    /// The rooms of a case that the caller may enter.
    pub async fn rooms(&self, caller: Credential, id: CaseId) -> Result<Page<RoomSight>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, id, &actor, now)?;
                let mine = Room::ALL
                    .into_iter()
                    .filter(|room| reads_room(&case, as_what, *room));
                let sights: Result<Vec<RoomSight>, Error> = mine
                    .map(|room| room_sight(conn, &case, as_what, &actor, room))
                    .collect();
                Ok(sights?.into())
            })
            .await
    }

    /// What is said in a room, the newest first.
    pub async fn messages(
        &self,
        caller: Credential,
        (id, room): (CaseId, Room),
        slice: Slice,
    ) -> Result<Page<MessageSight>, Error> {
        let now = self.clock.now();
        let (again, rest) = (caller.clone(), slice.clone());
        let seen = self
            .db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, capacity) = read::find(conn, id, &actor, now)?;
                if room.is_for_talk() && looks::opens(conn, id, capacity, room, &actor, now)? {
                    return Ok(None);
                }
                enter(conn, id, room, &actor, now)?;
                page(conn, &case, room, &actor, &slice).map(Some)
            })
            .await?;
        match seen {
            Some(page) => Ok(page),
            None => self.look_into(again, (id, room), rest).await,
        }
    }

    /// Reads a room that was opened to somebody of CLERO; each time is written down.
    async fn look_into(
        &self,
        caller: Credential,
        (id, room): (CaseId, Room),
        slice: Slice,
    ) -> Result<Page<MessageSight>, Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, capacity) = read::find(conn, id, &actor, now)?;
                looks::look(conn, &case, capacity, room, &actor, "messages", now)?;
                page(conn, &case, room, &actor, &slice)
            })
            .await
    }

    /// Notes how far the caller has read a room; nobody else can see it.
    pub async fn mark_room_read(
        &self,
        caller: Credential,
        (id, room): (CaseId, Room),
        upto: ReadUpTo,
        key: Option<OnceKey>,
    ) -> Result<(), Error> {
        self.write_once(
            caller,
            key,
            |_, _| Ok(()),
            move |conn, actor, now| {
                let (case, _) = enter(conn, id, room, actor, now)?;
                let person = actor.person.ok_or(Error::SignIn)?;
                let there = messages::find(conn, case.id, room, owner(room, person), upto.message)?;
                let message = there.ok_or_else(|| unknown("/message"))?;
                Ok(messages::set_mark(
                    conn,
                    person,
                    id,
                    room,
                    (message.at, message.id),
                )?)
            },
        )
        .await
    }
}

fn room_sight(
    conn: &mut Conn,
    case: &Case,
    capacity: Capacity,
    actor: &Actor,
    room: Room,
) -> Result<RoomSight, Error> {
    let person = actor.person.ok_or(Error::SignIn)?;
    let unread = if room.is_for_talk() && room != Room::Notes {
        messages::unread(conn, person, case.id, room, COUNTED)?.len()
    } else {
        0
    };
    Ok(RoomSight {
        room,
        audience: room.audience().to_owned(),
        you_may_write: writes_room(case, capacity, room),
        closed_because: closed_because(case, room).map(NamedReason::from),
        unread: u8::try_from(unread).unwrap_or(u8::MAX),
    })
}

fn page(
    conn: &mut Conn,
    case: &Case,
    room: Room,
    actor: &Actor,
    slice: &Slice,
) -> Result<Page<MessageSight>, Error> {
    let person = actor.person.ok_or(Error::SignIn)?;
    let list = ("messages", person, case.id, room);
    let before = slice.place::<messages::Place>(&list)?;
    let most = slice.most() as i64 + 1;
    let found = messages::page(conn, case.id, room, owner(room, person), before, most)?;
    let page = slice.page(found, &list, |message| (message.at, message.id));
    let items: Result<Vec<MessageSight>, Error> = page
        .items
        .into_iter()
        .map(|message| sight(conn, message))
        .collect();
    Ok(Page {
        items: items?,
        next: page.next,
    })
}

pub(super) fn sight(conn: &mut Conn, message: Message) -> Result<MessageSight, Error> {
    let names = people::names(conn, &BTreeSet::from([message.author]))?;
    Ok(MessageSight {
        id: message.id,
        at: message.at,
        author: PersonName {
            id: message.author,
            name: names.get(&message.author).cloned().unwrap_or_default(),
        },
        capacity: message.capacity,
        text: message.said.text,
        corrects: message.said.corrects,
        on_behalf_of: message.said.on_behalf_of,
        released: message.said.released,
        struck: message.said.struck,
    })
}
