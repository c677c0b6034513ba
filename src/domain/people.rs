//! People: what they may be in the service, and to whom they belong. Connection is normal here (SPEC §1.4):
//! it is declared and graded by rule, in `neutral`. No field holds anybody's recovery status or history.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{MembershipId, OrganisationId, PersonId};
use super::text::{EmailAddress, Line};
use super::time::{Day, Moment};

/// What CLERO asks a person to do in the service. Being a LERO's representative is not a role: it follows
/// from an active membership.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Neutral in early conversation and on.
    Facilitator,
    /// CLERO staff: intake, assignment, process; never room contents.
    Coordinator,
    /// Accounts and settings; no case content.
    Administrator,
    /// Reads and verifies the log.
    Auditor,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 4] = [
        Self::Facilitator,
        Self::Coordinator,
        Self::Administrator,
        Self::Auditor,
    ];

    /// The word for it in commands and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Facilitator => "facilitator",
            Self::Coordinator => "coordinator",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.word() == word)
            .ok_or_else(|| {
                format!("{word}: the roles are facilitator, coordinator, administrator and auditor")
            })
    }
}

/// How far a membership has come. Rights follow the *active* state at the moment of the request (SPEC §2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MembershipState {
    Invited,
    Active,
    Ended,
    /// An invitation that came to nothing: it was never a place in the organisation.
    Withdrawn,
}

/// A person's place in an organisation, with its dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    pub id: MembershipId,
    pub person: PersonId,
    pub organisation: OrganisationId,
    /// A lead may sign for the organisation.
    pub lead: bool,
    pub state: MembershipState,
    pub since: Day,
    pub until: Option<Day>,
}

/// A tie of a person to an organisation: a membership, or something declared. `until` is `None` while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    pub organisation: OrganisationId,
    pub since: Day,
    pub until: Option<Day>,
}

/// How long a fresh second step counts, in minutes (SPEC §11: before signing).
pub const FRESH_MINUTES: i64 = 10;

/// What a personal API token may be used for (SPEC §11).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reading whatever the person may read.
    Read,
    /// Doing whatever the person may do.
    Write,
    /// Signing an agreement, for at most a day.
    Sign,
}

/// Who is asking, with everything that decides what they may do. Read afresh inside every transaction, so a
/// change takes effect on the next request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// `None` is anybody: somebody who has not signed in.
    pub person: Option<PersonId>,
    pub roles: BTreeSet<Role>,
    /// Active memberships: organisation and whether as its lead.
    pub member_of: Vec<(OrganisationId, bool)>,
    /// Every tie there is or was, memberships included.
    pub ties: Vec<Tie>,
    /// Until when a fresh second step counts; `None` where there was none.
    pub fresh_until: Option<Moment>,
    /// Until when a token that was made for it may sign; nothing else that needs a fresh second step.
    pub signs_until: Option<Moment>,
}

impl Actor {
    /// Whether the person may sign now: after a second step, or with a token that was made for it.
    #[must_use]
    pub fn may_sign(&self, now: Moment) -> bool {
        self.is_fresh(now) || self.signs_until.is_some_and(|until| now < until)
    }

    /// Whether the person has shown recently, by a second step, that it is them.
    #[must_use]
    pub fn is_fresh(&self, now: Moment) -> bool {
        self.fresh_until.is_some_and(|until| until > now)
    }

    /// Whether the person holds `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the person is an active member of `organisation`.
    #[must_use]
    pub fn belongs_to(&self, organisation: OrganisationId) -> bool {
        self.member_of.iter().any(|(o, _)| *o == organisation)
    }

    /// Whether the person is an active lead of `organisation`.
    #[must_use]
    pub fn leads(&self, organisation: OrganisationId) -> bool {
        self.member_of.contains(&(organisation, true))
    }
}

/// Somebody with an account, as the people who may see it do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    pub id: PersonId,
    pub name: Line,
    /// Left out where the reader may see names only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// A closed account may do nothing; what its owner did stays.
    pub active: bool,
}
