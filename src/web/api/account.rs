//! One's own account over HTTP: password, passkeys, codes on paper, address, tokens.
use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::door::StepBegun;
use super::{Answer, done, json};
use crate::casework::Desk;
use crate::casework::challenge;
use crate::casework::reset::NewPassword;
use crate::domain::id::{PasskeyId, TokenId};
use crate::domain::text::{EmailAddress, Line, Password};
use crate::web::ask::{Ask, Signed};

/// A passkey a browser has made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// What its owner calls it.
    pub name: Line,
    /// What `PublicKeyCredential.toJSON()` gives in the browser.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub credential: Value,
}

/// Another password: at least 12 characters, and not easily guessed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    pub new_password: Password,
}

/// Where the six digits are to go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginReset {
    pub email: EmailAddress,
}

/// The same for every address: if it belongs to an account with a password, six digits are on their way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResetBegun {
    /// How many minutes they work.
    pub minutes: i64,
}

/// The six digits, and a code kept on paper; without one, CLERO must have vouched for you a day ago.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    pub email: EmailAddress,
    pub code: Line,
    /// At least 12 characters, and not easily guessed.
    pub new_password: Password,
    #[serde(default)]
    pub recovery_code: Option<Line>,
}

/// The address to be used from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginAddress {
    pub email: EmailAddress,
}

/// The code that went to the new address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmAddress {
    pub code: Line,
}

pub async fn passkeys(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.passkeys(ask.caller).await?)
}

pub async fn begin_passkey(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.begin_passkey(ask.caller).await?)
}

pub async fn add_passkey(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let new: NewPasskey = ask.body(&octets)?;
    json(
        StatusCode::CREATED,
        &desk
            .add_passkey(ask.caller, new.name, new.credential)
            .await?,
    )
}

pub async fn remove_passkey(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    let id = ask.id("passkey", PasskeyId::parse)?;
    desk.remove_passkey(ask.caller, id).await?;
    done()
}

pub async fn codes_left(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.recovery_codes_left(ask.caller).await?)
}

pub async fn renew_codes(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    json(
        StatusCode::CREATED,
        &desk.renew_recovery_codes(ask.caller).await?,
    )
}

pub async fn change_password(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: ChangePassword = ask.body(&octets)?;
    desk.change_password(ask.caller, body.new_password).await?;
    done()
}

pub async fn begin_reset(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: BeginReset = ask.body(&octets)?;
    desk.ask_for_reset(body.email, ask.browser()?).await?;
    let minutes = challenge::MINUTES;
    json(StatusCode::ACCEPTED, &ResetBegun { minutes })
}

pub async fn reset(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: Reset = ask.body(&octets)?;
    let new = NewPassword {
        email: body.email,
        code: body.code.as_str().to_owned(),
        recovery_code: body.recovery_code.map(|code| code.as_str().to_owned()),
        password: body.new_password,
    };
    desk.reset_password(new, ask.browser()?).await?;
    done()
}

pub async fn begin_address(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: BeginAddress = ask.body(&octets)?;
    let expires_at = desk.ask_for_address(ask.caller, body.email).await?;
    json(StatusCode::OK, &StepBegun { expires_at })
}

pub async fn change_address(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: ConfirmAddress = ask.body(&octets)?;
    let (code, browser) = (body.code.as_str().to_owned(), ask.browser()?);
    json(
        StatusCode::OK,
        &desk.change_address(ask.caller, code, browser).await?,
    )
}

pub async fn tokens(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.tokens(ask.caller).await?)
}

pub async fn make_token(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let want = ask.body(&octets)?;
    json(
        StatusCode::CREATED,
        &desk.make_token(ask.caller, want).await?,
    )
}

pub async fn revoke_token(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    let id = ask.id("token", TokenId::parse)?;
    desk.revoke_token(ask.caller, id).await?;
    done()
}
