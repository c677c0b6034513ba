//! Taking up an invitation over HTTP.
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, json};
use crate::casework::Desk;
use crate::domain::text::{EmailAddress, Line, Password};
use crate::web::ask::Ask;

/// The code from the letter, the address it went to, and a password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    pub email: EmailAddress,
    pub code: Line,
    /// The password of the account; for a new account the one it will have: at least 12 characters, and not easily
    /// guessed.
    pub password: Password,
}

pub async fn accept(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let accept: Accept = ask.body(&octets)?;
    let (code, browser) = (accept.code.as_str().to_owned(), ask.browser()?);
    json(
        StatusCode::CREATED,
        &desk
            .take_up_invitation(accept.email, code, accept.password, browser)
            .await?,
    )
}
