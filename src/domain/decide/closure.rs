//! Pausing, leaving, closing, coming back, and the clocks people agree on.
use std::collections::BTreeSet;

use chrono::Duration;

use super::{Asking, Room, Stop, answers_what_stands, flaw};
use crate::domain::access::Capacity;
use crate::domain::action::{
    Close, EventName, Hold, ProposeSummary, ProposeTimetable, RequestReopen,
};
use crate::domain::case::{self, BySide, Case, Stage};
use crate::domain::closure::{
    ActionAtClosure, AtClosure, Closed, Outcome, ReopenRequest, Summary, WordsOf,
};
use crate::domain::deadline::{DeadlineKind, Timetable};
use crate::domain::hash::hash_of;
use crate::domain::id::ActionId;
use crate::domain::reason::{Reason, may_reopen};
use crate::domain::text::Prose;

pub(super) fn propose_summary(case: &mut Case, body: &ProposeSummary) -> Room {
    case.closing.summary = Some(Summary {
        text: body.summary.clone(),
        hash: hash_of(&body.summary),
        agreed: BySide::default(),
    });
    Ok(())
}

pub(super) fn agree_summary(case: &mut Case, ask: &Asking<'_>, hash: &str) -> Room {
    answers_what_stands(hash, EventName::AgreeSummary, case, ask)?;
    let (side, organisation) = ask.party();
    case.closing
        .summary
        .as_mut()
        .ok_or(Reason::NoSummary)?
        .agreed
        .of_mut(side)
        .insert(organisation);
    Ok(())
}

pub(super) fn close(case: &mut Case, ask: &Asking<'_>, body: &Close) -> Room {
    let fits = body.outcome.may_be_chosen()
        && case.stage >= body.outcome.earliest()
        && (!body.outcome.needs_agreement() || case.agreements.in_force.is_some());
    let mut reasons = Vec::new();
    if !fits {
        reasons.push(Reason::OutcomeDoesNotFit);
    }
    if !body.sessions_logged {
        reasons.push(Reason::SessionsNotLogged);
    }
    let actions = ends_of_actions(case, ask, &body.actions)?;
    if actions.is_none() {
        reasons.push(Reason::ActionsLeftOpen);
    }
    if case.agreements.circulated.is_some() && body.outcome.needs_agreement() {
        reasons.push(Reason::DraftIsCirculating);
    }
    if !reasons.is_empty() {
        return Err(Stop::Reasons(reasons));
    }
    let (summary, words_of) = last_words(case, body.summary.as_ref())?;
    case.closing.closed = Some(Closed {
        outcome: body.outcome,
        at: ask.now,
        summary,
        words_of,
        not_agreed_because: body.not_agreed_because.clone(),
        declined_because: BTreeSet::new(),
        signposting: body.signposting.clone(),
        actions: actions.unwrap_or_default(),
        left: None,
        left_because: None,
    });
    Ok(())
}

/// What becomes of every action in force; `None` where one is left open. A coordinator does not read the actions, so
/// without a list all of them go to follow-up.
fn ends_of_actions(
    case: &Case,
    ask: &Asking<'_>,
    listed: &[ActionAtClosure],
) -> Result<Option<Vec<ActionAtClosure>>, Stop> {
    let agreed: BTreeSet<ActionId> = case
        .agreements
        .in_force
        .iter()
        .flat_map(|a| &a.actions)
        .map(|a| a.id)
        .collect();
    if ask.capacity == Capacity::Coordinator && listed.is_empty() {
        return Ok(Some(
            agreed
                .into_iter()
                .map(|action| ActionAtClosure {
                    action,
                    becomes: AtClosure::MovedToFollowUp,
                    note: None,
                })
                .collect(),
        ));
    }
    let named: BTreeSet<ActionId> = listed.iter().map(|a| a.action).collect();
    if let Some(i) = listed.iter().position(|a| !agreed.contains(&a.action)) {
        return Err(flaw(
            &format!("/actions/{i}/action"),
            "this is not an action in force",
        ));
    }
    if named.len() != listed.len() {
        return Err(flaw("/actions", "please name each action once"));
    }
    Ok((named == agreed).then(|| listed.to_vec()))
}

/// The summary both agreed to, else the facilitator's words, marked so; before anything began it may be left out.
fn last_words(
    case: &Case,
    given: Option<&Prose>,
) -> Result<(Option<Prose>, Option<WordsOf>), Stop> {
    let agreed = case
        .closing
        .summary
        .as_ref()
        .filter(|s| case.everyone_in(&s.agreed))
        .map(|s| s.text.clone());
    match (agreed, given) {
        (Some(_), Some(_)) => Err(flaw(
            "/summary",
            "both sides have agreed a summary; please leave this out",
        )),
        (Some(text), None) => Ok((Some(text), Some(WordsOf::Both))),
        (None, Some(text)) => Ok((Some(text.clone()), Some(WordsOf::Facilitator))),
        (None, None) if case.stage == Stage::Intake => Ok((None, None)),
        (None, None) => Err(flaw(
            "/summary",
            "please write a summary; it will be marked as the facilitator's words",
        )),
    }
}

pub(super) fn withdraw(case: &mut Case, ask: &Asking<'_>, reason: Option<&Prose>) -> Room {
    case.closing.closed = Some(Closed {
        outcome: Outcome::Withdrawn,
        at: ask.now,
        summary: None,
        words_of: None,
        not_agreed_because: BTreeSet::new(),
        declined_because: BTreeSet::new(),
        signposting: None,
        actions: Vec::new(),
        left: ask.capacity.side(),
        left_because: reason.cloned(),
    });
    Ok(())
}

pub(super) fn hold(case: &mut Case, ask: &Asking<'_>, body: &Hold) -> Room {
    let (spans, today) = (&ask.facts.spans, ask.now.london_day());
    if ask.capacity.side().is_some() && body.until.is_some() && case.neutrals.in_place().is_some() {
        return Err(flaw(
            "/until",
            "the facilitator sets the length of a pause; please leave this out",
        ));
    }
    let last = today + Duration::days(i64::from(spans.hold_days));
    let until = body
        .until
        .unwrap_or(today + Duration::days(i64::from(spans.first_hold_days.min(spans.hold_days))));
    if until <= today || until > last {
        return Err(flaw(
            "/until",
            &format!(
                "a pause lasts at most {} days; please choose a day until {last}",
                spans.hold_days
            ),
        ));
    }
    let nations = case.nations();
    case.clocks.set(
        DeadlineKind::HoldEnds,
        until,
        "the length of the pause was set",
        ask.now,
        &nations,
    );
    let until = case
        .clocks
        .open
        .iter()
        .find(|d| d.kind == DeadlineKind::HoldEnds)
        .map_or(ask.now, |d| d.due);
    match &mut case.hold {
        Some(hold) => hold.until = until,
        None => {
            case.hold = Some(case::Hold {
                since: ask.now,
                until,
                asked_by: ask.capacity.side(),
                reason: body.reason.clone(),
            })
        }
    }
    Ok(())
}

pub(super) fn resume(case: &mut Case, ask: &Asking<'_>) -> Room {
    let hold = case.hold.take().ok_or(Reason::NotOnHold)?;
    let nations = case.nations();
    case.clocks.stop(DeadlineKind::HoldEnds);
    case.clocks.restart(hold.since, ask.now, &nations);
    Ok(())
}

pub(super) fn request_reopen(case: &mut Case, ask: &Asking<'_>, body: &RequestReopen) -> Room {
    if !may_reopen(case, body.new_facts, ask.facts, ask.now) {
        return Err(Reason::ReopeningNotPossible.into());
    }
    case.closing.reopen_request = Some(ReopenRequest {
        by: ask.party().0,
        why: body.why.clone(),
        new_facts: body.new_facts,
        at: ask.now,
    });
    Ok(())
}

pub(super) fn reopen(case: &mut Case, stage: Stage) -> Room {
    if !Stage::OPEN.contains(&stage) || !case.closing.reached.contains(&stage) {
        return Err(Reason::StageNotReached.into());
    }
    case.stage = stage;
    let closed = case.closing.closed.take();
    case.closing.earlier.extend(closed);
    case.closing.reopen_request = None;
    // What was summed up then is not what is said next time.
    case.closing.summary = None;
    Ok(())
}

pub(super) fn propose_timetable(
    case: &mut Case,
    ask: &Asking<'_>,
    body: &ProposeTimetable,
) -> Room {
    let today = ask.now.london_day();
    for (kind, day) in &body.until {
        let pointer = format!(
            "/until/{}",
            serde_json::to_value(kind)
                .ok()
                .and_then(|w| w.as_str().map(str::to_owned))
                .unwrap_or_default()
        );
        if matches!(
            kind,
            DeadlineKind::HoldEnds
                | DeadlineKind::Acceptance
                | DeadlineKind::ObjectionDecision
                | DeadlineKind::Triage
        ) {
            return Err(flaw(
                &pointer,
                "the sides can agree dates for answering, talking, the review, the actions and signing",
            ));
        }
        if *day <= today || *day > today + Duration::days(730) {
            return Err(flaw(
                &pointer,
                "please choose a day to come, within two years",
            ));
        }
    }
    if body.until.is_empty() {
        return Err(flaw("/until", "please name at least one date"));
    }
    case.clocks.proposed = Some(Timetable {
        hash: hash_of(&body.until),
        until: body.until.clone(),
        agreed: BySide::default(),
    });
    Ok(())
}

pub(super) fn agree_timetable(case: &mut Case, ask: &Asking<'_>, hash: &str) -> Room {
    answers_what_stands(hash, EventName::AgreeTimetable, case, ask)?;
    let (side, organisation) = ask.party();
    let mut proposed = case.clocks.proposed.take().ok_or(Reason::NoTimetable)?;
    proposed.agreed.of_mut(side).insert(organisation);
    if !case.everyone_in(&proposed.agreed) {
        case.clocks.proposed = Some(proposed);
        return Ok(());
    }
    let nations = case.nations();
    let running: Vec<DeadlineKind> = case.clocks.open.iter().map(|d| d.kind).collect();
    for (kind, day) in proposed
        .until
        .iter()
        .filter(|(kind, _)| running.contains(kind))
    {
        case.clocks.set(
            *kind,
            *day,
            "both sides agreed other dates",
            ask.now,
            &nations,
        );
    }
    case.clocks.timetable = Some(proposed);
    Ok(())
}

pub(super) fn deadline_passed(case: &mut Case, ask: &Asking<'_>, kind: DeadlineKind) -> Room {
    let nations = case.nations();
    let deadline = case
        .clocks
        .open
        .iter_mut()
        .find(|d| d.kind == kind && d.passed.is_none() && d.noticed_from(&nations) <= ask.now)
        .ok_or(Reason::NoSuchClock)?;
    deadline.passed = Some(ask.now);
    Ok(())
}
