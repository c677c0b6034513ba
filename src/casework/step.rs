//! The fresh second step (SPEC §11): somebody who is signed in shows once more that it is them, before they sign
//! something or change how they get in. The session gets a new secret.
use chrono::Duration;
use serde_json::Value;

use super::challenge::{self, Answer, Question};
use super::door::{wrong_code, wrong_passkey};
use super::passkey::{self, Site};
use super::sessions::NewSession;
use super::signin::{self, Browser, Credential, Own, secret};
use super::{Desk, Error, throttle};
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::PasskeyId;
use crate::domain::notice::Letter;
use crate::domain::people::FRESH_MINUTES;
use crate::domain::time::Moment;
use crate::store::challenges::{By, Purpose};
use crate::store::db::Conn;
use crate::store::{passkeys, sessions};

/// A question to the session that asks.
pub(super) fn question_to(own: &Own, purpose: Purpose) -> Question {
    Question {
        purpose,
        person: Some(own.person.id),
        browser_hash: Some(own.hash.clone()),
        detail: None,
    }
}

/// The session goes on with a new secret, and counts as fresh.
fn renewed(conn: &mut Conn, own: &Own, now: Moment) -> Result<NewSession, Error> {
    let key = secret();
    sessions::rotate(conn, own.session, &hash_of_bytes(key.as_bytes()), now)?;
    Ok(NewSession {
        person: own.person.id,
        secret: key,
        expires_at: own.ends,
        fresh_until: Some(now.plus(Duration::minutes(FRESH_MINUTES))),
        trusted: None,
    })
}

impl Desk {
    /// Sends six digits to somebody who is signed in; answers until when they work.
    pub async fn ask_for_step(&self, caller: Credential) -> Result<Moment, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let own = signin::own(conn, &caller, now)?;
                let question = question_to(&own, Purpose::Step);
                let to = Some(&own.person);
                challenge::ask_for_code(conn, &desk, question, Letter::SignInCode, to, now)
            })
            .await
    }

    /// Takes the six digits, or a code kept on paper.
    pub async fn step_with_code(
        &self,
        caller: Credential,
        answer: Answer,
        browser: Browser,
    ) -> Result<NewSession, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let taken = self
            .db
            .write(move |conn| -> Result<Option<NewSession>, Error> {
                let own = signin::own(conn, &caller, now)?;
                throttle::count_code(conn, &browser, now)?;
                // A code kept on paper needs no letter; the question is asked here and now.
                let open = By::Browser(&own.hash);
                if matches!(answer, Answer::RecoveryCode(_))
                    && !challenge::is_open(conn, Purpose::Step, open, now)?
                {
                    challenge::ask_for_signature(conn, question_to(&own, Purpose::Step), now)?;
                }
                let by = By::Browser(&own.hash);
                if challenge::take(conn, Purpose::Step, by, &answer, now)?.is_none() {
                    return Ok(None);
                }
                throttle::code_was_right(conn, &browser)?;
                if matches!(answer, Answer::RecoveryCode(_)) {
                    let (by, letter) = (Some(own.person.id), Letter::AccountChanged);
                    signin::noted(
                        conn,
                        &desk,
                        &own.person,
                        by,
                        "recovery_code_used",
                        letter,
                        now,
                    )?;
                }
                renewed(conn, &own, now).map(Some)
            })
            .await?;
        taken.ok_or_else(wrong_code)
    }

    /// Asks the caller for a signature of one of their passkeys: what to sign, and the passkeys that may.
    pub async fn ask_for_step_by_passkey(
        &self,
        caller: Credential,
    ) -> Result<(String, Vec<String>), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let own = signin::own(conn, &caller, now)?;
                let keys = passkeys::of(conn, own.person.id)?;
                let question = question_to(&own, Purpose::PasskeyStep);
                let challenge = challenge::ask_for_signature(conn, question, now)?;
                let names = keys.into_iter().map(|key| key.credential_id).collect();
                Ok::<(String, Vec<String>), Error>((challenge, names))
            })
            .await
    }

    /// Takes the signature of a passkey of the caller.
    pub async fn step_with_passkey(
        &self,
        caller: Credential,
        credential: Value,
        browser: Browser,
    ) -> Result<NewSession, Error> {
        let now = self.clock.now();
        let site = Site::of(&self.settings.public_url);
        let taken = self
            .db
            .write(move |conn| -> Result<Option<NewSession>, Error> {
                let own = signin::own(conn, &caller, now)?;
                throttle::count_code(conn, &browser, now)?;
                let by = By::Browser(&own.hash);
                let asked = challenge::try_one(conn, Purpose::PasskeyStep, by, now)?;
                let (Some(asked), Some(name)) = (asked, passkey::name_of(&credential)) else {
                    return Ok(None);
                };
                let key =
                    passkeys::by_credential(conn, &name)?.filter(|key| key.person == own.person.id);
                let Some(key) = key else {
                    return Ok(None);
                };
                let Some(count) = passkey::signed(&credential, &asked.secret, &site, &key) else {
                    return Ok(None);
                };
                let id: PasskeyId = key.id;
                if !challenge::close(conn, &asked, now)?
                    || !passkeys::used(conn, id, key.sign_count, count, now)?
                {
                    return Ok(None);
                }
                throttle::code_was_right(conn, &browser)?;
                renewed(conn, &own, now).map(Some)
            })
            .await?;
        taken.ok_or_else(wrong_passkey)
    }
}
