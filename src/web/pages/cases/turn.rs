//! What a case asks of its reader now: the things only they can do, the most pressing first. The first is the card
//! "Your turn", all of them are "What we need from you"; where there is none, the page says whom it waits for.
use serde_json::{Value, json};

use super::Open;
use crate::domain::access::CapacityName;
use crate::domain::action::EventName as E;
use crate::domain::case::{Side, Stage};
use crate::domain::deadline::DeadlineKind as D;
use crate::domain::meeting::{MeetingSight, MeetingState};
use crate::domain::sight::Turn;
use crate::domain::time::Moment;

/// Something to do: its words are in the groups `turn_title`, `turn_why` and `turn_button`.
pub struct Thing {
    pub word: &'static str,
    pub to: String,
    pub by: Option<Moment>,
}

/// Everything the reader can do that the case waits for, in the order it matters. `meetings` are those they may know
/// of, and `me` whoever reads.
pub fn things(open: &Open, meetings: &[MeetingSight], me: &str) -> Vec<Thing> {
    let at = format!("/cases/{}", open.id());
    let step = |word, event: E, by| Thing {
        word,
        to: format!("{at}/steps/{}", event.word()),
        by,
    };
    let place = |word, path: &str, by| Thing {
        word,
        to: format!("{at}{path}"),
        by,
    };
    let due = |kind| {
        open.sight
            .deadlines
            .iter()
            .find(|d| d.kind == kind)
            .map(|d| d.due)
    };
    let mut all = Vec::new();
    if open.sight.brief.on_hold {
        return all;
    }
    match open.you_are() {
        CapacityName::InitiatingLead
        | CapacityName::InitiatingMember
        | CapacityName::InvitedLead
        | CapacityName::InvitedMember => {
            if open.sight.brief.stage == Stage::Draft {
                all.push(place("draft", "/start/check", None));
            }
            if open.can(E::GiveMore) {
                all.push(step("give_more", E::GiveMore, due(D::Triage)));
            }
            if open.can(E::Respond) && !takes_part(open) {
                all.push(step("respond", E::Respond, due(D::Response)));
            }
            if open.can(E::AgreeToTalk) {
                all.push(step(
                    "agree_to_talk",
                    E::AgreeToTalk,
                    due(D::EarlyConversation),
                ));
            }
            if open.can(E::AcceptAgreement) {
                all.push(place("accept_agreement", "/agreement", due(D::Signing)));
            }
            if open.can(E::ConfirmJointReading) {
                all.push(step(
                    "confirm_joint_reading",
                    E::ConfirmJointReading,
                    due(D::StandardsReview),
                ));
            }
            if let Some(review) = &open.sight.review
                && open.sight.brief.stage == Stage::StandardsReview
                && open
                    .side()
                    .is_some_and(|side| review.shared.of(side) == &Some(false))
            {
                all.push(place(
                    "read_standards",
                    "/standards",
                    due(D::StandardsReview),
                ));
            }
            if open.can(E::AgreeSummary) {
                all.push(step("agree_summary", E::AgreeSummary, None));
            }
            if open.can(E::AgreeTimetable) {
                all.push(step("agree_timetable", E::AgreeTimetable, None));
            }
            if open.can(E::ProposeAction) && waits_for_me(open) {
                all.push(step(
                    "propose_action",
                    E::ProposeAction,
                    due(D::AgreedActions),
                ));
            }
        }
        CapacityName::AskedFacilitator => {
            if open.can(E::AcceptAppointment) {
                all.push(step(
                    "accept_appointment",
                    E::AcceptAppointment,
                    due(D::Acceptance),
                ));
            }
        }
        CapacityName::Facilitator => {
            if open.can(E::ConcludeAgreement) {
                all.push(step(
                    "conclude_agreement",
                    E::ConcludeAgreement,
                    due(D::Signing),
                ));
            }
            if open.can(E::BeginStandardsReview) {
                all.push(step(
                    "begin_standards_review",
                    E::BeginStandardsReview,
                    due(D::EarlyConversation),
                ));
            }
            let minuted = open
                .sight
                .review
                .as_ref()
                .is_some_and(|r| r.joint_reading.is_some());
            if open.can(E::RecordJointReading) && !minuted {
                all.push(step(
                    "record_joint_reading",
                    E::RecordJointReading,
                    due(D::StandardsReview),
                ));
            }
            if open.can(E::BeginAgreedActions) {
                all.push(step(
                    "begin_agreed_actions",
                    E::BeginAgreedActions,
                    due(D::StandardsReview),
                ));
            }
            if open.can(E::Circulate) {
                all.push(step("circulate", E::Circulate, due(D::AgreedActions)));
            }
            let agreed = open
                .sight
                .agreement
                .as_ref()
                .is_some_and(|a| a.in_force.is_some() && a.circulated.is_none());
            if agreed && open.can(E::Close) && waits_for_me(open) {
                all.push(step("close", E::Close, due(D::AgreedActions)));
            }
        }
        CapacityName::Coordinator => {
            let intake = open.sight.intake.as_ref();
            if open.can(E::Screen) && intake.is_some_and(|i| i.screening.is_none()) {
                all.push(step("screen", E::Screen, due(D::Triage)));
            }
            for (word, event, by) in [
                ("decide_objection", E::DecideObjection, D::ObjectionDecision),
                ("assign_facilitator", E::AssignFacilitator, D::Triage),
                ("invite", E::Invite, D::Triage),
                ("accept_intake", E::AcceptIntake, D::Triage),
                ("reopen", E::Reopen, D::Triage),
            ] {
                if open.can(event) {
                    all.push(step(word, event, due(by)));
                }
            }
        }
        CapacityName::Observer
        | CapacityName::Auditor
        | CapacityName::Account
        | CapacityName::System => {}
    }
    if takes_part_in_meetings(open) {
        for meeting in meetings
            .iter()
            .filter(|m| m.state == MeetingState::Proposed)
        {
            let answered = meeting.answers.iter().any(|a| a.person.to_string() == me);
            let path = format!("/meetings/{}", meeting.id);
            if !answered {
                all.push(place("answer_meeting", &path, None));
            } else if open.is_neutral() && meeting.answers.len() > 1 {
                all.push(place("confirm_meeting", &path, None));
            }
        }
    }
    all
}

fn takes_part_in_meetings(open: &Open) -> bool {
    open.side().is_some() || open.is_neutral()
}

/// Whether the reader's organisations have said that they take part.
fn takes_part(open: &Open) -> bool {
    let answers = open.sight.conversation.as_ref().map(|c| &c.responses);
    open.organisations()
        .into_iter()
        .filter(|(side, _)| *side == Side::Invited)
        .all(|(_, o)| {
            answers
                .and_then(|a| a.get(&o.id))
                .is_some_and(|answer| answer.takes_part())
        })
}

/// Whose turn the reader's is.
pub fn turn_of(you: CapacityName) -> Option<Turn> {
    match you {
        CapacityName::InitiatingLead | CapacityName::InitiatingMember => Some(Turn::Initiating),
        CapacityName::InvitedLead | CapacityName::InvitedMember => Some(Turn::Invited),
        CapacityName::Facilitator | CapacityName::AskedFacilitator => Some(Turn::Facilitator),
        CapacityName::Coordinator => Some(Turn::Coordinator),
        CapacityName::Observer
        | CapacityName::Auditor
        | CapacityName::Account
        | CapacityName::System => None,
    }
}

fn waits_for_me(open: &Open) -> bool {
    turn_of(open.you_are()).is_some_and(|turn| open.sight.brief.waiting_for.contains(&turn))
}

/// For the page: the first thing as a card, the others as a list, or whom the case waits for.
pub fn shown(open: &Open, things: &[Thing], now: Moment) -> Value {
    let shown = |t: &Thing| {
        let late = t.by.is_some_and(|by| by < now);
        json!({ "word": t.word, "to": t.to, "by": t.by, "late": late })
    };
    json!({
        "first": things.first().map(shown),
        "others": things.iter().skip(1).map(shown).collect::<Vec<_>>(),
        "waits": waits(open),
    })
}

/// Whom a case waits for, as its reader may know it, in a word of the group `waits`.
pub fn waits(open: &Open) -> Value {
    waiting_word(&open.sight.brief)
}

/// The same for a case in a list: a word, and the names that belong to it.
pub fn waiting_word(brief: &crate::domain::sight::Brief) -> Value {
    let names = |side: Side| {
        brief.sides.as_ref().map(|sides| {
            let all: Vec<&str> = sides.of(side).iter().map(|o| o.name.as_str()).collect();
            super::listed(&all)
        })
    };
    let own = turn_of(brief.you_are);
    let turns = &brief.waiting_for;
    let (one, other) = (
        turns.contains(&Turn::Initiating),
        turns.contains(&Turn::Invited),
    );
    let word = if brief.on_hold {
        "paused"
    } else if own.is_some_and(|own| turns.contains(&own)) {
        "you"
    } else if one && other {
        "both"
    } else if one || other {
        "side"
    } else if turns.contains(&Turn::Facilitator) {
        "facilitator"
    } else if turns.contains(&Turn::Coordinator) {
        "clero"
    } else {
        "nobody"
    };
    let side = if one {
        names(Side::Initiating)
    } else {
        names(Side::Invited)
    };
    let name = side.filter(|_| word == "side");
    json!({ "word": word, "name": name })
}
