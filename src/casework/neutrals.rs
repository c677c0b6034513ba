//! Who could be asked: the facilitators of a case, ranked and explained (SPEC §4), people who could listen in, and who
//! is who in a case. Whether somebody may be asked is decided in `domain::procedure` and asked again when they are.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::{self, Page};
use super::signin::{self, Credential};
use super::{Desk, Error};
use crate::domain::access::{Capacity, Section, connected, reads};
use crate::domain::case::{Case, Side, Stage};
use crate::domain::id::{CaseId, OrganisationId, PersonId};
use crate::domain::people::Role;
use crate::domain::procedure::may_facilitate;
use crate::domain::reason::NamedReason;
use crate::domain::sight::PersonName;
use crate::domain::time::Moment;
use crate::store::cases::Heading;
use crate::store::db::Conn;
use crate::store::{cases, people};

/// The most cases of one facilitator that are counted.
const COUNTED: usize = 200;

/// A facilitator who could be asked, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    pub person: PersonName,
    pub may_be_asked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<NamedReason>,
    /// How many open cases they facilitate.
    pub open_cases: usize,
    /// When they were asked last, in any case.
    pub last_asked: Option<Moment>,
    /// Whether they were asked in this case before.
    pub asked_before: bool,
}

/// Somebody of one of the organisations of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InCase {
    pub person: PersonName,
    pub organisation: OrganisationId,
    /// Whether they may sign for it.
    pub lead: bool,
}

impl Desk {
    /// The facilitators, for the coordinator who chooses one: those who may be asked first, then the fewest open cases,
    /// then the longest since they were asked last.
    pub async fn candidates(
        &self,
        caller: Credential,
        id: CaseId,
    ) -> Result<Page<Candidate>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, id, &actor, now)?;
                if as_what != Capacity::Coordinator {
                    return Err(Error::NotAllowed);
                }
                let mut all = Vec::new();
                for person in people::with_role(conn, Role::Facilitator)? {
                    all.extend(candidate(conn, &case, person, now)?);
                }
                all.sort_by_key(|c| (!c.may_be_asked, c.open_cases, c.last_asked));
                Ok(all.into())
            })
            .await
    }

    /// People of CLERO whom a lead may ask to listen in: none who is connected, or has a part in the case already.
    pub async fn possible_observers(
        &self,
        caller: Credential,
        id: CaseId,
    ) -> Result<Page<PersonName>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, id, &actor, now)?;
                if as_what.side().is_none() {
                    return Err(Error::NotAllowed);
                }
                let mut found = BTreeSet::new();
                for person in people::with_role(conn, Role::Facilitator)? {
                    let free =
                        people::actor(conn, person)?.is_some_and(|a| !connected(&case, &a, now));
                    let taken = case.neutrals.has_taken(person)
                        || case.neutrals.asked() == Some(person)
                        || case.neutrals.excluded.contains(&person);
                    if free && !taken {
                        found.insert(person);
                    }
                }
                Ok(named(conn, found)?.into())
            })
            .await
    }

    /// Who belongs to the organisations of a case, once both sides are there: for those who may know what it is about.
    pub async fn circle(&self, caller: Credential, id: CaseId) -> Result<Page<InCase>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, id, &actor, now)?;
                if !reads(&case, as_what, Section::Summary) || case.stage == Stage::Draft {
                    return Ok(Vec::new().into());
                }
                let mut all = Vec::new();
                for side in Side::BOTH {
                    if case.invited_at.is_none() && as_what.side() != Some(side) {
                        continue;
                    }
                    for party in case.sides.of(side) {
                        all.extend(members(conn, party.organisation)?);
                    }
                }
                Ok(all.into())
            })
            .await
    }
}

fn candidate(
    conn: &mut Conn,
    case: &Case,
    person: PersonId,
    now: Moment,
) -> Result<Option<Candidate>, Error> {
    let as_they_are = people::actor(conn, person)?;
    let why_not = may_facilitate(case, person, as_they_are.as_ref(), now).err();
    let Some(name) = named(conn, BTreeSet::from([person]))?.pop() else {
        return Ok(None);
    };
    let theirs = cases::page(conn, &[Heading::Seat(person)], &[], None, COUNTED)?;
    let asked = |c: &Case| {
        let all = c.neutrals.facilitator.iter().chain(&c.neutrals.past);
        all.filter(|a| a.person == person).map(|a| a.asked_at).max()
    };
    Ok(Some(Candidate {
        person: name,
        may_be_asked: why_not.is_none(),
        why_not: why_not.map(NamedReason::from),
        open_cases: theirs
            .iter()
            .filter(|c| c.is_open() && c.neutrals.in_place() == Some(person))
            .count(),
        last_asked: theirs.iter().filter_map(|c| asked(c)).max(),
        asked_before: asked(case).is_some(),
    }))
}

fn named(conn: &mut Conn, ids: BTreeSet<PersonId>) -> Result<Vec<PersonName>, Error> {
    Ok(people::names(conn, &ids)?
        .into_iter()
        .map(|(id, name)| PersonName { id, name })
        .collect())
}

fn members(conn: &mut Conn, organisation: OrganisationId) -> Result<Vec<InCase>, Error> {
    use crate::domain::people::MembershipState;
    let mut all = Vec::new();
    for member in people::memberships_in(conn, organisation)? {
        if member.state != MembershipState::Active {
            continue;
        }
        if let Some(person) = people::find(conn, member.person)?.filter(|p| p.active) {
            all.push(InCase {
                person: PersonName {
                    id: person.id,
                    name: person.name.as_str().to_owned(),
                },
                organisation,
                lead: member.lead,
            });
        }
    }
    Ok(all)
}
