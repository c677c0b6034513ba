//! Planning to meet: proposing times, saying which suit, setting one, moving and cancelling it.
use serde_json::{Value, json};

use super::messages::band;
use super::{Open, open};
use crate::casework::meetings::Change;
use crate::casework::read::Slice;
use crate::domain::id::{CaseId, MeetingId};
use crate::domain::meeting::{MeetingSight, MeetingState, Proposal, is_for_meetings};
use crate::domain::room::Room;
use crate::web::api::Answer;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::{Visit, tag};
use crate::web::problem::Problem;

/// How many times the form has room for.
const TIMES: usize = 4;

/// The meetings of the case.
pub async fn list(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let slice = Slice {
        limit: Some(100),
        cursor: None,
    };
    let found = visit
        .desk
        .meetings(visit.caller(), open.id(), slice)
        .await?
        .items;
    let (now, me) = (visit.desk.clock.now(), visit.me()?.person.id.to_string());
    let is_ahead = |m: &&MeetingSight| match m.state {
        MeetingState::Proposed => true,
        MeetingState::Confirmed => m.start.is_some_and(|at| at > now),
        MeetingState::Cancelled => false,
    };
    let (mut ahead, mut past): (Vec<_>, Vec<_>) = found.iter().partition(is_ahead);
    ahead.sort_by_key(|m| m.start);
    past.sort_by_key(|m| std::cmp::Reverse(m.start));
    let sessions = open
        .sight
        .conversation
        .as_ref()
        .map(|c| c.sessions.clone())
        .unwrap_or_default();
    let data = json!({
        "case": open.head("meetings"),
        "ahead": ahead.iter().map(|m| shown(&open, m, &me)).collect::<Vec<_>>(),
        "past": past.iter().map(|m| shown(&open, m, &me)).collect::<Vec<_>>(),
        "proposes": !places(&open).is_empty(), "logs": open.can(crate::domain::action::EventName::LogSession),
        "sessions": sessions.iter().rev().map(|s| json!({ "on": s.on, "way": s.way, "who_came": s.who_came, "minutes": s.minutes })).collect::<Vec<_>>(),
    });
    visit.page("cases/meetings", data)
}

fn shown(open: &Open, m: &MeetingSight, me: &str) -> Value {
    let times: Vec<Value> = m
        .times
        .iter()
        .map(|t| {
            let answers: Vec<Value> = m
                .answers
                .iter()
                .filter_map(|a| {
                    a.times
                        .get(&t.id)
                        .map(|suits| json!({ "name": a.name, "suits": suits }))
                })
                .collect();
            json!({ "id": t.id, "start": t.start, "minutes": t.minutes, "answers": answers })
        })
        .collect();
    let needs: Vec<Value> = m
        .answers
        .iter()
        .filter_map(|a| {
            a.access_needs
                .as_ref()
                .map(|n| json!({ "name": a.name, "needs": n }))
        })
        .collect();
    json!({
        "id": m.id, "state": m.state, "start": m.start, "minutes": m.minutes, "way": m.way, "place": m.place, "note": m.note,
        "band": band(open, m.room), "times": times, "needs": needs, "proposed_by": m.proposed_by,
        "answered": m.answers.iter().any(|a| a.person.to_string() == me), "skeleton": m.way.is_none(),
    })
}

/// The rooms in which whoever visits can propose to meet.
fn places(open: &Open) -> Vec<Value> {
    let mut rooms: Vec<_> = open
        .rooms
        .iter()
        .filter(|r| is_for_meetings(r.room) && r.you_may_write)
        .collect();
    rooms.sort_by_key(|r| r.room == Room::Joint);
    let one_by_one = rooms.iter().map(|r| {
        let band = band(open, r.room);
        json!({ "value": r.room, "band": band })
    });
    one_by_one.collect()
}

/// The form for proposing times.
pub async fn propose_form(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let data = json!({ "case": open.head("meetings"), "places": places(&open), "slots": (0..TIMES).collect::<Vec<_>>() });
    let mut stands = Fields::default();
    for slot in 0..TIMES {
        stands.add(
            &format!("times.+{slot}.minutes#"),
            if slot == 0 { "60" } else { "" },
        );
    }
    stands.add("room", "joint");
    visit.form("cases/meeting_propose", data, stands, String::new())
}

/// Proposes times.
pub async fn propose(visit: Visit) -> Answer {
    let case = visit.id("case", CaseId::parse)?;
    let mut body = visit.fields();
    // An hour is what people mean who leave the length out; a length alone is no time.
    if let Some(Value::Array(times)) = body.get_mut("times") {
        times.retain(|t| t["start"].is_string());
        for time in times.iter_mut().filter(|t| t["minutes"].is_null()) {
            time["minutes"] = 60.into();
        }
    } else if body.is_object() {
        body["times"] = json!([]);
    }
    let done = match crate::web::json::shape::<Proposal>(body) {
        Ok(said) => visit
            .desk
            .propose_meeting(visit.caller(), case, said, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(meeting) => visit.on(&format!(
            "/cases/{case}/meetings/{}?done=proposed",
            meeting.id
        )),
        Err(problem) => propose_form(visit.troubled(problem)?).await,
    }
}

fn place(visit: &Visit) -> Result<(CaseId, MeetingId), Problem> {
    Ok((
        visit.id("case", CaseId::parse)?,
        visit.id("meeting", MeetingId::parse)?,
    ))
}

/// One meeting, and what can be done with it.
pub async fn show(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let found = visit.desk.meeting(visit.caller(), place(&visit)?).await?;
    let (now, me) = (visit.desk.clock.now(), visit.me()?.person.id.to_string());
    let mut stands = Fields::default();
    for answer in found.answers.iter().filter(|a| a.person.to_string() == me) {
        for (time, suits) in &answer.times {
            let word = serde_json::to_value(suits).ok();
            stands.add_some(
                &format!("times.{time}"),
                word.as_ref().and_then(Value::as_str),
            );
        }
        stands.add_some("access_needs", answer.access_needs.as_ref());
    }
    let (open_still, ahead) = (
        found.state == MeetingState::Proposed,
        found.start.is_some_and(|at| at > now),
    );
    let takes_part = open.side().is_some() || open.is_neutral();
    let may_cancel = open.is_neutral()
        && (open_still || ahead && found.state == MeetingState::Confirmed)
        || open_still && found.proposed_by == Some(open.you_are());
    let data = json!({
        "case": open.head("meetings"), "meeting": shown(&open, &found, &me), "tag": tag(&found),
        "answers": open_still && takes_part, "confirms": open_still && open.is_neutral(),
        "moves": found.state == MeetingState::Confirmed && ahead && open.is_neutral(), "cancels": may_cancel,
    });
    visit.form("cases/meeting", data, stands, tag(&found))
}

async fn changed(visit: Visit, change: Result<Change, Problem>, word: &str) -> Answer {
    let at = place(&visit)?;
    let done = match change {
        Ok(change) => {
            let changed = visit
                .desk
                .change_meeting(visit.caller(), at, change, visit.seen(), visit.once())
                .await;
            changed.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!("/cases/{}/meetings/{}?done={word}", at.0, at.1)),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

/// Says which times suit.
pub async fn answer(visit: Visit) -> Answer {
    let mut body = visit.fields();
    if body["times"].is_null() && body.is_object() {
        body["times"] = json!({});
    }
    let change = crate::web::json::shape(body).map(Change::Answer);
    changed(visit, change, "answered").await
}

/// Sets one of the times.
pub async fn confirm(visit: Visit) -> Answer {
    let change = visit.body().map(Change::Confirm);
    changed(visit, change, "meeting_set").await
}

/// Gives it another time.
pub async fn move_to(visit: Visit) -> Answer {
    let change = visit.body().map(Change::Move);
    changed(visit, change, "meeting_moved").await
}

/// Cancels it.
pub async fn cancel(visit: Visit) -> Answer {
    changed(visit, Ok(Change::Cancel), "meeting_cancelled").await
}
