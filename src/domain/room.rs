//! Rooms: where the people of a case talk and lay down documents (SPEC §5). A room's audience is fixed by its kind and
//! never grows; what is in a room reaches others only when its owner releases a copy. Who may enter is in `access`.
use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::access::{Capacity, CapacityName};
use super::case::{Case, OnBehalf, Side, Stage};
use super::id::{LookId, MessageId, PersonId};
use super::reason::Reason;
use super::text::Prose;
use super::time::Moment;

/// A room of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Room {
    /// The table: both sides, the neutral, admitted observers.
    Joint,
    /// A side and the neutral.
    Private(Side),
    /// A side alone: documents it has not shown anybody yet.
    Own(Side),
    /// The neutrals among themselves.
    Neutrals,
    /// Notices about how the case runs; CLERO writes here too, and nothing of what it is about belongs here.
    Process,
    /// A neutral's own notes.
    Notes,
}

impl Room {
    /// Every room there is.
    pub const ALL: [Self; 8] = [
        Self::Joint,
        Self::Private(Side::Initiating),
        Self::Private(Side::Invited),
        Self::Own(Side::Initiating),
        Self::Own(Side::Invited),
        Self::Neutrals,
        Self::Process,
        Self::Notes,
    ];

    /// Its word on the wire, in addresses and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Joint => "joint",
            Self::Private(Side::Initiating) => "initiating",
            Self::Private(Side::Invited) => "invited",
            Self::Own(Side::Initiating) => "initiating_own",
            Self::Own(Side::Invited) => "invited_own",
            Self::Neutrals => "neutrals",
            Self::Process => "process",
            Self::Notes => "notes",
        }
    }

    /// Reads its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|room| room.word() == word)
    }

    /// Who reads what is written here, in words that are shown before anything is sent (SPEC §5).
    #[must_use]
    pub fn audience(self) -> &'static str {
        match self {
            Self::Joint => {
                "Everybody at the table: both sides, the facilitator, and observers both sides admitted."
            }
            Self::Private(_) => {
                "This side and the facilitator. The other side cannot see that anything is here."
            }
            Self::Own(_) => "This side alone. Nobody else can see that anything is here.",
            Self::Neutrals => "The neutrals of this case, and nobody else.",
            Self::Process => {
                "Everybody in the case, and CLERO. Please write only about how the case runs, not what it is about."
            }
            Self::Notes => "You alone.",
        }
    }

    /// The side it belongs to.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Self::Private(side) | Self::Own(side) => Some(side),
            Self::Joint | Self::Neutrals | Self::Process | Self::Notes => None,
        }
    }

    /// Whether people talk here; a side's own shelf holds documents only.
    #[must_use]
    pub fn is_for_talk(self) -> bool {
        !matches!(self, Self::Own(_))
    }

    /// The same room with the sides exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Private(side) => Self::Private(side.other()),
            Self::Own(side) => Self::Own(side.other()),
            Self::Joint | Self::Neutrals | Self::Process | Self::Notes => self,
        }
    }
}

impl Serialize for Room {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?)
            .ok_or_else(|| serde::de::Error::custom("this is not a room of a case"))
    }
}

impl JsonSchema for Room {
    fn schema_name() -> Cow<'static, str> {
        "Room".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL.map(Self::word) })
    }
}

/// What stands between somebody who may write in `room` and writing there now.
#[must_use]
pub fn closed_because(case: &Case, room: Room) -> Option<Reason> {
    match case.stage {
        Stage::Draft => return Some(Reason::NotAtThisStage),
        Stage::Closed => return Some(Reason::RoomClosed),
        Stage::Intake
        | Stage::EarlyConversation
        | Stage::StandardsReview
        | Stage::AgreedActions => {}
    }
    match room {
        Room::Joint if case.stage == Stage::Intake => Some(Reason::NotAtThisStage),
        Room::Joint if case.conversation.joint_room_closed.is_some() => Some(Reason::RoomClosed),
        Room::Joint if !case.everyone_in(&case.conversation.agreed_to_talk) => {
            Some(Reason::NotEveryoneAgreedToTalk)
        }
        Room::Joint
        | Room::Private(_)
        | Room::Own(_)
        | Room::Neutrals
        | Room::Process
        | Room::Notes => None,
    }
}

/// Something that was put into a room, as far as its release depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Put {
    pub room: Room,
    /// As what its author acted.
    pub by: CapacityName,
    pub at: Moment,
}

/// Whether `to` is a wider room than `from`: more people read there, and among them everybody who reads here (SPEC §5).
#[must_use]
pub fn is_wider(from: Room, to: Room) -> bool {
    match (from, to) {
        (Room::Private(_) | Room::Own(_) | Room::Neutrals, Room::Joint) => true,
        (Room::Own(own), Room::Private(side)) => own == side,
        (
            Room::Joint
            | Room::Private(_)
            | Room::Own(_)
            | Room::Neutrals
            | Room::Process
            | Room::Notes,
            _,
        ) => false,
    }
}

/// Whether what was `put` into a room may be released into `to` by somebody in `capacity`: only by its owner, and only
/// into a wider room (SPEC §5). Once everybody has agreed to the open model, the neutral may release what is said in a
/// side's room from then on.
#[must_use]
pub fn may_release(case: &Case, capacity: Capacity, put: Put, to: Room) -> bool {
    let open = || {
        matches!(put.room, Room::Private(_))
            && case
                .conversation
                .open_since
                .is_some_and(|since| put.at >= since)
    };
    let own = match capacity {
        Capacity::Party { side, .. } => put.by.side() == Some(side),
        // Even the neutral's own words would tell that something is said in a side's room.
        Capacity::Neutral => match put.room {
            Room::Private(_) => open(),
            Room::Joint | Room::Own(_) | Room::Neutrals | Room::Process | Room::Notes => {
                put.by == CapacityName::Facilitator
            }
        },
        Capacity::Asked
        | Capacity::Observer
        | Capacity::Coordinator
        | Capacity::Auditor
        | Capacity::System => false,
    };
    is_wider(put.room, to) && own
}

/// Something said in a room. It is never changed: a correction is a new one, and a struck one keeps its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub at: Moment,
    pub author: PersonId,
    /// As what its author spoke.
    pub capacity: CapacityName,
    pub said: Said,
}

/// What was said, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Gone once it is struck.
    pub text: Option<Prose>,
    /// The message this one puts right.
    pub corrects: Option<MessageId>,
    /// For whom a neutral wrote it down.
    pub on_behalf_of: Option<OnBehalf>,
    /// Whether it was first said in a narrower room and released by its owner.
    pub released: bool,
    pub struck: Option<Struck>,
}

/// That a message was struck: when, as what, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Struck {
    pub at: Moment,
    pub capacity: CapacityName,
    pub reason: Prose,
}

/// Whether somebody in `capacity` may strike a message of `room` whose author they are or are not. Moderating the joint
/// room is the neutral's.
#[must_use]
pub fn may_strike(capacity: Capacity, room: Room, own: bool) -> bool {
    own || capacity == Capacity::Neutral && room == Room::Joint
}

/// Why somebody of CLERO may look into a room that is not theirs: fixed when it is asked for (SAFETY §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    RequiredByLaw,
    SeriousRiskOfHarm,
    /// The side whose room it is asks for it itself.
    OwnRequest,
}

/// A request to look into one room for a limited time, and what came of it (SPEC §13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub id: LookId,
    pub room: Room,
    pub ground: Ground,
    pub reason: Prose,
    /// For how long, from 1 to 24.
    pub hours: u8,
    pub asked_by: PersonId,
    pub asked_at: Moment,
    pub decided: Option<LookDecision>,
}

/// What the second person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookDecision {
    pub by: PersonId,
    pub at: Moment,
    /// Until when the room may be read; `None` is a no.
    pub until: Option<Moment>,
}

impl Look {
    /// The longest a room may be looked into, in hours.
    pub const LONGEST: u8 = 24;

    /// Whether `person` may read the room now.
    #[must_use]
    pub fn opens_for(&self, person: PersonId, now: Moment) -> bool {
        let until = self.decided.and_then(|decision| decision.until);
        self.asked_by == person && until.is_some_and(|until| now < until)
    }

    /// Whether such a request may be made for `room`: notes are their author's alone, and the process room is open to
    /// CLERO anyway.
    #[must_use]
    pub fn is_for(room: Room) -> bool {
        match room {
            Room::Joint | Room::Private(_) | Room::Own(_) | Room::Neutrals => true,
            Room::Process | Room::Notes => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_has_a_word_of_its_own() {
        for room in Room::ALL {
            assert_eq!(Room::parse(room.word()), Some(room));
            assert_eq!(room.mirrored().mirrored(), room);
            assert!(!room.audience().is_empty());
        }
    }
}
