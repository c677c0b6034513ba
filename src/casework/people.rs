//! Accounts, roles and declared ties (SPEC §2, §11). Nobody grants themselves anything; who belongs to an organisation
//! is in `members`.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::act::Tags;
use super::read::{Page, Slice};
use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey, invitations};
use crate::domain::access::{Audience, CapacityName};
use crate::domain::id::{AffiliationId, EventId, OrganisationId, PersonId};
use crate::domain::people::{Actor, Membership, Person, Role};
use crate::domain::text::{EmailAddress, Line};
use crate::domain::time::{Day, Moment};
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{challenges, credentials, events, meetings, people, register, sessions};

/// Writes an event of the register's own chain: accounts, roles, organisations.
pub fn log(
    conn: &mut Conn,
    now: Moment,
    actor: Option<PersonId>,
    event: &str,
    body: serde_json::Value,
) -> Result<EventId, Error> {
    let capacity = if actor.is_some() {
        CapacityName::Account
    } else {
        CapacityName::System
    };
    Ok(events::append(
        conn,
        events::Entry {
            chain: "register".to_owned(),
            at: now,
            actor,
            capacity,
            on_behalf_of: None,
            event,
            audience: Audience::Process,
            keeper: Keeper::House,
            body,
        },
    )?)
}

/// A person to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    pub name: Line,
    pub email: EmailAddress,
    #[serde(default)]
    #[schemars(length(max = 4))]
    pub roles: BTreeSet<Role>,
}

/// A change of roles, or of whether the account is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePerson {
    #[serde(default)]
    pub roles: Option<BTreeSet<Role>>,
    #[serde(default)]
    pub active: Option<bool>,
}

/// A tie to be declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAffiliation {
    pub organisation: OrganisationId,
    /// As what, for example "trustee".
    pub role: Line,
    pub since: Day,
    #[serde(default)]
    pub until: Option<Day>,
}

/// A declared tie. What is declared stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Affiliation {
    pub id: AffiliationId,
    pub organisation: OrganisationId,
    pub role: String,
    pub since: Day,
    pub until: Option<Day>,
}

impl From<people::Declared> for Affiliation {
    fn from(tie: people::Declared) -> Self {
        Self {
            id: tie.id,
            organisation: tie.organisation,
            role: tie.role,
            since: tie.since,
            until: tie.until,
        }
    }
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    pub person: Person,
    pub memberships: Vec<Membership>,
}

pub fn staff(actor: &Actor) -> bool {
    actor.is(Role::Coordinator) || actor.is(Role::Administrator)
}

pub(super) fn only_staff(_: &mut Conn, actor: &Actor) -> Result<(), Error> {
    if staff(actor) {
        Ok(())
    } else {
        Err(Error::NotAllowed)
    }
}

/// Whether `actor` may change somebody's roles, or close or open their account. Nobody changes their own.
pub(super) fn changes(actor: &Actor, person: PersonId) -> bool {
    actor.is(Role::Administrator) && actor.person != Some(person)
}

/// Roles are given by administrators; coordinators may add people and make facilitators.
fn may_give(actor: &Actor, roles: &BTreeSet<Role>) -> Result<(), Error> {
    let harmless = roles.iter().all(|role| *role == Role::Facilitator);
    if actor.is(Role::Administrator) || harmless {
        Ok(())
    } else {
        Err(Error::NotAllowed)
    }
}

impl Desk {
    /// Who the caller is, and where they belong.
    pub async fn me(&self, caller: Credential) -> Result<Me, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let id = signin::actor(conn, &caller, now)?
                    .person
                    .ok_or(Error::SignIn)?;
                Ok(Me {
                    person: people::find(conn, id)?.ok_or(Error::SignIn)?,
                    memberships: people::memberships_of(conn, id)?,
                })
            })
            .await
    }

    /// Everybody with an account; for coordinators and administrators.
    pub async fn people(&self, caller: Credential, slice: Slice) -> Result<Page<Person>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                only_staff(conn, &actor)?;
                let list = ("people", actor.person);
                let after: Option<PersonId> = slice.place(&list)?;
                let found = people::page(conn, after, slice.most() as i64 + 1)?;
                Ok(slice.page(found, &list, |person| person.id))
            })
            .await
    }

    /// One person: oneself, or for staff anybody.
    pub async fn person(&self, caller: Credential, id: PersonId) -> Result<Person, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                if actor.person != Some(id) && !staff(&actor) {
                    return Err(Error::Missing);
                }
                people::find(conn, id)?.ok_or(Error::Missing)
            })
            .await
    }

    /// Adds a person with an account, and sends them the letter with the code for it.
    pub async fn add_person(
        &self,
        caller: Credential,
        new: NewPerson,
        key: Option<OnceKey>,
    ) -> Result<Person, Error> {
        let (desk, roles) = (self.clone(), new.roles.clone());
        self.write_once(
            caller,
            key,
            move |conn, actor| {
                only_staff(conn, actor)?;
                may_give(actor, &roles)
            },
            move |conn, actor, now| {
                let person = add(conn, &new, now)?;
                let event = log(
                    conn,
                    now,
                    actor.person,
                    "person_added",
                    json!({ "person": person.id, "roles": person.roles }),
                )?;
                invitations::invite_to_account(conn, &desk, &person, &event.to_string(), now)?;
                Ok(person)
            },
        )
        .await
    }

    /// Changes somebody's roles, or closes or opens their account. Closing ends their sessions
    /// and tokens at once, and nobody's browser is trusted for it any more.
    pub async fn change_person(
        &self,
        caller: Credential,
        id: PersonId,
        change: ChangePerson,
        if_match: Option<Tags>,
        key: Option<OnceKey>,
    ) -> Result<Person, Error> {
        let may = move |_: &mut Conn, actor: &Actor| {
            if changes(actor, id) {
                Ok(())
            } else {
                Err(Error::NotAllowed)
            }
        };
        self.write_once(caller, key, may, move |conn, actor, now| {
            let mut person = people::lock(conn, id)?.ok_or(Error::Missing)?;
            Tags::check(if_match.as_ref(), &person)?;
            if let Some(roles) = &change.roles {
                person.roles = roles.clone();
            }
            if let Some(active) = change.active {
                person.active = active;
            }
            people::save(conn, &person)?;
            if !person.active {
                credentials::revoke_tokens(conn, id, now)?;
                sessions::end_all(conn, id, now)?;
                sessions::distrust_all(conn, id, now)?;
                challenges::close_all(conn, id, now)?;
                meetings::remove_feed(conn, id)?;
            }
            log(
                conn,
                now,
                actor.person,
                "person_changed",
                json!({ "person": id, "change": change }),
            )?;
            Ok(person)
        })
        .await
    }

    /// The ties a person has declared: their own, or for coordinators anybody's.
    pub async fn affiliations(
        &self,
        caller: Credential,
        person: PersonId,
    ) -> Result<Page<Affiliation>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                declared_by(conn, &actor, person)?;
                Ok(people::affiliations_of(conn, person)?
                    .into_iter()
                    .map(Affiliation::from)
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }

    /// Declares a tie. It takes effect with the next request: a conflicted person then sees nothing of the case.
    pub async fn declare_affiliation(
        &self,
        caller: Credential,
        person: PersonId,
        new: NewAffiliation,
        key: Option<OnceKey>,
    ) -> Result<Affiliation, Error> {
        if new.until.is_some_and(|until| until < new.since) {
            return Err(Error::flaw(
                "/until",
                "please choose a day after the beginning",
            ));
        }
        self.write_once(
            caller,
            key,
            move |conn, actor| declared_by(conn, actor, person),
            move |conn, actor, now| {
                register::find(conn, new.organisation)?.ok_or_else(|| {
                    Error::flaw("/organisation", "this organisation is not in the register")
                })?;
                let tie = people::Declared {
                    id: AffiliationId::random(),
                    organisation: new.organisation,
                    role: new.role.as_str().to_owned(),
                    since: new.since,
                    until: new.until,
                };
                people::add_affiliation(conn, person, &tie, now)?;
                log(
                    conn,
                    now,
                    actor.person,
                    "affiliation_declared",
                    json!({ "affiliation": tie.id }),
                )?;
                Ok(Affiliation::from(tie))
            },
        )
        .await
    }

    /// Adds somebody from the command line, where there is no caller: the first administrator comes this way.
    pub async fn add_person_by_operator(&self, new: NewPerson) -> Result<Person, Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let person = add(conn, &new, now)?;
                log(
                    conn,
                    now,
                    None,
                    "person_added",
                    json!({ "person": person.id, "roles": person.roles, "by": "operator" }),
                )?;
                Ok(person)
            })
            .await
    }
}

/// Adds a person, unless the address already belongs to somebody.
pub fn add(conn: &mut Conn, new: &NewPerson, now: Moment) -> Result<Person, Error> {
    let person = Person {
        id: PersonId::random(),
        name: new.name.clone(),
        email: Some(new.email.clone()),
        roles: new.roles.clone(),
        active: true,
    };
    const TAKEN: (&str, &str) = (
        "address-taken",
        "Somebody with this address already has an account.",
    );
    match people::add(conn, &person, &new.email, now) {
        Ok(true) => Ok(person),
        Ok(false) => Err(Error::Conflict(TAKEN.0, TAKEN.1)),
        Err(error) => Err(Error::or_taken(error, TAKEN.0, TAKEN.1)),
    }
}

fn declared_by(conn: &mut Conn, actor: &Actor, person: PersonId) -> Result<(), Error> {
    if actor.person != Some(person) && !actor.is(Role::Coordinator) {
        return Err(Error::Missing);
    }
    people::find(conn, person)?
        .map(|_| ())
        .ok_or(Error::Missing)
}
