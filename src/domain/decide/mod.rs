//! How each event changes a case: `decide(case, who asks, what, facts) → Decision | Refusal`, without reading or
//! writing anything. One file a room. Whether an event may happen at all is in `procedure`.
mod agreement;
mod closure;
mod conversation;
mod intake;
mod neutral;
mod review;

use uuid::Uuid;

use super::access::{Audience, Capacity};
use super::action::{Action, EventName};
use super::answers::hash_to_answer;
use super::case::{Case, OnBehalf, Side, Stage};
use super::deadline::DeadlineKind;
use super::facts::Facts;
use super::hash::read_back_code;
use super::id::{OrganisationId, PersonId};
use super::notice::{Letter, Told};
use super::procedure::{To, audience, line_of, unmet};
use super::reason::Reason;
use super::time::Moment;

/// Who asks, as what, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// `None` is the service itself.
    pub person: Option<PersonId>,
    /// As what they meet the case; for somebody offline, as what that organisation does.
    pub capacity: Capacity,
    pub on_behalf_of: Option<&'a OnBehalf>,
    pub now: Moment,
    /// A new random name, for whatever the event makes.
    pub fresh: Uuid,
    pub facts: &'a Facts,
}

impl Asking<'_> {
    /// Side and organisation of the representative who asks; the procedure lets nobody else this far.
    fn party(&self) -> (Side, OrganisationId) {
        self.capacity
            .party()
            .expect("the procedure lets only representatives do this")
    }

    fn person(&self) -> PersonId {
        self.person.expect("the procedure lets only people do this")
    }
}

/// Bad input: where it is (a JSON pointer, RFC 6901) and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub pointer: String,
    pub message: String,
}

impl Flaw {
    /// A flaw at `pointer`.
    #[must_use]
    pub fn at(pointer: &str, message: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        }
    }
}

/// Why an event does not happen, said so that the person can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It belongs to somebody else in the case.
    NotYourPart(EventName),
    /// It could happen, but not now.
    Unmet {
        event: EventName,
        stage: Stage,
        reasons: Vec<Reason>,
    },
    /// The hash that was answered is not the one that stands now.
    OldHash,
    /// The body says something that cannot be.
    Flawed(Vec<Flaw>),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Reasons(vec![reason])
    }
}

/// What a room answers when an event cannot happen; `decide` makes a `Refusal` of it.
enum Stop {
    Reasons(Vec<Reason>),
    OldHash,
    Flaw(Flaw),
}

type Room = Result<(), Stop>;

fn flaw(pointer: &str, message: &str) -> Stop {
    Stop::Flaw(Flaw::at(pointer, message))
}

/// What happens: the case as it is afterwards, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// `None`: the draft is gone.
    pub after: Option<Case>,
    pub event: EventName,
    pub audience: Audience,
    pub told: Vec<(Told, Letter)>,
}

/// Decides what `action` does to `case`.
pub fn decide(case: &Case, ask: &Asking<'_>, action: &Action) -> Result<Decision, Refusal> {
    let event = action.name();
    let reasons = unmet(event, case, ask.capacity, ask.facts, ask.now);
    if reasons == [Reason::NotYourPart] {
        return Err(Refusal::NotYourPart(event));
    }
    if !reasons.is_empty() {
        return Err(Refusal::Unmet {
            event,
            stage: case.stage,
            reasons,
        });
    }
    let line = line_of(event);
    let mut after = case.clone();
    perform(&mut after, ask, action).map_err(|stop| match stop {
        Stop::Reasons(reasons) => Refusal::Unmet {
            event,
            stage: case.stage,
            reasons,
        },
        Stop::OldHash => Refusal::OldHash,
        Stop::Flaw(flaw) => Refusal::Flawed(vec![flaw]),
    })?;
    match line.to {
        To::Stay | To::Gone => {}
        To::Stage(stage) => enter(&mut after, stage, ask),
        To::Back => {
            let stage = one_back(case.stage);
            enter(&mut after, stage, ask);
        }
        To::Chosen => {
            let stage = after.stage;
            enter(&mut after, stage, ask);
        }
    }
    let sealed_share = event == EventName::ShareReading && after.review.revealed.is_none();
    let told = line
        .told
        .iter()
        .copied()
        .filter(|(_, letter)| concerns(*letter, case, action));
    Ok(Decision {
        event,
        audience: if sealed_share {
            Audience::of(ask.party().0)
        } else {
            audience(event)
        },
        told: if sealed_share {
            Vec::new()
        } else {
            told.collect()
        },
        after: (line.to != To::Gone).then_some(after),
    })
}

/// Whether a letter of the line fits what was done: nobody hears of a change of somebody they never knew of, or of an
/// account that was not shared.
fn concerns(letter: Letter, case: &Case, action: &Action) -> bool {
    match action {
        Action::ReplaceFacilitator(_) => {
            letter != Letter::FacilitatorChanges || case.neutrals.in_place().is_some()
        }
        Action::Respond(body) => {
            letter != Letter::AccountShared || (body.share_account && body.account.is_some())
        }
        _other => true,
    }
}

fn perform(case: &mut Case, ask: &Asking<'_>, action: &Action) -> Room {
    match action {
        Action::SaveDraft(body) => intake::save_draft(case, ask, body),
        Action::DiscardDraft(_) => Ok(()),
        Action::Submit(_) => intake::submit(case, ask),
        Action::AskForMore(body) => intake::ask_for_more(case, ask, body),
        Action::GiveMore(body) => intake::give_more(case, ask, body),
        Action::Screen(body) => intake::screen(case, ask, body),
        Action::LinkCase(body) => intake::link_case(case, ask, body),
        Action::DeclineIntake(body) => intake::decline(case, ask, body),
        Action::Invite(body) => intake::invite(case, ask, body),
        Action::AcceptIntake(_) => intake::accept(case, ask),
        Action::AssignFacilitator(body) => neutral::assign(case, ask, body.person),
        Action::AcceptAppointment(body) => neutral::accept(case, ask, body),
        Action::DeclineAppointment(body) => neutral::decline(case, ask, body),
        Action::StepBack(_) => neutral::step_back(case, ask),
        Action::ReplaceFacilitator(body) => neutral::replace(case, ask, body.person),
        Action::Object(body) => neutral::object(case, ask, body),
        Action::DecideObjection(body) => neutral::decide_objection(case, ask, body),
        Action::AdmitObserver(body) => neutral::admit_observer(case, ask, body.person),
        Action::Respond(body) => conversation::respond(case, ask, body),
        Action::ShareStatement(_) => conversation::share_statement(case, ask),
        Action::AgreeToTalk(body) => conversation::agree_to_talk(case, ask, &body.answers),
        Action::SetConfidentiality(body) => conversation::set_confidentiality(case, body.model),
        Action::CloseJointRoom(_) => {
            case.conversation.joint_room_closed = Some(ask.now);
            Ok(())
        }
        Action::OpenJointRoom(_) => {
            case.conversation.joint_room_closed = None;
            Ok(())
        }
        Action::LogSession(body) => conversation::log_session(case, ask, &body.session),
        Action::BeginStandardsReview(body) => review::begin(case, ask, body),
        Action::ShareReading(body) => review::share(case, ask, &body.answers),
        Action::RecordJointReading(body) => review::record_joint(case, ask, body),
        Action::ConfirmJointReading(body) => review::confirm_joint(case, ask, &body.answers),
        Action::BeginAgreedActions(_) => Ok(()),
        Action::ReturnToStage(body) => agreement::take_back(case, &body.reason),
        Action::ProposeAction(body) => agreement::propose(case, ask, &body.terms),
        Action::AmendAction(body) => agreement::amend(case, ask, body.action, &body.terms),
        Action::WithdrawAction(body) => agreement::withdraw(case, ask, body.action),
        Action::Circulate(body) => agreement::circulate(case, ask, body),
        Action::AcceptAgreement(body) => agreement::accept(case, ask, &body.answers),
        Action::DeclineAgreement(body) => agreement::decline(case, ask, body),
        Action::ConcludeAgreement(_) => agreement::conclude(case, ask),
        Action::ProposeSummary(body) => closure::propose_summary(case, body),
        Action::AgreeSummary(body) => closure::agree_summary(case, ask, &body.answers),
        Action::Close(body) => closure::close(case, ask, body),
        Action::Withdraw(body) => closure::withdraw(case, ask, body.reason.as_ref()),
        Action::Hold(body) => closure::hold(case, ask, body),
        Action::Resume(_) => closure::resume(case, ask),
        Action::RequestReopen(body) => closure::request_reopen(case, ask, body),
        Action::Reopen(body) => closure::reopen(case, body.stage),
        Action::ProposeTimetable(body) => closure::propose_timetable(case, ask, body),
        Action::AgreeTimetable(body) => closure::agree_timetable(case, ask, &body.answers),
        Action::DeadlinePassed(body) => closure::deadline_passed(case, ask, body.deadline),
    }
}

fn one_back(stage: Stage) -> Stage {
    match stage {
        Stage::AgreedActions => Stage::StandardsReview,
        Stage::StandardsReview | Stage::EarlyConversation => Stage::EarlyConversation,
        Stage::Draft | Stage::Intake | Stage::Closed => stage,
    }
}

/// Brings a case into `stage`: its clock starts, those of the stage before stop, and the neutral's check is run again.
fn enter(case: &mut Case, stage: Stage, ask: &Asking<'_>) {
    let (spans, now, nations) = (&ask.facts.spans, ask.now, case.nations());
    case.stage = stage;
    case.closing.reached.insert(stage);
    for kind in [
        DeadlineKind::Triage,
        DeadlineKind::EarlyConversation,
        DeadlineKind::EarlyConversationReview,
        DeadlineKind::StandardsReview,
        DeadlineKind::AgreedActions,
        DeadlineKind::Signing,
    ] {
        case.clocks.stop(kind);
    }
    match stage {
        Stage::Draft => {}
        Stage::Intake => case
            .clocks
            .start(DeadlineKind::Triage, spans.triage, now, &nations),
        Stage::EarlyConversation => {
            case.clocks.start(
                DeadlineKind::EarlyConversation,
                spans.early_conversation,
                now,
                &nations,
            );
            case.clocks.start(
                DeadlineKind::EarlyConversationReview,
                spans.early_conversation_review,
                now,
                &nations,
            );
            conversation::start_response_clock(case, ask);
        }
        Stage::StandardsReview => {
            case.clocks.stop(DeadlineKind::Response);
            case.clocks.start(
                DeadlineKind::StandardsReview,
                spans.standards_review,
                now,
                &nations,
            );
        }
        Stage::AgreedActions => case.clocks.start(
            DeadlineKind::AgreedActions,
            spans.agreed_actions,
            now,
            &nations,
        ),
        Stage::Closed => {
            case.hold = None;
            case.clocks.stop_all();
        }
    }
    neutral::check_again(case, ask);
}

/// Compares the hash a body answers with the one that stands.
fn answers(named: &str, standing: &str) -> Room {
    if named == standing {
        Ok(())
    } else {
        Err(Stop::OldHash)
    }
}

/// Checks the hash a body names against the one that stands for this person.
fn answers_what_stands(named: &str, event: EventName, case: &Case, ask: &Asking<'_>) -> Room {
    answers(
        named,
        &hash_to_answer(event, case, ask.facts).ok_or(Stop::OldHash)?,
    )
}

/// Whether the digits somebody read back are those of `hash`; signed-in people need none.
fn read_back(ask: &Asking<'_>, hash: &str) -> Room {
    match ask.on_behalf_of {
        None => Ok(()),
        Some(behalf) if behalf.read_back_code.as_deref() == Some(read_back_code(hash).as_str()) => {
            Ok(())
        }
        Some(_) => Err(Reason::ReadBackDoesNotMatch.into()),
    }
}
