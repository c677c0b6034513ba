//! Pages for anybody: what this is, and where help is to be had.
use serde_json::json;

use super::visit::Visit;
use crate::web::api::Answer;

/// The front door.
pub async fn home(visit: Visit) -> Answer {
    visit.page("public/home", json!({}))
}
