//! The front page of a case: whose turn it is, where it stands, who is in it, what was said last, what comes next.
use serde_json::{Value, json};

use super::messages::shown;
use super::turn::{things, waits};
use super::{Open, by_side, open, turn};
use crate::casework::read::Slice;
use crate::domain::access::CapacityName;
use crate::domain::action::EventName as E;
use crate::domain::case::{Side, Stage};
use crate::domain::event::Happened;
use crate::domain::meeting::{MeetingSight, MeetingState};
use crate::domain::register::{LocalityCode, Presence, PresenceKind};
use crate::domain::room::Room;
use crate::domain::time::Moment;
use crate::web::api::Answer;
use crate::web::pages::map::{self, Kind, MapPlace};
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// How many messages are shown here.
const LATEST: usize = 3;

/// The case.
pub async fn show(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    if open.sight.brief.stage == Stage::Draft {
        return visit.on(&format!("/cases/{}/start/check", open.id()));
    }
    let now = visit.desk.clock.now();
    let (me, id) = (visit.me()?.person.id.to_string(), open.id());
    let slice = || Slice {
        limit: Some(100),
        cursor: None,
    };
    let meetings = visit
        .desk
        .meetings(visit.caller(), id, slice())
        .await?
        .items;
    let happened = visit.desk.history(visit.caller(), id, slice()).await?.items;
    let circle = visit.desk.circle(visit.caller(), id).await?.items;
    let todo = things(&open, &meetings, &me);
    let data = json!({
        "case": open.head("overview"),
        "turn": turn::shown(&open, &todo, now),
        "needs": needs(&open),
        "asked": open.you_are() == CapacityName::AskedFacilitator,
        "auditor": open.you_are() == CapacityName::Auditor,
        "tracker": tracker(&open, &happened),
        "meeting": next_meeting(&meetings, now),
        "latest": latest(&visit, &open, &me).await?,
        "writes": open.rooms.iter().any(|r| r.you_may_write && r.room.is_for_talk()),
        "people": people(&open, &circle),
        "facilitator": facilitator(&open),
        "so_far": so_far(&happened),
        "map": places(&visit, &open).await?,
        "about": about(&open),
        "steps": steps(&open),
        "asking": open.side().is_some() && open.sight.brief.stage != Stage::Closed,
        "closure": closure(&open),
        "hold": open.sight.hold.as_ref().map(|h| json!({ "until": h.until, "reason": h.reason })),
    });
    visit.page("cases/overview", data)
}

/// What of the case asks for an answer of CLERO's or the neutral's, besides the card.
fn needs(open: &Open) -> Value {
    let objection = open.sight.objections.iter().find(|o| o.result.is_none());
    json!({ "objection": objection.map(|o| json!({ "reasons": o.reasons, "at": o.at })) })
}

/// The four stages: done, here, or still to come.
fn tracker(open: &Open, happened: &[Happened]) -> Value {
    let first = |event: E| {
        let all = happened.iter().rev();
        all.filter(|h| h.event == event.word())
            .map(|h| h.at)
            .next_back()
    };
    let begun = [
        (Stage::EarlyConversation, first(E::AcceptIntake)),
        (Stage::StandardsReview, first(E::BeginStandardsReview)),
        (Stage::AgreedActions, first(E::BeginAgreedActions)),
    ];
    let stage = open.sight.brief.stage;
    let closed = open.sight.closure.as_ref().and_then(|c| c.closed_at);
    let mut shown: Vec<Value> = begun
        .iter()
        .enumerate()
        .map(|(i, (at, since))| {
            let ended = begun.get(i + 1).and_then(|(_, next)| *next).or(closed);
            let state = if *at == stage {
                "now"
            } else if since.is_some() && (stage > *at || closed.is_some()) {
                "done"
            } else if closed.is_some() {
                "not_needed"
            } else {
                "to_come"
            };
            json!({ "stage": at, "number": i + 1, "state": state, "since": since, "ended": ended.filter(|_| state == "done") })
        })
        .collect();
    let state = if closed.is_some() { "done" } else { "to_come" };
    shown.push(
        json!({ "stage": "closed", "number": 4, "state": state, "since": closed, "ended": closed }),
    );
    Value::from(shown)
}

fn next_meeting(meetings: &[MeetingSight], now: Moment) -> Value {
    let coming = meetings
        .iter()
        .filter(|m| m.state == MeetingState::Confirmed);
    let next = coming
        .filter_map(|m| m.start.filter(|at| *at > now).map(|at| (at, m)))
        .min_by_key(|(at, _)| *at);
    next.map_or(Value::Null, |(at, m)| {
        json!({ "id": m.id, "start": at, "minutes": m.minutes, "way": m.way, "place": m.place })
    })
}

/// What was said last, in the rooms this reader enters; one's own notes are not among it.
async fn latest(visit: &Visit, open: &Open, me: &str) -> Result<Value, Problem> {
    let mut all = Vec::new();
    for room in open
        .rooms
        .iter()
        .filter(|r| r.room.is_for_talk() && r.room != Room::Notes)
    {
        let slice = Slice {
            limit: Some(2),
            cursor: None,
        };
        let page = visit
            .desk
            .messages(visit.caller(), (open.id(), room.room), slice)
            .await?;
        all.extend(page.items.into_iter().map(|m| (m.at, room.room, m)));
    }
    all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    Ok(all
        .iter()
        .take(LATEST)
        .map(|(_, room, message)| shown(open, *room, message, me))
        .collect())
}

fn people(open: &Open, circle: &[crate::casework::neutrals::InCase]) -> Value {
    open.organisations()
        .into_iter()
        .map(|(side, o)| {
            let members: Vec<Value> = circle
                .iter()
                .filter(|m| m.organisation == o.id)
                .map(|m| json!({ "name": m.person.name, "lead": m.lead }))
                .collect();
            json!({ "name": o.name, "id": o.id, "invited": side == Side::Invited, "own": open.side() == Some(side), "members": members })
        })
        .collect()
}

fn facilitator(open: &Open) -> Value {
    open.sight.facilitator.as_ref().map_or(Value::Null, |f| {
        json!({ "name": f.person.name, "state": f.state, "disclosures": f.disclosures, "you": open.is_neutral() })
    })
}

/// The milestones, the newest first: what moved the case on, not each small step.
fn so_far(happened: &[Happened]) -> Value {
    const MILESTONES: [E; 17] = [
        E::Submit,
        E::AcceptAppointment,
        E::Invite,
        E::AcceptIntake,
        E::Respond,
        E::LogSession,
        E::BeginStandardsReview,
        E::RecordJointReading,
        E::BeginAgreedActions,
        E::Circulate,
        E::ConcludeAgreement,
        E::Hold,
        E::Resume,
        E::Close,
        E::Withdraw,
        E::DeclineIntake,
        E::Reopen,
    ];
    happened
        .iter()
        .filter(|h| MILESTONES.iter().any(|m| m.word() == h.event))
        .take(8)
        .map(|h| json!({ "event": h.event, "at": h.at }))
        .collect()
}

/// Where each organisation works today, on a map, with the places the case is about.
async fn places(visit: &Visit, open: &Open) -> Result<Value, Problem> {
    let today = visit.desk.clock.now().london_day();
    let mut all: Vec<MapPlace> = Vec::new();
    for (side, organisation) in open.organisations() {
        let kind = match side {
            Side::Initiating => Kind::One,
            Side::Invited => Kind::Two,
        };
        let found = visit
            .desk
            .presences(visit.caller(), organisation.id)
            .await?
            .items;
        let now = |p: &&Presence| {
            p.since <= today
                && p.until.is_none_or(|until| until > today)
                && p.kind != PresenceKind::Former
        };
        all.extend(found.iter().filter(now).map(|p| MapPlace {
            code: p.locality.clone(),
            kind,
            says: organisation.name.clone(),
        }));
    }
    for place in open.sight.brief.localities.iter().flatten() {
        let known = all.iter().any(|p| p.code.as_str() == place.code);
        if let Some(code) = LocalityCode::parse(&place.code).filter(|_| !known) {
            all.push(MapPlace {
                code,
                kind: Kind::Asked,
                says: visit.language.said("The place you are talking about"),
            });
        }
    }
    Ok(map::of(&all))
}

/// What the case is about, as far as this reader may know.
fn about(open: &Open) -> Value {
    let Some(summary) = &open.sight.summary else {
        return Value::Null;
    };
    let accounts = open.sight.accounts.as_ref().map_or(Value::Null, |accounts| {
        by_side(open, accounts, |_, account| {
            account.as_ref().map_or(json!([]), |a| {
                let texts = a.texts.iter();
                texts.map(|t| json!({ "about": t.about, "text": t.text, "shared": t.shared_with_the_other })).collect()
            })
        })
    });
    let access = open.sight.needs.as_ref().map_or(Value::Null, |needs| {
        by_side(open, needs, |_, needs| {
            let all = needs.iter().flatten();
            all.map(|n| json!({ "contact": n.contact, "access_needs": n.access_needs, "language": n.language })).collect()
        })
    });
    json!({
        "kind": summary.kind, "grounds": summary.grounds, "topics": summary.topics, "good_outcome": summary.good_outcome,
        "in_short": summary.in_short, "accounts": accounts, "access": access,
        "questions": open.sight.intake.as_ref().map(|i| i.questions.iter().map(|q| json!({ "asked": q.asked, "answer": q.answer })).collect::<Vec<_>>()).unwrap_or_default(),
        "screening": open.sight.intake.as_ref().and_then(|i| i.screening.as_ref()).map(|s| json!({ "result": s.result, "reasons": s.reasons, "adjustments": s.adjustments })),
        "linked": open.sight.intake.as_ref().map(|i| i.linked.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_or_default(),
    })
}

/// Everything else whoever reads can do with the case, for those who run it.
fn steps(open: &Open) -> Value {
    const ELSEWHERE: [E; 12] = [
        E::SaveDraft,
        E::DiscardDraft,
        E::Submit,
        E::ShareReading,
        E::ProposeAction,
        E::AmendAction,
        E::WithdrawAction,
        E::AcceptAgreement,
        E::DeclineAgreement,
        E::Respond,
        E::AgreeToTalk,
        E::DeadlinePassed,
    ];
    let party = open.side().is_some();
    let asking = [
        E::Hold,
        E::Resume,
        E::Withdraw,
        E::Object,
        E::ProposeTimetable,
        E::AdmitObserver,
        E::ShareStatement,
    ];
    open.possible()
        .filter(|e| !(ELSEWHERE.contains(e) || party && asking.contains(e)))
        .map(|e| json!({ "event": e.word() }))
        .collect()
}

fn closure(open: &Open) -> Value {
    open.sight.closure.as_ref().map_or(Value::Null, |c| {
        json!({
            "outcome": c.outcome, "closed_at": c.closed_at, "summary": c.summary, "words_of": c.words_of,
            "because": c.not_agreed_because, "declined": c.declined_because, "signposting": c.signposting,
            "reopening": c.reopening_asked.as_ref().map(|r| json!({ "why": r.why, "at": r.at })), "left_because": c.left_because,
            "proposed": c.proposed_summary.as_ref().map(|s| json!({ "text": s.text })),
            "may_ask": open.can(E::RequestReopen),
        })
    })
}

/// The ways to take it easier: a break, more time, another way, another facilitator, leaving.
pub async fn ask(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let ways = [
        E::Hold,
        E::Resume,
        E::Respond,
        E::ProposeTimetable,
        E::Object,
        E::AdmitObserver,
        E::ShareStatement,
        E::Withdraw,
        E::RequestReopen,
    ];
    let can: serde_json::Map<String, Value> = ways
        .iter()
        .map(|e| (e.word().to_owned(), open.can(*e).into()))
        .collect();
    let private = open.side().map(|side| Room::Private(side).word());
    let data = json!({ "case": open.head("overview"), "can": can, "private": private, "waits": waits(&open) });
    visit.page("cases/ask", data)
}
