//! Why something cannot be done now: each reason with its stable name, the sentence people read, and when it
//! stands. The table in `procedure` names them as guards.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Capacity, connected};
use super::agreement::composition_flaws;
use super::case::{BySide, Case, FirstContact, Ground, Side, Suitability};
use super::facts::Facts;
use super::id::OrganisationId;
use super::review::scope;
use super::time::Moment;

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
    AlreadyOnHold,
    ReopeningNotAsked,
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
    RoomClosed,
    RoomOpen,
    RoomFull,
    ModelChosenAlready,
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
    MeetingNotOpen,
    MeetingNotSet,
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
            Self::AlreadyOnHold => {
                "The case is already paused. The facilitator can change how long."
            }
            Self::ReopeningNotAsked => "Neither side has asked to come back to this case.",
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
                "This person cannot be the facilitator here: a role at one of the organisations in the last three years, or an objection that was upheld."
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
            Self::RoomClosed => "This room is closed for now. What was said in it stays.",
            Self::RoomOpen => "The joint room is open.",
            Self::RoomFull => {
                "This room holds as many documents as it can. Please ask the facilitator."
            }
            Self::ModelChosenAlready => "The ground rules already say so.",
            Self::NoSuchClock => "This clock is not running.",
            Self::MeetingNotOpen => "This meeting is already set or cancelled.",
            Self::MeetingNotSet => "This meeting has no time that is still to come.",
        }
    }
}

/// Whether `reason` stands in the way of the person in `capacity` now, as far as the case itself can tell.
/// Reasons that hang on the body of a request are found in `decide`.
#[must_use]
pub fn stands(reason: Reason, case: &Case, capacity: Capacity, facts: &Facts, now: Moment) -> bool {
    let statement = &case.intake.statement;
    let own = capacity.party();
    let has = |those: &BySide<BTreeSet<OrganisationId>>| {
        own.is_some_and(|(side, o)| those.of(side).contains(&o))
    };
    match reason {
        Reason::OnHold => case.hold.is_some(),
        Reason::NotOnHold => case.hold.is_none(),
        Reason::AlreadyOnHold => own.is_some() && case.hold.is_some(),
        Reason::ReopeningNotAsked => case.closing.reopen_request.is_none(),
        Reason::NoGround => statement.grounds.is_empty(),
        Reason::NoOtherLero => case.sides.invited.is_empty(),
        Reason::NotALero => !facts.not_leros.is_empty(),
        Reason::TooManyLeros => Side::BOTH
            .into_iter()
            .any(|side| case.sides.of(side).len() > 4),
        Reason::OnePersonOnBothSides => facts.asker_on_both_sides,
        Reason::NoLocality => {
            statement.localities.is_empty()
                && statement
                    .grounds
                    .iter()
                    .any(|ground| *ground != Ground::Collaboration)
        }
        Reason::NoGoodOutcome => statement.good_outcome.is_none(),
        Reason::AuthorityNotStated => !statement.authority.as_ref().is_some_and(|a| a.stated),
        Reason::FirstContactNotChosen => statement.first_contact.is_none(),
        Reason::SummaryMissing => {
            statement.first_contact == Some(FirstContact::ShareSummary)
                && statement.summary_for_the_other.is_none()
        }
        Reason::PersonalDataNoticeNotRead => !statement.personal_data_notice_read,
        Reason::AlreadyOpen => facts.twin,
        Reason::QuestionStillOpen => case.intake.questions.iter().any(|q| q.answer.is_none()),
        Reason::NothingAsked => case.intake.questions.iter().all(|q| q.answer.is_some()),
        Reason::NotScreened => case.intake.screening.is_none(),
        Reason::ScreenedNotSuitable => case
            .intake
            .screening
            .as_ref()
            .is_some_and(|s| s.result == Suitability::NotSuitable),
        Reason::AlreadyInvited => case.invited_at.is_some(),
        Reason::OtherSideNotInvited => case.invited_at.is_none(),
        Reason::FacilitatorAlreadyNamed => case.neutrals.facilitator.is_some(),
        Reason::NoFacilitatorToReplace => case.neutrals.facilitator.is_none(),
        Reason::NoFacilitatorInPlace => case.neutrals.in_place().is_none(),
        Reason::FacilitatorConnected => facts
            .facilitator
            .as_ref()
            .is_some_and(|person| connected(case, person, now)),
        Reason::ObjectionOpen => case.neutrals.open_objection().is_some(),
        Reason::NoObjectionOpen => case.neutrals.open_objection().is_none(),
        Reason::NoAccountToShare => own.is_some_and(|(side, organisation)| match side {
            Side::Initiating => false,
            Side::Invited => case
                .conversation
                .responses
                .get(&organisation)
                .is_none_or(|r| r.account.is_none()),
        }),
        Reason::NotEveryoneResponded => !case.sides.invited.iter().all(|p| {
            case.conversation
                .responses
                .get(&p.organisation)
                .is_some_and(|r| r.answer.takes_part())
        }),
        Reason::NotEveryoneAgreedToTalk => !case.everyone_in(&case.conversation.agreed_to_talk),
        Reason::RoomClosed => case.conversation.joint_room_closed.is_some(),
        Reason::RoomOpen => case.conversation.joint_room_closed.is_none(),
        Reason::AlreadyAgreedToTalk => has(&case.conversation.agreed_to_talk),
        Reason::AlreadyAgreedSummary => case
            .closing
            .summary
            .as_ref()
            .is_some_and(|summary| has(&summary.agreed)),
        Reason::AlreadyAgreedTimetable => case
            .clocks
            .proposed
            .as_ref()
            .is_some_and(|timetable| has(&timetable.agreed)),
        Reason::ReadingAlreadyShared => {
            own.is_some_and(|(side, _)| case.review.shared.of(side).is_some())
        }
        Reason::ReadingIncomplete => own.is_some_and(|(side, _)| {
            facts.reading.as_ref().is_none_or(|r| {
                !r.unread(&scope(case.sides.of(side))).is_empty() || r.offices.is_none()
            })
        }),
        Reason::ReadingsNotRevealed => case.review.revealed.is_none(),
        Reason::NoJointReading => case.review.joint.is_none(),
        Reason::AlreadyConfirmed => case
            .review
            .joint
            .as_ref()
            .is_some_and(|joint| has(&joint.confirmed)),
        Reason::JointReadingNotConfirmed => !case
            .review
            .joint
            .as_ref()
            .is_some_and(|joint| case.everyone_in(&joint.confirmed)),
        Reason::NoActionsYet
        | Reason::EachSideOwnsOne
        | Reason::NoCooperationAction
        | Reason::NoCommunityBenefitAction
        | Reason::OwnerOutsideTheCase => composition_flaws(case).contains(&reason),
        Reason::DraftIsCirculating => case.agreements.circulated.is_some(),
        Reason::NothingCirculating => case.agreements.circulated.is_none(),
        Reason::AlreadyAccepted => case
            .agreements
            .circulated
            .as_ref()
            .is_some_and(|c| own.is_some_and(|(_, o)| c.accepted.contains_key(&o))),
        Reason::NotEveryoneAccepted => !case.agreements.accepted_by_all(case),
        Reason::NoSummary => case.closing.summary.is_none(),
        Reason::NoTimetable => case.clocks.proposed.is_none(),
        Reason::ReopeningNotPossible => !may_reopen(
            case,
            case.closing
                .reopen_request
                .as_ref()
                .is_some_and(|r| r.new_facts),
            facts,
            now,
        ),
        Reason::ReopeningAlreadyAsked => case.closing.reopen_request.is_some(),
        Reason::NotYourPart
        | Reason::NotAtThisStage
        | Reason::NoFirstAccount
        | Reason::NotAFacilitator
        | Reason::ObserverConnected
        | Reason::NoSessionYet
        | Reason::PrinciplesNotCovered
        | Reason::NotYourAction
        | Reason::ReadBackDoesNotMatch
        | Reason::OutcomeDoesNotFit
        | Reason::SessionsNotLogged
        | Reason::ActionsLeftOpen
        | Reason::StageNotReached
        | Reason::RoomFull
        | Reason::ModelChosenAlready
        | Reason::NoSuchClock
        | Reason::MeetingNotOpen
        | Reason::MeetingNotSet => false,
    }
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
