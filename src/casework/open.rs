//! Opening a case: a draft of the caller's organisation, or one that CLERO types for somebody offline.
use rand::RngCore;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey, facts, once, read};
use crate::domain::access::{Audience, Capacity, capacity};
use crate::domain::action::{Action, SaveDraft};
use crate::domain::case::{Case, OnBehalf, Party, Reference, Side};
use crate::domain::decide::{Asking, decide};
use crate::domain::id::{CaseId, OrganisationId};
use crate::domain::people::{Actor, Role};
use crate::domain::sight::Sight;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{cases, events, register};
use chrono::Datelike;

/// What a new draft holds, and whose it is.
#[derive(Debug, Clone)]
pub struct NewDraft {
    pub organisation: OrganisationId,
    pub draft: SaveDraft,
    pub on_behalf_of: Option<OnBehalf>,
}

impl Desk {
    /// Begins a draft (SPEC §3.2, `save_draft`).
    pub async fn open(
        &self,
        caller: Credential,
        new: NewDraft,
        key: Option<OnceKey>,
    ) -> Result<Sight, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let party = own_party(conn, &actor, &new)?;
                once(conn, actor.person, key.as_ref(), now, |conn| {
                    begin(conn, &desk, &actor, party.clone(), &new, now)
                })
            })
            .await
    }
}

/// The organisation the draft is for: one's own, or for staff one whose member is offline.
fn own_party(conn: &mut Conn, actor: &Actor, new: &NewDraft) -> Result<Party, Error> {
    let unknown = || {
        Error::flaw(
            "/organisation",
            "this is not an organisation you can bring a case for",
        )
    };
    let entered = new.on_behalf_of.as_ref();
    if let Some(behalf) = entered {
        if behalf.organisation != new.organisation {
            return Err(Error::flaw(
                "/on_behalf_of/organisation",
                "please name the same organisation twice",
            ));
        }
        if !behalf.read_back_and_confirmed {
            return Err(Error::flaw(
                "/on_behalf_of/read_back_and_confirmed",
                "please read it back to them first",
            ));
        }
    }
    let may = if entered.is_some() {
        actor.is(Role::Coordinator) || actor.is(Role::Facilitator)
    } else {
        actor.belongs_to(new.organisation)
    };
    let essentials = register::essentials(conn, &BTreeSet::from([new.organisation]))?;
    let lero = essentials
        .get(&new.organisation)
        .filter(|e| may && e.kind.is_lero() && e.merged_into.is_none())
        .ok_or_else(unknown)?;
    Ok(Party {
        organisation: new.organisation,
        nation: lero.nation,
        constituted: lero.constituted,
    })
}

fn begin(
    conn: &mut Conn,
    desk: &Desk,
    actor: &Actor,
    party: Party,
    new: &NewDraft,
    now: Moment,
) -> Result<Sight, Error> {
    let as_what = Capacity::Party {
        side: Side::Initiating,
        organisation: party.organisation,
        lead: actor.leads(party.organisation),
    };
    let mut draft = Case::draft(CaseId::random(), free_reference(conn, now)?, party, now);
    if new.on_behalf_of.is_some() {
        draft.intake.entered_by = actor.person;
    }
    let action = Action::SaveDraft(new.draft.clone());
    let facts = facts::gather(
        conn,
        &desk.settings.spans,
        &draft,
        actor,
        as_what,
        Some(&action),
        now,
    )?;
    let decision = decide(
        &draft,
        &Asking {
            person: actor.person,
            capacity: as_what,
            on_behalf_of: None,
            now,
            fresh: Uuid::new_v4(),
            facts: &facts,
        },
        &action,
    )?;
    let case = decision.after.unwrap_or(draft);
    // Somebody with a conflict types nothing for anybody.
    if capacity(&case, actor, now).is_none() {
        return Err(Error::flaw(
            "/organisation",
            "this is not an organisation you can bring a case for",
        ));
    }
    cases::add(conn, &case)?;
    events::append(
        conn,
        events::Entry {
            chain: format!("case:{}", case.id),
            at: now,
            actor: actor.person,
            capacity: as_what.name(),
            on_behalf_of: new.on_behalf_of.as_ref().map(|b| b.organisation),
            event: action.name().word(),
            audience: Audience::Intake,
            keeper: Keeper::Case(case.id),
            body: json!({ "asked": action.written(), "on_behalf_of": new.on_behalf_of, "stage": case.stage }),
        },
    )?;
    read::seen(conn, &case, as_what, actor, now)
}

/// Draws a reference nobody has; with more cases in a year than four letters can tell apart, it grows.
fn free_reference(conn: &mut Conn, now: Moment) -> Result<Reference, Error> {
    let year = now.london_day().0.year();
    let mut drawn = [0u8; 12];
    for attempt in 0..64 {
        rand::rng().fill_bytes(&mut drawn);
        let reference = Reference::spelt(year, &drawn[..4 + attempt / 8]);
        if !cases::reference_taken(conn, &reference)? {
            return Ok(reference);
        }
    }
    Err(Error::Conflict(
        "no-reference",
        "no free reference was found; please try again",
    ))
}
