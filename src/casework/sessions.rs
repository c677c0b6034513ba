//! Sessions: how one begins, what its owner sees of it, and how it ends. Who is asking in one is found out in `signin`.
use chrono::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::Page;
use super::signin::{self, Browser, Credential, idle_since, secret};
use super::tell::{About, send};
use super::{Desk, Error};
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::{BrowserId, PersonId, SessionId};
use crate::domain::notice::Letter;
use crate::domain::people::{FRESH_MINUTES, Person};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::sessions::{self, Session, Trusted};

/// How long a browser is trusted, in days (SPEC §11).
pub const TRUST_DAYS: i64 = 30;

/// A session that has begun, or has a new secret. The secrets are for the browser, once.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub person: PersonId,
    pub secret: String,
    pub expires_at: Moment,
    pub fresh_until: Option<Moment>,
    /// The secret by which this browser will be known as trusted.
    pub trusted: Option<String>,
}

/// How somebody got in.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// By a second step, or by the password alone in a browser they trust.
    pub by_second_step: bool,
    /// Whether they trust the browser from now on.
    pub trust: bool,
}

/// Begins a session for `person`, and tells them if their account did not know the browser.
pub fn begin(
    conn: &mut Conn,
    desk: &Desk,
    person: &Person,
    browser: &Browser,
    how: How,
    now: Moment,
) -> Result<NewSession, Error> {
    let (id, key) = (SessionId::random(), secret());
    let second_step_at = how.by_second_step.then_some(now);
    let session = Session {
        id,
        person: person.id,
        browser: browser.label.clone(),
        created_at: now,
        seen_at: now,
        second_step_at,
        expires_at: now.plus(Duration::hours(desk.settings.session_hours.into())),
    };
    sessions::add(conn, &session, &hash_of_bytes(key.as_bytes()))?;
    if !is_trusted(conn, person.id, browser, now)? {
        send(
            conn,
            &desk.letters,
            &desk.settings,
            person,
            Letter::NewBrowser,
            About::default(),
            &format!("{id}:new_browser"),
            now,
        )?;
    }
    let trusted = if how.trust {
        Some(trust(conn, desk, person, browser, now)?)
    } else {
        None
    };
    Ok(NewSession {
        person: person.id,
        secret: key,
        expires_at: session.expires_at,
        fresh_until: second_step_at.map(|at| at.plus(Duration::minutes(FRESH_MINUTES))),
        trusted,
    })
}

/// Whether `person` trusts the browser.
pub fn is_trusted(
    conn: &mut Conn,
    person: PersonId,
    browser: &Browser,
    now: Moment,
) -> Result<bool, Error> {
    match &browser.trusted {
        Some(hash) => Ok(sessions::is_trusted(conn, person, hash, now)?),
        None => Ok(false),
    }
}

fn trust(
    conn: &mut Conn,
    desk: &Desk,
    person: &Person,
    browser: &Browser,
    now: Moment,
) -> Result<String, Error> {
    let key = secret();
    let trusted = Trusted {
        id: BrowserId::random(),
        browser: browser.label.clone(),
        created_at: now,
        expires_at: now.plus(Duration::days(TRUST_DAYS)),
    };
    sessions::trust(conn, person.id, &trusted, &hash_of_bytes(key.as_bytes()))?;
    let (by, letter) = (Some(person.id), Letter::AccountChanged);
    signin::noted(conn, desk, person, by, "browser_trusted", letter, now)?;
    Ok(key)
}

/// Who somebody is in this browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Here {
    pub person: Person,
    pub expires_at: Moment,
    /// Until when a fresh second step counts; null where there was none, or it is over.
    pub fresh_until: Option<Moment>,
}

/// One of one's own sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BrowserSession")]
pub struct SessionView {
    pub id: SessionId,
    /// The browser, in a few fixed words.
    pub browser: String,
    pub created_at: Moment,
    /// When it was last in use, to within some minutes.
    pub seen_at: Moment,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// A browser somebody trusts: there, the password alone is enough to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustedBrowser {
    pub id: BrowserId,
    pub browser: String,
    pub created_at: Moment,
    pub expires_at: Moment,
}

impl Desk {
    /// Who the caller is in this browser.
    pub async fn session(&self, caller: Credential) -> Result<Here, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let own = signin::own(conn, &caller, now)?;
                Ok(Here {
                    person: own.person,
                    expires_at: own.ends,
                    fresh_until: own.actor.fresh_until.filter(|until| *until > now),
                })
            })
            .await
    }

    /// Signs out: the session of the caller ends.
    pub async fn sign_out(&self, caller: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let own = signin::own(conn, &caller, now)?;
                sessions::end(conn, own.person.id, own.session, now)?;
                Ok(())
            })
            .await
    }

    /// The caller's own sessions, the newest first.
    pub async fn sessions(&self, caller: Credential) -> Result<Page<SessionView>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let known = signin::known(conn, &caller, now)?;
                let current = known.session.map(|(id, _)| id);
                let all = sessions::of(conn, known.person, now, idle_since(now))?;
                Ok(all
                    .into_iter()
                    .map(|s| SessionView {
                        id: s.id,
                        browser: s.browser,
                        created_at: s.created_at,
                        seen_at: s.seen_at,
                        current: current == Some(s.id),
                    })
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }

    /// Ends one of the caller's own sessions.
    pub async fn end_session(&self, caller: Credential, id: SessionId) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                if sessions::end(conn, person, id, now)? {
                    Ok(())
                } else {
                    Err(Error::Missing)
                }
            })
            .await
    }

    /// Ends every session of the caller but the one that asks.
    pub async fn end_other_sessions(&self, caller: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let known = signin::known(conn, &caller, now)?;
                match known.session {
                    Some((id, _)) => sessions::end_others(conn, known.person, id, now)?,
                    None => sessions::end_all(conn, known.person, now)?,
                };
                Ok(())
            })
            .await
    }

    /// The browsers the caller trusts.
    pub async fn trusted_browsers(
        &self,
        caller: Credential,
    ) -> Result<Page<TrustedBrowser>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                Ok(sessions::trusted_by(conn, person, now)?
                    .into_iter()
                    .map(|t| TrustedBrowser {
                        id: t.id,
                        browser: t.browser,
                        created_at: t.created_at,
                        expires_at: t.expires_at,
                    })
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }

    /// Ends the caller's trust in a browser.
    pub async fn end_trust(&self, caller: Credential, id: BrowserId) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                if sessions::distrust(conn, person, id, now)? {
                    Ok(())
                } else {
                    Err(Error::Missing)
                }
            })
            .await
    }
}
