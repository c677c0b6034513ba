//! Whether the service runs, and whether it can work.
use actix_web::http::StatusCode;
use actix_web::web::Data;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, json};
use crate::casework::Desk;

/// How the service is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    pub status: &'static str,
}

pub async fn live() -> Answer {
    json(StatusCode::OK, &Health { status: "live" })
}

pub async fn ready(desk: Data<Desk>) -> Answer {
    desk.is_ready().await?;
    json(StatusCode::OK, &Health { status: "ready" })
}
