//! Getting in: a password and six digits typed into the same browser, a password in a browser one trusts, or a passkey
//! (SPEC §11). Whatever is wrong, the answer and the work are the same. Nothing signs anybody in by a link.
use serde_json::Value;

use super::challenge::{self, Answer, Question};
use super::passkey::{self, Site};
use super::password;
use super::sessions::{How, NewSession, begin, is_trusted};
use super::signin::{self, Browser, secret};
use super::{Desk, Error, throttle};
use crate::domain::hash::hash_of_bytes;
use crate::domain::notice::Letter;
use crate::domain::text::{EmailAddress, Password};
use crate::domain::time::Moment;
use crate::store::challenges::{By, Purpose};
use crate::store::{passkeys, passwords, people};

/// What comes after the password.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Six digits have been sent; `cookie` binds them to this browser.
    Code {
        cookie: String,
        expires_at: Moment,
    },
    In(NewSession),
}

/// What a passkey is to sign, and the cookie that binds it to this browser.
#[derive(Debug, Clone)]
pub struct ToSign {
    pub cookie: String,
    pub challenge: String,
}

fn wrong_password() -> Error {
    Error::flaw(
        "/password",
        "this address and this password do not belong together; please try again, or choose a new password",
    )
}

/// The one answer to every code that is not right.
pub(super) fn wrong_code() -> Error {
    Error::flaw(
        "/code",
        "this code is not right, or it has been used or has run out, or it was asked for in another browser; please begin again",
    )
}

/// The one answer to every passkey that does not fit.
pub(super) fn wrong_passkey() -> Error {
    Error::flaw(
        "/credential",
        "this passkey does not fit here; please begin again, or sign in with your password",
    )
}

impl Desk {
    /// Takes address and password. In a browser its owner trusts, that is enough; elsewhere six digits are sent.
    pub async fn sign_in(
        &self,
        email: EmailAddress,
        typed: Password,
        browser: Browser,
    ) -> Result<Entry, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let (address, from) = (email.clone(), browser.clone());
        let (person, phc, trusted) = self
            .db
            .write(move |conn| {
                let person = people::by_email(conn, &address)?.filter(|p| p.active);
                let (mut trusted, mut phc) = (false, None);
                if let Some(person) = &person {
                    trusted = is_trusted(conn, person.id, &from, now)?;
                    phc = passwords::find(conn, person.id)?;
                }
                throttle::count_password(conn, &address, &from, trusted, now)?;
                Ok::<_, Error>((person, phc, trusted))
            })
            .await?;
        let right = password::is_right(self.settings.hashing, typed, phc.clone()).await?;
        let Some(id) = person.filter(|_| right).map(|p| p.id) else {
            return Err(wrong_password());
        };
        self.db
            .write(move |conn| {
                let person = people::find(conn, id)?
                    .filter(|p| p.active)
                    .ok_or_else(wrong_password)?;
                if passwords::find(conn, id)? != phc {
                    return Err(wrong_password());
                }
                throttle::password_was_right(conn, &email, &browser, trusted)?;
                if trusted {
                    let how = How {
                        by_second_step: false,
                        trust: false,
                    };
                    return begin(conn, &desk, &person, &browser, how, now).map(Entry::In);
                }
                let cookie = secret();
                let question = Question {
                    purpose: Purpose::SignIn,
                    person: Some(id),
                    browser_hash: Some(hash_of_bytes(cookie.as_bytes())),
                    detail: None,
                };
                let expires_at = challenge::ask_for_code(
                    conn,
                    &desk,
                    question,
                    Letter::SignInCode,
                    Some(&person),
                    now,
                )?;
                Ok(Entry::Code { cookie, expires_at })
            })
            .await
    }

    /// Takes the six digits, or a code kept on paper, in the browser where the password was typed.
    pub async fn sign_in_with_code(
        &self,
        answer: Answer,
        trust: bool,
        browser: Browser,
    ) -> Result<NewSession, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let begun = self
            .db
            .write(move |conn| -> Result<Option<NewSession>, Error> {
                throttle::count_code(conn, &browser, now)?;
                let Some(hash) = &browser.challenge else {
                    return Ok(None);
                };
                let by = By::Browser(hash);
                let taken = challenge::take(conn, Purpose::SignIn, by, &answer, now)?;
                let Some(id) = taken.and_then(|asked| asked.person) else {
                    return Ok(None);
                };
                let Some(person) = people::find(conn, id)?.filter(|p| p.active) else {
                    return Ok(None);
                };
                throttle::code_was_right(conn, &browser)?;
                if matches!(answer, Answer::RecoveryCode(_)) {
                    let (by, letter) = (Some(id), Letter::AccountChanged);
                    signin::noted(conn, &desk, &person, by, "recovery_code_used", letter, now)?;
                }
                let how = How {
                    by_second_step: true,
                    trust,
                };
                begin(conn, &desk, &person, &browser, how, now).map(Some)
            })
            .await?;
        begun.ok_or_else(wrong_code)
    }

    /// Asks whoever is there for a signature of their passkey.
    pub async fn ask_for_passkey(&self, browser: Browser) -> Result<ToSign, Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                throttle::count_code(conn, &browser, now)?;
                let cookie = secret();
                let question = Question {
                    purpose: Purpose::PasskeySignIn,
                    person: None,
                    browser_hash: Some(hash_of_bytes(cookie.as_bytes())),
                    detail: None,
                };
                let challenge = challenge::ask_for_signature(conn, question, now)?;
                Ok(ToSign { cookie, challenge })
            })
            .await
    }

    /// Takes the signature of a passkey: whoever holds it and has shown the device who they are is in.
    pub async fn sign_in_with_passkey(
        &self,
        credential: Value,
        browser: Browser,
    ) -> Result<NewSession, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let site = Site::of(&self.settings.public_url);
        let begun = self
            .db
            .write(move |conn| -> Result<Option<NewSession>, Error> {
                throttle::count_code(conn, &browser, now)?;
                let Some(hash) = &browser.challenge else {
                    return Ok(None);
                };
                let by = By::Browser(hash);
                let asked = challenge::try_one(conn, Purpose::PasskeySignIn, by, now)?;
                let (Some(asked), Some(name)) = (asked, passkey::name_of(&credential)) else {
                    return Ok(None);
                };
                let Some(key) = passkeys::by_credential(conn, &name)? else {
                    return Ok(None);
                };
                let Some(count) = passkey::signed(&credential, &asked.secret, &site, &key) else {
                    return Ok(None);
                };
                let Some(person) = people::find(conn, key.person)?.filter(|p| p.active) else {
                    return Ok(None);
                };
                if !challenge::close(conn, &asked, now)?
                    || !passkeys::used(conn, key.id, key.sign_count, count, now)?
                {
                    return Ok(None);
                }
                // The question was counted, and so was the answer.
                throttle::code_was_right(conn, &browser)?;
                throttle::code_was_right(conn, &browser)?;
                let how = How {
                    by_second_step: true,
                    trust: false,
                };
                begin(conn, &desk, &person, &browser, how, now).map(Some)
            })
            .await?;
        begun.ok_or_else(wrong_passkey)
    }
}
