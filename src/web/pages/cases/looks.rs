//! Requests of CLERO to look into one room for at most a day: asked by one person, decided by another, and shown to
//! those whose room it is.
use serde_json::{Value, json};

use super::messages::band;
use super::open;
use crate::casework::looks::{LookState, NewLook};
use crate::domain::access::CapacityName;
use crate::domain::id::{CaseId, LookId};
use crate::domain::room::{Look, Room};
use crate::web::api::Answer;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// The requests one may know of; for CLERO, a form for a new one.
pub async fn show(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let me = visit.me()?.person.id;
    let found = visit.desk.looks(visit.caller(), open.id()).await?.items;
    let looks: Vec<Value> = found
        .iter()
        .map(|l| {
            json!({
                "id": l.id, "room": l.room, "band": band(&open, l.room), "ground": l.ground, "reason": l.reason, "hours": l.hours,
                "state": l.state, "asked_by": l.asked_by.name, "asked_at": l.asked_at, "decided_by": l.decided_by.as_ref().map(|p| &p.name),
                "decided_at": l.decided_at, "until": l.until, "looked_at": l.looked_at, "mine": l.asked_by.id == me,
                "opened": l.state == LookState::Approved && l.asked_by.id == me,
            })
        })
        .collect();
    let clero = open.you_are() == CapacityName::Coordinator;
    let rooms: Vec<Value> = Room::ALL
        .into_iter()
        .filter(|room| clero && Look::is_for(*room))
        .map(|room| json!({ "value": room, "band": band(&open, room) }))
        .collect();
    visit.form(
        "cases/looks",
        json!({ "case": open.head("overview"), "looks": looks, "clero": clero, "rooms": rooms }),
        Fields::default(),
        String::new(),
    )
}

/// Asks to look into a room.
pub async fn ask(visit: Visit) -> Answer {
    let case = visit.id("case", CaseId::parse)?;
    let done = match visit.body::<NewLook>() {
        Ok(new) => visit
            .desk
            .ask_to_look(visit.caller(), case, new, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!("/cases/{case}/looks?done=look_asked")),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

/// Says yes to somebody else's request.
pub async fn approve(visit: Visit) -> Answer {
    decide(visit, true).await
}

/// Says no to it.
pub async fn decline(visit: Visit) -> Answer {
    decide(visit, false).await
}

async fn decide(visit: Visit, yes: bool) -> Answer {
    let at = (
        visit.id("case", CaseId::parse)?,
        visit.id("look", LookId::parse)?,
    );
    match visit
        .desk
        .decide_look(visit.caller(), at, yes, visit.once())
        .await
        .map_err(Problem::from)
    {
        Ok(_) => visit.on(&format!("/cases/{}/looks?done=decided", at.0)),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}
