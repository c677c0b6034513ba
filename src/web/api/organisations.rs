//! The register over HTTP.
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::Deserialize;

use super::cases::SliceQuery;
use super::{Answer, json, tagged};
use crate::casework::Desk;
use crate::domain::id::{OrganisationId, PresenceId};
use crate::domain::register::PresenceState;
use crate::domain::text::Line;
use crate::web::ask::{Ask, Signed};

/// What the register is narrowed to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Words in the name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub text: Option<Line>,
    #[serde(flatten)]
    pub slice: SliceQuery,
}

/// How CLERO sees a presence.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    pub state: PresenceState,
}

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let query: Query = ask.query()?;
    let slice = query.slice.slice()?;
    json(
        StatusCode::OK,
        &desk
            .organisations(ask.caller, query.text.map(|t| t.as_str().to_owned()), slice)
            .await?,
    )
}

pub async fn add(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (asked, key) = (ask.body(&octets)?, ask.key(&octets)?);
    tagged(
        StatusCode::CREATED,
        &desk.add_organisation(ask.caller, asked, key).await?,
    )
}

pub async fn read(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("organisation", OrganisationId::parse)?;
    tagged(StatusCode::OK, &desk.organisation(ask.caller, id).await?)
}

pub async fn change(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, asked, if_match, key) = (
        ask.id("organisation", OrganisationId::parse)?,
        ask.body(&octets)?,
        ask.if_match()?,
        ask.key(&octets)?,
    );
    tagged(
        StatusCode::OK,
        &desk
            .change_organisation(ask.caller, id, asked, if_match, key)
            .await?,
    )
}

pub async fn presences(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("organisation", OrganisationId::parse)?;
    json(StatusCode::OK, &desk.presences(ask.caller, id).await?)
}

pub async fn declare(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, said, key) = (
        ask.id("organisation", OrganisationId::parse)?,
        ask.body(&octets)?,
        ask.key(&octets)?,
    );
    json(
        StatusCode::CREATED,
        &desk.declare_presence(ask.caller, id, said, key).await?,
    )
}

pub async fn judge(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, presence, key) = (
        ask.id("organisation", OrganisationId::parse)?,
        ask.id("presence", PresenceId::parse)?,
        ask.key(&octets)?,
    );
    let judge: Judge = ask.body(&octets)?;
    json(
        StatusCode::OK,
        &desk
            .judge_presence(ask.caller, id, presence, judge.state, key)
            .await?,
    )
}

pub async fn members(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("organisation", OrganisationId::parse)?;
    json(StatusCode::OK, &desk.members(ask.caller, id).await?)
}

pub async fn hand_over(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, asked, key) = (
        ask.id("organisation", OrganisationId::parse)?,
        ask.body(&octets)?,
        ask.key(&octets)?,
    );
    json(
        StatusCode::OK,
        &desk.hand_over_lead(ask.caller, id, asked, key).await?,
    )
}

pub async fn invite(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, new, key) = (
        ask.id("organisation", OrganisationId::parse)?,
        ask.body(&octets)?,
        ask.key(&octets)?,
    );
    json(
        StatusCode::CREATED,
        &desk.invite_member(ask.caller, id, new, key).await?,
    )
}
