//! Whose turn it is, and what is due: for the case itself, and as somebody may know it.
use std::collections::BTreeSet;

use crate::domain::access::{Capacity, Section, reads};
use crate::domain::case::{Case, Side, Stage};
use crate::domain::deadline::{Deadline, DeadlineKind};

use super::shape::Turn;

/// Whose turn it is in a case, recomputed at every event (LOOK: *waiting for*). Empty is nobody.
#[must_use]
pub fn waiting_for(case: &Case) -> BTreeSet<Turn> {
    let turn_of = |side: Side| match side {
        Side::Initiating => Turn::Initiating,
        Side::Invited => Turn::Invited,
    };
    let sides_where = |waits: &dyn Fn(Side) -> bool| {
        Side::BOTH
            .into_iter()
            .filter(|side| waits(*side))
            .map(turn_of)
            .collect::<BTreeSet<_>>()
    };
    if case.hold.is_some() {
        return BTreeSet::new();
    }
    let else_neutral = |those: BTreeSet<Turn>| {
        if those.is_empty() {
            BTreeSet::from([Turn::Facilitator])
        } else {
            those
        }
    };
    match case.stage {
        Stage::Draft => BTreeSet::from([Turn::Initiating]),
        Stage::Intake if case.intake.questions.iter().any(|q| q.answer.is_none()) => {
            BTreeSet::from([Turn::Initiating])
        }
        Stage::Intake if case.neutrals.asked().is_some() => BTreeSet::from([Turn::Facilitator]),
        Stage::Intake => BTreeSet::from([Turn::Coordinator]),
        Stage::EarlyConversation | Stage::StandardsReview | Stage::AgreedActions
            if case.neutrals.open_objection().is_some() || case.neutrals.facilitator.is_none() =>
        {
            BTreeSet::from([Turn::Coordinator])
        }
        Stage::EarlyConversation if case.invited_at.is_none() => {
            BTreeSet::from([Turn::Coordinator])
        }
        Stage::EarlyConversation => else_neutral(sides_where(&|side| {
            let answered = side == Side::Initiating
                || case.sides.invited.iter().all(|p| {
                    case.conversation
                        .responses
                        .get(&p.organisation)
                        .is_some_and(|r| r.answer.takes_part())
                });
            !answered || !case.all_of(side, case.conversation.agreed_to_talk.of(side))
        })),
        Stage::StandardsReview => match &case.review.joint {
            None => else_neutral(sides_where(&|side| case.review.shared.of(side).is_none())),
            Some(joint) => else_neutral(sides_where(&|side| {
                !case.all_of(side, joint.confirmed.of(side))
            })),
        },
        Stage::AgreedActions => match &case.agreements.circulated {
            Some(draft) => else_neutral(sides_where(&|side| {
                case.sides
                    .of(side)
                    .iter()
                    .any(|p| !draft.accepted.contains_key(&p.organisation))
            })),
            None if case.agreements.in_force.is_some() && case.agreements.drafting.is_empty() => {
                BTreeSet::from([Turn::Facilitator])
            }
            None => BTreeSet::from([Turn::Initiating, Turn::Invited, Turn::Facilitator]),
        },
        Stage::Closed if case.closing.reopen_request.is_some() => {
            BTreeSet::from([Turn::Coordinator])
        }
        Stage::Closed => BTreeSet::new(),
    }
}

/// Whose turn it is, as somebody in `capacity` may know it. While readings are sealed, a side that has not shared
/// sees only its own turn; and whether a neutral has been asked is not for the sides before somebody has accepted.
#[must_use]
pub fn waiting_seen(case: &Case, capacity: Capacity) -> BTreeSet<Turn> {
    let all = waiting_for(case);
    let insider = matches!(
        capacity,
        Capacity::Neutral | Capacity::Coordinator | Capacity::System
    );
    if insider || case.stage == Stage::Draft {
        return all;
    }
    let own = capacity.side().map(|side| match side {
        Side::Initiating => Turn::Initiating,
        Side::Invited => Turn::Invited,
    });
    if case.stage == Stage::StandardsReview && case.review.revealed.is_none() {
        return match own {
            Some(own) if all.contains(&own) => BTreeSet::from([own]),
            Some(_) => all,
            None => BTreeSet::new(),
        };
    }
    if case.stage == Stage::Intake
        && all.contains(&Turn::Facilitator)
        && capacity != Capacity::Asked
    {
        return BTreeSet::from([Turn::Coordinator]);
    }
    all
}

/// The deadlines somebody in `capacity` may know of: CLERO's own clocks are not the sides' business.
pub(super) fn deadlines_seen(case: &Case, capacity: Capacity) -> impl Iterator<Item = &Deadline> {
    case.clocks.open.iter().filter(move |d| match d.kind {
        DeadlineKind::Triage => {
            capacity == Capacity::Coordinator
                || (capacity.side() == Some(Side::Initiating) && case.invited_at.is_none())
        }
        DeadlineKind::Acceptance => matches!(capacity, Capacity::Coordinator | Capacity::Asked),
        DeadlineKind::Response
        | DeadlineKind::Objection
        | DeadlineKind::ObjectionDecision
        | DeadlineKind::EarlyConversationReview
        | DeadlineKind::EarlyConversation
        | DeadlineKind::StandardsReview
        | DeadlineKind::AgreedActions
        | DeadlineKind::Signing
        | DeadlineKind::HoldEnds => reads(case, capacity, Section::Summary),
    })
}
