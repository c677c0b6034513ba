//! Requests to look into a room over HTTP.
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use super::{Answer, json};
use crate::casework::Desk;
use crate::domain::id::{CaseId, LookId};
use crate::web::ask::{Ask, Signed};

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("case", CaseId::parse)?;
    json(StatusCode::OK, &desk.looks(ask.caller, id).await?)
}

pub async fn add(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, new, key) = (
        ask.id("case", CaseId::parse)?,
        ask.body(&octets)?,
        ask.key(&octets)?,
    );
    json(
        StatusCode::CREATED,
        &desk.ask_to_look(ask.caller, id, new, key).await?,
    )
}

pub async fn approve(signed: Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    decide(signed, desk, octets, true).await
}

pub async fn decline(signed: Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    decide(signed, desk, octets, false).await
}

async fn decide(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes, approve: bool) -> Answer {
    let look = (
        ask.id("case", CaseId::parse)?,
        ask.id("look", LookId::parse)?,
    );
    let key = ask.key(&octets)?;
    json(
        StatusCode::OK,
        &desk.decide_look(ask.caller, look, approve, key).await?,
    )
}
