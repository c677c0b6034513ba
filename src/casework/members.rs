//! Who belongs to an organisation (SPEC §2, §11): by invitation only, and rights end with the next request.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::invitations;
use super::people::{NewPerson, add, log, staff};
use super::read::Page;
use super::signin::{self, Credential};
use super::tell::{About, send};
use super::{Desk, Error, OnceKey, Settings};
use crate::domain::id::{MembershipId, OrganisationId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::people::{Actor, Membership, MembershipState, Person, Role};
use crate::domain::text::{EmailAddress, Line};
use crate::domain::time::Moment;
use crate::mail::letter::Letters;
use crate::store::db::Conn;
use crate::store::{people, register};

/// Somebody to be invited into an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub name: Line,
    pub email: EmailAddress,
    /// A lead may sign for the organisation.
    #[serde(default)]
    pub lead: bool,
}

/// Somebody of an organisation, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleague {
    pub membership: Membership,
    pub name: Line,
    /// For those who may invite people into the organisation, and for the person.
    pub email: Option<EmailAddress>,
}

impl Desk {
    /// Who belongs to an organisation: for its own members and for staff.
    pub async fn members(
        &self,
        caller: Credential,
        organisation: OrganisationId,
    ) -> Result<Page<Membership>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                register::find(conn, organisation)?.ok_or(Error::Missing)?;
                if !staff(&actor) && !actor.belongs_to(organisation) {
                    return Err(Error::NotAllowed);
                }
                Ok(people::memberships_in(conn, organisation)?.into())
            })
            .await
    }

    /// The same with their names, and for those who may invite people with their addresses.
    pub async fn colleagues(
        &self,
        caller: Credential,
        organisation: OrganisationId,
    ) -> Result<Vec<Colleague>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                register::find(conn, organisation)?.ok_or(Error::Missing)?;
                if !staff(&actor) && !actor.belongs_to(organisation) {
                    return Err(Error::NotAllowed);
                }
                let open = staff(&actor) || actor.leads(organisation);
                let mut all = Vec::new();
                for membership in people::memberships_in(conn, organisation)? {
                    let Some(person) = people::find(conn, membership.person)? else {
                        continue;
                    };
                    let email = person
                        .email
                        .filter(|_| open || actor.person == Some(person.id));
                    all.push(Colleague {
                        membership,
                        name: person.name,
                        email,
                    });
                }
                Ok(all)
            })
            .await
    }

    /// Invites somebody into an organisation: coordinators anybody, leads their colleagues; nobody themselves.
    pub async fn invite_member(
        &self,
        caller: Credential,
        organisation: OrganisationId,
        new: NewMember,
        key: Option<OnceKey>,
    ) -> Result<Membership, Error> {
        let desk = self.clone();
        let may = move |conn: &mut Conn, actor: &Actor| {
            register::find(conn, organisation)?.ok_or(Error::Missing)?;
            if actor.is(Role::Coordinator) || actor.leads(organisation) {
                Ok(())
            } else {
                Err(Error::NotAllowed)
            }
        };
        self.write_once(caller, key, may, move |conn, actor, now| {
            let leads = active_leads(conn, organisation)?;
            let from_outside = !actor.leads(organisation) && !leads.is_empty();
            if from_outside {
                signin::fresh(actor, now)?;
            }
            let person = match people::by_email(conn, &new.email)? {
                Some(person) => person,
                None => add(
                    conn,
                    &NewPerson {
                        name: new.name.clone(),
                        email: new.email.clone(),
                        roles: BTreeSet::new(),
                    },
                    now,
                )?,
            };
            if actor.person == Some(person.id) {
                return Err(Error::flaw(
                    "/email",
                    "nobody invites themselves; please ask a colleague or CLERO",
                ));
            }
            let joining = Joining {
                person: &person,
                organisation,
                lead: new.lead,
                invited_by: actor.person,
                now,
            };
            let membership = invite_into(conn, &desk.letters, &desk.settings, joining)?;
            if from_outside {
                // An organisation says who belongs to it; where CLERO invites somebody, its leads hear of it at once.
                let cause = format!("{}:member_invited", membership.id);
                for lead in people::all_of(conn, &leads)? {
                    let (letter, about) = (Letter::MemberInvited, About::default());
                    let (letters, settings) = (&desk.letters, &desk.settings);
                    send(conn, letters, settings, &lead, letter, about, &cause, now)?;
                }
            }
            Ok(membership)
        })
        .await
    }

    /// Ends a membership: coordinators, the organisation's leads, or the person. Rights end with the next request.
    pub async fn end_membership(
        &self,
        caller: Credential,
        id: MembershipId,
        key: Option<OnceKey>,
    ) -> Result<Membership, Error> {
        self.write_once(
            caller,
            key,
            move |conn, actor| membership_for(conn, actor, id).map(|_| ()),
            move |conn, actor, now| {
                let mut membership = membership_for(conn, actor, id)?;
                if matches!(
                    membership.state,
                    MembershipState::Ended | MembershipState::Withdrawn
                ) {
                    return Ok(membership);
                }
                // An invitation nobody took up was never a place here, and ties nobody.
                membership.state = if membership.state == MembershipState::Invited {
                    MembershipState::Withdrawn
                } else {
                    MembershipState::Ended
                };
                membership.until = Some(now.london_day());
                people::save_membership(conn, &membership)?;
                log(
                    conn,
                    now,
                    actor.person,
                    "membership_ended",
                    json!({ "membership": id }),
                )?;
                Ok(membership)
            },
        )
        .await
    }
}

/// Those who lead an organisation now.
fn active_leads(
    conn: &mut Conn,
    organisation: OrganisationId,
) -> Result<BTreeSet<PersonId>, Error> {
    let all = people::memberships_in(conn, organisation)?;
    Ok(all
        .into_iter()
        .filter(|m| m.lead && m.state == MembershipState::Active)
        .map(|m| m.person)
        .collect())
}

/// Somebody on their way into an organisation.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    pub person: &'a Person,
    pub organisation: OrganisationId,
    pub lead: bool,
    pub invited_by: Option<PersonId>,
    pub now: Moment,
}

/// Invites somebody into an organisation: the membership, the code, and the letter that carries it.
pub fn invite_into(
    conn: &mut Conn,
    letters: &Letters,
    settings: &Settings,
    joining: Joining<'_>,
) -> Result<Membership, Error> {
    let Joining {
        person,
        organisation,
        lead,
        invited_by,
        now,
    } = joining;
    let membership = Membership {
        id: MembershipId::random(),
        person: person.id,
        organisation,
        lead,
        state: MembershipState::Invited,
        since: now.london_day(),
        until: None,
    };
    people::add_membership(conn, &membership).map_err(|e| {
        Error::or_taken(
            e,
            "already-a-member",
            "This person already belongs to the organisation, or has been invited.",
        )
    })?;
    let event = log(
        conn,
        now,
        invited_by,
        "member_invited",
        json!({ "membership": membership.id }),
    )?;
    let code = invitations::invite(
        conn,
        person.id,
        Some(membership.id),
        now,
        settings.invitation_days,
    )?;
    let about = About {
        code: Some(&code),
        ..About::default()
    };
    send(
        conn,
        letters,
        settings,
        person,
        Letter::FirstAccount,
        about,
        &format!("{event}:first_account"),
        now,
    )?;
    Ok(membership)
}

fn membership_for(conn: &mut Conn, actor: &Actor, id: MembershipId) -> Result<Membership, Error> {
    let membership = people::find_membership(conn, id)?.ok_or(Error::Missing)?;
    let may = actor.is(Role::Coordinator)
        || actor.leads(membership.organisation)
        || actor.person == Some(membership.person);
    if may {
        Ok(membership)
    } else {
        Err(Error::Missing)
    }
}
