//! Early conversation: answers to the invitation, the agreement to talk, and the log of sessions. What was
//! said in a session is never here: only that it took place.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{BySide, Channel};
use super::hash::hash_of;
use super::id::{OrganisationId, PersonId};
use super::text::{Line, Prose};
use super::time::{Day, Moment};

/// An answer to the invitation (SPEC §3.2). Silence is "not yet", never a fault, and is not in this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    TakePart,
    TakePartWithOwnAccount,
    MoreTime,
    TalkFirst,
    NotNow,
}

impl Answer {
    /// Whether the organisation takes part.
    #[must_use]
    pub fn takes_part(self) -> bool {
        matches!(self, Self::TakePart | Self::TakePartWithOwnAccount)
    }
}

/// One invited organisation's latest answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub answer: Answer,
    /// Its own account of things; the neutral reads it, the other side once it is shared.
    pub account: Option<Prose>,
    /// Whether the other side may read this account.
    #[serde(default)]
    pub shared: bool,
    #[serde(default)]
    pub needs: Needs,
    pub at: Moment,
}

/// What would make it easier to take part. Its own side, the neutral and CLERO read it; the other side never does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// How you like to be reached.
    pub contact: Option<Channel>,
    pub access_needs: Option<Prose>,
    /// A language other than English you would rather use.
    pub language: Option<Line>,
}

/// What stays private between the rooms of a case (SPEC §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfidentialityModel {
    /// What a side says in its private room stays there.
    #[default]
    PrivateRoomsConfidential,
    /// The neutral may share what either side says.
    Open,
}

/// The ground rules everybody agrees to before talking. A change is a new version with a new hash.
#[must_use]
pub fn ground_rules(model: ConfidentialityModel) -> GroundRules {
    static PRIVATE: LazyLock<GroundRules> =
        LazyLock::new(|| written_rules(ConfidentialityModel::PrivateRoomsConfidential));
    static OPEN: LazyLock<GroundRules> =
        LazyLock::new(|| written_rules(ConfidentialityModel::Open));
    match model {
        ConfidentialityModel::PrivateRoomsConfidential => PRIVATE.clone(),
        ConfidentialityModel::Open => OPEN.clone(),
    }
}

fn written_rules(model: ConfidentialityModel) -> GroundRules {
    let private = match model {
        ConfidentialityModel::PrivateRoomsConfidential => {
            "What you tell the facilitator in private stays private unless you say it may be shared."
        }
        ConfidentialityModel::Open => {
            "What you tell the facilitator may be shared with the other organisation. Please keep that in mind."
        }
    };
    let rules: Vec<String> = [
        "Taking part is your choice. You can pause or leave at any time, without a reason.",
        "Nobody decides who is right. We look for what helps people in or seeking recovery.",
        "We listen, we speak with respect, and we talk about what happened, not about who people are.",
        "We do not name individuals or speak of anybody's recovery history.",
        "What is said to find a way forward is without prejudice: neither organisation uses it later in a dispute elsewhere.",
        private,
        "There are limits: the law, and a serious risk of harm to somebody. Then the facilitator tells the safeguarding lead.",
    ].map(str::to_owned).into();
    GroundRules {
        version: 1,
        hash: hash_of(&(1, &rules)),
        rules,
        confidentiality: model,
    }
}

/// A version of the ground rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroundRules {
    pub version: u16,
    pub hash: String,
    pub rules: Vec<String>,
    pub confidentiality: ConfidentialityModel,
}

/// How people met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    InPerson,
    Phone,
    Video,
}

/// Who of the case came.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    Initiating,
    Invited,
    Both,
}

/// That a session took place: date, way, who came, how long. No content (SPEC §3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub on: Day,
    pub way: Way,
    pub who_came: Came,
    #[schemars(range(min = 1, max = 720))]
    pub minutes: u16,
}

/// The conversation room of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    pub responses: BTreeMap<OrganisationId, Response>,
    /// The agreement to talk: which organisations, through whom, to which version.
    pub agreed_to_talk: BySide<BTreeSet<OrganisationId>>,
    pub agreed_by: BTreeMap<OrganisationId, PersonId>,
    pub confidentiality: ConfidentialityModel,
    /// Since when everybody has agreed that the neutral may share what either side says; what was said before stays
    /// where it was said.
    pub open_since: Option<Moment>,
    /// Since when the neutral keeps the joint room closed, where they do.
    pub joint_room_closed: Option<Moment>,
    pub sessions: Vec<Session>,
    /// Why the standards review began without a session, where it did.
    pub no_session_because: Option<Prose>,
}
