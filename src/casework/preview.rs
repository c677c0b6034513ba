//! The letters a step of the procedure will send, before it is taken: whom they go to, and what they will say. Nothing
//! is sent here, and nobody is looked up: each letter is read as its reader will, but for their name.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signin::{self, Credential};
use super::{Desk, Error, read};
use crate::domain::action::EventName;
use crate::domain::case::Case;
use crate::domain::deadline::{DeadlineKind, Span, Spans, due};
use crate::domain::id::CaseId;
use crate::domain::notice::{Letter, Told};
use crate::domain::procedure::line_of;
use crate::domain::time::{Moment, in_words};
use crate::mail::letter::Words;

/// A letter that a step will send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterPreview {
    /// Whom it goes to, in one word.
    pub to: String,
    pub letter: Letter,
    pub subject: String,
    pub text: String,
}

/// The word for an audience.
fn word(told: Told) -> &'static str {
    match told {
        Told::Actor => "yourself",
        Told::InitiatingSide => "initiating_side",
        Told::InvitedLeads => "invited_leads",
        Told::BothSides => "both_sides",
        Told::OtherSide => "other_side",
        Told::Neutral => "facilitator",
        Told::AskedNeutral => "asked_facilitator",
        Told::Coordinators => "coordinators",
        Told::NeutralElseCoordinators => "facilitator_or_coordinators",
        Told::Everyone => "everyone",
    }
}

impl Desk {
    /// The letters that `event` will send from this case.
    pub async fn letters_of_step(
        &self,
        caller: Credential,
        id: CaseId,
        event: EventName,
    ) -> Result<Vec<LetterPreview>, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, _) = read::find(conn, id, &actor, now)?;
                line_of(event)
                    .told
                    .iter()
                    .map(|(told, letter)| preview(&desk, &case, *told, *letter, now))
                    .collect()
            })
            .await
    }
}

fn preview(
    desk: &Desk,
    case: &Case,
    told: Told,
    letter: Letter,
    now: Moment,
) -> Result<LetterPreview, Error> {
    let (link, when) = (
        format!("{}/sign-in", desk.settings.public_url),
        letter
            .clock()
            .and_then(|kind| due_after(&desk.settings.spans, case, kind, now)),
    );
    let rendered = desk.letters.render(
        letter,
        &Words {
            name: "…",
            reference: Some(&case.reference.0),
            what: letter.what(),
            by_when: when.map(|d| in_words(d.london_day())),
            link: &link,
            phone: &desk.settings.phone,
            code: None,
        },
    )?;
    Ok(LetterPreview {
        to: word(told).to_owned(),
        letter,
        subject: rendered.subject,
        text: rendered.text,
    })
}

/// When what the step begins will be due.
fn due_after(spans: &Spans, case: &Case, kind: DeadlineKind, now: Moment) -> Option<Moment> {
    let span: Span = match kind {
        DeadlineKind::Triage => spans.triage,
        DeadlineKind::Response => spans.response,
        DeadlineKind::Acceptance => spans.acceptance,
        DeadlineKind::Objection => spans.objection,
        DeadlineKind::ObjectionDecision => spans.objection_decision,
        DeadlineKind::EarlyConversationReview => spans.early_conversation_review,
        DeadlineKind::EarlyConversation => spans.early_conversation,
        DeadlineKind::StandardsReview => spans.standards_review,
        DeadlineKind::AgreedActions => spans.agreed_actions,
        DeadlineKind::Signing => spans.signing,
        DeadlineKind::HoldEnds => Span::Days(spans.first_hold_days),
    };
    let agreed = case
        .clocks
        .timetable
        .as_ref()
        .and_then(|t| t.until.get(&kind));
    match agreed {
        Some(day) if *day >= now.london_day() => None,
        Some(_) | None => Some(due(now, span, &case.nations())),
    }
}
