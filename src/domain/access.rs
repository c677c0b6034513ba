//! Who may see and do what (SAFETY §1), decided in one place from the case and the person as they are at this
//! moment. The first gate that denies wins, and an exclusion beats every grant. What a reader then sees of a
//! case is in `sight`.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{BySide, Case, Side, Stage};
use super::id::OrganisationId;
use super::neutral::fixed_conflicts;
use super::people::{Actor, Role};
use super::room::Room;
use super::time::Moment;

/// As what somebody meets a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capacity {
    /// A representative of one of the LEROs; a lead may sign.
    Party {
        side: Side,
        organisation: OrganisationId,
        lead: bool,
    },
    /// The facilitator who accepted.
    Neutral,
    /// Somebody asked to be the facilitator: names only.
    Asked,
    /// Admitted by both sides: reads what is joint.
    Observer,
    /// CLERO staff without a connection to a party.
    Coordinator,
    /// Reads the log and metadata.
    Auditor,
    /// The service itself, when a date passes.
    System,
}

/// The word for a capacity, without the organisation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CapacityName {
    InitiatingLead,
    InitiatingMember,
    InvitedLead,
    InvitedMember,
    Facilitator,
    AskedFacilitator,
    Observer,
    Coordinator,
    Auditor,
    /// Somebody with an account, in the register rather than in a case.
    Account,
    System,
}

impl Capacity {
    /// Side and organisation of a representative.
    #[must_use]
    pub fn party(self) -> Option<(Side, OrganisationId)> {
        match self {
            Self::Party {
                side, organisation, ..
            } => Some((side, organisation)),
            Self::Neutral
            | Self::Asked
            | Self::Observer
            | Self::Coordinator
            | Self::Auditor
            | Self::System => None,
        }
    }

    /// The side of a representative.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        self.party().map(|(side, _)| side)
    }

    /// The word for it.
    #[must_use]
    pub fn name(self) -> CapacityName {
        match self {
            Self::Party {
                side: Side::Initiating,
                lead: true,
                ..
            } => CapacityName::InitiatingLead,
            Self::Party {
                side: Side::Initiating,
                lead: false,
                ..
            } => CapacityName::InitiatingMember,
            Self::Party {
                side: Side::Invited,
                lead: true,
                ..
            } => CapacityName::InvitedLead,
            Self::Party {
                side: Side::Invited,
                lead: false,
                ..
            } => CapacityName::InvitedMember,
            Self::Neutral => CapacityName::Facilitator,
            Self::Asked => CapacityName::AskedFacilitator,
            Self::Observer => CapacityName::Observer,
            Self::Coordinator => CapacityName::Coordinator,
            Self::Auditor => CapacityName::Auditor,
            Self::System => CapacityName::System,
        }
    }
}

impl CapacityName {
    /// The side of a representative.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Self::InitiatingLead | Self::InitiatingMember => Some(Side::Initiating),
            Self::InvitedLead | Self::InvitedMember => Some(Side::Invited),
            Self::Facilitator
            | Self::AskedFacilitator
            | Self::Observer
            | Self::Coordinator
            | Self::Auditor
            | Self::Account
            | Self::System => None,
        }
    }
}

/// As what `actor` meets `case` now; `None` is a 404, the same as for a case that does not exist.
#[must_use]
pub fn capacity(case: &Case, actor: &Actor, now: Moment) -> Option<Capacity> {
    let person = actor.person?;
    // Who has been neutral here has read what both sides said: they can be nobody else in this case.
    if case.neutrals.excluded.contains(&person)
        || case.neutrals.has_taken(person) && case.organisations().any(|o| actor.belongs_to(o))
    {
        return None;
    }
    let sides = case.sides.map(|_, parties| {
        parties
            .iter()
            .filter(|p| actor.belongs_to(p.organisation))
            .map(|p| p.organisation)
            .collect::<Vec<_>>()
    });
    let BySide {
        initiating,
        invited,
    } = sides;
    if !initiating.is_empty() && !invited.is_empty() {
        return None;
    }
    let party = |side, own: Vec<OrganisationId>| {
        let organisation = own
            .iter()
            .find(|o| actor.leads(**o))
            .or(own.first())
            .copied()?;
        Some(Capacity::Party {
            side,
            organisation,
            lead: actor.leads(organisation),
        })
    };
    if !initiating.is_empty() {
        // A draft is its own organisation's until it is sent.
        let owner = case.sides.initiating.first().map(|p| p.organisation);
        let sees = case.stage != Stage::Draft || owner.is_some_and(|o| initiating.contains(&o));
        return if sees {
            party(Side::Initiating, initiating)
        } else {
            None
        };
    }
    if !invited.is_empty() {
        return if case.invited_at.is_some() {
            party(Side::Invited, invited)
        } else {
            None
        };
    }
    if connected(case, actor, now) {
        return None;
    }
    if case.stage == Stage::Draft {
        let organisation = case.sides.initiating.first()?.organisation;
        return (case.intake.entered_by == Some(person)).then_some(Capacity::Party {
            side: Side::Initiating,
            organisation,
            lead: false,
        });
    }
    if case.neutrals.in_place() == Some(person) {
        return Some(Capacity::Neutral);
    }
    if case.neutrals.asked() == Some(person) {
        return Some(Capacity::Asked);
    }
    if case
        .neutrals
        .observers
        .iter()
        .any(|o| o.person == person && o.admitted.is_some())
    {
        return Some(Capacity::Observer);
    }
    if actor.is(Role::Coordinator) {
        return Some(Capacity::Coordinator);
    }
    actor.is(Role::Auditor).then_some(Capacity::Auditor)
}

/// Whether the fixed conflict rule excludes `person` from this case.
#[must_use]
pub fn connected(case: &Case, person: &Actor, now: Moment) -> bool {
    let parties: Vec<OrganisationId> = case.organisations().collect();
    !fixed_conflicts(&person.ties, &parties, now.london_day()).is_empty()
}

/// What of a case one may be allowed to read; the rows of SAFETY §1 that exist so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Reference, stage, dates.
    Skeleton,
    /// The names of the organisations and the places.
    Names,
    /// What it is about, who is in it, what is due, the good outcome.
    Summary,
    /// A side's own account in full.
    Account(Side),
    /// What a side said for CLERO and the neutral only: access needs, language, how to reach it.
    Needs(Side),
    /// Screening and its reasons.
    Screening,
    /// Who answered what, and who agreed to talk.
    Conversation,
    /// Disclosures and objections.
    Declarations,
    /// A side's reading.
    Reading(Side),
    /// Whether a side has shared its reading.
    ReadingStatus(Side),
    /// The joint reading.
    JointReading,
    /// Actions on the table and the agreement.
    Agreement,
    /// Whether there is a draft or an agreement.
    AgreementStatus,
    /// Which organisation accepted the draft that goes round.
    Acceptances,
    /// Why a pause was asked for by a side.
    PauseReason(Side),
    /// Summary, signposting, what becomes of actions.
    Closure,
    /// How the case ended.
    Outcome,
}

impl Section {
    /// Every part, both sides spelt out: the rows of the golden matrix.
    pub const ALL: [Self; 22] = [
        Self::Skeleton,
        Self::Names,
        Self::Summary,
        Self::Account(Side::Initiating),
        Self::Account(Side::Invited),
        Self::Needs(Side::Initiating),
        Self::Needs(Side::Invited),
        Self::Screening,
        Self::Conversation,
        Self::Declarations,
        Self::Reading(Side::Initiating),
        Self::Reading(Side::Invited),
        Self::ReadingStatus(Side::Initiating),
        Self::ReadingStatus(Side::Invited),
        Self::JointReading,
        Self::Agreement,
        Self::AgreementStatus,
        Self::Acceptances,
        Self::PauseReason(Side::Initiating),
        Self::PauseReason(Side::Invited),
        Self::Closure,
        Self::Outcome,
    ];
}

/// Whether somebody in `capacity` may read `part` of `case`.
#[must_use]
pub fn reads(case: &Case, capacity: Capacity, part: Section) -> bool {
    let revealed = case.review.revealed.is_some();
    match (capacity, part) {
        (Capacity::System, _) => true,
        (Capacity::Auditor, part) => matches!(
            part,
            Section::Skeleton | Section::AgreementStatus | Section::Outcome
        ),
        (Capacity::Asked, part) => matches!(part, Section::Skeleton | Section::Names),
        (Capacity::Party { side, .. }, part) => match part {
            Section::Account(of) => of == side || case.has_shared(of),
            Section::Needs(of) | Section::PauseReason(of) | Section::ReadingStatus(of) => {
                of == side
            }
            Section::Reading(of) => of == side || revealed,
            Section::Screening => false,
            Section::Skeleton
            | Section::Names
            | Section::Summary
            | Section::Conversation
            | Section::Declarations
            | Section::JointReading
            | Section::Agreement
            | Section::AgreementStatus
            | Section::Acceptances
            | Section::Closure
            | Section::Outcome => true,
        },
        (Capacity::Neutral, part) => match part {
            Section::Reading(of) => case.review.shared.of(of).is_some(),
            Section::Skeleton
            | Section::Screening
            | Section::Names
            | Section::Summary
            | Section::Account(_)
            | Section::Needs(_)
            | Section::Conversation
            | Section::Declarations
            | Section::ReadingStatus(_)
            | Section::JointReading
            | Section::Agreement
            | Section::AgreementStatus
            | Section::Acceptances
            | Section::PauseReason(_)
            | Section::Closure
            | Section::Outcome => true,
        },
        (Capacity::Observer, part) => match part {
            Section::Reading(_) => revealed,
            Section::Account(_)
            | Section::Needs(_)
            | Section::Screening
            | Section::Declarations
            | Section::ReadingStatus(_)
            | Section::Acceptances
            | Section::PauseReason(_) => false,
            Section::Skeleton
            | Section::Names
            | Section::Summary
            | Section::Conversation
            | Section::JointReading
            | Section::Agreement
            | Section::AgreementStatus
            | Section::Closure
            | Section::Outcome => true,
        },
        (Capacity::Coordinator, part) => match part {
            // Until somebody neutral has taken it on, CLERO reads what was sent in order to screen it.
            Section::Account(_) | Section::Needs(_) => {
                case.intake.accepted.is_none() && !case.neutrals.ever_in_place()
            }
            Section::Reading(_)
            | Section::JointReading
            | Section::Agreement
            | Section::Acceptances
            | Section::PauseReason(_) => false,
            Section::Skeleton
            | Section::Names
            | Section::Summary
            | Section::Screening
            | Section::Conversation
            | Section::Declarations
            | Section::ReadingStatus(_)
            | Section::AgreementStatus
            | Section::Closure
            | Section::Outcome => true,
        },
    }
}

/// Whether somebody in `capacity` may read what is in `room` of `case`. Only the author reads notes, and only documents
/// of a side's own shelf are nobody else's: whose they are is asked where they are found.
#[must_use]
pub fn reads_room(case: &Case, capacity: Capacity, room: Room) -> bool {
    if case.stage == Stage::Draft {
        return false;
    }
    match (capacity, room) {
        (Capacity::Party { side, .. }, Room::Private(of) | Room::Own(of)) => of == side,
        (Capacity::Neutral, Room::Private(_) | Room::Neutrals | Room::Notes) => true,
        (
            Capacity::Party { .. } | Capacity::Neutral | Capacity::Observer,
            Room::Joint | Room::Process,
        ) => true,
        (Capacity::Coordinator, Room::Process) => true,
        (Capacity::Party { .. }, Room::Neutrals | Room::Notes)
        | (Capacity::Neutral, Room::Own(_))
        | (Capacity::Observer, Room::Private(_) | Room::Own(_) | Room::Neutrals | Room::Notes)
        | (
            Capacity::Coordinator,
            Room::Joint | Room::Private(_) | Room::Own(_) | Room::Neutrals | Room::Notes,
        )
        | (Capacity::Asked | Capacity::Auditor | Capacity::System, _) => false,
    }
}

/// Whether somebody in `capacity` may write in `room` of `case`, while it is open for writing.
#[must_use]
pub fn writes_room(case: &Case, capacity: Capacity, room: Room) -> bool {
    let only_listens = match (capacity, room) {
        (Capacity::Party { .. }, Room::Process) | (Capacity::Observer, _) => true,
        (
            Capacity::Party { .. }
            | Capacity::Neutral
            | Capacity::Asked
            | Capacity::Coordinator
            | Capacity::Auditor
            | Capacity::System,
            _,
        ) => false,
    };
    reads_room(case, capacity, room) && !only_listens
}

/// Who may read an event in the log, from whom it concerns (SAFETY §1: own view).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody who may see the case.
    Case,
    /// One side and the neutral until the readings are open, then everybody who may see the case.
    Initiating,
    Invited,
    /// Both sides and the neutral: those at the table.
    Table,
    /// The neutral and the coordinator.
    Process,
    /// The initiating side and CLERO, before anybody is invited.
    Intake,
}

impl Audience {
    /// The side's own audience.
    #[must_use]
    pub fn of(side: Side) -> Self {
        match side {
            Side::Initiating => Self::Initiating,
            Side::Invited => Self::Invited,
        }
    }

    /// Whether somebody in `capacity` may read it.
    #[must_use]
    pub fn includes(self, capacity: Capacity, revealed: bool) -> bool {
        if revealed && matches!(self, Self::Initiating | Self::Invited) {
            return Self::Case.includes(capacity, revealed);
        }
        match capacity {
            Capacity::Party { side, .. } => matches!(
                (self, side),
                (Self::Case | Self::Table, _)
                    | (Self::Initiating | Self::Intake, Side::Initiating)
                    | (Self::Invited, Side::Invited)
            ),
            Capacity::Neutral | Capacity::System => true,
            Capacity::Coordinator | Capacity::Auditor => self != Self::Table,
            Capacity::Observer => self == Self::Case,
            Capacity::Asked => false,
        }
    }
}
