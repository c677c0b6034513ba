//! Rooms and what is said in them over HTTP.
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use super::cases::SliceQuery;
use super::{Answer, json};
use crate::casework::Desk;
use crate::domain::id::{CaseId, MessageId};
use crate::domain::room::Room;
use crate::web::ask::{Ask, Signed};
use crate::web::problem::Problem;

fn place(ask: &Ask) -> Result<(CaseId, Room), Problem> {
    Ok((ask.id("case", CaseId::parse)?, ask.id("room", Room::parse)?))
}

fn message(ask: &Ask) -> Result<(CaseId, Room, MessageId), Problem> {
    let (case, room) = place(ask)?;
    Ok((case, room, ask.id("message", MessageId::parse)?))
}

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("case", CaseId::parse)?;
    json(StatusCode::OK, &desk.rooms(ask.caller, id).await?)
}

pub async fn messages(ask: Ask, desk: Data<Desk>) -> Answer {
    let (place, query): (_, SliceQuery) = (place(&ask)?, ask.query()?);
    let slice = query.slice()?;
    json(
        StatusCode::OK,
        &desk.messages(ask.caller, place, slice).await?,
    )
}

pub async fn say(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (place, new, key) = (place(&ask)?, ask.body(&octets)?, ask.key(&octets)?);
    json(
        StatusCode::CREATED,
        &desk.say(ask.caller, place, new, key).await?,
    )
}

pub async fn strike(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (message, strike, key) = (message(&ask)?, ask.body(&octets)?, ask.key(&octets)?);
    match desk.strike(ask.caller, message, strike, key).await? {
        Some(struck) => json(StatusCode::OK, &struck),
        None => Ok(HttpResponse::Ok().json(serde_json::Value::Null)),
    }
}

pub async fn release(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (message, release, key) = (message(&ask)?, ask.body(&octets)?, ask.key(&octets)?);
    json(
        StatusCode::CREATED,
        &desk.release(ask.caller, message, release, key).await?,
    )
}

pub async fn mark_read(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (place, upto, key) = (place(&ask)?, ask.body(&octets)?, ask.key(&octets)?);
    desk.mark_room_read(ask.caller, place, upto, key).await?;
    Ok(HttpResponse::NoContent().finish())
}
