//! The standards review: opening it, sharing readings, the joint reading.
use std::collections::BTreeSet;

use super::{Asking, Room, answers_what_stands, flaw};
use crate::domain::action::{BeginStandardsReview, EventName, RecordJointReading};
use crate::domain::case::{BySide, Case};
use crate::domain::hash::hash_of;
use crate::domain::reason::Reason;
use crate::domain::review::{CURRENT_FRAME, JointReading, PRINCIPLES, Theme, standards};

pub(super) fn begin(case: &mut Case, _: &Asking<'_>, body: &BeginStandardsReview) -> Room {
    if case.conversation.sessions.is_empty() && body.without_session_because.is_none() {
        return Err(Reason::NoSessionYet.into());
    }
    case.conversation.no_session_because = body.without_session_because.clone();
    case.review
        .frame
        .get_or_insert_with(|| CURRENT_FRAME.to_owned());
    Ok(())
}

pub(super) fn share(case: &mut Case, ask: &Asking<'_>, hash: &str) -> Room {
    answers_what_stands(hash, EventName::ShareReading, case, ask)?;
    let (side, _) = ask.party();
    *case.review.shared.of_mut(side) = Some(hash.to_owned());
    if case.review.shared.both(Option::is_some) {
        case.review.revealed = Some(ask.now);
    }
    Ok(())
}

pub(super) fn record_joint(case: &mut Case, ask: &Asking<'_>, body: &RecordJointReading) -> Room {
    let known = |n: u8| standards().iter().any(|s| s.number == n);
    if let Some(i) = body
        .minutes
        .iter()
        .position(|m| m.standard.is_some_and(|n| !known(n)))
    {
        return Err(flaw(
            &format!("/minutes/{i}/standard"),
            "the standards are numbered 1 to 33",
        ));
    }
    if body.minutes.len() > 40 {
        return Err(flaw("/minutes", "please keep to 40 minutes at most"));
    }
    let themes: BTreeSet<Theme> = body.minutes.iter().map(|m| m.theme).collect();
    if !PRINCIPLES
        .iter()
        .all(|principle| themes.contains(principle))
    {
        return Err(Reason::PrinciplesNotCovered.into());
    }
    case.review.joint = Some(JointReading {
        minutes: body.minutes.clone(),
        hash: hash_of(&body.minutes),
        at: ask.now,
        confirmed: BySide::default(),
    });
    Ok(())
}

pub(super) fn confirm_joint(case: &mut Case, ask: &Asking<'_>, hash: &str) -> Room {
    answers_what_stands(hash, EventName::ConfirmJointReading, case, ask)?;
    let (side, organisation) = ask.party();
    case.review
        .joint
        .as_mut()
        .ok_or(Reason::NoJointReading)?
        .confirmed
        .of_mut(side)
        .insert(organisation);
    Ok(())
}
