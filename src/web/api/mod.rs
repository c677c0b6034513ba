//! The API, one file a room. A handler reads the request, calls one use case, and answers.
pub mod account;
pub mod cases;
pub mod documents;
pub mod door;
pub mod health;
pub mod invitations;
pub mod looks;
pub mod mailbox;
pub mod meetings;
pub mod organisations;
pub mod people;
pub mod places;
pub mod recoveries;
pub mod rooms;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde::Serialize;

use super::problem::Problem;
use crate::domain::hash::tag_of_written;

/// What every handler answers.
pub type Answer = Result<HttpResponse, Problem>;

/// A JSON answer.
fn json(status: StatusCode, shown: &impl Serialize) -> Answer {
    Ok(HttpResponse::build(status).json(shown))
}

/// An answer that says that it is done, and nothing else.
fn done() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

/// A JSON answer with the tag of what is shown; written once, for both.
fn tagged(status: StatusCode, shown: &impl Serialize) -> Answer {
    let written = serde_json::to_vec(shown).expect("answers can always be written as JSON");
    let tag = format!("\"{}\"", tag_of_written(&written));
    Ok(HttpResponse::build(status)
        .content_type("application/json")
        .insert_header((header::ETAG, tag))
        .body(written))
}
