//! Localities, counties and standards over HTTP: facts that are part of the program, for anybody.
use actix_web::http::StatusCode;
use actix_web::web::Data;
use schemars::JsonSchema;
use serde::Deserialize;

use super::cases::SliceQuery;
use super::{Answer, json};
use crate::casework::read::Page;
use crate::casework::{Desk, Error};
use crate::domain::register::{self, LocalityCode, Nation};
use crate::domain::review;
use crate::domain::text::Line;
use crate::web::ask::Ask;

/// Which localities.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    #[serde(default)]
    pub nation: Option<Nation>,
    /// Words in the name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub text: Option<Line>,
    #[serde(flatten)]
    pub slice: SliceQuery,
}

pub async fn localities(ask: Ask) -> Answer {
    let query: Query = ask.query()?;
    let slice = query.slice.slice()?;
    let list = ("localities", query.nation, &query.text);
    let after: Option<String> = slice.place(&list).map_err(|_| Error::BadCursor)?;
    let found = register::localities(query.nation, query.text.as_ref().map(Line::as_str))
        .filter(|l| after.as_ref().is_none_or(|a| l.code > *a))
        .take(slice.most() + 1)
        .cloned()
        .collect();
    json(
        StatusCode::OK,
        &slice.page(found, &list, |l| l.code.clone()),
    )
}

pub async fn locality(ask: Ask) -> Answer {
    let code = ask.id("code", LocalityCode::parse)?;
    json(StatusCode::OK, code.locality())
}

pub async fn organisations(ask: Ask, desk: Data<Desk>) -> Answer {
    let code = ask.id("code", LocalityCode::parse)?;
    json(
        StatusCode::OK,
        &desk.organisations_in(ask.caller, code).await?,
    )
}

pub async fn counties() -> Answer {
    json(StatusCode::OK, &Page::from(register::counties().to_vec()))
}

pub async fn standards() -> Answer {
    json(StatusCode::OK, &Page::from(review::standards().to_vec()))
}
