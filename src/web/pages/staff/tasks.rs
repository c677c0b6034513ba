//! What a coordinator has to look at besides the course of each case.
use serde_json::{Value, json};

use super::board::shown;
use crate::casework::board::Card;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;

/// The tasks.
pub async fn show(visit: Visit) -> Answer {
    let tasks = visit.desk.tasks(visit.caller()).await?;
    let now = visit.desk.clock.now();
    let cards =
        |those: &[Card]| -> Vec<Value> { those.iter().map(|card| shown(card, now)).collect() };
    let count = tasks.unreached.len()
        + tasks.looks.len()
        + tasks.objections.len()
        + tasks.reopenings.len()
        + tasks.unfacilitated.len()
        + tasks.recoveries.len();
    visit.page(
        "staff/tasks",
        json!({
            "count": count, "unreached": tasks.unreached, "looks": tasks.looks, "recoveries": tasks.recoveries,
            "objections": cards(&tasks.objections), "reopenings": cards(&tasks.reopenings),
            "unfacilitated": cards(&tasks.unfacilitated),
        }),
    )
}
