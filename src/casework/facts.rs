//! Gathering what the rules need from outside a case, for one person and one request.
use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use crate::domain::access::{Capacity, capacity};
use crate::domain::action::Action;
use crate::domain::case::{Case, Party, Stage};
use crate::domain::deadline::Spans;
use crate::domain::facts::Facts;
use crate::domain::id::{OrganisationId, PersonId};
use crate::domain::people::{Actor, MembershipState};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{cases, people, readings, register};

/// Reads the facts for `actor`, who meets `case` as `as_what`, and wants to do `action` (or asks what is possible).
pub fn gather(
    conn: &mut Conn,
    spans: &Spans,
    case: &Case,
    actor: &Actor,
    as_what: Capacity,
    action: Option<&Action>,
    now: Moment,
) -> Result<Facts, Error> {
    let mut wanted: BTreeSet<OrganisationId> = case.organisations().collect();
    let mut named_person = None;
    let mut other_case = None;
    match action {
        Some(Action::SaveDraft(body)) => {
            wanted.extend(&body.with);
            wanted.extend(&body.together_with);
        }
        Some(Action::AssignFacilitator(body)) => named_person = Some(body.person),
        Some(Action::ReplaceFacilitator(body)) => named_person = Some(body.person),
        Some(Action::AdmitObserver(body)) => named_person = Some(body.person),
        Some(Action::LinkCase(body)) => other_case = Some(body.case),
        Some(_) | None => {}
    }
    let essentials = register::essentials(conn, &wanted)?;
    let organisations: BTreeMap<OrganisationId, Party> = essentials
        .iter()
        .map(|(id, e)| {
            (
                *id,
                Party {
                    organisation: *id,
                    nation: e.nation,
                    constituted: e.constituted,
                },
            )
        })
        .collect();
    let not_leros = case
        .organisations()
        .filter(|o| {
            essentials
                .get(o)
                .is_none_or(|e| !e.kind.is_lero() || e.merged_into.is_some())
        })
        .collect();
    let facilitator: Option<PersonId> = case.neutrals.facilitator.as_ref().map(|a| a.person);
    let other_case_seen = match other_case {
        Some(id) => cases::find(conn, id)?.is_some_and(|other| {
            other.stage != Stage::Draft && capacity(&other, actor, now).is_some()
        }),
        None => false,
    };
    let drafting = case.stage == Stage::Draft;
    if matches!(action, Some(Action::Submit(_))) {
        // One submission of these organisations at a time, so that one matter is opened once.
        for organisation in &wanted {
            register::lock(conn, *organisation)?;
        }
    }
    Ok(Facts {
        organisations,
        not_leros,
        asker_on_both_sides: drafting && on_both_sides(case, actor, action),
        twin: drafting
            && matches!(action, None | Some(Action::Submit(_)))
            && twin(conn, case, actor, now)?,
        facilitator: facilitator
            .map(|id| people::actor(conn, id))
            .transpose()?
            .flatten(),
        named: named_person
            .map(|id| people::actor(conn, id))
            .transpose()?
            .flatten(),
        reading: match as_what.side() {
            Some(side) if case.stage == Stage::StandardsReview => {
                readings::find(conn, case.id, side)?
            }
            Some(_) | None => None,
        },
        without_lead: if as_what == Capacity::Coordinator && case.invited_at.is_none() {
            without_lead(conn, case)?
        } else {
            Vec::new()
        },
        other_case_seen,
        spans: spans.clone(),
    })
}

/// Whether the person would sit on both sides of the draft as it is, or as it is about to be.
fn on_both_sides(case: &Case, actor: &Actor, action: Option<&Action>) -> bool {
    let own = case
        .sides
        .initiating
        .iter()
        .any(|p| actor.belongs_to(p.organisation));
    let across = match action {
        Some(Action::SaveDraft(body)) => body.with.iter().any(|o| actor.belongs_to(*o)),
        Some(_) | None => case
            .sides
            .invited
            .iter()
            .any(|p| actor.belongs_to(p.organisation)),
    };
    own && across
}

/// Whether the same organisations already have an open case on one of the same grounds, which this person may see.
fn twin(conn: &mut Conn, case: &Case, actor: &Actor, now: Moment) -> Result<bool, Error> {
    let open = cases::open_between(conn, &case.organisations().collect(), case.id)?;
    Ok(open.iter().any(|other| {
        other
            .intake
            .statement
            .grounds
            .intersection(&case.intake.statement.grounds)
            .next()
            .is_some()
            && capacity(other, actor, now).is_some()
    }))
}

fn without_lead(conn: &mut Conn, case: &Case) -> Result<Vec<OrganisationId>, Error> {
    let mut missing = Vec::new();
    for party in &case.sides.invited {
        if !people::memberships_in(conn, party.organisation)?
            .iter()
            .any(|m| m.lead && m.state != MembershipState::Ended)
        {
            missing.push(party.organisation);
        }
    }
    Ok(missing)
}
