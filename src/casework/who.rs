//! Finding people: by name, by id, and where they belong. For coordinators and administrators, who look after accounts.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::people::{changes, only_staff, staff};
use super::read::{Page, Slice};
use super::recovery::vouches_for;
use super::signin::{self, Credential};
use super::{Desk, Error};
use crate::domain::id::PersonId;
use crate::domain::people::{Membership, Person, Role};
use crate::domain::sight::OrganisationName;
use crate::store::{people, register};

/// Somebody's place in an organisation, with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    pub membership: Membership,
    pub organisation: OrganisationName,
}

/// What a coordinator or administrator may do about somebody: which doors a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct May {
    pub change: bool,
    pub vouch: bool,
    /// Read and declare connections.
    pub see_ties: bool,
}

impl May {
    /// Changing, or an answer that says no.
    pub fn need_change(self) -> Result<(), Error> {
        if self.change {
            Ok(())
        } else {
            Err(Error::NotAllowed)
        }
    }

    /// Vouching, or an answer that says no.
    pub fn need_vouch(self) -> Result<(), Error> {
        if self.vouch {
            Ok(())
        } else {
            Err(Error::NotAllowed)
        }
    }
}

impl Desk {
    /// What the caller may do about somebody; every deed asks again.
    pub async fn staff_may(&self, caller: Credential, id: PersonId) -> Result<May, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                if !staff(&actor) {
                    return Err(Error::Missing);
                }
                let person = people::find(conn, id)?.ok_or(Error::Missing)?;
                Ok(May {
                    change: changes(&actor, id),
                    vouch: vouches_for(&actor, &person),
                    see_ties: actor.is(Role::Coordinator) || actor.person == Some(id),
                })
            })
            .await
    }

    /// People in the order of their names; `text` narrows to names and addresses that hold it.
    pub async fn find_people(
        &self,
        caller: Credential,
        text: Option<String>,
        slice: Slice,
    ) -> Result<Page<Person>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                only_staff(conn, &actor)?;
                let list = ("people by name", actor.person, &text);
                let after: Option<(String, PersonId)> = slice.place(&list)?;
                let most = slice.most() as i64 + 1;
                let found = people::by_name(conn, text.as_deref(), after, most)?;
                Ok(slice.page(found, &list, |person| {
                    (person.name.as_str().to_owned(), person.id)
                }))
            })
            .await
    }

    /// The names of some people.
    pub async fn names(
        &self,
        caller: Credential,
        those: BTreeSet<PersonId>,
    ) -> Result<BTreeMap<PersonId, String>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                only_staff(conn, &actor)?;
                Ok(people::names(conn, &those)?)
            })
            .await
    }

    /// Where somebody belongs, and belonged.
    pub async fn places_of(
        &self,
        caller: Credential,
        person: PersonId,
    ) -> Result<Vec<Place>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                only_staff(conn, &actor)?;
                let all = people::memberships_of(conn, person)?;
                let names = register::names(conn, &all.iter().map(|m| m.organisation).collect())?;
                let place = |membership: Membership| Place {
                    organisation: OrganisationName {
                        id: membership.organisation,
                        name: names
                            .get(&membership.organisation)
                            .cloned()
                            .unwrap_or_default(),
                    },
                    membership,
                };
                Ok(all.into_iter().map(place).collect())
            })
            .await
    }
}
