//! Agreed actions (SPEC §7): proposing, circulating, accepting one hash, concluding.
use super::{Asking, Room, Stop, answers_what_stands, flaw, read_back};
use crate::domain::action::{Circulate, DeclineAgreement, EventName};
use crate::domain::agreement::{
    AgreedAction, Agreement, Circulated, Proposer, Signature, SigningChannel, Terms, When,
};
use crate::domain::case::{Case, Side};
use crate::domain::deadline::DeadlineKind;
use crate::domain::id::ActionId;
use crate::domain::reason::Reason;
use crate::domain::review::standards;
use crate::domain::text::Prose;

/// More than anybody can keep in mind, and few enough to store.
const MOST_ACTIONS: usize = 60;

fn check(case: &Case, ask: &Asking<'_>, terms: &Terms) -> Room {
    let today = ask.now.london_day();
    if case.side_of(terms.owner).is_none() {
        return Err(flaw(
            "/terms/owner",
            "the owner must be an organisation in this case",
        ));
    }
    if terms.priorities.is_empty() {
        return Err(flaw(
            "/terms/priorities",
            "please choose at least one: cooperation, shared_learning or community_benefit",
        ));
    }
    if let When::By(day) = &terms.when
        && *day <= today
    {
        return Err(flaw("/terms/when/by", "please choose a day to come"));
    }
    if terms.review_on.is_some_and(|day| day <= today) {
        return Err(flaw("/terms/review_on", "please choose a day to come"));
    }
    if terms
        .standards
        .iter()
        .any(|n| !standards().iter().any(|s| s.number == *n))
    {
        return Err(flaw(
            "/terms/standards",
            "the standards are numbered 1 to 33",
        ));
    }
    Ok(())
}

fn proposer(ask: &Asking<'_>) -> Proposer {
    match ask.capacity.side() {
        Some(Side::Initiating) => Proposer::Initiating,
        Some(Side::Invited) => Proposer::Invited,
        None => Proposer::Neutral,
    }
}

pub(super) fn propose(case: &mut Case, ask: &Asking<'_>, terms: &Terms) -> Room {
    check(case, ask, terms)?;
    if case.agreements.drafting.len() >= MOST_ACTIONS {
        return Err(flaw(
            "/terms",
            "there are already 60 actions; please join some of them",
        ));
    }
    case.agreements.drafting.push(AgreedAction {
        id: ActionId(ask.fresh),
        proposed_by: proposer(ask),
        changed_by: None,
        terms: terms.clone(),
    });
    Ok(())
}

pub(super) fn amend(case: &mut Case, ask: &Asking<'_>, action: ActionId, terms: &Terms) -> Room {
    check(case, ask, terms)?;
    let by = proposer(ask);
    let action = on_the_table(case, action)?;
    action.terms = terms.clone();
    action.changed_by = Some(by);
    back_to_drafting(case);
    Ok(())
}

/// A proposal is taken off by the side that made it, or by the neutral.
pub(super) fn withdraw(case: &mut Case, ask: &Asking<'_>, action: ActionId) -> Room {
    let by = on_the_table(case, action)?.proposed_by;
    if proposer(ask) != Proposer::Neutral && proposer(ask) != by {
        return Err(Reason::NotYourAction.into());
    }
    case.agreements.drafting.retain(|a| a.id != action);
    back_to_drafting(case);
    Ok(())
}

fn on_the_table(case: &mut Case, action: ActionId) -> Result<&mut AgreedAction, Stop> {
    case.agreements
        .drafting
        .iter_mut()
        .find(|a| a.id == action)
        .ok_or_else(|| Reason::NotYourAction.into())
}

fn back_to_drafting(case: &mut Case) {
    case.agreements.unlock();
    case.clocks.stop(DeadlineKind::Signing);
}

pub(super) fn circulate(case: &mut Case, ask: &Asking<'_>, body: &Circulate) -> Room {
    case.agreements.still_open = body.still_open.clone();
    let hash = case.agreements.draft_hash();
    case.agreements.circulated = Some(Circulated {
        hash,
        at: ask.now,
        accepted: Default::default(),
        declined: Default::default(),
    });
    let nations = case.nations();
    case.clocks.start(
        DeadlineKind::Signing,
        ask.facts.spans.signing,
        ask.now,
        &nations,
    );
    Ok(())
}

pub(super) fn accept(case: &mut Case, ask: &Asking<'_>, hash: &str) -> Room {
    answers_what_stands(hash, EventName::AcceptAgreement, case, ask)?;
    read_back(ask, hash)?;
    let (_, organisation) = ask.party();
    let channel = if ask.on_behalf_of.is_some() {
        SigningChannel::ReadBack
    } else {
        SigningChannel::SignedIn
    };
    let draft = case
        .agreements
        .circulated
        .as_mut()
        .ok_or(Reason::NothingCirculating)?;
    draft.declined.remove(&organisation);
    draft.accepted.insert(
        organisation,
        Signature {
            person: ask.person(),
            at: ask.now,
            channel,
        },
    );
    Ok(())
}

pub(super) fn decline(case: &mut Case, ask: &Asking<'_>, body: &DeclineAgreement) -> Room {
    answers_what_stands(&body.answers, EventName::DeclineAgreement, case, ask)?;
    let (_, organisation) = ask.party();
    let draft = case
        .agreements
        .circulated
        .as_mut()
        .ok_or(Reason::NothingCirculating)?;
    draft.accepted.remove(&organisation);
    draft
        .declined
        .insert(organisation, body.what_would_help.clone());
    Ok(())
}

pub(super) fn conclude(case: &mut Case, ask: &Asking<'_>) -> Room {
    let room = &mut case.agreements;
    let draft = room.circulated.take().ok_or(Reason::NothingCirculating)?;
    let agreement = Agreement {
        hash: draft.hash,
        actions: std::mem::take(&mut room.drafting),
        still_open: room.still_open.take(),
        signed: draft.accepted,
        in_force_since: ask.now,
    };
    room.superseded.extend(room.in_force.replace(agreement));
    case.clocks.stop(DeadlineKind::Signing);
    case.clocks.stop(DeadlineKind::AgreedActions);
    Ok(())
}

/// Going one stage back: a draft that was going round returns to drafting.
pub(super) fn take_back(case: &mut Case, reason: &Prose) -> Room {
    case.review.returned_because = Some(reason.clone());
    back_to_drafting(case);
    Ok(())
}
