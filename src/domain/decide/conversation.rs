//! Early conversation: answers, the agreement to talk, sessions.
use super::{Asking, Room, answers_what_stands, flaw};
use crate::domain::action::{EventName, Respond};
use crate::domain::case::{BySide, Case, Side};
use crate::domain::conversation::{Answer, ConfidentialityModel, Response, Session};
use crate::domain::deadline::DeadlineKind;
use crate::domain::reason::Reason;

/// The invited side has its time from the later of the invitation and the beginning of the conversation.
pub(super) fn start_response_clock(case: &mut Case, ask: &Asking<'_>) {
    let waiting = case.sides.invited.iter().any(|p| {
        !case
            .conversation
            .responses
            .get(&p.organisation)
            .is_some_and(|r| r.answer.takes_part())
    });
    if case.invited_at.is_some() && waiting {
        let nations = case.nations();
        case.clocks.start(
            DeadlineKind::Response,
            ask.facts.spans.response,
            ask.now,
            &nations,
        );
    }
}

pub(super) fn respond(case: &mut Case, ask: &Asking<'_>, body: &Respond) -> Room {
    answers_what_stands(&body.answers, EventName::Respond, case, ask)?;
    let (_, organisation) = ask.party();
    if body.answer == Answer::TakePartWithOwnAccount && body.account.is_none() {
        return Err(flaw(
            "/account",
            "please write your own account, or choose to take part without one",
        ));
    }
    let asked_before = case
        .conversation
        .responses
        .get(&organisation)
        .is_some_and(|r| r.answer == Answer::MoreTime);
    case.conversation.responses.insert(
        organisation,
        Response {
            answer: body.answer,
            account: body.account.clone(),
            shared: body.share_account && body.account.is_some(),
            needs: body.needs.clone(),
            at: ask.now,
        },
    );
    let nations = case.nations();
    if body.answer == Answer::MoreTime && !asked_before {
        case.clocks.extend(
            DeadlineKind::Response,
            ask.facts.spans.more_time,
            "more time was asked for",
            ask.now,
            &nations,
        );
    }
    if case.sides.invited.iter().all(|p| {
        case.conversation
            .responses
            .get(&p.organisation)
            .is_some_and(|r| r.answer.takes_part())
    }) {
        case.clocks.stop(DeadlineKind::Response);
    }
    Ok(())
}

pub(super) fn share_statement(case: &mut Case, ask: &Asking<'_>) -> Room {
    let (side, organisation) = ask.party();
    match side {
        Side::Initiating => case.intake.statement_shared = true,
        Side::Invited => {
            case.conversation
                .responses
                .get_mut(&organisation)
                .ok_or(Reason::NoAccountToShare)?
                .shared = true;
        }
    }
    Ok(())
}

pub(super) fn agree_to_talk(case: &mut Case, ask: &Asking<'_>, hash: &str) -> Room {
    answers_what_stands(hash, EventName::AgreeToTalk, case, ask)?;
    let (side, organisation) = ask.party();
    case.conversation
        .agreed_to_talk
        .of_mut(side)
        .insert(organisation);
    case.conversation
        .agreed_by
        .insert(organisation, ask.person());
    if case.conversation.confidentiality == ConfidentialityModel::Open
        && case.everyone_in(&case.conversation.agreed_to_talk)
    {
        case.conversation.open_since = Some(ask.now);
    }
    Ok(())
}

/// A change of what stays private is a change of the ground rules: whoever agreed to the old ones is asked again.
pub(super) fn set_confidentiality(case: &mut Case, model: ConfidentialityModel) -> Room {
    if case.conversation.confidentiality == model {
        return Err(Reason::ModelChosenAlready.into());
    }
    case.conversation.confidentiality = model;
    case.conversation.open_since = None;
    case.conversation.agreed_to_talk = BySide::default();
    case.conversation.agreed_by.clear();
    Ok(())
}

pub(super) fn log_session(case: &mut Case, ask: &Asking<'_>, session: &Session) -> Room {
    if session.on > ask.now.london_day() {
        return Err(flaw(
            "/session/on",
            "please log a session after it has taken place",
        ));
    }
    if session.on < case.opened_at.london_day() {
        return Err(flaw("/session/on", "this is before the case began"));
    }
    if !(1..=720).contains(&session.minutes) {
        return Err(flaw(
            "/session/minutes",
            "please say how long it took, from 1 to 720 minutes",
        ));
    }
    if case.conversation.sessions.len() >= 200 {
        return Err(Reason::NotAtThisStage.into());
    }
    case.conversation.sessions.push(session.clone());
    Ok(())
}
