//! The case: one aggregate with a room for each part of the work, and the two sides that mirror each other.
//! What may happen to it is in `procedure`; how it changes is in `decide`; who may see it is in `access`.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::Agreements;
use super::closure::Closing;
use super::conversation::Conversation;
use super::deadline::Clocks;
use super::id::{CaseId, OrganisationId, PersonId};
use super::neutral::Neutrals;
use super::register::{LocalityCode, Nation};
use super::review::Review;
use super::text::{Line, Prose};
use super::time::Moment;

/// One of exactly two sides; each holds one to four LEROs (SPEC §3.2). Neither word says who began what.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Initiating,
    Invited,
}

impl Side {
    /// Both, the initiating one first.
    pub const BOTH: [Self; 2] = [Self::Initiating, Self::Invited];

    /// The side across the table.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Initiating => Self::Invited,
            Self::Invited => Self::Initiating,
        }
    }
}

/// One of something for each side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}BySide")]
pub struct BySide<T> {
    pub initiating: T,
    pub invited: T,
}

impl<T> BySide<T> {
    /// What belongs to `side`.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Initiating => &self.initiating,
            Side::Invited => &self.invited,
        }
    }

    /// What belongs to `side`, to change it.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Initiating => &mut self.initiating,
            Side::Invited => &mut self.invited,
        }
    }

    /// The same with the sides exchanged.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self {
            initiating: self.invited,
            invited: self.initiating,
        }
    }

    /// One of something else for each side.
    pub fn map<'a, U>(&'a self, make: impl Fn(Side, &'a T) -> U) -> BySide<U> {
        BySide {
            initiating: make(Side::Initiating, &self.initiating),
            invited: make(Side::Invited, &self.invited),
        }
    }

    /// Whether `holds` is true of both.
    pub fn both(&self, holds: impl Fn(&T) -> bool) -> bool {
        holds(&self.initiating) && holds(&self.invited)
    }
}

/// How far a case has come (SPEC §3.1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Draft,
    Intake,
    EarlyConversation,
    StandardsReview,
    AgreedActions,
    Closed,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Intake,
        Self::EarlyConversation,
        Self::StandardsReview,
        Self::AgreedActions,
        Self::Closed,
    ];
    /// From intake onward, and not closed: *any open* in the table (SPEC §3.2).
    pub const OPEN: [Self; 4] = [
        Self::Intake,
        Self::EarlyConversation,
        Self::StandardsReview,
        Self::AgreedActions,
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Intake => "intake",
            Self::EarlyConversation => "early_conversation",
            Self::StandardsReview => "standards_review",
            Self::AgreedActions => "agreed_actions",
            Self::Closed => "closed",
        }
    }

    /// The name people read.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Intake => "Intake",
            Self::EarlyConversation => "Early conversation",
            Self::StandardsReview => "Standards review",
            Self::AgreedActions => "Agreed actions",
            Self::Closed => "Closed",
        }
    }
}

impl std::str::FromStr for Stage {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.word() == word)
            .ok_or_else(|| format!("{word} is not a stage"))
    }
}

/// What people read aloud and write on paper: `CG-2026-4F7K`. It names nobody and shows no order: drawn at
/// random, without letters that look alike (SPEC §3.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reference(pub String);

impl Reference {
    /// Letters and digits nobody mistakes for one another.
    pub const ALPHABET: &'static [u8; 29] = b"23456789ABCDEFGHJKMNPQRTVWXYZ";

    /// The reference of `year` spelt by `drawn` random bytes, one letter a byte.
    #[must_use]
    pub fn spelt(year: i32, drawn: &[u8]) -> Self {
        let letters: String = drawn
            .iter()
            .map(|byte| char::from(Self::ALPHABET[usize::from(*byte) % Self::ALPHABET.len()]))
            .collect();
        Self(format!("CG-{year}-{letters}"))
    }

    /// The letters alone, without the year.
    #[must_use]
    pub fn letters(&self) -> &str {
        Self::letters_in(&self.0)
    }

    /// The letters in what somebody typed, who may have left out the beginning: `4F7K` of `CG-2026-4F7K`.
    #[must_use]
    pub fn letters_in(typed: &str) -> &str {
        typed.rsplit('-').next().unwrap_or_default()
    }

    /// Whether this is the reference somebody typed, with or without its beginning, in capital or small letters.
    #[must_use]
    pub fn is_meant_by(&self, typed: &str) -> bool {
        [self.0.as_str(), self.letters()]
            .iter()
            .any(|whole| whole.eq_ignore_ascii_case(typed.trim()))
    }
}

/// A LERO in a case, with what the clocks and the review need to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub organisation: OrganisationId,
    pub nation: Nation,
    pub constituted: bool,
}

/// What a case is about (SPEC §3.3): the three grounds of CLERO's approach.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    Boundaries,
    Collaboration,
    LocalityOverlap,
}

/// The finer kinds beneath the grounds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    WhereWeWork,
    Referrals,
    Contracts,
    NationalProvider,
    CommissionerDecision,
    DuplicatedServices,
    Partnership,
    SharedSpace,
    Communication,
    Funding,
    Staff,
    SomethingElse,
}

/// A disagreement, or only a wish to talk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    #[default]
    Disagreement,
    ConversationRequest,
}

/// How the other side first hears of it: the submitter chooses (SPEC §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstContact {
    ShareAll,
    ShareSummary,
    FacilitatorRingsFirst,
}

/// How somebody likes to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Phone,
    InPerson,
    Letter,
}

/// The submitter's word that they may bring this for their organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// "I may speak for my organisation in this."
    pub stated: bool,
    /// The post they hold, not their name.
    #[serde(default)]
    pub post: Option<Line>,
}

/// Entered for somebody who is offline, and read back to them (SPEC §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnBehalf {
    pub organisation: OrganisationId,
    pub channel: Channel,
    /// "I read it back to them and they confirmed it."
    pub read_back_and_confirmed: bool,
    /// Where an agreement is accepted: the six digits of its hash, as they read them back.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{6}$"))]
    pub read_back_code: Option<String>,
}

/// What the initiating side says at intake (SPEC §3.3). Everything may be left for later until it is sent.
/// Nobody asks whose doing it was, and please do not name individuals or anyone's recovery history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Statement {
    pub kind: CaseKind,
    #[schemars(length(max = 3))]
    pub grounds: BTreeSet<Ground>,
    #[schemars(length(max = 12))]
    pub topics: BTreeSet<Topic>,
    /// Where: codes of current councils.
    #[schemars(length(max = 12))]
    pub localities: BTreeSet<LocalityCode>,
    /// What it is about, in your own words.
    pub about: Option<Prose>,
    /// What you value in the other organisation.
    pub valued_in_the_other: Option<Prose>,
    /// What has been tried.
    pub tried: Option<Prose>,
    /// What a good outcome would look like for people in or seeking recovery here. Both sides read it.
    pub good_outcome: Option<Prose>,
    /// How you like to be reached.
    pub contact: Option<Channel>,
    /// What would make it easier to take part. Your side, the neutral and CLERO read it; the other side never does.
    pub access_needs: Option<Prose>,
    /// A language other than English you would rather use.
    pub language: Option<Line>,
    pub authority: Option<Authority>,
    pub first_contact: Option<FirstContact>,
    /// What the other side reads at first, where you chose a summary.
    pub summary_for_the_other: Option<Prose>,
    /// "I have read how personal data is used."
    pub personal_data_notice_read: bool,
}

/// A question CLERO asked about a submission, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    pub asked: Prose,
    pub answer: Option<Prose>,
    pub asked_at: Moment,
    pub answered_at: Option<Moment>,
}

/// What a coordinator found when looking whether this is the right place (SPEC §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suitability {
    Suitable,
    SuitableWithAdjustments,
    NotSuitable,
}

/// Why this is not the right place, or not yet in this way. A code, never a judgement.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NotSuitable {
    Safeguarding,
    IndividualEmployment,
    FraudOrCharityLaw,
    ProcurementWithALegalTimeLimit,
    InCourt,
    OneSideNotALero,
    FearSeparateMeetingsFirst,
    OutsideTheGrounds,
    AlreadyOpen,
}

/// The result of screening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Screening {
    pub result: Suitability,
    pub reasons: BTreeSet<NotSuitable>,
    pub adjustments: Option<Prose>,
    pub at: Moment,
}

/// The intake room: what was said to begin with, and how CLERO received it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Intake {
    pub statement: Statement,
    /// Who typed the draft, where that was not a member of the organisation.
    pub entered_by: Option<PersonId>,
    pub submitted: Option<Moment>,
    pub submitted_by: Option<PersonId>,
    pub questions: Vec<Question>,
    pub screening: Option<Screening>,
    pub linked: BTreeSet<CaseId>,
    pub accepted: Option<Moment>,
    /// Whether the other side may read the statement in full.
    pub statement_shared: bool,
}

/// A pause: only stage moves and clocks stop (SPEC §3.2). Nobody has to say why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub since: Moment,
    pub until: Moment,
    /// Who asked, and what they said if they said something; for their own side and the neutral.
    pub asked_by: Option<Side>,
    pub reason: Option<Prose>,
}

/// A case with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub id: CaseId,
    pub reference: Reference,
    pub stage: Stage,
    pub opened_at: Moment,
    pub sides: BySide<Vec<Party>>,
    /// When the invited side was told; before that it sees nothing.
    pub invited_at: Option<Moment>,
    pub hold: Option<Hold>,
    pub intake: Intake,
    pub neutrals: Neutrals,
    pub conversation: Conversation,
    pub review: Review,
    pub agreements: Agreements,
    pub closing: Closing,
    pub clocks: Clocks,
}

impl Case {
    /// An empty draft of `party`.
    #[must_use]
    pub fn draft(id: CaseId, reference: Reference, party: Party, now: Moment) -> Self {
        Self {
            id,
            reference,
            stage: Stage::Draft,
            opened_at: now,
            sides: BySide {
                initiating: vec![party],
                invited: Vec::new(),
            },
            invited_at: None,
            hold: None,
            intake: Intake::default(),
            neutrals: Neutrals::default(),
            conversation: Conversation::default(),
            review: Review::default(),
            agreements: Agreements::default(),
            closing: Closing::default(),
            clocks: Clocks::default(),
        }
    }

    /// Whether it is open: from intake onward and not closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        Stage::OPEN.contains(&self.stage)
    }

    /// Every organisation in it, the initiating side's first.
    pub fn organisations(&self) -> impl Iterator<Item = OrganisationId> + '_ {
        Side::BOTH
            .into_iter()
            .flat_map(|side| self.sides.of(side))
            .map(|party| party.organisation)
    }

    /// Which side `organisation` is on.
    #[must_use]
    pub fn side_of(&self, organisation: OrganisationId) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| {
            self.sides
                .of(*side)
                .iter()
                .any(|p| p.organisation == organisation)
        })
    }

    /// Whether the other side may read something of what `side` wrote: each LERO decides for its own text.
    #[must_use]
    pub fn has_shared(&self, side: Side) -> bool {
        match side {
            Side::Initiating => self.intake.statement_shared,
            Side::Invited => self.sides.invited.iter().any(|p| {
                self.conversation
                    .responses
                    .get(&p.organisation)
                    .is_some_and(|r| r.shared)
            }),
        }
    }

    /// The nations whose working days count (SPEC §3.4).
    #[must_use]
    pub fn nations(&self) -> BTreeSet<Nation> {
        Side::BOTH
            .into_iter()
            .flat_map(|side| self.sides.of(side))
            .map(|party| party.nation)
            .collect()
    }

    /// Whether every organisation of `side` is in `those`: where a side must agree, every LERO's lead does.
    pub fn all_of(&self, side: Side, those: &BTreeSet<OrganisationId>) -> bool {
        self.sides
            .of(side)
            .iter()
            .all(|party| those.contains(&party.organisation))
    }

    /// Whether every organisation of both sides is in `those`.
    pub fn everyone_in(&self, those: &BySide<BTreeSet<OrganisationId>>) -> bool {
        Side::BOTH
            .into_iter()
            .all(|side| self.all_of(side, those.of(side)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_use_letters_nobody_confuses() {
        let all: Vec<u8> = (0..=255).collect();
        let spelt = Reference::spelt(2026, &all).0;
        assert!(spelt.starts_with("CG-2026-"));
        for confusing in ['0', '1', 'I', 'L', 'O', 'S', 'U'] {
            assert!(!spelt[8..].contains(confusing), "{confusing}");
        }
    }
}
