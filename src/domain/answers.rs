//! What a step answers: the hash of exactly what the person was shown (SPEC §3.2), so that nobody agrees to words
//! that have changed meanwhile.
use super::action::EventName;
use super::case::Case;
use super::conversation::ground_rules;
use super::facts::Facts;
use super::hash::hash_of;

/// The hash that `event` answers, where it answers one; `facts` hold the reading of the side that asks.
#[must_use]
pub fn hash_to_answer(event: EventName, case: &Case, facts: &Facts) -> Option<String> {
    match event {
        EventName::AcceptAppointment | EventName::DeclineAppointment => case
            .neutrals
            .facilitator
            .as_ref()
            .map(|a| hash_of(&(case.id, a.person, a.asked_at))),
        EventName::Respond => invitation_hash(case),
        EventName::AgreeToTalk => Some(ground_rules(case.conversation.confidentiality).hash),
        EventName::ShareReading => facts.reading.as_ref().map(hash_of),
        EventName::ConfirmJointReading => {
            case.review.joint.as_ref().map(|joint| joint.hash.clone())
        }
        EventName::AcceptAgreement | EventName::DeclineAgreement => case
            .agreements
            .circulated
            .as_ref()
            .map(|draft| draft.hash.clone()),
        EventName::AgreeSummary => case
            .closing
            .summary
            .as_ref()
            .map(|summary| summary.hash.clone()),
        EventName::AgreeTimetable => case
            .clocks
            .proposed
            .as_ref()
            .map(|timetable| timetable.hash.clone()),
        EventName::SaveDraft
        | EventName::DiscardDraft
        | EventName::Submit
        | EventName::AskForMore
        | EventName::GiveMore
        | EventName::Screen
        | EventName::LinkCase
        | EventName::DeclineIntake
        | EventName::Invite
        | EventName::AssignFacilitator
        | EventName::StepBack
        | EventName::ReplaceFacilitator
        | EventName::Object
        | EventName::DecideObjection
        | EventName::AdmitObserver
        | EventName::AcceptIntake
        | EventName::ShareStatement
        | EventName::SetConfidentiality
        | EventName::CloseJointRoom
        | EventName::OpenJointRoom
        | EventName::LogSession
        | EventName::BeginStandardsReview
        | EventName::RecordJointReading
        | EventName::BeginAgreedActions
        | EventName::ReturnToStage
        | EventName::ProposeAction
        | EventName::AmendAction
        | EventName::WithdrawAction
        | EventName::Circulate
        | EventName::ConcludeAgreement
        | EventName::ProposeSummary
        | EventName::Close
        | EventName::Withdraw
        | EventName::Hold
        | EventName::Resume
        | EventName::RequestReopen
        | EventName::Reopen
        | EventName::ProposeTimetable
        | EventName::DeadlinePassed => None,
    }
}

/// The hash of the invitation: what an answer to it names.
#[must_use]
pub fn invitation_hash(case: &Case) -> Option<String> {
    Some(hash_of(&(case.id, case.invited_at?)))
}
