//! What may happen: the procedure as one table, a line for each event (SPEC §3.2). The buttons, the API's
//! `available_events`, the diagram in the docs and the tests all read it; there is no second way to change a
//! case. How each event changes the case is in `decide`.
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Audience, Capacity};
use super::action::EventName as E;
use super::agreement::composition_flaws;
use super::case::{Case, Ground, Party, Side, Stage, Suitability};
use super::deadline::Spans;
use super::id::{OrganisationId, PersonId};
use super::neutral::fixed_conflicts;
use super::notice::{Letter as L, Told};
use super::people::{Actor, Role};
use super::review::Reading;
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
pub const PROCEDURE: &[Line] = &[
    // Intake
    line(E::SaveDraft, &[InitiatingRep], DRAFT, Stay, &[], &[]),
    line(E::DiscardDraft, &[InitiatingRep], DRAFT, Gone, &[], &[]),
    line(
        E::Submit,
        &[InitiatingRep],
        DRAFT,
        To::Stage(Stage::Intake),
        &[
            R::NoGround,
            R::NoOtherLero,
            R::NotALero,
            R::TooManyLeros,
            R::OnePersonOnBothSides,
            R::NoLocality,
            R::NoGoodOutcome,
            R::AuthorityNotStated,
            R::FirstContactNotChosen,
            R::SummaryMissing,
            R::PersonalDataNoticeNotRead,
            R::AlreadyOpen,
        ],
        &[
            (Oneself, L::SubmissionReceived),
            (Coordinators, L::SubmissionToScreen),
        ],
    ),
    line(
        E::AskForMore,
        &[Coordinator],
        INTAKE,
        Stay,
        &[R::QuestionStillOpen],
        &[(InitiatingSide, L::MoreAsked)],
    ),
    line(
        E::GiveMore,
        &[InitiatingRep],
        INTAKE,
        Stay,
        &[R::NothingAsked],
        &[(Coordinators, L::MoreGiven)],
    ),
    line(E::Screen, &[Coordinator], INTAKE, Stay, &[], &[]),
    line(E::LinkCase, &[Coordinator], OPEN, Stay, &[], &[]),
    line(
        E::DeclineIntake,
        &[Coordinator],
        INTAKE,
        To::Stage(Stage::Closed),
        &[],
        &[(InitiatingSide, L::Signposted)],
    ),
    line(
        E::Invite,
        &[Coordinator],
        UNTIL_EARLY,
        Stay,
        &[R::AlreadyInvited, R::NotScreened],
        &[(InvitedLeads, L::Invitation)],
    ),
    // Neutrals
    line(
        E::AssignFacilitator,
        &[Coordinator],
        OPEN,
        Stay,
        &[R::FacilitatorAlreadyNamed],
        &[(TheOneAsked, L::AppointmentAsked)],
    ),
    line(
        E::AcceptAppointment,
        &[AskedNeutral],
        OPEN,
        Stay,
        &[R::FacilitatorConnected],
        &[
            (BothSides, L::FacilitatorNamed),
            (Coordinators, L::AppointmentAccepted),
            (Oneself, L::AppointmentReceipt),
        ],
    ),
    line(
        E::DeclineAppointment,
        &[AskedNeutral],
        OPEN,
        Stay,
        &[],
        &[(Coordinators, L::AppointmentDeclined)],
    ),
    line(
        E::StepBack,
        &[Neutral],
        OPEN,
        Stay,
        &[],
        &[
            (BothSides, L::FacilitatorChanges),
            (Coordinators, L::AppointmentEnded),
            (Oneself, L::LeavingReceipt),
        ],
    ),
    line(
        E::ReplaceFacilitator,
        &[Coordinator],
        OPEN,
        Stay,
        &[R::NoFacilitatorToReplace],
        &[
            (BothSides, L::FacilitatorChanges),
            (TheOneAsked, L::AppointmentAsked),
        ],
    ),
    line(
        E::Object,
        &[Rep],
        OPEN,
        Stay,
        &[R::NoFacilitatorInPlace, R::ObjectionOpen],
        &[
            (OtherSide, L::ObjectionMade),
            (TheNeutral, L::ObjectionMade),
            (Coordinators, L::ObjectionToDecide),
        ],
    ),
    line(
        E::DecideObjection,
        &[Coordinator],
        OPEN,
        Stay,
        &[R::NoObjectionOpen],
        &[
            (BothSides, L::ObjectionDecided),
            (TheNeutral, L::ObjectionDecided),
        ],
    ),
    line(
        E::AdmitObserver,
        &[Lead],
        OPEN,
        Stay,
        &[R::OtherSideNotInvited],
        &[
            (OtherSide, L::ObserverProposed),
            (TheNeutral, L::ObserverProposed),
        ],
    ),
    // Early conversation
    line(
        E::AcceptIntake,
        &[Coordinator],
        INTAKE,
        To::Stage(Stage::EarlyConversation),
        &[
            R::NotScreened,
            R::ScreenedNotSuitable,
            R::QuestionStillOpen,
            R::NoFacilitatorInPlace,
            R::FacilitatorConnected,
            R::OnHold,
        ],
        &[
            (BothSides, L::ConversationBegins),
            (TheNeutral, L::ConversationBegins),
        ],
    ),
    line(
        E::Respond,
        &[InvitedRep],
        EARLY,
        Stay,
        &[],
        &[(TheNeutral, L::InvitationAnswered)],
    ),
    line(
        E::ShareStatement,
        &[Rep],
        OPEN,
        Stay,
        &[R::OtherSideNotInvited, R::NoAccountToShare],
        &[
            (OtherSide, L::AccountShared),
            (TheNeutral, L::AccountShared),
        ],
    ),
    line(
        E::AgreeToTalk,
        &[Lead],
        EARLY,
        Stay,
        &[R::AlreadyAgreedToTalk],
        &[(TheNeutral, L::AgreedToTalk)],
    ),
    line(E::LogSession, &[Neutral], TALKING, Stay, &[], &[]),
    // Standards review
    line(
        E::BeginStandardsReview,
        &[Neutral],
        EARLY,
        To::Stage(Stage::StandardsReview),
        &[
            R::NotEveryoneResponded,
            R::NotEveryoneAgreedToTalk,
            R::ObjectionOpen,
            R::FacilitatorConnected,
            R::OnHold,
        ],
        &[(Everyone, L::ReviewBegins)],
    ),
    line(
        E::ShareReading,
        &[Rep],
        REVIEW,
        Stay,
        &[R::ReadingAlreadyShared, R::ReadingIncomplete],
        &[(Everyone, L::ReadingsRevealed)],
    ),
    line(
        E::RecordJointReading,
        &[Neutral],
        REVIEW,
        Stay,
        &[R::ReadingsNotRevealed],
        &[(BothSides, L::JointReadingToConfirm)],
    ),
    line(
        E::ConfirmJointReading,
        &[Lead],
        REVIEW,
        Stay,
        &[R::NoJointReading, R::AlreadyConfirmed],
        &[(TheNeutral, L::JointReadingConfirmed)],
    ),
    // Agreed actions
    line(
        E::BeginAgreedActions,
        &[Neutral],
        REVIEW,
        To::Stage(Stage::AgreedActions),
        &[
            R::JointReadingNotConfirmed,
            R::ObjectionOpen,
            R::FacilitatorConnected,
            R::OnHold,
        ],
        &[(Everyone, L::ActionsBegin)],
    ),
    line(
        E::ReturnToStage,
        &[Neutral],
        BEYOND_EARLY,
        Back,
        &[R::OnHold],
        &[(Everyone, L::StageReturned)],
    ),
    line(
        E::ProposeAction,
        &[Rep, Neutral],
        ACTIONS,
        Stay,
        &[R::DraftIsCirculating],
        &[
            (OtherSide, L::ActionProposed),
            (TheNeutral, L::ActionProposed),
        ],
    ),
    line(
        E::AmendAction,
        &[Rep, Neutral],
        ACTIONS,
        Stay,
        &[R::NoActionsYet],
        &[
            (OtherSide, L::ActionChanged),
            (TheNeutral, L::ActionChanged),
        ],
    ),
    line(
        E::WithdrawAction,
        &[Rep, Neutral],
        ACTIONS,
        Stay,
        &[R::NoActionsYet],
        &[
            (OtherSide, L::ActionChanged),
            (TheNeutral, L::ActionChanged),
        ],
    ),
    line(
        E::Circulate,
        &[Rep, Neutral],
        ACTIONS,
        Stay,
        &[
            R::DraftIsCirculating,
            R::NoActionsYet,
            R::EachSideOwnsOne,
            R::NoCooperationAction,
            R::NoCommunityBenefitAction,
            R::OwnerOutsideTheCase,
        ],
        &[
            (BothSides, L::AgreementToAccept),
            (TheNeutral, L::AgreementToAccept),
        ],
    ),
    line(
        E::AcceptAgreement,
        &[Lead],
        ACTIONS,
        Stay,
        &[R::NothingCirculating, R::AlreadyAccepted],
        &[
            (Oneself, L::AcceptanceReceipt),
            (TheNeutral, L::AgreementAnswered),
        ],
    ),
    line(
        E::DeclineAgreement,
        &[Lead],
        ACTIONS,
        Stay,
        &[R::NothingCirculating],
        &[(TheNeutral, L::AgreementAnswered)],
    ),
    line(
        E::ConcludeAgreement,
        &[Neutral],
        ACTIONS,
        Stay,
        &[R::NothingCirculating, R::NotEveryoneAccepted],
        &[(Everyone, L::AgreementInForce)],
    ),
    // Any open stage
    line(
        E::ProposeSummary,
        &[Neutral],
        OPEN,
        Stay,
        &[R::OtherSideNotInvited],
        &[(BothSides, L::SummaryToAgree)],
    ),
    line(
        E::AgreeSummary,
        &[Lead],
        OPEN,
        Stay,
        &[R::NoSummary, R::AlreadyAgreedSummary],
        &[(TheNeutral, L::SummaryAgreed)],
    ),
    line(
        E::Close,
        &[Neutral, Coordinator],
        OPEN,
        To::Stage(Stage::Closed),
        &[R::ObjectionOpen, R::OnHold],
        &[(Everyone, L::CaseClosed)],
    ),
    line(
        E::Withdraw,
        &[Rep],
        OPEN,
        To::Stage(Stage::Closed),
        &[],
        &[
            (Everyone, L::CaseClosedByLeaving),
            (Oneself, L::LeavingReceipt),
        ],
    ),
    line(
        E::Hold,
        &[Rep, Neutral],
        OPEN,
        Stay,
        &[],
        &[(Everyone, L::CasePaused)],
    ),
    line(
        E::Resume,
        &[Rep, Neutral, System],
        OPEN,
        Stay,
        &[R::NotOnHold],
        &[(Everyone, L::CaseResumed)],
    ),
    line(
        E::ProposeTimetable,
        &[Rep, Neutral],
        OPEN,
        Stay,
        &[R::OtherSideNotInvited],
        &[
            (OtherSide, L::TimetableProposed),
            (TheNeutral, L::TimetableProposed),
        ],
    ),
    line(
        E::AgreeTimetable,
        &[Lead],
        OPEN,
        Stay,
        &[R::NoTimetable, R::AlreadyAgreedTimetable],
        &[
            (OtherSide, L::TimetableAgreed),
            (TheNeutral, L::TimetableAgreed),
        ],
    ),
    line(
        E::DeadlinePassed,
        &[System],
        OPEN,
        Stay,
        &[],
        &[(NeutralElseCoordinators, L::DeadlinePassed)],
    ),
    // After closure
    line(
        E::RequestReopen,
        &[Rep],
        CLOSED,
        Stay,
        &[R::ReopeningAlreadyAsked],
        &[
            (Coordinators, L::ReopenAsked),
            (OtherSide, L::ReopenAskedBySomebody),
        ],
    ),
    line(
        E::Reopen,
        &[Coordinator],
        CLOSED,
        Chosen,
        &[R::ReopeningNotPossible, R::FacilitatorConnected],
        &[(Everyone, L::CaseReopened)],
    ),
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
        | E::AcceptAgreement
        | E::DeclineAgreement
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

/// Facts from outside the case that the rules need, read in the same transaction.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The organisations of the case and of the request, as the register has them now.
    pub organisations: BTreeMap<OrganisationId, Party>,
    /// Those among them that may not be a side of a case.
    pub not_leros: Vec<OrganisationId>,
    /// Those of the invited side that the person asking belongs to as well.
    pub asker_on_both_sides: bool,
    /// Another open case of the same organisations on the same ground, that the person asking may see.
    pub twin: bool,
    /// The facilitator, asked or in place, as they are now.
    pub facilitator: Option<Actor>,
    /// The person the request names.
    pub named: Option<Actor>,
    /// The reading of the side that asks.
    pub reading: Option<Reading>,
    /// Organisations without a lead who has an account or an invitation to one.
    pub without_lead: Vec<OrganisationId>,
    /// Whether the case the request names is there for the person asking.
    pub other_case_seen: bool,
    pub spans: Spans,
}

/// Why something cannot be done now. Each has a stable name and a sentence people can act on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NotYourPart,
    NotAtThisStage,
    OnHold,
    NotOnHold,
    NoGround,
    NoOtherLero,
    NotALero,
    TooManyLeros,
    OnePersonOnBothSides,
    NoLocality,
    NoGoodOutcome,
    AuthorityNotStated,
    FirstContactNotChosen,
    SummaryMissing,
    PersonalDataNoticeNotRead,
    AlreadyOpen,
    QuestionStillOpen,
    NothingAsked,
    NotScreened,
    ScreenedNotSuitable,
    AlreadyInvited,
    NoFirstAccount,
    OtherSideNotInvited,
    FacilitatorAlreadyNamed,
    NoFacilitatorToReplace,
    NoFacilitatorInPlace,
    FacilitatorConnected,
    NotAFacilitator,
    ObjectionOpen,
    NoObjectionOpen,
    ObserverConnected,
    NoAccountToShare,
    NotEveryoneResponded,
    NotEveryoneAgreedToTalk,
    NoSessionYet,
    AlreadyAgreedToTalk,
    AlreadyAgreedSummary,
    AlreadyAgreedTimetable,
    ReadingAlreadyShared,
    ReadingIncomplete,
    ReadingsNotRevealed,
    PrinciplesNotCovered,
    NoJointReading,
    AlreadyConfirmed,
    JointReadingNotConfirmed,
    NoActionsYet,
    NotYourAction,
    DraftIsCirculating,
    EachSideOwnsOne,
    NoCooperationAction,
    NoCommunityBenefitAction,
    OwnerOutsideTheCase,
    NothingCirculating,
    AlreadyAccepted,
    NotEveryoneAccepted,
    ReadBackDoesNotMatch,
    NoSummary,
    OutcomeDoesNotFit,
    SessionsNotLogged,
    ActionsLeftOpen,
    ReopeningNotPossible,
    ReopeningAlreadyAsked,
    StageNotReached,
    NoTimetable,
    NoSuchClock,
}

impl Reason {
    /// The sentence for people: what is missing, never whose fault it is.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotYourPart => "This step belongs to somebody else in the case.",
            Self::NotAtThisStage => "This step is not part of the stage the case is at.",
            Self::OnHold => "The case is paused. It can move on when the pause ends.",
            Self::NotOnHold => "The case is not paused.",
            Self::NoGround => {
                "Please say what it is about: boundaries, collaboration or locality overlap."
            }
            Self::NoOtherLero => "Please say with which LERO you would like to talk.",
            Self::NotALero => {
                "Every organisation on either side must be a LERO in the register, and each can be named once."
            }
            Self::TooManyLeros => "Each side can have one to four LEROs.",
            Self::OnePersonOnBothSides => {
                "You belong to organisations on both sides. Please ask a colleague to bring this."
            }
            Self::NoLocality => "Please say where this is about.",
            Self::NoGoodOutcome => {
                "Please say what a good outcome would look like for people in or seeking recovery."
            }
            Self::AuthorityNotStated => "Please say that you may speak for your organisation.",
            Self::FirstContactNotChosen => {
                "Please choose how the other organisation first hears of this."
            }
            Self::SummaryMissing => {
                "Please write the summary that the other organisation will read first."
            }
            Self::PersonalDataNoticeNotRead => {
                "Please read how personal data is used, and tick the box."
            }
            Self::AlreadyOpen => {
                "There is an open case between the same organisations on the same matter."
            }
            Self::QuestionStillOpen => {
                "A question to the initiating organisation has not been answered yet."
            }
            Self::NothingAsked => "There is no open question to answer.",
            Self::NotScreened => "The case has not been screened yet.",
            Self::ScreenedNotSuitable => "Screening found that another place can help better.",
            Self::AlreadyInvited => "The other organisation has already been invited.",
            Self::NoFirstAccount => {
                "One of the invited organisations has nobody with an account. Please say whom to invite."
            }
            Self::OtherSideNotInvited => "The other organisation has not been invited yet.",
            Self::FacilitatorAlreadyNamed => "A facilitator has already been asked or is in place.",
            Self::NoFacilitatorToReplace => "There is no facilitator to replace.",
            Self::NoFacilitatorInPlace => "No facilitator is in place yet.",
            Self::FacilitatorConnected => {
                "The facilitator had a role at one of the organisations in the last three years."
            }
            Self::NotAFacilitator => "This person is not a facilitator.",
            Self::ObjectionOpen => "An objection to the facilitator has not been decided yet.",
            Self::NoObjectionOpen => "There is no open objection with this number.",
            Self::ObserverConnected => {
                "An observer cannot be somebody of either side or the facilitator."
            }
            Self::NoAccountToShare => "Your side has not written its own account.",
            Self::NotEveryoneResponded => {
                "Not every invited organisation has said that it takes part."
            }
            Self::NotEveryoneAgreedToTalk => {
                "Not every organisation has agreed to the ground rules."
            }
            Self::NoSessionYet => {
                "No session has been logged. Please log one, or say why the review begins without."
            }
            Self::AlreadyAgreedToTalk
            | Self::AlreadyAgreedSummary
            | Self::AlreadyAgreedTimetable => "Your organisation has already agreed.",
            Self::ReadingAlreadyShared => "Your side has already shared its reading.",
            Self::ReadingIncomplete => "Please answer each standard, or leave it open on purpose.",
            Self::ReadingsNotRevealed => "Not every side has shared its reading yet.",
            Self::PrinciplesNotCovered => {
                "The joint reading must speak of authenticity, independence and lived experience leadership."
            }
            Self::NoJointReading => "There is no joint reading to confirm yet.",
            Self::AlreadyConfirmed => "Your organisation has already confirmed it.",
            Self::JointReadingNotConfirmed => {
                "Not every organisation has confirmed the joint reading."
            }
            Self::NoActionsYet => "No action has been proposed yet.",
            Self::NotYourAction => "There is no such action that you may change.",
            Self::DraftIsCirculating => {
                "The draft is going round to be accepted. To change it, amend an action; it then returns to drafting."
            }
            Self::EachSideOwnsOne => "Each side must own at least one action.",
            Self::NoCooperationAction => "At least one action must put cooperation first.",
            Self::NoCommunityBenefitAction => {
                "At least one action must put community benefit first."
            }
            Self::OwnerOutsideTheCase => {
                "Every action must be owned by an organisation in this case."
            }
            Self::NothingCirculating => "No draft is going round to be accepted.",
            Self::AlreadyAccepted => "Your organisation has already accepted this draft.",
            Self::NotEveryoneAccepted => "Not every organisation has accepted the draft.",
            Self::ReadBackDoesNotMatch => "The six digits read back are not those of this draft.",
            Self::NoSummary => "No summary has been proposed yet.",
            Self::OutcomeDoesNotFit => {
                "This outcome does not fit what has happened in the case so far."
            }
            Self::SessionsNotLogged => "Please log every session before closing.",
            Self::ActionsLeftOpen => {
                "Please say for every agreed action whether it is done, moved to follow-up or noted."
            }
            Self::ReopeningNotPossible => {
                "The time for reopening has passed, no agreement is in force, and no new facts were named. You can start a new case."
            }
            Self::ReopeningAlreadyAsked => "Reopening has already been asked for.",
            Self::StageNotReached => "The case can only reopen at a stage it had reached.",
            Self::NoTimetable => "No timetable has been proposed.",
            Self::NoSuchClock => "This clock is not running.",
        }
    }
}

/// Whether `reason` stands in the way of the person in `capacity` now, as far as the case itself can tell.
/// Reasons that hang on the body of a request are found in `decide`.
#[must_use]
pub fn stands(reason: Reason, case: &Case, capacity: Capacity, facts: &Facts, now: Moment) -> bool {
    let statement = &case.intake.statement;
    let own = capacity.party();
    let has = |those: &super::case::BySide<std::collections::BTreeSet<OrganisationId>>| {
        own.is_some_and(|(side, o)| those.of(side).contains(&o))
    };
    match reason {
        R::OnHold => case.hold.is_some(),
        R::NotOnHold => case.hold.is_none(),
        R::NoGround => statement.grounds.is_empty(),
        R::NoOtherLero => case.sides.invited.is_empty(),
        R::NotALero => !facts.not_leros.is_empty(),
        R::TooManyLeros => Side::BOTH
            .into_iter()
            .any(|side| case.sides.of(side).len() > 4),
        R::OnePersonOnBothSides => facts.asker_on_both_sides,
        R::NoLocality => {
            statement.localities.is_empty()
                && statement
                    .grounds
                    .iter()
                    .any(|ground| *ground != Ground::Collaboration)
        }
        R::NoGoodOutcome => statement.good_outcome.is_none(),
        R::AuthorityNotStated => !statement.authority.as_ref().is_some_and(|a| a.stated),
        R::FirstContactNotChosen => statement.first_contact.is_none(),
        R::SummaryMissing => {
            statement.first_contact == Some(super::case::FirstContact::ShareSummary)
                && statement.summary_for_the_other.is_none()
        }
        R::PersonalDataNoticeNotRead => !statement.personal_data_notice_read,
        R::AlreadyOpen => facts.twin,
        R::QuestionStillOpen => case.intake.questions.iter().any(|q| q.answer.is_none()),
        R::NothingAsked => case.intake.questions.iter().all(|q| q.answer.is_some()),
        R::NotScreened => case.intake.screening.is_none(),
        R::ScreenedNotSuitable => case
            .intake
            .screening
            .as_ref()
            .is_some_and(|s| s.result == Suitability::NotSuitable),
        R::AlreadyInvited => case.invited_at.is_some(),
        R::OtherSideNotInvited => case.invited_at.is_none(),
        R::FacilitatorAlreadyNamed => case.neutrals.facilitator.is_some(),
        R::NoFacilitatorToReplace => case.neutrals.facilitator.is_none(),
        R::NoFacilitatorInPlace => case.neutrals.in_place().is_none(),
        R::FacilitatorConnected => facts
            .facilitator
            .as_ref()
            .is_some_and(|person| connected(case, person, now)),
        R::ObjectionOpen => case.neutrals.open_objection().is_some(),
        R::NoObjectionOpen => case.neutrals.open_objection().is_none(),
        R::NoAccountToShare => own.is_some_and(|(side, organisation)| match side {
            Side::Initiating => false,
            Side::Invited => case
                .conversation
                .responses
                .get(&organisation)
                .is_none_or(|r| r.account.is_none()),
        }),
        R::NotEveryoneResponded => !case.sides.invited.iter().all(|p| {
            case.conversation
                .responses
                .get(&p.organisation)
                .is_some_and(|r| r.answer.takes_part())
        }),
        R::NotEveryoneAgreedToTalk => !case.everyone_in(&case.conversation.agreed_to_talk),
        R::AlreadyAgreedToTalk => has(&case.conversation.agreed_to_talk),
        R::AlreadyAgreedSummary => case
            .closing
            .summary
            .as_ref()
            .is_some_and(|summary| has(&summary.agreed)),
        R::AlreadyAgreedTimetable => case
            .clocks
            .timetable
            .as_ref()
            .is_some_and(|timetable| has(&timetable.agreed)),
        R::ReadingAlreadyShared => {
            own.is_some_and(|(side, _)| case.review.shared.of(side).is_some())
        }
        R::ReadingIncomplete => own.is_some_and(|(side, _)| {
            facts.reading.as_ref().is_none_or(|r| {
                !r.unread(&super::review::scope(case.sides.of(side)))
                    .is_empty()
                    || r.offices.is_none()
            })
        }),
        R::ReadingsNotRevealed => case.review.revealed.is_none(),
        R::NoJointReading => case.review.joint.is_none(),
        R::AlreadyConfirmed => case
            .review
            .joint
            .as_ref()
            .is_some_and(|joint| has(&joint.confirmed)),
        R::JointReadingNotConfirmed => !case
            .review
            .joint
            .as_ref()
            .is_some_and(|joint| case.everyone_in(&joint.confirmed)),
        R::NoActionsYet
        | R::EachSideOwnsOne
        | R::NoCooperationAction
        | R::NoCommunityBenefitAction
        | R::OwnerOutsideTheCase => composition_flaws(case).contains(&reason),
        R::DraftIsCirculating => case.agreements.circulated.is_some(),
        R::NothingCirculating => case.agreements.circulated.is_none(),
        R::AlreadyAccepted => case
            .agreements
            .circulated
            .as_ref()
            .is_some_and(|c| own.is_some_and(|(_, o)| c.accepted.contains_key(&o))),
        R::NotEveryoneAccepted => !case.agreements.accepted_by_all(case),
        R::NoSummary => case.closing.summary.is_none(),
        R::NoTimetable => case.clocks.timetable.as_ref().is_none_or(|t| t.in_force),
        R::ReopeningNotPossible => !may_reopen(
            case,
            case.closing
                .reopen_request
                .as_ref()
                .is_some_and(|r| r.new_facts),
            facts,
            now,
        ),
        R::ReopeningAlreadyAsked => case.closing.reopen_request.is_some(),
        R::NotYourPart
        | R::NotAtThisStage
        | R::NoFirstAccount
        | R::NotAFacilitator
        | R::ObserverConnected
        | R::NoSessionYet
        | R::PrinciplesNotCovered
        | R::NotYourAction
        | R::ReadBackDoesNotMatch
        | R::OutcomeDoesNotFit
        | R::SessionsNotLogged
        | R::ActionsLeftOpen
        | R::StageNotReached
        | R::NoSuchClock => false,
    }
}

/// Whether the fixed conflict rule excludes `person` from this case.
#[must_use]
pub fn connected(case: &Case, person: &Actor, now: Moment) -> bool {
    let parties: Vec<OrganisationId> = case.organisations().collect();
    !fixed_conflicts(&person.ties, &parties, now.london_day()).is_empty()
}

/// Whether a closed case may come back: in time, with an agreement still in force, or for `new_facts` (SPEC §3.2).
#[must_use]
pub fn may_reopen(case: &Case, new_facts: bool, facts: &Facts, now: Moment) -> bool {
    let in_time = case.closing.closed.as_ref().is_some_and(|closed| {
        now <= closed
            .at
            .plus(chrono::Duration::days(i64::from(facts.spans.reopen_days)))
    });
    in_time || case.agreements.in_force.is_some() || new_facts
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

/// A reason with its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedReason {
    pub code: Reason,
    pub message: String,
}

impl From<Reason> for NamedReason {
    fn from(code: Reason) -> Self {
        Self {
            code,
            message: code.sentence().to_owned(),
        }
    }
}

/// The whole table, as it stands for the person in `capacity` now.
#[must_use]
pub fn available(case: &Case, capacity: Capacity, facts: &Facts, now: Moment) -> Vec<Available> {
    PROCEDURE
        .iter()
        .filter(|line| line.who != [Part::System])
        .map(|line| {
            let reasons = unmet(line.event, case, capacity, facts, now);
            let answers = reasons
                .is_empty()
                .then(|| super::decide::hash_to_answer(line.event, case, capacity, facts))
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
                if let To::Stage(stage) = line.to {
                    if line.from.iter().any(|from| reached.contains(from)) {
                        reached.insert(stage);
                    }
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
