//! Neutrals (SPEC §4): asking, accepting, stepping back, objections and observers.
use super::{Asking, Room, answers_what_stands, flaw};
use crate::domain::action::{
    AcceptAppointment, DecideObjection, DeclineAppointment, EventName, Object,
};
use crate::domain::case::{BySide, Case, Side};
use crate::domain::deadline::DeadlineKind;
use crate::domain::id::{ObjectionId, PersonId};
use crate::domain::neutral::{
    Appointment, AppointmentState, Check, Objection, ObjectionDecision, ObjectionResult, Observer,
    fixed_conflicts,
};
use crate::domain::people::Actor;
use crate::domain::procedure::may_facilitate;
use crate::domain::reason::Reason;
use crate::domain::text::Prose;

pub(super) fn assign(case: &mut Case, ask: &Asking<'_>, person: PersonId) -> Room {
    if Some(person) == ask.person {
        return Err(flaw("/person", "nobody appoints themselves"));
    }
    may_facilitate(case, person, ask.facts.named.as_ref(), ask.now)?;
    case.neutrals.facilitator = Some(Appointment {
        person,
        state: AppointmentState::Asked,
        asked_at: ask.now,
        answered_at: None,
        acceptance: None,
    });
    record_check(case, ask, ask.facts.named.as_ref());
    let nations = case.nations();
    case.clocks.start(
        DeadlineKind::Acceptance,
        ask.facts.spans.acceptance,
        ask.now,
        &nations,
    );
    Ok(())
}

pub(super) fn accept(case: &mut Case, ask: &Asking<'_>, body: &AcceptAppointment) -> Room {
    answers_what_stands(&body.answers, EventName::AcceptAppointment, case, ask)?;
    let said = &body.acceptance;
    if !(said.available && said.impartial && said.will_disclose_changes) {
        return Err(flaw(
            "/acceptance",
            "accepting means having time, being even-handed, and saying so if that changes; if one of these is not true, please decline",
        ));
    }
    let appointment = case
        .neutrals
        .facilitator
        .as_mut()
        .ok_or(Reason::NoFacilitatorInPlace)?;
    appointment.state = AppointmentState::Accepted;
    appointment.answered_at = Some(ask.now);
    appointment.acceptance = Some(said.clone());
    case.clocks.stop(DeadlineKind::Acceptance);
    let nations = case.nations();
    case.clocks.start(
        DeadlineKind::Objection,
        ask.facts.spans.objection,
        ask.now,
        &nations,
    );
    record_check(case, ask, ask.facts.facilitator.as_ref());
    Ok(())
}

pub(super) fn decline(case: &mut Case, ask: &Asking<'_>, body: &DeclineAppointment) -> Room {
    answers_what_stands(&body.answers, EventName::DeclineAppointment, case, ask)?;
    leave(case, ask, AppointmentState::Declined);
    Ok(())
}

pub(super) fn step_back(case: &mut Case, ask: &Asking<'_>) -> Room {
    leave(case, ask, AppointmentState::SteppedBack);
    Ok(())
}

pub(super) fn replace(case: &mut Case, ask: &Asking<'_>, person: PersonId) -> Room {
    if case
        .neutrals
        .facilitator
        .as_ref()
        .is_some_and(|a| a.person == person)
    {
        return Err(flaw("/person", "this is the present facilitator"));
    }
    leave(case, ask, AppointmentState::Replaced);
    assign(case, ask, person)
}

/// Ends the present appointment; an objection to somebody who has left needs no decision any more.
fn leave(case: &mut Case, ask: &Asking<'_>, state: AppointmentState) {
    let person = case.neutrals.facilitator.as_ref().map(|a| a.person);
    case.neutrals.end_appointment(state);
    case.clocks.stop(DeadlineKind::Acceptance);
    case.clocks.stop(DeadlineKind::Objection);
    if let Some(open) = case
        .neutrals
        .objections
        .iter_mut()
        .find(|o| o.decided.is_none() && Some(o.person) == person)
    {
        let reasons =
            Prose::parse("The facilitator is no longer in this case.").expect("a plain sentence");
        open.decided = Some(ObjectionDecision {
            result: ObjectionResult::NoLongerNeeded,
            reasons,
            at: ask.now,
        });
    }
    if case.neutrals.open_objection().is_none() {
        case.clocks.stop(DeadlineKind::ObjectionDecision);
    }
}

pub(super) fn object(case: &mut Case, ask: &Asking<'_>, body: &Object) -> Room {
    let person = case
        .neutrals
        .in_place()
        .ok_or(Reason::NoFacilitatorInPlace)?;
    let (side, _) = ask.party();
    case.neutrals.objections.push(Objection {
        id: ObjectionId(ask.fresh),
        by: side,
        person,
        reasons: body.reasons.clone(),
        at: ask.now,
        decided: None,
    });
    let nations = case.nations();
    case.clocks.start(
        DeadlineKind::ObjectionDecision,
        ask.facts.spans.objection_decision,
        ask.now,
        &nations,
    );
    Ok(())
}

pub(super) fn decide_objection(case: &mut Case, ask: &Asking<'_>, body: &DecideObjection) -> Room {
    let objection = case
        .neutrals
        .objections
        .iter_mut()
        .find(|o| o.id == body.objection && o.decided.is_none())
        .ok_or(Reason::NoObjectionOpen)?;
    objection.decided = Some(ObjectionDecision {
        result: body.result,
        reasons: body.reasons.clone(),
        at: ask.now,
    });
    let person = objection.person;
    case.clocks.stop(DeadlineKind::ObjectionDecision);
    if body.result == ObjectionResult::Upheld {
        case.neutrals.excluded.insert(person);
        leave(case, ask, AppointmentState::Removed);
    }
    Ok(())
}

pub(super) fn admit_observer(case: &mut Case, ask: &Asking<'_>, person: PersonId) -> Room {
    let Some(observer) = &ask.facts.named else {
        return Err(flaw("/person", "there is no such person"));
    };
    let of_a_side = case.organisations().any(|o| observer.belongs_to(o));
    if case.neutrals.excluded.contains(&person)
        || of_a_side
        || case
            .neutrals
            .facilitator
            .as_ref()
            .is_some_and(|a| a.person == person)
    {
        return Err(Reason::ObserverConnected.into());
    }
    let (side, organisation) = ask.party();
    let place = match case
        .neutrals
        .observers
        .iter()
        .position(|o| o.person == person)
    {
        Some(place) => place,
        None => {
            case.neutrals.observers.push(Observer {
                person,
                consents: BySide::default(),
                admitted: None,
            });
            case.neutrals.observers.len() - 1
        }
    };
    case.neutrals.observers[place]
        .consents
        .of_mut(side)
        .insert(organisation);
    let everyone = case.everyone_in(&case.neutrals.observers[place].consents);
    if everyone {
        case.neutrals.observers[place]
            .admitted
            .get_or_insert(ask.now);
    }
    Ok(())
}

/// Runs the check of the present facilitator again, as at every stage change (SPEC §4).
pub(super) fn check_again(case: &mut Case, ask: &Asking<'_>) {
    if case.neutrals.facilitator.is_some() {
        record_check(case, ask, ask.facts.facilitator.as_ref());
    }
}

fn record_check(case: &mut Case, ask: &Asking<'_>, person: Option<&Actor>) {
    let Some((actor, id)) = person.and_then(|actor| Some((actor, actor.person?))) else {
        return;
    };
    let parties: Vec<_> = Side::BOTH
        .into_iter()
        .flat_map(|side| case.sides.of(side))
        .map(|p| p.organisation)
        .collect();
    let excluded_by = fixed_conflicts(&actor.ties, &parties, ask.now.london_day());
    case.neutrals.checks.push(Check {
        person: id,
        at: ask.now,
        ties: actor.ties.len(),
        parties,
        excluded_by,
    });
}
