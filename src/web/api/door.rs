//! Getting in, staying in and leaving, over HTTP: the only answers that set cookies.
use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, done, json};
use crate::casework::Desk;
use crate::casework::challenge::Answer as Given;
use crate::casework::door::Entry;
use crate::casework::sessions::{Here, NewSession};
use crate::casework::signin::csrf;
use crate::domain::decide::Flaw;
use crate::domain::id::{BrowserId, SessionId};
use crate::domain::text::{EmailAddress, Line, Password};
use crate::domain::time::Moment;
use crate::web::ask::{Ask, Signed};
use crate::web::cookies;
use crate::web::problem::{Kind, Problem};

/// Address and password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub email: EmailAddress,
    pub password: Password,
}

/// The six digits from the letter, or one of the codes kept on paper: exactly one of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeAnswer {
    #[serde(default)]
    pub code: Option<Line>,
    #[serde(default)]
    pub recovery_code: Option<Line>,
    /// Whether the password alone is enough in this browser for the next 30 days.
    #[serde(default)]
    pub trust_this_browser: bool,
}

/// The six digits from the letter, or one of the codes kept on paper: exactly one of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepAnswer {
    #[serde(default)]
    pub code: Option<Line>,
    #[serde(default)]
    pub recovery_code: Option<Line>,
}

/// What `PublicKeyCredential.toJSON()` gives in the browser.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    #[schemars(with = "BTreeMap<String, Value>")]
    pub credential: Value,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// Six digits are on their way to the account's address; answer in this browser.
    Code,
    /// You are signed in.
    SignedIn,
}

/// How far somebody has come.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entered {
    pub next: NextStep,
    /// Until when the code works, or the session lasts.
    pub expires_at: Moment,
    /// What to send as `X-CSRF-Token` with everything that changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
    /// Until when a fresh second step counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<Moment>,
}

/// Six digits are on their way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepBegun {
    /// Until when they work.
    pub expires_at: Moment,
}

/// Who you are in this browser.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionHere {
    #[serde(flatten)]
    pub here: Here,
    /// What to send as `X-CSRF-Token` with everything that changes something.
    pub csrf: String,
}

/// What somebody answers with.
pub fn given(code: Option<Line>, recovery_code: Option<Line>) -> Result<Given, Problem> {
    match (code, recovery_code) {
        (Some(code), None) => Ok(Given::Code(code.as_str().to_owned())),
        (None, Some(code)) => Ok(Given::RecoveryCode(code.as_str().to_owned())),
        (None, None) | (Some(_), Some(_)) => Err(Problem::new(Kind::Invalid).with(vec![Flaw::at(
            "/code",
            "please give the six digits from the letter, or one of your codes on paper",
        )])),
    }
}

/// The answer to somebody who is in.
fn entered(desk: &Desk, new: &NewSession) -> HttpResponse {
    let mut answer = HttpResponse::Ok().json(Entered {
        next: NextStep::SignedIn,
        expires_at: new.expires_at,
        csrf: Some(csrf(&new.secret)),
        fresh_until: new.fresh_until,
    });
    cookies::lay(&mut answer, &cookies::entered(new, desk.clock.now()));
    answer
}

/// The answer to somebody who is asked something, with what binds the question to their browser.
fn asked(cookie: &str, what: &impl Serialize) -> HttpResponse {
    let mut answer = HttpResponse::Ok().json(what);
    cookies::lay(&mut answer, &cookies::asked(cookie));
    answer
}

pub async fn sign_in(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: SignIn = ask.body(&octets)?;
    let browser = ask.browser()?;
    match desk.sign_in(body.email, body.password, browser).await? {
        Entry::In(new) => Ok(entered(&desk, &new)),
        Entry::Code { cookie, expires_at } => {
            let what = Entered {
                next: NextStep::Code,
                expires_at,
                csrf: None,
                fresh_until: None,
            };
            Ok(asked(&cookie, &what))
        }
    }
}

pub async fn code(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: CodeAnswer = ask.body(&octets)?;
    let (answer, browser) = (given(body.code, body.recovery_code)?, ask.browser()?);
    let new = desk
        .sign_in_with_code(answer, body.trust_this_browser, browser)
        .await?;
    Ok(entered(&desk, &new))
}

pub async fn begin_passkey(ask: Ask, desk: Data<Desk>) -> Answer {
    let to_sign = desk.ask_for_passkey(ask.browser()?).await?;
    let what = desk.passkey_request(to_sign.challenge, Vec::new());
    Ok(asked(&to_sign.cookie, &what))
}

pub async fn passkey(ask: Ask, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: PasskeyAnswer = ask.body(&octets)?;
    let browser = ask.browser()?;
    let new = desk.sign_in_with_passkey(body.credential, browser).await?;
    Ok(entered(&desk, &new))
}

pub async fn session(ask: Ask, desk: Data<Desk>) -> Answer {
    let csrf = ask.csrf()?.unwrap_or_default();
    let here = desk.session(ask.caller).await?;
    json(StatusCode::OK, &SessionHere { here, csrf })
}

pub async fn sign_out(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    desk.sign_out(ask.caller).await?;
    let mut answer = HttpResponse::NoContent().finish();
    cookies::forget(&mut answer);
    Ok(answer)
}

pub async fn begin_step(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    let expires_at = desk.ask_for_step(ask.caller).await?;
    json(StatusCode::OK, &StepBegun { expires_at })
}

pub async fn step_code(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: StepAnswer = ask.body(&octets)?;
    let (answer, browser) = (given(body.code, body.recovery_code)?, ask.browser()?);
    let new = desk.step_with_code(ask.caller, answer, browser).await?;
    Ok(entered(&desk, &new))
}

pub async fn begin_step_passkey(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    let (challenge, names) = desk.ask_for_step_by_passkey(ask.caller).await?;
    json(StatusCode::OK, &desk.passkey_request(challenge, names))
}

pub async fn step_passkey(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let body: PasskeyAnswer = ask.body(&octets)?;
    let browser = ask.browser()?;
    let new = desk
        .step_with_passkey(ask.caller, body.credential, browser)
        .await?;
    Ok(entered(&desk, &new))
}

pub async fn sessions(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.sessions(ask.caller).await?)
}

pub async fn end_session(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    let id = ask.id("session", SessionId::parse)?;
    desk.end_session(ask.caller, id).await?;
    done()
}

pub async fn end_others(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    desk.end_other_sessions(ask.caller).await?;
    done()
}

pub async fn trusted(ask: Ask, desk: Data<Desk>) -> Answer {
    json(StatusCode::OK, &desk.trusted_browsers(ask.caller).await?)
}

pub async fn end_trust(Signed(ask): Signed, desk: Data<Desk>) -> Answer {
    let id = ask.id("browser", BrowserId::parse)?;
    desk.end_trust(ask.caller, id).await?;
    done()
}
