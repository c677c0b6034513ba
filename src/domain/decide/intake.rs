//! Intake (SPEC §3.3): the draft, sending it, questions, screening, the invitation, taking the case on.
use std::collections::BTreeSet;

use super::{Asking, Room, Stop, conversation, flaw};
use crate::domain::action::{
    AskForMore, DeclineIntake, GiveMore, Invite, LinkCase, SaveDraft, Screen,
};
use crate::domain::case::{Case, FirstContact, Party, Question, Screening, Suitability};
use crate::domain::closure::{Closed, Outcome};
use crate::domain::id::OrganisationId;
use crate::domain::reason::Reason;

pub(super) fn save_draft(case: &mut Case, ask: &Asking<'_>, body: &SaveDraft) -> Room {
    let own = case
        .sides
        .initiating
        .first()
        .expect("a draft belongs to an organisation")
        .clone();
    let named = |those: &BTreeSet<OrganisationId>, pointer: &str| -> Result<Vec<Party>, Stop> {
        those
            .iter()
            .map(|o| {
                ask.facts.organisations.get(o).cloned().ok_or_else(|| {
                    flaw(pointer, "one of these organisations is not in the register")
                })
            })
            .collect()
    };
    if body.together_with.contains(&own.organisation) || body.with.contains(&own.organisation) {
        return Err(flaw("/with", "please leave out your own organisation"));
    }
    if ask.facts.asker_on_both_sides {
        return Err(Reason::OnePersonOnBothSides.into());
    }
    if body.with.intersection(&body.together_with).next().is_some() {
        return Err(flaw("/with", "an organisation can be on one side only"));
    }
    if body.together_with.len() > 3 {
        return Err(flaw(
            "/together_with",
            "each side can have one to four LEROs",
        ));
    }
    if body.with.len() > 4 {
        return Err(flaw("/with", "each side can have one to four LEROs"));
    }
    if body.statement.localities.len() > 12 {
        return Err(flaw(
            "/statement/localities",
            "please name at most twelve places",
        ));
    }
    let together = named(&body.together_with, "/together_with")?;
    case.sides.invited = named(&body.with, "/with")?;
    case.sides.initiating = std::iter::once(own).chain(together).collect();
    case.intake.statement = body.statement.clone();
    Ok(())
}

pub(super) fn submit(case: &mut Case, ask: &Asking<'_>) -> Room {
    case.intake.submitted = Some(ask.now);
    case.intake.submitted_by = ask.person;
    Ok(())
}

pub(super) fn ask_for_more(case: &mut Case, ask: &Asking<'_>, body: &AskForMore) -> Room {
    case.intake.questions.push(Question {
        asked: body.question.clone(),
        answer: None,
        asked_at: ask.now,
        answered_at: None,
    });
    Ok(())
}

pub(super) fn give_more(case: &mut Case, ask: &Asking<'_>, body: &GiveMore) -> Room {
    let question = case
        .intake
        .questions
        .iter_mut()
        .find(|q| q.answer.is_none())
        .ok_or(Reason::NothingAsked)?;
    question.answer = Some(body.answer.clone());
    question.answered_at = Some(ask.now);
    Ok(())
}

pub(super) fn screen(case: &mut Case, ask: &Asking<'_>, body: &Screen) -> Room {
    if body.result == Suitability::NotSuitable && body.reasons.is_empty() {
        return Err(flaw(
            "/reasons",
            "please say why another place can help better",
        ));
    }
    if body.result == Suitability::SuitableWithAdjustments && body.adjustments.is_none() {
        return Err(flaw(
            "/adjustments",
            "please say which adjustments are needed",
        ));
    }
    case.intake.screening = Some(Screening {
        result: body.result,
        reasons: body.reasons.clone(),
        adjustments: body.adjustments.clone(),
        at: ask.now,
    });
    Ok(())
}

pub(super) fn link_case(case: &mut Case, ask: &Asking<'_>, body: &LinkCase) -> Room {
    if body.case == case.id || !ask.facts.other_case_seen {
        return Err(flaw("/case", "there is no such other case"));
    }
    case.intake.linked.insert(body.case);
    Ok(())
}

pub(super) fn decline(case: &mut Case, ask: &Asking<'_>, body: &DeclineIntake) -> Room {
    if body.reasons.is_empty() {
        return Err(flaw("/reasons", "please choose at least one reason"));
    }
    case.closing.closed = Some(Closed {
        outcome: Outcome::NotSuitableSignposted,
        at: ask.now,
        summary: None,
        words_of: None,
        not_agreed_because: BTreeSet::new(),
        declined_because: body.reasons.clone(),
        signposting: Some(body.signposting.clone()),
        actions: Vec::new(),
        left: None,
        left_because: None,
    });
    Ok(())
}

pub(super) fn invite(case: &mut Case, ask: &Asking<'_>, body: &Invite) -> Room {
    let named: BTreeSet<OrganisationId> =
        body.first_accounts.iter().map(|a| a.organisation).collect();
    if let Some(i) = body
        .first_accounts
        .iter()
        .position(|a| !ask.facts.without_lead.contains(&a.organisation))
    {
        return Err(flaw(
            &format!("/first_accounts/{i}/organisation"),
            "this is not an invited organisation without a lead",
        ));
    }
    if named.len() != body.first_accounts.len() {
        return Err(flaw(
            "/first_accounts",
            "please name one person for each organisation",
        ));
    }
    if ask.facts.without_lead.iter().any(|o| !named.contains(o)) {
        return Err(Reason::NoFirstAccount.into());
    }
    case.invited_at = Some(ask.now);
    case.intake.statement_shared =
        case.intake.statement.first_contact == Some(FirstContact::ShareAll);
    if case.intake.accepted.is_some() {
        conversation::start_response_clock(case, ask);
    }
    Ok(())
}

pub(super) fn accept(case: &mut Case, ask: &Asking<'_>) -> Room {
    case.intake.accepted = Some(ask.now);
    Ok(())
}
