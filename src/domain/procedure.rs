//! What may happen: the procedure as one table, a line for each event (SPEC §3.2). The buttons, the API's
//! `available_events`, the diagram in the docs and the tests all read it; there is no second way to change a
//! case. How each event changes the case is in `decide`.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Audience, Capacity, connected};
use super::action::EventName as E;
use super::answers::hash_to_answer;
use super::case::{Case, Side, Stage};
use super::facts::Facts;
use super::id::PersonId;
use super::notice::{Letter as L, Told};
use super::people::{Actor, Role};
use super::reason::{NamedReason, Reason, stands};
use super::time::Moment;

/// As what somebody may do an event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    InitiatingRep,
    InvitedRep,
    Rep,
    Lead,
    Neutral,
    AskedNeutral,
    Coordinator,
    System,
}

impl Part {
    fn is_played_by(self, capacity: Capacity) -> bool {
        match (self, capacity) {
            (Self::InitiatingRep, Capacity::Party { side, .. }) => side == Side::Initiating,
            (Self::InvitedRep, Capacity::Party { side, .. }) => side == Side::Invited,
            (Self::Rep, Capacity::Party { .. }) => true,
            (Self::Lead, Capacity::Party { lead, .. }) => lead,
            (Self::Neutral, Capacity::Neutral)
            | (Self::AskedNeutral, Capacity::Asked)
            | (Self::Coordinator, Capacity::Coordinator)
            | (Self::System, Capacity::System) => true,
            (
                Self::InitiatingRep
                | Self::InvitedRep
                | Self::Rep
                | Self::Lead
                | Self::Neutral
                | Self::AskedNeutral
                | Self::Coordinator
                | Self::System,
                Capacity::Party { .. }
                | Capacity::Neutral
                | Capacity::Asked
                | Capacity::Observer
                | Capacity::Coordinator
                | Capacity::Auditor
                | Capacity::System,
            ) => false,
        }
    }
}

/// Where an event leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The stage does not change.
    Stay,
    /// To this stage.
    Stage(Stage),
    /// One stage back.
    Back,
    /// To a stage the case had reached, as the body says.
    Chosen,
    /// The draft is gone.
    Gone,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub event: E,
    pub who: &'static [Part],
    pub from: &'static [Stage],
    pub to: To,
    /// Everything that must be true of the case; each unmet one is a named reason.
    pub guards: &'static [Reason],
    /// Who is told, of those who may already know the case, and by which letter.
    pub told: &'static [(Told, L)],
}

const DRAFT: &[Stage] = &[Stage::Draft];
const INTAKE: &[Stage] = &[Stage::Intake];
const EARLY: &[Stage] = &[Stage::EarlyConversation];
const REVIEW: &[Stage] = &[Stage::StandardsReview];
const ACTIONS: &[Stage] = &[Stage::AgreedActions];
const OPEN: &[Stage] = &Stage::OPEN;
const UNTIL_EARLY: &[Stage] = &[Stage::Intake, Stage::EarlyConversation];
const TALKING: &[Stage] = &[
    Stage::EarlyConversation,
    Stage::StandardsReview,
    Stage::AgreedActions,
];
const BEYOND_EARLY: &[Stage] = &[Stage::StandardsReview, Stage::AgreedActions];
const CLOSED: &[Stage] = &[Stage::Closed];

use Part::{AskedNeutral, Coordinator, InitiatingRep, InvitedRep, Lead, Neutral, Rep, System};
use Reason as R;
use To::{Back, Chosen, Gone, Stay};
use Told::{
    Actor as Oneself, AskedNeutral as TheOneAsked, BothSides, Coordinators, Everyone,
    InitiatingSide, InvitedLeads, Neutral as TheNeutral, NeutralElseCoordinators, OtherSide,
};

const fn line(
    event: E,
    who: &'static [Part],
    from: &'static [Stage],
    to: To,
    guards: &'static [Reason],
    told: &'static [(Told, L)],
) -> Line {
    Line {
        event,
        who,
        from,
        to,
        guards,
        told,
    }
}

/// The procedure. Read a line as: event, who may, from which stages, to where, what must be true, who is told.
#[rustfmt::skip]
pub const PROCEDURE: &[Line] = &[
    // Intake
    line(E::SaveDraft, &[InitiatingRep], DRAFT, Stay, &[], &[]),
    line(E::DiscardDraft, &[InitiatingRep], DRAFT, Gone, &[], &[]),
    line(E::Submit, &[InitiatingRep], DRAFT, To::Stage(Stage::Intake),
        &[R::NoGround, R::NoOtherLero, R::NotALero, R::TooManyLeros, R::OnePersonOnBothSides, R::NoLocality, R::NoGoodOutcome, R::AuthorityNotStated, R::FirstContactNotChosen, R::SummaryMissing, R::PersonalDataNoticeNotRead, R::AlreadyOpen],
        &[(Oneself, L::SubmissionReceived), (Coordinators, L::SubmissionToScreen)]),
    line(E::AskForMore, &[Coordinator], INTAKE, Stay, &[R::QuestionStillOpen], &[(InitiatingSide, L::MoreAsked)]),
    line(E::GiveMore, &[InitiatingRep], INTAKE, Stay, &[R::NothingAsked], &[(Coordinators, L::MoreGiven)]),
    line(E::Screen, &[Coordinator], INTAKE, Stay, &[], &[]),
    line(E::LinkCase, &[Coordinator], OPEN, Stay, &[], &[]),
    line(E::DeclineIntake, &[Coordinator], INTAKE, To::Stage(Stage::Closed), &[], &[(InitiatingSide, L::Signposted)]),
    line(E::Invite, &[Coordinator], UNTIL_EARLY, Stay, &[R::AlreadyInvited, R::NotScreened], &[(InvitedLeads, L::Invitation)]),
    // Neutrals
    line(E::AssignFacilitator, &[Coordinator], OPEN, Stay, &[R::FacilitatorAlreadyNamed], &[(TheOneAsked, L::AppointmentAsked)]),
    line(E::AcceptAppointment, &[AskedNeutral], OPEN, Stay,
        &[R::FacilitatorConnected],
        &[(BothSides, L::FacilitatorNamed), (Coordinators, L::AppointmentAccepted), (Oneself, L::AppointmentReceipt)]),
    line(E::DeclineAppointment, &[AskedNeutral], OPEN, Stay, &[], &[(Coordinators, L::AppointmentDeclined)]),
    line(E::StepBack, &[Neutral], OPEN, Stay,
        &[],
        &[(BothSides, L::FacilitatorChanges), (Coordinators, L::AppointmentEnded), (Oneself, L::LeavingReceipt)]),
    line(E::ReplaceFacilitator, &[Coordinator], OPEN, Stay,
        &[R::NoFacilitatorToReplace],
        &[(BothSides, L::FacilitatorChanges), (TheOneAsked, L::AppointmentAsked)]),
    line(E::Object, &[Rep], OPEN, Stay,
        &[R::NoFacilitatorInPlace, R::ObjectionOpen],
        &[(OtherSide, L::ObjectionMade), (TheNeutral, L::ObjectionMade), (Coordinators, L::ObjectionToDecide)]),
    line(E::DecideObjection, &[Coordinator], OPEN, Stay, &[R::NoObjectionOpen], &[(BothSides, L::ObjectionDecided), (TheNeutral, L::ObjectionDecided)]),
    line(E::AdmitObserver, &[Lead], OPEN, Stay, &[R::OtherSideNotInvited], &[(OtherSide, L::ObserverProposed), (TheNeutral, L::ObserverProposed)]),
    // Early conversation
    line(E::AcceptIntake, &[Coordinator], INTAKE, To::Stage(Stage::EarlyConversation),
        &[R::NotScreened, R::ScreenedNotSuitable, R::QuestionStillOpen, R::NoFacilitatorInPlace, R::FacilitatorConnected, R::OnHold],
        &[(BothSides, L::ConversationBegins), (TheNeutral, L::ConversationBegins)]),
    line(E::Respond, &[InvitedRep], EARLY, Stay, &[], &[(TheNeutral, L::InvitationAnswered), (OtherSide, L::AccountShared)]),
    line(E::ShareStatement, &[Rep], OPEN, Stay,
        &[R::OtherSideNotInvited, R::NoAccountToShare],
        &[(OtherSide, L::AccountShared), (TheNeutral, L::AccountShared)]),
    line(E::AgreeToTalk, &[Lead], EARLY, Stay, &[R::AlreadyAgreedToTalk], &[(TheNeutral, L::AgreedToTalk)]),
    line(E::SetConfidentiality, &[Neutral], EARLY, Stay, &[], &[(BothSides, L::GroundRulesChanged)]),
    line(E::CloseJointRoom, &[Neutral], TALKING, Stay, &[R::RoomClosed], &[(Everyone, L::JointRoomClosed)]),
    line(E::OpenJointRoom, &[Neutral], TALKING, Stay, &[R::RoomOpen], &[(Everyone, L::JointRoomOpened)]),
    line(E::LogSession, &[Neutral], TALKING, Stay, &[], &[]),
    // Standards review
    line(E::BeginStandardsReview, &[Neutral], EARLY, To::Stage(Stage::StandardsReview),
        &[R::NotEveryoneResponded, R::NotEveryoneAgreedToTalk, R::ObjectionOpen, R::FacilitatorConnected, R::OnHold],
        &[(Everyone, L::ReviewBegins)]),
    line(E::ShareReading, &[Rep], REVIEW, Stay, &[R::ReadingAlreadyShared, R::ReadingIncomplete], &[(Everyone, L::ReadingsRevealed)]),
    line(E::RecordJointReading, &[Neutral], REVIEW, Stay, &[R::ReadingsNotRevealed], &[(BothSides, L::JointReadingToConfirm)]),
    line(E::ConfirmJointReading, &[Lead], REVIEW, Stay, &[R::NoJointReading, R::AlreadyConfirmed], &[(TheNeutral, L::JointReadingConfirmed)]),
    // Agreed actions
    line(E::BeginAgreedActions, &[Neutral], REVIEW, To::Stage(Stage::AgreedActions),
        &[R::JointReadingNotConfirmed, R::ObjectionOpen, R::FacilitatorConnected, R::OnHold],
        &[(Everyone, L::ActionsBegin)]),
    line(E::ReturnToStage, &[Neutral], BEYOND_EARLY, Back, &[R::OnHold], &[(Everyone, L::StageReturned)]),
    line(E::ProposeAction, &[Rep, Neutral], ACTIONS, Stay, &[R::DraftIsCirculating], &[(OtherSide, L::ActionProposed), (TheNeutral, L::ActionProposed)]),
    line(E::AmendAction, &[Rep, Neutral], ACTIONS, Stay, &[R::NoActionsYet], &[(OtherSide, L::ActionChanged), (TheNeutral, L::ActionChanged)]),
    line(E::WithdrawAction, &[Rep, Neutral], ACTIONS, Stay, &[R::NoActionsYet], &[(OtherSide, L::ActionChanged), (TheNeutral, L::ActionChanged)]),
    line(E::Circulate, &[Rep, Neutral], ACTIONS, Stay,
        &[R::DraftIsCirculating, R::NoActionsYet, R::EachSideOwnsOne, R::NoCooperationAction, R::NoCommunityBenefitAction, R::OwnerOutsideTheCase],
        &[(BothSides, L::AgreementToAccept), (TheNeutral, L::AgreementToAccept)]),
    line(E::AcceptAgreement, &[Lead], ACTIONS, Stay,
        &[R::NothingCirculating, R::AlreadyAccepted],
        &[(Oneself, L::AcceptanceReceipt), (TheNeutral, L::AgreementAnswered)]),
    line(E::DeclineAgreement, &[Lead], ACTIONS, Stay, &[R::NothingCirculating], &[(TheNeutral, L::AgreementAnswered)]),
    line(E::ConcludeAgreement, &[Neutral], ACTIONS, Stay, &[R::NothingCirculating, R::NotEveryoneAccepted], &[(Everyone, L::AgreementInForce)]),
    // Any open stage
    line(E::ProposeSummary, &[Neutral], OPEN, Stay, &[R::OtherSideNotInvited], &[(BothSides, L::SummaryToAgree)]),
    line(E::AgreeSummary, &[Lead], OPEN, Stay, &[R::NoSummary, R::AlreadyAgreedSummary], &[(TheNeutral, L::SummaryAgreed)]),
    line(E::Close, &[Neutral, Coordinator], OPEN, To::Stage(Stage::Closed), &[R::ObjectionOpen, R::OnHold], &[(Everyone, L::CaseClosed)]),
    line(E::Withdraw, &[Rep], OPEN, To::Stage(Stage::Closed), &[], &[(Everyone, L::CaseClosedByLeaving), (Oneself, L::LeavingReceipt)]),
    line(E::Hold, &[Rep, Neutral], OPEN, Stay, &[R::AlreadyOnHold], &[(Everyone, L::CasePaused)]),
    line(E::Resume, &[Rep, Neutral, System], OPEN, Stay, &[R::NotOnHold], &[(Everyone, L::CaseResumed)]),
    line(E::ProposeTimetable, &[Rep, Neutral], OPEN, Stay,
        &[R::OtherSideNotInvited],
        &[(OtherSide, L::TimetableProposed), (TheNeutral, L::TimetableProposed)]),
    line(E::AgreeTimetable, &[Lead], OPEN, Stay,
        &[R::NoTimetable, R::AlreadyAgreedTimetable],
        &[(OtherSide, L::TimetableAgreed), (TheNeutral, L::TimetableAgreed)]),
    line(E::DeadlinePassed, &[System], OPEN, Stay, &[], &[(NeutralElseCoordinators, L::DeadlinePassed)]),
    // After closure
    line(E::RequestReopen, &[Rep], CLOSED, Stay, &[R::ReopeningAlreadyAsked], &[(Coordinators, L::ReopenAsked), (OtherSide, L::ReopenAskedBySomebody)]),
    line(E::Reopen, &[Coordinator], CLOSED, Chosen, &[R::ReopeningNotAsked, R::ReopeningNotPossible, R::FacilitatorConnected], &[(Everyone, L::CaseReopened)]),
];

/// The line of `event`.
#[must_use]
pub fn line_of(event: E) -> &'static Line {
    PROCEDURE
        .iter()
        .find(|line| line.event == event)
        .expect("every event has its line: a test counts them")
}

/// Who may read of an event in the history of a case, once the case may be seen at all. A reading that is shared
/// while the other is not concerns its own side only (`decide::review` says so).
#[must_use]
pub fn audience(event: E) -> Audience {
    match event {
        E::SaveDraft
        | E::DiscardDraft
        | E::Submit
        | E::AskForMore
        | E::GiveMore
        | E::DeclineIntake => Audience::Intake,
        E::AcceptAgreement | E::DeclineAgreement => Audience::Table,
        E::Screen
        | E::LinkCase
        | E::AssignFacilitator
        | E::DeclineAppointment
        | E::ReplaceFacilitator => Audience::Process,
        E::Invite
        | E::AcceptAppointment
        | E::StepBack
        | E::Object
        | E::DecideObjection
        | E::AdmitObserver
        | E::AcceptIntake
        | E::Respond
        | E::ShareStatement
        | E::AgreeToTalk
        | E::SetConfidentiality
        | E::CloseJointRoom
        | E::OpenJointRoom
        | E::LogSession
        | E::BeginStandardsReview
        | E::ShareReading
        | E::RecordJointReading
        | E::ConfirmJointReading
        | E::BeginAgreedActions
        | E::ReturnToStage
        | E::ProposeAction
        | E::AmendAction
        | E::WithdrawAction
        | E::Circulate
        | E::ConcludeAgreement
        | E::ProposeSummary
        | E::AgreeSummary
        | E::Close
        | E::Withdraw
        | E::Hold
        | E::Resume
        | E::ProposeTimetable
        | E::AgreeTimetable
        | E::DeadlinePassed
        | E::RequestReopen
        | E::Reopen => Audience::Case,
    }
}

/// Everything that stands between the person in `capacity` and `event` now; empty means: go ahead. To somebody
/// who never may, only `not_your_part` (SPEC §3.2).
#[must_use]
pub fn unmet(event: E, case: &Case, capacity: Capacity, facts: &Facts, now: Moment) -> Vec<Reason> {
    let line = line_of(event);
    if !line.who.iter().any(|part| part.is_played_by(capacity)) {
        return vec![R::NotYourPart];
    }
    if !line.from.contains(&case.stage) {
        return vec![R::NotAtThisStage];
    }
    line.guards
        .iter()
        .copied()
        .filter(|reason| stands(*reason, case, capacity, facts, now))
        .collect()
}

/// What the API and the buttons say about one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Available {
    pub event: E,
    pub allowed: bool,
    pub reasons: Vec<NamedReason>,
    /// The hash to name in `answers`, where the event answers something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
}

/// The whole table, as it stands for the person in `capacity` now.
#[must_use]
pub fn available(case: &Case, capacity: Capacity, facts: &Facts, now: Moment) -> Vec<Available> {
    PROCEDURE
        .iter()
        .map(|line| {
            let reasons = unmet(line.event, case, capacity, facts, now);
            let answers = reasons
                .is_empty()
                .then(|| hash_to_answer(line.event, case, facts))
                .flatten();
            Available {
                event: line.event,
                allowed: reasons.is_empty(),
                reasons: reasons.into_iter().map(NamedReason::from).collect(),
                answers,
            }
        })
        .collect()
}

/// Whether a person may be asked to be a facilitator of this case, or why not.
pub fn may_facilitate(
    case: &Case,
    person: PersonId,
    as_they_are: Option<&Actor>,
    now: Moment,
) -> Result<(), Reason> {
    let Some(actor) = as_they_are.filter(|a| a.is(Role::Facilitator)) else {
        return Err(R::NotAFacilitator);
    };
    if connected(case, actor, now) || case.neutrals.excluded.contains(&person) {
        return Err(R::FacilitatorConnected);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_event_has_exactly_one_line() {
        for event in E::ALL {
            assert_eq!(
                PROCEDURE.iter().filter(|line| line.event == *event).count(),
                1,
                "{event:?}"
            );
        }
        assert_eq!(PROCEDURE.len(), E::ALL.len());
    }

    #[test]
    fn every_stage_can_be_reached_and_closed_has_no_way_out_but_reopening() {
        let mut reached = BTreeSet::from([Stage::Draft]);
        for _ in Stage::ALL {
            for line in PROCEDURE {
                if let To::Stage(stage) = line.to
                    && line.from.iter().any(|from| reached.contains(from))
                {
                    reached.insert(stage);
                }
            }
        }
        assert_eq!(reached.len(), Stage::ALL.len());
        let leaving: Vec<E> = PROCEDURE
            .iter()
            .filter(|line| line.from.contains(&Stage::Closed) && line.to != To::Stay)
            .map(|line| line.event)
            .collect();
        assert_eq!(leaving, [E::Reopen]);
    }

    #[test]
    fn a_pause_stops_every_stage_move_but_leaving_and_what_comes_before_it() {
        for line in PROCEDURE {
            let moves = line.to != To::Stay;
            let free = matches!(
                line.event,
                E::Withdraw | E::Submit | E::DiscardDraft | E::DeclineIntake | E::Reopen
            );
            assert_eq!(
                line.guards.contains(&R::OnHold),
                moves && !free,
                "{:?}",
                line.event
            );
        }
    }

    #[test]
    fn nothing_but_the_facilitators_own_step_follows_from_time_alone() {
        for line in PROCEDURE
            .iter()
            .filter(|line| line.who.contains(&Part::System))
        {
            assert_eq!(line.to, To::Stay, "{:?}", line.event);
        }
    }
}
