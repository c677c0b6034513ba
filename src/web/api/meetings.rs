//! Meetings and calendars over HTTP.
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use super::cases::SliceQuery;
use super::{Answer, json, tagged};
use crate::casework::Desk;
use crate::casework::meetings::Change;
use crate::domain::id::{CaseId, MeetingId};
use crate::web::ask::{Ask, Signed};
use crate::web::problem::Problem;

fn place(ask: &Ask) -> Result<(CaseId, MeetingId), Problem> {
    Ok((
        ask.id("case", CaseId::parse)?,
        ask.id("meeting", MeetingId::parse)?,
    ))
}

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let (id, query): (_, SliceQuery) = (ask.id("case", CaseId::parse)?, ask.query()?);
    let slice = query.slice()?;
    json(StatusCode::OK, &desk.meetings(ask.caller, id, slice).await?)
}

pub async fn read(ask: Ask, desk: Data<Desk>) -> Answer {
    let place = place(&ask)?;
    tagged(StatusCode::OK, &desk.meeting(ask.caller, place).await?)
}

pub async fn propose(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, said, key) = (
        ask.id("case", CaseId::parse)?,
        ask.body(&octets)?,
        ask.key(&octets)?,
    );
    tagged(
        StatusCode::CREATED,
        &desk.propose_meeting(ask.caller, id, said, key).await?,
    )
}

pub async fn answer(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let change = Change::Answer(ask.body(&octets)?);
    changed(ask, desk, octets, change).await
}

pub async fn confirm(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let change = Change::Confirm(ask.body(&octets)?);
    changed(ask, desk, octets, change).await
}

pub async fn move_to(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let change = Change::Move(ask.body(&octets)?);
    changed(ask, desk, octets, change).await
}

pub async fn cancel(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    changed(ask, desk, octets, Change::Cancel).await
}

async fn changed(ask: Ask, desk: Data<Desk>, octets: Bytes, change: Change) -> Answer {
    let (place, if_match, key) = (place(&ask)?, ask.if_match()?, ask.key(&octets)?);
    tagged(
        StatusCode::OK,
        &desk
            .change_meeting(ask.caller, place, change, if_match, key)
            .await?,
    )
}

pub async fn feed(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.feed(ask.caller).await?)
}

pub async fn make_feed(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    json(StatusCode::CREATED, &desk.make_feed(ask.caller).await?)
}

pub async fn revoke_feed(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    desk.revoke_feed(ask.caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The calendar at a secret address: for calendar programs, which send nothing along.
pub async fn calendar(ask: Ask, desk: Data<Desk>) -> Answer {
    let secret = ask.id("secret", |secret| Some(secret.to_owned()))?;
    let page = desk.calendar_at(&secret).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .body(page))
}
