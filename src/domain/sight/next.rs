//! What CLERO's coordinators must do next in a case: a finer answer than whose turn it is, for the board.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::case::{Case, Stage, Suitability};

/// What is to be done by CLERO, in the order in which a board shows it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Somebody said why they would rather have another facilitator.
    DecideObjection,
    /// Something has arrived that nobody has looked at.
    Screen,
    /// It was found not to fit here: say where help is, and close.
    Signpost,
    /// There is nobody neutral.
    FindFacilitator,
    /// The other side has not been told.
    Invite,
    /// Everything is there for the conversation to begin.
    BeginConversation,
    /// Somebody wishes to come back.
    DecideReopening,
    /// Somebody else is at work.
    NothingNow,
    /// It is paused.
    Paused,
}

impl Next {
    /// Whether CLERO has something to do.
    #[must_use]
    pub fn is_work(self) -> bool {
        !matches!(self, Self::NothingNow | Self::Paused)
    }
}

/// What CLERO must do next in `case`.
#[must_use]
pub fn next_for_clero(case: &Case) -> Next {
    if case.hold.is_some() {
        return Next::Paused;
    }
    match case.stage {
        Stage::Draft => Next::NothingNow,
        Stage::Intake => in_intake(case),
        Stage::EarlyConversation | Stage::StandardsReview | Stage::AgreedActions => {
            if case.neutrals.open_objection().is_some() {
                Next::DecideObjection
            } else if case.neutrals.facilitator.is_none() {
                Next::FindFacilitator
            } else if case.invited_at.is_none() {
                Next::Invite
            } else {
                Next::NothingNow
            }
        }
        Stage::Closed if case.closing.reopen_request.is_some() => Next::DecideReopening,
        Stage::Closed => Next::NothingNow,
    }
}

fn in_intake(case: &Case) -> Next {
    if case.intake.questions.iter().any(|q| q.answer.is_none()) {
        return Next::NothingNow;
    }
    if case.neutrals.open_objection().is_some() {
        return Next::DecideObjection;
    }
    match case.intake.screening.as_ref().map(|s| s.result) {
        None => Next::Screen,
        Some(Suitability::NotSuitable) => Next::Signpost,
        Some(Suitability::Suitable | Suitability::SuitableWithAdjustments) => {
            if case.neutrals.asked().is_some() {
                Next::NothingNow
            } else if case.neutrals.in_place().is_none() {
                Next::FindFacilitator
            } else if case.invited_at.is_none() {
                Next::Invite
            } else {
                Next::BeginConversation
            }
        }
    }
}
