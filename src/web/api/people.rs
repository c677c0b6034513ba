//! People over HTTP.
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use super::cases::SliceQuery;
use super::{Answer, json, tagged};
use crate::casework::Desk;
use crate::domain::id::{MembershipId, PersonId};
use crate::web::ask::{Ask, Signed};

pub async fn me(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.me(ask.caller).await?)
}

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let query: SliceQuery = ask.query()?;
    let slice = query.slice()?;
    json(StatusCode::OK, &desk.people(ask.caller, slice).await?)
}

pub async fn add(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (new, key) = (ask.body(&octets)?, ask.key(&octets)?);
    tagged(
        StatusCode::CREATED,
        &desk.add_person(ask.caller, new, key).await?,
    )
}

pub async fn read(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("person", PersonId::parse)?;
    tagged(StatusCode::OK, &desk.person(ask.caller, id).await?)
}

pub async fn change(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, change, if_match, key) = (
        ask.id("person", PersonId::parse)?,
        ask.body(&octets)?,
        ask.if_match()?,
        ask.key(&octets)?,
    );
    tagged(
        StatusCode::OK,
        &desk
            .change_person(ask.caller, id, change, if_match, key)
            .await?,
    )
}

pub async fn affiliations(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("person", PersonId::parse)?;
    json(StatusCode::OK, &desk.affiliations(ask.caller, id).await?)
}

pub async fn declare(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, new, key) = (
        ask.id("person", PersonId::parse)?,
        ask.body(&octets)?,
        ask.key(&octets)?,
    );
    json(
        StatusCode::CREATED,
        &desk.declare_affiliation(ask.caller, id, new, key).await?,
    )
}

pub async fn end_membership(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, key) = (
        ask.id("membership", MembershipId::parse)?,
        ask.key(&octets)?,
    );
    json(
        StatusCode::OK,
        &desk.end_membership(ask.caller, id, key).await?,
    )
}
