//! Letters: every kind there is, with a preview, and how those that were written fare.
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{address, word_of};
use crate::casework::mailbox::LetterState;
use crate::domain::notice::Letter;
use crate::web::api::Answer;
use crate::web::pages::shut_in::{shut_in, with_frame};
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// How many letters of the outbox there are on a page.
const ON_A_PAGE: u16 = 50;

/// What letters are about, in the order in which people meet them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Beginning,
    Facilitator,
    Conversation,
    Meetings,
    Review,
    Actions,
    Closing,
    Dates,
    PrivateRooms,
    Account,
}

impl Topic {
    const ALL: [Self; 10] = [
        Self::Beginning,
        Self::Facilitator,
        Self::Conversation,
        Self::Meetings,
        Self::Review,
        Self::Actions,
        Self::Closing,
        Self::Dates,
        Self::PrivateRooms,
        Self::Account,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Beginning => "beginning",
            Self::Facilitator => "facilitator",
            Self::Conversation => "conversation",
            Self::Meetings => "meetings",
            Self::Review => "review",
            Self::Actions => "actions",
            Self::Closing => "closing",
            Self::Dates => "dates",
            Self::PrivateRooms => "private_rooms",
            Self::Account => "account",
        }
    }

    fn of(letter: Letter) -> Self {
        match letter {
            Letter::SubmissionReceived
            | Letter::SubmissionToScreen
            | Letter::MoreAsked
            | Letter::MoreGiven
            | Letter::Signposted
            | Letter::Invitation
            | Letter::InvitationAnswered => Self::Beginning,
            Letter::AppointmentAsked
            | Letter::AppointmentAccepted
            | Letter::AppointmentReceipt
            | Letter::AppointmentDeclined
            | Letter::AppointmentEnded
            | Letter::FacilitatorNamed
            | Letter::FacilitatorChanges
            | Letter::ObjectionMade
            | Letter::ObjectionToDecide
            | Letter::ObjectionDecided
            | Letter::ObserverProposed => Self::Facilitator,
            Letter::ConversationBegins
            | Letter::AccountShared
            | Letter::AgreedToTalk
            | Letter::GroundRulesChanged
            | Letter::JointRoomClosed
            | Letter::JointRoomOpened
            | Letter::MessageAdded
            | Letter::DocumentAdded => Self::Conversation,
            Letter::MeetingProposed
            | Letter::MeetingAnswered
            | Letter::MeetingConfirmed
            | Letter::MeetingMoved
            | Letter::MeetingCancelled => Self::Meetings,
            Letter::ReviewBegins
            | Letter::ReadingsRevealed
            | Letter::JointReadingToConfirm
            | Letter::JointReadingConfirmed => Self::Review,
            Letter::ActionsBegin
            | Letter::StageReturned
            | Letter::ActionProposed
            | Letter::ActionChanged
            | Letter::AgreementToAccept
            | Letter::AcceptanceReceipt
            | Letter::AgreementAnswered
            | Letter::AgreementInForce => Self::Actions,
            Letter::SummaryToAgree
            | Letter::SummaryAgreed
            | Letter::CaseClosed
            | Letter::CaseClosedByLeaving
            | Letter::LeavingReceipt
            | Letter::ReopenAsked
            | Letter::ReopenAskedBySomebody
            | Letter::CaseReopened => Self::Closing,
            Letter::CasePaused
            | Letter::CaseResumed
            | Letter::TimetableProposed
            | Letter::TimetableAgreed
            | Letter::DeadlinePassed => Self::Dates,
            Letter::RoomLookAsked | Letter::RoomLookApproved | Letter::RoomLookDeclined => {
                Self::PrivateRooms
            }
            Letter::FirstAccount
            | Letter::MailCheck
            | Letter::SignInCode
            | Letter::ResetCode
            | Letter::AddressCode
            | Letter::AddressChanged
            | Letter::AccountChanged
            | Letter::NewBrowser
            | Letter::RecoveryBegun
            | Letter::MemberInvited
            | Letter::LeadChanged => Self::Account,
        }
    }
}

/// Every letter there is, with what it is for.
pub async fn list(visit: Visit) -> Answer {
    visit.desk.may_see_letters(visit.caller()).await?;
    let topic = |topic: Topic| {
        let those = Letter::ALL
            .iter()
            .filter(|letter| Topic::of(**letter) == topic);
        let letters: Vec<Value> = those
            .map(|letter| json!({ "kind": letter.word(), "what": letter.what() }))
            .collect();
        json!({ "topic": topic.word(), "letters": letters })
    };
    visit.page(
        "staff/letters",
        json!({ "topics": Topic::ALL.map(topic), "count": Letter::ALL.len() }),
    )
}

fn letter_in(visit: &Visit) -> Result<Letter, Problem> {
    visit.id("letter", |word| word.parse().ok())
}

/// One of them, with made-up words in it.
pub async fn preview(visit: Visit) -> Answer {
    let letter = letter_in(&visit)?;
    let shown = visit.desk.preview_letter(visit.caller(), letter).await?;
    let data = json!({ "letter": letter.word(), "what": letter.what(), "subject": shown.subject, "said": shown.words });
    Ok(with_frame(visit.page("staff/letter", data)?))
}

/// The same as a mail program shows it, for the frame.
pub async fn html(visit: Visit) -> Answer {
    let shown = visit
        .desk
        .preview_letter(visit.caller(), letter_in(&visit)?)
        .await?;
    Ok(shut_in(shown.html))
}

/// How letters fare.
pub async fn outbox(visit: Visit) -> Answer {
    visit.desk.may_see_outbox(visit.caller()).await?;
    let said = visit.asked_for("state");
    let state: Option<LetterState> = word_of(said.as_deref());
    let slice = visit.slice(ON_A_PAGE)?;
    let first = slice.cursor.is_none();
    let page = visit.desk.letters(visit.caller(), state, slice).await?;
    let people: BTreeSet<_> = page
        .items
        .iter()
        .filter_map(|letter| letter.person)
        .collect();
    let names = visit.desk.names(visit.caller(), people).await?;
    let lines: Vec<Value> = page
        .items
        .iter()
        .map(|letter| {
            let name = letter.person.and_then(|person| names.get(&person));
            json!({
                "person": letter.person, "name": name, "state": letter.state, "attempts": letter.attempts,
                "at": letter.created_at, "ended": letter.ended_at, "next": letter.next_at, "answer": letter.answer,
            })
        })
        .collect();
    let here = state.and(said.as_deref());
    let next = page
        .next
        .as_deref()
        .map(|cursor| address("/outbox", &[("state", here), ("cursor", Some(cursor))]));
    visit.page(
        "staff/outbox",
        json!({ "letters": lines, "state": here, "next": next, "begin": (!first).then(|| address("/outbox", &[("state", here)])) }),
    )
}
