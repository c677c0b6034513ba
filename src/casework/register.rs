//! Keeping the register: organisations, and where they are. Coordinators keep it; an organisation says itself where
//! it is, and a coordinator confirms.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::act::Tags;
use super::read::{Page, Slice};
use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey};
use crate::domain::hash::tag_of;
use crate::domain::id::{OrganisationId, PresenceId};
use crate::domain::people::{Actor, Role};
use crate::domain::register::{
    LegalForm, Nation, OrganisationKind, Presence, PresenceDeclaration, PresenceState, Profile,
    Standing, Strength,
};
use crate::domain::text::{Line, Prose, folded};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::register;
use std::collections::BTreeSet;

/// An organisation as its reader sees it; the public sees what is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganisationView {
    pub id: OrganisationId,
    pub working_name: Line,
    pub kind: OrganisationKind,
    pub nation: Nation,
    pub strengths: BTreeSet<Strength>,
    pub own_words: Option<Prose>,
    /// For people with an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<RegisteredView>,
}

/// What people with an account see besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredView {
    pub legal_name: Line,
    pub legal_form: LegalForm,
    pub constituted: bool,
    pub standing: Standing,
}

impl OrganisationView {
    pub(super) fn of(id: OrganisationId, profile: Profile, reader: &Actor) -> Self {
        let registered = reader.person.is_some().then_some(RegisteredView {
            legal_name: profile.legal_name,
            legal_form: profile.legal_form,
            constituted: profile.constituted,
            standing: profile.standing,
        });
        Self {
            id,
            working_name: profile.working_name,
            kind: profile.kind,
            nation: profile.nation,
            strengths: profile.strengths,
            own_words: profile.own_words,
            registered,
        }
    }
}

/// A description to be written, and whether a coordinator has looked at a name like another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOrganisation {
    pub profile: Profile,
    /// "I have seen that the name looks like another one, and they are different organisations."
    #[serde(default)]
    pub name_checked: bool,
}

/// Whether somebody may know of a presence: anybody, once a coordinator has confirmed it.
pub(super) fn shown_to(presence: &Presence, reader: &Actor) -> bool {
    presence.state == PresenceState::Confirmed
        || super::people::staff(reader)
        || reader.belongs_to(presence.organisation)
}

pub(super) fn keeper(_: &mut Conn, actor: &Actor) -> Result<(), Error> {
    if actor.is(Role::Coordinator) {
        Ok(())
    } else {
        Err(Error::NotAllowed)
    }
}

fn check(
    conn: &mut Conn,
    asked: &WriteOrganisation,
    before: Option<(OrganisationId, &Line)>,
) -> Result<(), Error> {
    if asked.profile.strengths.len() > 20 {
        return Err(Error::flaw(
            "/profile/strengths",
            "please name at most twenty strengths",
        ));
    }
    let name = &asked.profile.working_name;
    let same_name = before.is_some_and(|(_, old)| old == name);
    if !asked.name_checked
        && !same_name
        && register::looks_like_another(conn, name, before.map(|(id, _)| id))?
    {
        return Err(Error::Conflict(
            "name-looks-like-another",
            "An organisation with a name that looks the same is in the register. If it is a different one, send name_checked: true.",
        ));
    }
    Ok(())
}

impl Desk {
    /// Adds an organisation to the register.
    pub async fn add_organisation(
        &self,
        caller: Credential,
        asked: WriteOrganisation,
        key: Option<OnceKey>,
    ) -> Result<OrganisationView, Error> {
        self.write_once(caller, key, keeper, move |conn, actor, now| {
            check(conn, &asked, None)?;
            let id = OrganisationId::random();
            register::add(conn, id, &asked.profile, now)?;
            super::people::log(
                conn,
                now,
                actor.person,
                "organisation_added",
                json!({ "organisation": id }),
            )?;
            Ok(OrganisationView::of(id, asked.profile.clone(), actor))
        })
        .await
    }

    /// Changes an organisation's description.
    pub async fn change_organisation(
        &self,
        caller: Credential,
        id: OrganisationId,
        asked: WriteOrganisation,
        if_match: Option<Tags>,
        key: Option<OnceKey>,
    ) -> Result<OrganisationView, Error> {
        self.write_once(caller, key, keeper, move |conn, actor, now| {
            let before =
                OrganisationView::of(id, register::lock(conn, id)?.ok_or(Error::Missing)?, actor);
            Tags::check(if_match.as_ref(), &before)?;
            check(conn, &asked, Some((id, &before.working_name)))?;
            register::save(conn, id, &asked.profile)?;
            super::people::log(
                conn,
                now,
                actor.person,
                "organisation_changed",
                json!({ "organisation": id, "before": tag_of(&before) }),
            )?;
            Ok(OrganisationView::of(id, asked.profile.clone(), actor))
        })
        .await
    }

    /// An organisation.
    pub async fn organisation(
        &self,
        caller: Credential,
        id: OrganisationId,
    ) -> Result<OrganisationView, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let reader = signin::anyone(conn, &caller, now)?;
                Ok(OrganisationView::of(
                    id,
                    register::find(conn, id)?.ok_or(Error::Missing)?,
                    &reader,
                ))
            })
            .await
    }

    /// The organisations by name.
    pub async fn organisations(
        &self,
        caller: Credential,
        text: Option<String>,
        slice: Slice,
    ) -> Result<Page<OrganisationView>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let reader = signin::anyone(conn, &caller, now)?;
                let list = ("organisations", &text);
                let after: Option<(String, OrganisationId)> = slice.place(&list)?;
                let found =
                    register::page(conn, text.as_deref(), false, after, slice.most() as i64 + 1)?;
                let page = slice.page(found, &list, |(id, profile)| {
                    (folded(profile.working_name.as_str()), *id)
                });
                Ok(Page {
                    items: page
                        .items
                        .into_iter()
                        .map(|(id, profile)| OrganisationView::of(id, profile, &reader))
                        .collect(),
                    next: page.next,
                })
            })
            .await
    }

    /// An organisation, for those who may change its description.
    pub async fn organisation_to_change(
        &self,
        caller: Credential,
        id: OrganisationId,
    ) -> Result<OrganisationView, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                keeper(conn, &actor)?;
                let profile = register::find(conn, id)?.ok_or(Error::Missing)?;
                Ok(OrganisationView::of(id, profile, &actor))
            })
            .await
    }

    /// Where an organisation is and was: what CLERO has confirmed, and for its own people and for staff the rest.
    pub async fn presences(
        &self,
        caller: Credential,
        id: OrganisationId,
    ) -> Result<Page<Presence>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let reader = signin::anyone(conn, &caller, now)?;
                register::find(conn, id)?.ok_or(Error::Missing)?;
                let all = register::presences_of(conn, id)?;
                Ok(all
                    .into_iter()
                    .filter(|p| shown_to(p, &reader))
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }

    /// Says that an organisation is somewhere: its lead declares it, a coordinator's word confirms it at once.
    pub async fn declare_presence(
        &self,
        caller: Credential,
        id: OrganisationId,
        said: PresenceDeclaration,
        key: Option<OnceKey>,
    ) -> Result<Presence, Error> {
        said.check()
            .map_err(|(pointer, message)| Error::flaw(pointer, message))?;
        let may = move |conn: &mut Conn, actor: &Actor| {
            register::find(conn, id)?.ok_or(Error::Missing)?;
            if actor.is(Role::Coordinator) || actor.leads(id) {
                Ok(())
            } else {
                Err(Error::NotAllowed)
            }
        };
        self.write_once(caller, key, may, move |conn, actor, now| {
            let state = if actor.is(Role::Coordinator) && !actor.belongs_to(id) {
                PresenceState::Confirmed
            } else {
                PresenceState::Declared
            };
            let presence = PresenceId::random();
            register::add_presence(conn, presence, id, &said, state, now)?;
            super::people::log(
                conn,
                now,
                actor.person,
                "presence_declared",
                json!({ "presence": presence }),
            )?;
            found(conn, id, presence)
        })
        .await
    }

    /// Confirms or questions what an organisation declared.
    pub async fn judge_presence(
        &self,
        caller: Credential,
        id: OrganisationId,
        presence: PresenceId,
        state: PresenceState,
        key: Option<OnceKey>,
    ) -> Result<Presence, Error> {
        self.write_once(caller, key, keeper, move |conn, actor, now: Moment| {
            if actor.belongs_to(id) {
                return Err(Error::NotAllowed);
            }
            if !register::set_presence_state(conn, id, presence, state)? {
                return Err(Error::Missing);
            }
            super::people::log(
                conn,
                now,
                actor.person,
                "presence_looked_at",
                json!({ "presence": presence, "state": state }),
            )?;
            found(conn, id, presence)
        })
        .await
    }
}

fn found(
    conn: &mut Conn,
    organisation: OrganisationId,
    presence: PresenceId,
) -> Result<Presence, Error> {
    register::presences_of(conn, organisation)?
        .into_iter()
        .find(|p| p.id == presence)
        .ok_or(Error::Missing)
}
