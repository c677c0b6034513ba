//! Agreed actions (SPEC §7): who does what by when for whose benefit, the rules an agreement is composed by,
//! and the one hash everybody accepts. Follow-up of what was agreed is not here yet.
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{BySide, Case, Side};
use super::hash::hash_of;
use super::id::{ActionId, OrganisationId, PersonId};
use super::reason::Reason;
use super::register::LocalityCode;
use super::text::{Line, Prose};
use super::time::{Day, Moment};

/// What an action puts first (SPEC §7): CLERO's three priorities.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Cooperation,
    SharedLearning,
    CommunityBenefit,
}

/// By when, or until what is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    By(Day),
    Until(Line),
}

/// An action as it is proposed. The owner is an organisation and a post, never a private person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub owner: OrganisationId,
    #[serde(default)]
    pub owner_post: Option<Line>,
    pub what: Prose,
    pub when: When,
    #[serde(default, rename = "where")]
    pub place: Option<LocalityCode>,
    #[serde(default)]
    pub how_we_will_know: Option<Prose>,
    #[schemars(length(min = 1, max = 3))]
    pub priorities: BTreeSet<Priority>,
    /// What people in or seeking recovery gain from it.
    pub benefit: Prose,
    /// Numbers of the standards it is linked to.
    #[serde(default)]
    #[schemars(length(max = 33))]
    pub standards: BTreeSet<u8>,
    #[serde(default)]
    pub review_on: Option<Day>,
}

/// Who put an action on the table; a neutral's proposal is labelled as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proposer {
    Initiating,
    Invited,
    Neutral,
}

/// An action on the table or agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgreedAction {
    pub id: ActionId,
    pub proposed_by: Proposer,
    /// Who changed the words last, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Proposer>,
    pub terms: Terms,
}

/// An organisation's word on a circulated draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub person: PersonId,
    pub at: Moment,
    pub channel: SigningChannel,
}

/// How an acceptance reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SigningChannel {
    SignedIn,
    ReadBack,
}

/// The draft everybody is asked to accept: locked; an edit returns it to drafting and clears acceptances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circulated {
    pub hash: String,
    pub at: Moment,
    pub accepted: BTreeMap<OrganisationId, Signature>,
    /// Organisations that would rather change something, with what they said.
    pub declined: BTreeMap<OrganisationId, Option<Prose>>,
}

/// An agreement in force: sealed by its hash. Not legally binding unless the sides say so elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub hash: String,
    pub actions: Vec<AgreedAction>,
    pub still_open: Option<Prose>,
    pub signed: BTreeMap<OrganisationId, Signature>,
    pub in_force_since: Moment,
}

/// The agreement room of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Agreements {
    pub drafting: Vec<AgreedAction>,
    /// What a partial agreement leaves open.
    pub still_open: Option<Prose>,
    pub circulated: Option<Circulated>,
    pub in_force: Option<Agreement>,
    pub superseded: Vec<Agreement>,
}

impl Agreements {
    /// The hash of what is on the table, which everybody accepts or not.
    #[must_use]
    pub fn draft_hash(&self) -> String {
        hash_of(&(&self.drafting, &self.still_open))
    }

    /// Takes a circulated draft back to drafting: what was accepted is no longer what is written.
    pub fn unlock(&mut self) {
        self.circulated = None;
    }

    /// Whether every LERO of both sides accepted the circulated draft.
    #[must_use]
    pub fn accepted_by_all(&self, case: &Case) -> bool {
        self.circulated.as_ref().is_some_and(|draft| {
            case.organisations()
                .all(|o| draft.accepted.contains_key(&o))
        })
    }
}

/// The first composition rules (SPEC §7), each a named reason; empty is a draft that may go round.
#[must_use]
pub fn composition_flaws(case: &Case) -> Vec<Reason> {
    let actions = &case.agreements.drafting;
    let puts_first = |priority| {
        actions
            .iter()
            .any(|a| a.terms.priorities.contains(&priority))
    };
    let owns = |side: Side| {
        actions
            .iter()
            .any(|a| case.side_of(a.terms.owner) == Some(side))
    };
    let mut flaws = Vec::new();
    if actions.is_empty() {
        flaws.push(Reason::NoActionsYet);
    }
    if !Side::BOTH.into_iter().all(owns) {
        flaws.push(Reason::EachSideOwnsOne);
    }
    if !puts_first(Priority::Cooperation) {
        flaws.push(Reason::NoCooperationAction);
    }
    if !puts_first(Priority::CommunityBenefit) {
        flaws.push(Reason::NoCommunityBenefitAction);
    }
    if actions
        .iter()
        .any(|a| case.side_of(a.terms.owner).is_none())
    {
        flaws.push(Reason::OwnerOutsideTheCase);
    }
    flaws
}

/// What accepted agreements say about who accepted, by side.
#[must_use]
pub fn signed_by_side(case: &Case, signed: &BTreeMap<OrganisationId, Signature>) -> BySide<bool> {
    case.sides
        .map(|_, parties| parties.iter().all(|p| signed.contains_key(&p.organisation)))
}
