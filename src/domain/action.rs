//! What people ask for: one body for each event of the procedure, tagged by `event` on the wire (SPEC §14).
//! What a body means is in `decide`; whether it may be asked at all is in `procedure`.
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::agreement::Terms;
use super::case::{NotSuitable, OnBehalf, Stage, Statement, Suitability};
use super::closure::{ActionAtClosure, NotAgreedBecause, Outcome};
use super::conversation::{Answer, ConfidentialityModel, Needs, Session};
use super::deadline::DeadlineKind;
use super::id::{ActionId, CaseId, ObjectionId, OrganisationId, PersonId};
use super::neutral::{Acceptance, ObjectionResult};
use super::review::Minute;
use super::text::{EmailAddress, Line, Prose};
use super::time::Day;

macro_rules! bodies { ($($(#[$why:meta])* $name:ident { $($(#[$field_why:meta])* $field:ident : $kind:ty),* $(,)? })+) => { $(
    $(#[$why])*
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub struct $name { $($(#[$field_why])* pub $field: $kind),* }
)+ } }

bodies! {
    /// Writes the draft; what is left out is empty. It replaces the whole draft.
    SaveDraft {
        /// LEROs that bring this together with yours.
        #[serde(default)] #[schemars(length(max = 3))] together_with: BTreeSet<OrganisationId>,
        /// The LEROs you would like to talk with.
        #[serde(default)] #[schemars(length(max = 4))] with: BTreeSet<OrganisationId>,
        #[serde(default)] statement: Statement,
    }
    /// Throws the draft away.
    DiscardDraft {}
    /// Sends the draft to CLERO.
    Submit {}
    /// Asks the initiating side for more.
    AskForMore { question: Prose }
    /// Answers what was asked.
    GiveMore { answer: Prose }
    /// Records whether this is the right place.
    Screen {
        result: Suitability,
        #[serde(default)] #[schemars(length(max = 9))] reasons: BTreeSet<NotSuitable>,
        #[serde(default)] adjustments: Option<Prose>,
    }
    /// Notes that another case is about the same matter.
    LinkCase { case: CaseId }
    /// Says kindly that another place can help better.
    DeclineIntake {
        #[schemars(length(min = 1, max = 9))] reasons: BTreeSet<NotSuitable>,
        /// Where help is to be had.
        signposting: Prose,
    }
    /// Tells the invited side, in the way the submitter chose.
    Invite {
        /// Whom to invite to an account, for each LERO that has no lead with one.
        #[serde(default)] #[schemars(length(max = 4))] first_accounts: Vec<FirstAccount>,
    }
    /// Asks somebody to be the facilitator.
    AssignFacilitator { person: PersonId }
    /// Accepts the appointment, with the statement of acceptance.
    AcceptAppointment { /** The hash of what you were asked. */ answers: String, acceptance: Acceptance }
    /// Declines. No reason is asked for: it may be somebody else's anonymity.
    DeclineAppointment { /** The hash of what you were asked. */ answers: String }
    /// Steps back. It admits nothing.
    StepBack {}
    /// Asks somebody else to be the facilitator.
    ReplaceFacilitator { person: PersonId }
    /// Objects to the neutral, with reasons.
    Object { reasons: Prose }
    /// Decides an objection in writing.
    DecideObjection { objection: ObjectionId, result: ObjectionResult, reasons: Prose }
    /// Consents to an observer; admitted when both sides have.
    AdmitObserver { person: PersonId }
    /// Takes the case on: early conversation begins.
    AcceptIntake {}
    /// Answers the invitation.
    Respond {
        /** The hash of the invitation. */ answers: String,
        answer: Answer,
        /// Your own account of things.
        #[serde(default)] account: Option<Prose>,
        /// What would make it easier for you to take part; the other side never reads it.
        #[serde(default)]
        needs: Needs,
        /// Whether the other side may read your account.
        #[serde(default)] share_account: bool,
    }
    /// Lets the other side read your side's own account.
    ShareStatement {}
    /// Agrees to the ground rules.
    AgreeToTalk { /** The hash of the ground rules. */ answers: String }
    /// Chooses what stays private between the rooms. The ground rules get a new version, and are agreed to anew.
    SetConfidentiality { model: ConfidentialityModel }
    /// Closes the joint room for a while; what was said stays.
    CloseJointRoom {}
    /// Opens the joint room again.
    OpenJointRoom {}
    /// Logs that a session took place; no content.
    LogSession { session: Session }
    /// Opens the standards review.
    BeginStandardsReview {
        /// Needed where no session has taken place.
        #[serde(default)] without_session_because: Option<Prose>,
    }
    /// Shares your side's reading; sealed until every side has.
    ShareReading { /** The hash of your reading. */ answers: String }
    /// Records what the sides found together.
    RecordJointReading { #[schemars(length(min = 1, max = 40))] minutes: Vec<Minute> }
    /// Confirms the joint reading.
    ConfirmJointReading { /** The hash of the joint reading. */ answers: String }
    /// Opens agreed actions.
    BeginAgreedActions {}
    /// Goes back one stage.
    ReturnToStage { reason: Prose }
    /// Proposes an action.
    ProposeAction { terms: Terms }
    /// Changes a proposed action; a circulated draft returns to drafting.
    AmendAction { action: ActionId, terms: Terms }
    /// Takes a proposed action off the table.
    WithdrawAction { action: ActionId }
    /// Sends the draft round to be accepted.
    Circulate {
        /// For a partial agreement: what is still open.
        #[serde(default)] still_open: Option<Prose>,
    }
    /// Accepts the circulated draft.
    AcceptAgreement { /** The hash of the draft. */ answers: String }
    /// Would rather change something.
    DeclineAgreement { /** The hash of the draft. */ answers: String, #[serde(default)] what_would_help: Option<Prose> }
    /// Puts the accepted agreement in force.
    ConcludeAgreement {}
    /// Puts a summary to both sides.
    ProposeSummary { summary: Prose }
    /// Agrees to the summary.
    AgreeSummary { /** The hash of the summary. */ answers: String }
    /// Closes the case.
    Close {
        outcome: Outcome,
        /// The facilitator's words, where the sides have not agreed a summary.
        #[serde(default)] summary: Option<Prose>,
        #[serde(default)] #[schemars(length(max = 7))] not_agreed_because: BTreeSet<NotAgreedBecause>,
        #[serde(default)] signposting: Option<Prose>,
        /// What becomes of every action in force.
        #[serde(default)] #[schemars(length(max = 60))] actions: Vec<ActionAtClosure>,
        /// "Every session that took place is logged."
        sessions_logged: bool,
    }
    /// Leaves. Always possible, and nobody has to say why.
    Withdraw { #[serde(default)] reason: Option<Prose> }
    /// Asks for a break, at once and without a reason; the neutral may set its length.
    Hold { #[serde(default)] until: Option<Day>, #[serde(default)] reason: Option<Prose> }
    /// Ends the break: the clocks go on.
    Resume {}
    /// Asks to come back to a closed case.
    RequestReopen { why: Prose, #[serde(default)] new_facts: bool }
    /// Reopens at a stage the case had reached.
    Reopen { stage: Stage }
    /// Proposes other dates for the case.
    ProposeTimetable { #[schemars(length(min = 1, max = 12))] until: BTreeMap<DeadlineKind, Day> }
    /// Agrees to the proposed dates.
    AgreeTimetable { /** The hash of the timetable. */ answers: String }
    /// The clock says that a deadline has passed: a fact, nothing more.
    DeadlinePassed { deadline: DeadlineKind }
}

/// Somebody who does not have an account yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAccount {
    pub organisation: OrganisationId,
    pub name: Line,
    pub email: EmailAddress,
}

macro_rules! actions { ($($name:ident $word:literal answers: $answers:expr),+ $(,)?) => {
    /// The name of an event of the procedure.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum EventName { $($name),+ }

    impl EventName {
        /// Every event, in the order of the table.
        pub const ALL: &'static [Self] = &[$(Self::$name),+];

        /// The word on the wire and in the log.
        #[must_use]
        pub fn word(self) -> &'static str { match self { $(Self::$name => $word),+ } }

        /// Whether its body names the hash of what it answers; then `If-Match` is not needed (SPEC §14).
        #[must_use]
        pub fn names_a_hash(self) -> bool { match self { $(Self::$name => $answers),+ } }

        /// The JSON Schema of its body, without the tag.
        #[must_use]
        pub fn schema(self, generator: &mut SchemaGenerator) -> Schema { match self { $(Self::$name => $name::json_schema(generator)),+ } }
    }

    impl std::str::FromStr for EventName {
        type Err = ();
        fn from_str(word: &str) -> Result<Self, ()> { match word { $($word => Ok(Self::$name),)+ _ => Err(()) } }
    }

    /// Something somebody asks a case to do.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Action { $($name($name)),+ }

    impl Action {
        /// Which event of the table it asks for.
        #[must_use]
        pub fn name(&self) -> EventName { match self { $(Self::$name(_) => EventName::$name),+ } }

        /// Reads the body of `name`.
        pub fn read<'de, D: serde::Deserializer<'de>>(name: EventName, body: D) -> Result<Self, D::Error> {
            match name { $(EventName::$name => $name::deserialize(body).map(Self::$name)),+ }
        }

        /// The body as it goes into the log.
        #[must_use]
        pub fn written(&self) -> serde_json::Value {
            match self { $(Self::$name(body) => serde_json::to_value(body)),+ }.expect("bodies can always be written as JSON")
        }
    }
} }

actions! {
    SaveDraft "save_draft" answers: false,
    DiscardDraft "discard_draft" answers: false,
    Submit "submit" answers: false,
    AskForMore "ask_for_more" answers: false,
    GiveMore "give_more" answers: false,
    Screen "screen" answers: false,
    LinkCase "link_case" answers: false,
    DeclineIntake "decline_intake" answers: false,
    Invite "invite" answers: false,
    AssignFacilitator "assign_facilitator" answers: false,
    AcceptAppointment "accept_appointment" answers: true,
    DeclineAppointment "decline_appointment" answers: true,
    StepBack "step_back" answers: false,
    ReplaceFacilitator "replace_facilitator" answers: false,
    Object "object" answers: false,
    DecideObjection "decide_objection" answers: false,
    AdmitObserver "admit_observer" answers: false,
    AcceptIntake "accept_intake" answers: false,
    Respond "respond" answers: true,
    ShareStatement "share_statement" answers: false,
    AgreeToTalk "agree_to_talk" answers: true,
    SetConfidentiality "set_confidentiality" answers: false,
    CloseJointRoom "close_joint_room" answers: false,
    OpenJointRoom "open_joint_room" answers: false,
    LogSession "log_session" answers: false,
    BeginStandardsReview "begin_standards_review" answers: false,
    ShareReading "share_reading" answers: true,
    RecordJointReading "record_joint_reading" answers: false,
    ConfirmJointReading "confirm_joint_reading" answers: true,
    BeginAgreedActions "begin_agreed_actions" answers: false,
    ReturnToStage "return_to_stage" answers: false,
    ProposeAction "propose_action" answers: false,
    AmendAction "amend_action" answers: false,
    WithdrawAction "withdraw_action" answers: false,
    Circulate "circulate" answers: false,
    AcceptAgreement "accept_agreement" answers: true,
    DeclineAgreement "decline_agreement" answers: true,
    ConcludeAgreement "conclude_agreement" answers: false,
    ProposeSummary "propose_summary" answers: false,
    AgreeSummary "agree_summary" answers: true,
    Close "close" answers: false,
    Withdraw "withdraw" answers: false,
    Hold "hold" answers: false,
    Resume "resume" answers: false,
    RequestReopen "request_reopen" answers: false,
    Reopen "reopen" answers: false,
    ProposeTimetable "propose_timetable" answers: false,
    AgreeTimetable "agree_timetable" answers: true,
    DeadlinePassed "deadline_passed" answers: false,
}

/// An action with what surrounds it: whether it is entered for somebody offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub action: Action,
    pub on_behalf_of: Option<OnBehalf>,
}
