//! Help to get back in, vouched for by CLERO, over HTTP.
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use super::{Answer, json};
use crate::casework::Desk;
use crate::domain::id::{PersonId, RecoveryId};
use crate::web::ask::{Ask, Signed};

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("person", PersonId::parse)?;
    json(StatusCode::OK, &desk.recoveries(ask.caller, id).await?)
}

pub async fn vouch(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, key) = (ask.id("person", PersonId::parse)?, ask.key(&octets)?);
    json(StatusCode::CREATED, &desk.vouch(ask.caller, id, key).await?)
}

pub async fn stop(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, key) = (ask.id("recovery", RecoveryId::parse)?, ask.key(&octets)?);
    json(
        StatusCode::OK,
        &desk.stop_recovery(ask.caller, id, key).await?,
    )
}
