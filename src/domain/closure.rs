//! Closure: outcomes without a winner, the summary in agreed words, and coming back to a case.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{BySide, NotSuitable, Side, Stage};
use super::id::{ActionId, OrganisationId};
use super::text::{Line, Prose};
use super::time::Moment;

/// How a case ended (SPEC §3.2). None of them says that anybody prevailed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    AgreedFull,
    AgreedPartial,
    ResolvedInConversation,
    NewSharedArrangement,
    TemporarySupportAgreed,
    NewLeroEmergenceSupported,
    PausedByBoth,
    Withdrawn,
    OneSideNotAbleToTakePart,
    NotAgreedRelationshipImproved,
    NotAgreed,
    NotSuitableSignposted,
    Duplicate,
}

impl Outcome {
    /// Whether it says that something was written down and agreed.
    #[must_use]
    pub fn needs_agreement(self) -> bool {
        matches!(self, Self::AgreedFull | Self::AgreedPartial)
    }

    /// Whether a neutral or coordinator may name it when closing; the others belong to an event of their own.
    #[must_use]
    pub fn may_be_chosen(self) -> bool {
        !matches!(self, Self::Withdrawn | Self::NotSuitableSignposted)
    }

    /// The earliest stage it makes sense in.
    #[must_use]
    pub fn earliest(self) -> Stage {
        match self {
            Self::AgreedFull
            | Self::AgreedPartial
            | Self::NotAgreedRelationshipImproved
            | Self::NotAgreed => Stage::EarlyConversation,
            Self::NewSharedArrangement
            | Self::TemporarySupportAgreed
            | Self::NewLeroEmergenceSupported
            | Self::PausedByBoth => Stage::EarlyConversation,
            Self::ResolvedInConversation
            | Self::Withdrawn
            | Self::OneSideNotAbleToTakePart
            | Self::NotSuitableSignposted
            | Self::Duplicate => Stage::Intake,
        }
    }
}

/// Why something was not agreed: several may be true at once.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NotAgreedBecause {
    DifferentNeeds,
    NotEnoughTime,
    NotTheRightMoment,
    OutsideDecision,
    TrustNotThereYet,
    AnotherRouteChosen,
    CouldNotMeet,
}

/// What becomes of an action that is still open at closure (SPEC §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtClosure {
    Done,
    MovedToFollowUp,
    Noted,
}

/// An agreed action and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionAtClosure {
    pub action: ActionId,
    pub becomes: AtClosure,
    #[serde(default)]
    pub note: Option<Line>,
}

/// Whose words a summary is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WordsOf {
    Both,
    Facilitator,
}

/// A summary put to both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub text: Prose,
    pub hash: String,
    pub agreed: BySide<BTreeSet<OrganisationId>>,
}

/// What was recorded when a case closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub outcome: Outcome,
    pub at: Moment,
    pub summary: Option<Prose>,
    pub words_of: Option<WordsOf>,
    pub not_agreed_because: BTreeSet<NotAgreedBecause>,
    pub declined_because: BTreeSet<NotSuitable>,
    pub signposting: Option<Prose>,
    pub actions: Vec<ActionAtClosure>,
    /// The side that left, where one did. Leaving is nobody's fault.
    pub left: Option<Side>,
    /// Why, if they said so; for that side and the neutral.
    #[serde(default)]
    pub left_because: Option<Prose>,
}

/// A wish to come back to a closed case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReopenRequest {
    pub by: Side,
    pub why: Prose,
    pub new_facts: bool,
    pub at: Moment,
}

/// The closing room of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closing {
    pub summary: Option<Summary>,
    pub closed: Option<Closed>,
    /// How it closed before it was reopened.
    pub earlier: Vec<Closed>,
    /// The stages it has reached: a case reopens only to one of them.
    pub reached: BTreeSet<Stage>,
    pub reopen_request: Option<ReopenRequest>,
}
