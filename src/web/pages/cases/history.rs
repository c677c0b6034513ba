//! Everything that has happened in a case, as far as its reader may know.
use serde_json::{Value, json};

use super::open;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;

/// The whole history, a page at a time.
pub async fn show(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let page = visit
        .desk
        .history(visit.caller(), open.id(), visit.slice(50)?)
        .await?;
    let events: Vec<Value> = page
        .items
        .iter()
        .map(|h| {
            let behalf = h
                .on_behalf_of
                .map(|o| open.name_of(o))
                .filter(|name| !name.is_empty());
            json!({ "event": h.event, "at": h.at, "capacity": h.capacity, "behalf": behalf })
        })
        .collect();
    let dates: Vec<Value> = open
        .sight
        .deadlines
        .iter()
        .map(|d| json!({ "kind": d.kind, "due": d.due, "passed": d.passed }))
        .collect();
    visit.page(
        "cases/history",
        json!({ "case": open.head("history"), "events": events, "next": page.next, "dates": dates }),
    )
}
