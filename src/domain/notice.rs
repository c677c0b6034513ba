//! Who must be told what: the audiences the procedure names and the letter each of them gets. Which people
//! that is on a given day, `casework::act` finds out; the words are in `email_templates/`.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::Side;
use super::deadline::DeadlineKind;
use super::id::{CaseId, NoticeId};
use super::time::Moment;

/// An audience of the procedure. Always: of these, whoever may already know the case (SPEC §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// The person who acted: a receipt.
    Actor,
    InitiatingSide,
    /// The leads of the invited side.
    InvitedLeads,
    BothSides,
    /// The side that did not act; both, where a neutral did.
    OtherSide,
    Neutral,
    AskedNeutral,
    /// Coordinators who are not connected to a party.
    Coordinators,
    NeutralElseCoordinators,
    /// Both sides, the neutral and admitted observers.
    Everyone,
}

impl Told {
    /// Which sides it means when `actor` acted.
    #[must_use]
    pub fn sides(self, actor: Option<Side>) -> &'static [Side] {
        match self {
            Self::InitiatingSide => &[Side::Initiating],
            Self::InvitedLeads => &[Side::Invited],
            Self::BothSides | Self::Everyone => &Side::BOTH,
            Self::OtherSide => match actor {
                Some(Side::Initiating) => &[Side::Invited],
                Some(Side::Invited) => &[Side::Initiating],
                None => &Side::BOTH,
            },
            Self::Actor
            | Self::Neutral
            | Self::AskedNeutral
            | Self::Coordinators
            | Self::NeutralElseCoordinators => &[],
        }
    }
}

macro_rules! letters { ($($name:ident $word:literal: $what:literal),+ $(,)?) => {
    /// A letter: a file in `email_templates/en/`, and a notification in the app.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Letter { $($name),+ }

    impl Letter {
        /// Every letter there is.
        pub const ALL: &'static [Self] = &[$(Self::$name),+];

        /// Its file name, its name in the database and on the wire.
        #[must_use]
        pub fn word(self) -> &'static str { match self { $(Self::$name => $word),+ } }

        /// What kind of thing it is, in a few words without case content (SPEC §10).
        #[must_use]
        pub fn what(self) -> &'static str { match self { $(Self::$name => $what),+ } }
    }

    impl std::str::FromStr for Letter {
        type Err = String;
        fn from_str(word: &str) -> Result<Self, String> { match word { $($word => Ok(Self::$name),)+ other => Err(format!("{other} is not a letter")) } }
    }
} }

letters! {
    SubmissionReceived "submission_received": "We have what you sent",
    SubmissionToScreen "submission_to_screen": "Something new to look at",
    MoreAsked "more_asked": "A question for you",
    MoreGiven "more_given": "A question was answered",
    Signposted "signposted": "Another place can help better",
    Invitation "invitation": "An invitation to talk",
    FirstAccount "first_account": "An invitation to an account",
    AppointmentAsked "appointment_asked": "Could you be the facilitator?",
    AppointmentAccepted "appointment_accepted": "A facilitator accepted",
    AppointmentReceipt "appointment_receipt": "Thank you for accepting",
    AppointmentDeclined "appointment_declined": "A facilitator declined",
    AppointmentEnded "appointment_ended": "A facilitator stepped back",
    FacilitatorNamed "facilitator_named": "Your facilitator",
    FacilitatorChanges "facilitator_changes": "The facilitator changes",
    ObjectionMade "objection_made": "A concern about the facilitator",
    ObjectionToDecide "objection_to_decide": "Something to decide",
    ObjectionDecided "objection_decided": "A concern was answered",
    ObserverProposed "observer_proposed": "Somebody may listen in",
    ConversationBegins "conversation_begins": "Early conversation begins",
    InvitationAnswered "invitation_answered": "The invitation was answered",
    AccountShared "account_shared": "An account was shared",
    AgreedToTalk "agreed_to_talk": "The ground rules were agreed",
    GroundRulesChanged "ground_rules_changed": "The ground rules changed",
    JointRoomClosed "joint_room_closed": "The joint conversation rests",
    JointRoomOpened "joint_room_opened": "The joint conversation is open",
    MessageAdded "message_added": "Something new to read",
    DocumentAdded "document_added": "A new document",
    MeetingProposed "meeting_proposed": "When could we meet?",
    MeetingAnswered "meeting_answered": "An answer about a meeting",
    MeetingConfirmed "meeting_confirmed": "A meeting is set",
    MeetingMoved "meeting_moved": "A meeting has a new time",
    MeetingCancelled "meeting_cancelled": "A meeting will not take place",
    RoomLookAsked "room_look_asked": "Something to decide with care",
    RoomLookApproved "room_look_approved": "CLERO may read a private room",
    RoomLookDeclined "room_look_declined": "A request was declined",
    ReviewBegins "review_begins": "The standards review begins",
    ReadingsRevealed "readings_revealed": "The readings are open",
    JointReadingToConfirm "joint_reading_to_confirm": "A joint reading to confirm",
    JointReadingConfirmed "joint_reading_confirmed": "The joint reading was confirmed",
    ActionsBegin "actions_begin": "Agreed actions begin",
    StageReturned "stage_returned": "One step back",
    ActionProposed "action_proposed": "A new proposal",
    ActionChanged "action_changed": "A proposal changed",
    AgreementToAccept "agreement_to_accept": "A draft to accept",
    AcceptanceReceipt "acceptance_receipt": "You accepted the draft",
    AgreementAnswered "agreement_answered": "The draft was answered",
    AgreementInForce "agreement_in_force": "What you agreed is in force",
    SummaryToAgree "summary_to_agree": "A summary to agree",
    SummaryAgreed "summary_agreed": "The summary was agreed",
    CaseClosed "case_closed": "The case is closed",
    CaseClosedByLeaving "case_closed_by_leaving": "The case is closed",
    LeavingReceipt "leaving_receipt": "You have left",
    CasePaused "case_paused": "The case is paused",
    CaseResumed "case_resumed": "The pause is over",
    TimetableProposed "timetable_proposed": "Other dates were proposed",
    TimetableAgreed "timetable_agreed": "Dates were agreed to",
    DeadlinePassed "deadline_passed": "A date has passed",
    ReopenAsked "reopen_asked": "Somebody asks to come back",
    ReopenAskedBySomebody "reopen_asked_by_somebody": "A wish to come back",
    CaseReopened "case_reopened": "The case is open again",
    MailCheck "mail_check": "A test letter",
    SignInCode "sign_in_code": "Your sign-in code",
    ResetCode "reset_code": "Your code to choose a new password",
    AddressCode "address_code": "Your code for this address",
    AddressChanged "address_changed": "Your address was changed",
    AccountChanged "account_changed": "Your account was changed",
    NewBrowser "new_browser": "Somebody signed in to your account",
    RecoveryBegun "recovery_begun": "Help to get back in has begun",
    MemberInvited "member_invited": "Somebody was invited to your organisation",
    LeadChanged "lead_changed": "The lead of your organisation changed",
}

impl Letter {
    /// Whether it carries six digits that work for ten minutes: it goes first, and is not worth sending later.
    #[must_use]
    pub fn is_code(self) -> bool {
        matches!(self, Self::SignInCode | Self::ResetCode | Self::AddressCode)
    }

    /// Whether it holds something that lets somebody in.
    #[must_use]
    pub fn holds_a_code(self) -> bool {
        self.is_code() || self == Self::FirstAccount
    }

    /// The date it speaks of, where a clock of the case gives it one.
    #[must_use]
    pub fn clock(self) -> Option<DeadlineKind> {
        match self {
            Self::SubmissionReceived | Self::SubmissionToScreen => Some(DeadlineKind::Triage),
            Self::AppointmentAsked => Some(DeadlineKind::Acceptance),
            Self::FacilitatorNamed => Some(DeadlineKind::Objection),
            Self::ObjectionToDecide => Some(DeadlineKind::ObjectionDecision),
            Self::ReviewBegins => Some(DeadlineKind::StandardsReview),
            Self::ActionsBegin => Some(DeadlineKind::AgreedActions),
            Self::AgreementToAccept => Some(DeadlineKind::Signing),
            Self::CasePaused => Some(DeadlineKind::HoldEnds),
            Self::MoreAsked
            | Self::MoreGiven
            | Self::Signposted
            | Self::Invitation
            | Self::FirstAccount
            | Self::AppointmentAccepted
            | Self::AppointmentReceipt
            | Self::AppointmentDeclined
            | Self::AppointmentEnded
            | Self::FacilitatorChanges
            | Self::ObjectionMade
            | Self::ObjectionDecided
            | Self::ObserverProposed
            | Self::ConversationBegins
            | Self::InvitationAnswered
            | Self::AccountShared
            | Self::AgreedToTalk
            | Self::GroundRulesChanged
            | Self::JointRoomClosed
            | Self::JointRoomOpened
            | Self::MessageAdded
            | Self::DocumentAdded
            | Self::MeetingProposed
            | Self::MeetingAnswered
            | Self::MeetingConfirmed
            | Self::MeetingMoved
            | Self::MeetingCancelled
            | Self::RoomLookAsked
            | Self::RoomLookApproved
            | Self::RoomLookDeclined
            | Self::ReadingsRevealed
            | Self::JointReadingToConfirm
            | Self::JointReadingConfirmed
            | Self::StageReturned
            | Self::ActionProposed
            | Self::ActionChanged
            | Self::AcceptanceReceipt
            | Self::AgreementAnswered
            | Self::AgreementInForce
            | Self::SummaryToAgree
            | Self::SummaryAgreed
            | Self::CaseClosed
            | Self::CaseClosedByLeaving
            | Self::LeavingReceipt
            | Self::CaseResumed
            | Self::TimetableProposed
            | Self::TimetableAgreed
            | Self::DeadlinePassed
            | Self::ReopenAsked
            | Self::ReopenAskedBySomebody
            | Self::CaseReopened
            | Self::MailCheck
            | Self::SignInCode
            | Self::ResetCode
            | Self::AddressCode
            | Self::AddressChanged
            | Self::AccountChanged
            | Self::NewBrowser
            | Self::RecoveryBegun
            | Self::MemberInvited
            | Self::LeadChanged => None,
        }
    }
}

/// Something a person must be told: shown in the app, and the cause of a letter (SPEC §10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    pub id: NoticeId,
    pub letter: Letter,
    /// What kind of thing it is, in a few words.
    pub what: String,
    pub case: Option<CaseId>,
    pub at: Moment,
    pub due: Option<Moment>,
    pub read_at: Option<Moment>,
}
