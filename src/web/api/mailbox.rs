//! Notifications and letters over HTTP.
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::Deserialize;

use super::cases::SliceQuery;
use super::{Answer, json};
use crate::casework::Desk;
use crate::casework::mailbox::LetterState;
use crate::domain::id::NoticeId;
use crate::web::ask::{Ask, Signed};

/// Which letters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    #[serde(default)]
    pub state: Option<LetterState>,
    #[serde(flatten)]
    pub slice: SliceQuery,
}

pub async fn notifications(ask: Ask, desk: Data<Desk>) -> Answer {
    let query: SliceQuery = ask.query()?;
    let slice = query.slice()?;
    json(
        StatusCode::OK,
        &desk.notifications(ask.caller, slice).await?,
    )
}

pub async fn mark_read(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let id = ask.id("notification", NoticeId::parse)?;
    let key = ask.key(&octets)?;
    desk.mark_read(ask.caller, id, key).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub async fn letters(ask: Ask, desk: Data<Desk>) -> Answer {
    let query: Query = ask.query()?;
    let slice = query.slice.slice()?;
    json(
        StatusCode::OK,
        &desk.letters(ask.caller, query.state, slice).await?,
    )
}
