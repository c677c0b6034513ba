//! Handing over the lead of an organisation: who may sign for it from now on (SPEC §11).
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::people::log;
use super::signin::{self, Credential};
use super::tell::{About, send};
use super::{Desk, Error, OnceKey};
use crate::domain::id::{MembershipId, OrganisationId};
use crate::domain::notice::Letter;
use crate::domain::people::{Actor, Membership, MembershipState, Role};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{people, register};

/// To whom the lead goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The active membership that becomes a lead's.
    pub to: MembershipId,
    /// The membership that is a lead's no more. For coordinators; a lead hands over their own.
    #[serde(default)]
    pub from: Option<MembershipId>,
}

fn may_hand_over(
    conn: &mut Conn,
    actor: &Actor,
    organisation: OrganisationId,
    now: Moment,
) -> Result<(), Error> {
    register::find(conn, organisation)?.ok_or(Error::Missing)?;
    if !actor.leads(organisation) && !actor.is(Role::Coordinator) {
        return Err(Error::NotAllowed);
    }
    signin::fresh(actor, now)
}

/// Which membership gives the lead up, if any.
fn giver(
    members: &[Membership],
    actor: &Actor,
    asked: HandOver,
) -> Result<Option<MembershipId>, Error> {
    let own = members
        .iter()
        .find(|m| Some(m.person) == actor.person && m.lead)
        .map(|m| m.id);
    match (own, asked.from) {
        (Some(own), None) => Ok(Some(own)),
        (Some(own), Some(from)) if own == from => Ok(Some(own)),
        (_, Some(from)) if actor.is(Role::Coordinator) => {
            let lead = members.iter().find(|m| m.id == from && m.lead);
            lead.map(|m| Some(m.id)).ok_or_else(|| {
                Error::flaw("/from", "this is not an active lead of the organisation")
            })
        }
        (_, Some(_)) => Err(Error::flaw("/from", "you can hand over your own lead only")),
        (None, None) => Ok(None),
    }
}

impl Desk {
    /// Hands over the lead: a lead their own, coordinators anybody's. Every active member hears of it.
    pub async fn hand_over_lead(
        &self,
        caller: Credential,
        organisation: OrganisationId,
        asked: HandOver,
        key: Option<OnceKey>,
    ) -> Result<Membership, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let may = move |conn: &mut Conn, actor: &Actor| {
            // The second time, whoever handed over their own lead is no lead any more: asked below, the first time.
            if actor.person.is_some() && actor.belongs_to(organisation) {
                return Ok(());
            }
            may_hand_over(conn, actor, organisation, now)
        };
        self.write_once(caller, key, may, move |conn, actor, now| {
            may_hand_over(conn, actor, organisation, now)?;
            let members: Vec<Membership> = people::memberships_in(conn, organisation)?
                .into_iter()
                .filter(|m| m.state == MembershipState::Active)
                .collect();
            let from = giver(&members, actor, asked)?;
            let to = members.iter().find(|m| m.id == asked.to);
            let to = to.filter(|m| Some(m.id) != from).ok_or_else(|| {
                Error::flaw(
                    "/to",
                    "please name another active member of the organisation",
                )
            })?;
            if let Some(from) = from {
                people::set_lead(conn, from, false)?;
            }
            people::set_lead(conn, to.id, true)?;
            let body = json!({ "organisation": organisation, "from": from, "to": to.id });
            let event = log(conn, now, actor.person, "lead_handed_over", body)?;
            for member in &members {
                let Some(person) = people::find(conn, member.person)? else {
                    continue;
                };
                send(
                    conn,
                    &desk.letters,
                    &desk.settings,
                    &person,
                    Letter::LeadChanged,
                    About::default(),
                    &format!("{event}:lead_changed"),
                    now,
                )?;
            }
            people::find_membership(conn, to.id)?.ok_or(Error::Missing)
        })
        .await
    }
}
