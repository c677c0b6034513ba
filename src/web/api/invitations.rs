//! Taking up an invitation over HTTP.
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, json};
use crate::casework::Desk;
use crate::domain::text::{EmailAddress, Line};
use crate::web::ask::Ask;

/// The code from the letter, and the address it went to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    pub email: EmailAddress,
    pub code: Line,
}

pub async fn accept(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let accept: Accept = ask.body(&octets)?;
    json(
        StatusCode::CREATED,
        &desk
            .take_up_invitation(accept.email, accept.code.as_str().to_owned())
            .await?,
    )
}
