//! Who is asking, and how strongly we know it: a session of a browser, or an API token. Secrets are 32 random octets
//! and are kept as hashes only. How people get in is in `door`; what they do with their sessions in `sessions`.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use rand::RngCore;
use serde_json::json;

use super::people::log;
use super::tell::{About, send};
use super::{Desk, Error};
use crate::domain::hash::{digest, hash_of_bytes};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::notice::Letter;
use crate::domain::people::{Actor, FRESH_MINUTES, Person, Scope};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{credentials, people, sessions};

/// What a request says about who is asking: the hash of its secret, if it has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credential {
    /// Somebody who says nothing about themselves.
    #[default]
    Anonymous,
    /// An API token.
    Bearer(String),
    /// A session in a browser.
    Session(String),
}

impl Credential {
    /// Somebody who says nothing about themselves.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::Anonymous
    }

    /// A bearer token as it was sent; anything that cannot be one is as good as a wrong one.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self::Bearer(hash_of_bytes(token.as_bytes()))
    }

    /// The secret of a session, as its browser sent it.
    #[must_use]
    pub fn session(secret: &str) -> Self {
        Self::Session(hash_of_bytes(secret.as_bytes()))
    }
}

/// The browser, or other client, that somebody is trying to get in with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Browser {
    /// The network it comes from, for counting tries: an IPv4 /24 or an IPv6 /48.
    pub network: String,
    /// What it is, in a few fixed words.
    pub label: String,
    /// The hash of the secret of the question it was asked.
    pub challenge: Option<String>,
    /// The hash of the secret that says somebody trusts it.
    pub trusted: Option<String>,
}

/// How long a session lasts without a request, in hours.
pub const IDLE_HOURS: i64 = 2;
/// How often it is written down that a session is in use, in minutes.
const TOUCH_MINUTES: i64 = 5;

/// From when on a session must have been seen to be alive.
pub(super) fn idle_since(now: Moment) -> Moment {
    now.plus(-Duration::hours(IDLE_HOURS))
}

/// A new secret, to be shown or given to a browser once.
#[must_use]
pub fn secret() -> String {
    let mut drawn = [0u8; 32];
    rand::rng().fill_bytes(&mut drawn);
    URL_SAFE_NO_PAD.encode(drawn)
}

/// What a page of ours sends with everything that changes something, to show that it is ours: nobody else's page can
/// read the session's secret, and this tells nobody what it is.
#[must_use]
pub fn csrf(session_secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(format!("csrf:{session_secret}").as_bytes()))
}

/// Who is asking, as they are at this moment.
#[derive(Debug, Clone)]
pub struct Known {
    pub actor: Actor,
    pub person: PersonId,
    /// The session, where it is one, and when it ends.
    pub session: Option<(SessionId, Moment)>,
    pub may_write: bool,
}

/// Who is asking, and by what we know it; or `SignIn`.
pub fn known(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Known, Error> {
    let mut known = match who {
        Credential::Anonymous => return Err(Error::SignIn),
        Credential::Bearer(hash) => {
            let token = credentials::bearer(conn, hash, now)?.ok_or(Error::SignIn)?;
            Known {
                actor: Actor {
                    person: Some(token.person),
                    roles: token.roles,
                    signs_until: token
                        .scopes
                        .contains(&Scope::Sign)
                        .then_some(token.expires_at),
                    ..Actor::default()
                },
                person: token.person,
                session: None,
                may_write: token.scopes.contains(&Scope::Write),
            }
        }
        Credential::Session(hash) => {
            let session =
                sessions::alive(conn, hash, now, idle_since(now))?.ok_or(Error::SignIn)?;
            Known {
                actor: Actor {
                    person: Some(session.person),
                    roles: session.roles,
                    fresh_until: session
                        .second_step_at
                        .map(|at| at.plus(Duration::minutes(FRESH_MINUTES))),
                    ..Actor::default()
                },
                person: session.person,
                session: Some((session.id, session.expires_at)),
                may_write: true,
            }
        }
    };
    people::add_ties(conn, &mut known.actor)?;
    Ok(known)
}

/// Who is asking, as they are at this moment, or `SignIn`.
pub fn actor(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Actor, Error> {
    known(conn, who, now).map(|known| known.actor)
}

/// Who is asking where anybody may ask: a token that is there must be good. A cookie is sent whether one wants it or
/// not, so one that has run out is nobody's.
pub fn anyone(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Actor, Error> {
    match who {
        Credential::Anonymous => Ok(Actor::default()),
        Credential::Bearer(_) => actor(conn, who, now),
        Credential::Session(_) => match actor(conn, who, now) {
            Err(Error::SignIn) => Ok(Actor::default()),
            other => other,
        },
    }
}

/// Whether somebody may sign an agreement: freshly, or with a token made for it (SPEC §11).
pub fn may_sign(actor: &Actor, now: Moment) -> Result<(), Error> {
    if actor.may_sign(now) {
        Ok(())
    } else {
        Err(Error::NeedsFreshStep)
    }
}

/// Whether somebody has shown recently that it is them (SPEC §11): before releasing, before breaking the glass, and
/// before changing how they or others get in.
pub fn fresh(actor: &Actor, now: Moment) -> Result<(), Error> {
    if actor.is_fresh(now) {
        Ok(())
    } else {
        Err(Error::NeedsFreshStep)
    }
}

/// Somebody in a session of their own. How one gets in is never changed with a token.
#[derive(Debug, Clone)]
pub struct Own {
    pub person: Person,
    pub session: SessionId,
    pub ends: Moment,
    /// The hash of the session's secret: what questions to this session are bound to.
    pub hash: String,
    pub actor: Actor,
}

/// Who is asking, in a session of their own.
pub fn own(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Own, Error> {
    let known = known(conn, who, now)?;
    let (Credential::Session(hash), Some((session, ends))) = (who, known.session) else {
        return Err(Error::NotAllowed);
    };
    Ok(Own {
        person: people::find(conn, known.person)?.ok_or(Error::SignIn)?,
        session,
        ends,
        hash: hash.clone(),
        actor: known.actor,
    })
}

/// The same, with a fresh second step.
pub fn own_and_fresh(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Own, Error> {
    let own = own(conn, who, now)?;
    fresh(&own.actor, now)?;
    Ok(own)
}

/// Writes a change of how somebody gets in into the log, and tells them.
pub fn noted(
    conn: &mut Conn,
    desk: &Desk,
    person: &Person,
    by: Option<PersonId>,
    event: &str,
    letter: Letter,
    now: Moment,
) -> Result<(), Error> {
    let event = log(conn, now, by, event, json!({ "person": person.id }))?;
    send(
        conn,
        &desk.letters,
        &desk.settings,
        person,
        letter,
        About::default(),
        &format!("{event}:{}", letter.word()),
        now,
    )
}

impl Desk {
    /// Whether a credential is good at this moment and may change anything; every use case asks again in its own
    /// transaction who it is.
    pub async fn may_write(&self, who: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                if known(conn, &who, now)?.may_write {
                    Ok(())
                } else {
                    Err(Error::NotAllowed)
                }
            })
            .await
    }

    /// Writes down that a session is in use, if that was not written down a few minutes ago.
    pub async fn touch(&self, who: Credential) -> Result<(), Error> {
        let Credential::Session(hash) = who else {
            return Ok(());
        };
        let now = self.clock.now();
        let seen = self
            .db
            .read(move |conn| Ok::<_, Error>(sessions::alive(conn, &hash, now, idle_since(now))?))
            .await?;
        let stale = seen.filter(|s| s.seen_at.plus(Duration::minutes(TOUCH_MINUTES)) <= now);
        let Some(session) = stale else {
            return Ok(());
        };
        self.db
            .write(move |conn| Ok::<_, Error>(sessions::touch(conn, session.id, now)?))
            .await
    }
}
