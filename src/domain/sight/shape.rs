//! The shapes of what a reader sees: the wire shows them as they are. A field somebody may not read is absent.
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::access::CapacityName;
use crate::domain::agreement::{AgreedAction, SigningChannel};
use crate::domain::case::{
    BySide, CaseKind, Ground, NotSuitable, Question, Reference, Screening, Side, Stage, Statement,
    Topic,
};
use crate::domain::closure::{ActionAtClosure, NotAgreedBecause, Outcome, ReopenRequest, WordsOf};
use crate::domain::conversation::{Answer, ConfidentialityModel, GroundRules, Needs, Session};
use crate::domain::deadline::DeadlineKind;
use crate::domain::id::{CaseId, ObjectionId, OrganisationId, PersonId};
use crate::domain::neutral::{AppointmentState, ObjectionResult};
use crate::domain::review::{Beside, Entry, Minute, Offices};
use crate::domain::text::Prose;
use crate::domain::time::{Day, Moment};

/// The names a reader may need, as the register and the people have them now.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub organisations: BTreeMap<OrganisationId, String>,
    pub people: BTreeMap<PersonId, String>,
}

/// Whose turn it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    Initiating,
    Invited,
    Facilitator,
    Coordinator,
}

impl Turn {
    /// The word on the wire and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Initiating => "initiating",
            Self::Invited => "invited",
            Self::Facilitator => "facilitator",
            Self::Coordinator => "coordinator",
        }
    }
}

/// An organisation by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganisationName {
    pub id: OrganisationId,
    pub name: String,
}

/// A place by code and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceName {
    pub code: String,
    pub name: String,
}

/// A person by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonName {
    pub id: PersonId,
    pub name: String,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brief {
    pub id: CaseId,
    pub reference: Reference,
    pub stage: Stage,
    pub on_hold: bool,
    pub opened_at: Moment,
    pub you_are: CapacityName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<BySide<Vec<OrganisationName>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub localities: Option<Vec<PlaceName>>,
    pub waiting_for: BTreeSet<Turn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Moment>,
}

/// A case as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sight {
    #[serde(flatten)]
    pub brief: Brief,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummarySight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<IntakeSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BySide<Option<AccountSight>>>,
    /// What would make it easier to take part; each side's own, the neutral's, and CLERO's until a neutral is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<BySide<Option<Vec<Needs>>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<FacilitatorSight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<ObjectionSight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<ObserverSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldSight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<DeadlineSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timetable: Option<TimetableSight>,
    /// Other dates somebody proposed; what was agreed before stands until every side has agreed to these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_timetable: Option<TimetableSight>,
}

/// What everybody in the case may know it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummarySight {
    pub kind: CaseKind,
    pub grounds: BTreeSet<Ground>,
    pub topics: BTreeSet<Topic>,
    /// What a good outcome would look like for people in or seeking recovery.
    pub good_outcome: Option<Prose>,
    /// What the submitter wrote for the other side to read first.
    pub in_short: Option<Prose>,
    pub invited_at: Option<Moment>,
    /// What an answer to the invitation names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_hash: Option<String>,
}

/// How CLERO received it; for the initiating side and CLERO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntakeSight {
    /// The whole draft, for the side that writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    pub questions: Vec<Question>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub linked: BTreeSet<CaseId>,
}

/// A side's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountSight {
    /// What each organisation of the side wrote.
    pub texts: Vec<AccountText>,
}

/// One text of an account, under the question it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountText {
    pub about: AccountTopic,
    pub text: Prose,
    pub shared_with_the_other: bool,
}

/// The question a text answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountTopic {
    WhatItIsAbout,
    ValuedInTheOther,
    Tried,
    OwnAccount,
}

/// The facilitator, asked or in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacilitatorSight {
    pub person: PersonName,
    pub state: AppointmentState,
    /// What both sides should know about connections; absent is "none".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosures: Option<Prose>,
}

/// Somebody who listens in, or whom a side would like to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObserverSight {
    pub person: PersonName,
    pub admitted: bool,
    pub consents: BySide<BTreeSet<OrganisationId>>,
}

/// An objection and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectionSight {
    pub id: ObjectionId,
    pub by: Side,
    pub reasons: Prose,
    pub at: Moment,
    pub result: Option<ObjectionResult>,
    pub result_reasons: Option<Prose>,
}

/// Answers, ground rules and sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversationSight {
    pub responses: BTreeMap<OrganisationId, Answer>,
    pub ground_rules: GroundRules,
    pub agreed_to_talk: BySide<BTreeSet<OrganisationId>>,
    pub confidentiality: ConfidentialityModel,
    /// Since when the facilitator keeps the joint room closed, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_room_closed: Option<Moment>,
    pub sessions: Vec<Session>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_session_because: Option<Prose>,
}

/// The standards review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewSight {
    pub frame: String,
    pub scope: BySide<BTreeSet<u8>>,
    /// Whether each side has shared; a side sees only its own until both have.
    pub shared: BySide<Option<bool>>,
    pub revealed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_by_side: Vec<BesideSight>,
    pub offices: BySide<Option<Offices>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_reading: Option<JointReadingSight>,
    /// Why the case went back to this stage, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_because: Option<Prose>,
}

/// One standard with both readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BesideSight {
    pub standard: u8,
    pub beside: Beside,
    pub readings: BySide<Option<Entry>>,
}

/// The joint reading and who has confirmed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JointReadingSight {
    pub minutes: Vec<Minute>,
    pub hash: String,
    pub confirmed: BySide<BTreeSet<OrganisationId>>,
}

/// How far an agreement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementState {
    Drafting,
    Circulated,
    InForce,
}

/// Actions on the table and what is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgreementSight {
    pub state: AgreementState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafting: Option<Vec<AgreedAction>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circulated: Option<CirculatedSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<InForceSight>,
}

/// The draft that goes round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CirculatedSight {
    pub hash: String,
    pub still_open: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<BTreeSet<OrganisationId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<BTreeMap<OrganisationId, Option<Prose>>>,
}

/// The agreement in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InForceSight {
    pub hash: String,
    pub since: Moment,
    pub actions: Vec<AgreedAction>,
    pub still_open: Option<Prose>,
    pub signed: BTreeMap<OrganisationId, SignatureSight>,
    /// An agreement here is an understanding between organisations, unless they make it more elsewhere.
    pub legally_binding: bool,
}

/// When and how an organisation accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureSight {
    pub at: Moment,
    pub channel: SigningChannel,
}

/// How the case ended, or how it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosureSight {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_summary: Option<ProposedSummarySight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words_of: Option<WordsOf>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_agreed_because: BTreeSet<NotAgreedBecause>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub declined_because: BTreeSet<NotSuitable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signposting: Option<Prose>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionAtClosure>,
    /// Somebody's wish to come back, with why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopening_asked: Option<ReopenRequest>,
    /// Why a side left, where it said so: for that side and the neutral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_because: Option<Prose>,
}

/// A summary both sides may agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedSummarySight {
    pub text: Prose,
    pub hash: String,
    pub agreed: BySide<BTreeSet<OrganisationId>>,
}

/// A pause; why is for the side that asked and the neutral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldSight {
    pub since: Moment,
    pub until: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Prose>,
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadlineSight {
    pub kind: DeadlineKind,
    pub due: Moment,
    pub passed: bool,
}

/// A timetable the sides may agree, or have agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimetableSight {
    pub until: BTreeMap<DeadlineKind, Day>,
    pub hash: String,
    pub agreed: BySide<BTreeSet<OrganisationId>>,
}
