//! The second floor: what people come to do. It owns every transaction and knows no HTTP; `act` is the one way a
//! case changes. The desk is where it is done: database, clock, letters and settings, handed down from `app`.
pub mod act;
pub mod address;
pub mod board;
pub mod challenge;
pub mod documents;
pub mod door;
pub mod facts;
pub mod feeds;
pub mod files;
pub mod house;
pub mod invitations;
pub mod lead;
pub mod log;
pub mod looks;
pub mod mailbox;
pub mod meetings;
pub mod members;
pub mod neutrals;
pub mod open;
pub mod passkey;
pub mod passkeys;
pub mod password;
pub mod people;
pub mod places;
pub mod preview;
pub mod read;
pub mod reading;
pub mod recovery;
pub mod register;
pub mod reset;
pub mod rooms;
pub mod sessions;
pub mod signin;
pub mod step;
pub mod tasks;
pub mod tell;
pub mod throttle;
pub mod tokens;
pub mod who;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::case::Stage;
use crate::domain::deadline::Spans;
use crate::domain::decide::{Flaw, Refusal};
use crate::domain::document::Shelf;
use crate::domain::id::PersonId;
use crate::domain::people::Actor;
use crate::domain::reason::Reason;
use crate::domain::time::{Clock, Moment};
use crate::mail::letter::{LetterError, Letters, Sender};
use crate::store::db::{Asked, Conn, Db, DbError, is_taken};
use crate::store::once;
use files::FileFlaw;
use signin::Credential;

/// What may be set without changing the program.
#[derive(Debug, Clone)]
pub struct Settings {
    pub spans: Spans,
    /// Where people reach the service; every link in a letter begins with it.
    pub public_url: String,
    /// Whom to ring.
    pub phone: String,
    pub sender: Sender,
    /// How long an API token lasts unless somebody says otherwise, in days.
    pub token_days: u16,
    /// How long an invitation to a first account can be taken up, in days.
    pub invitation_days: u16,
    /// How long a session lasts, in hours.
    pub session_hours: u16,
    /// What a password costs to try.
    pub hashing: Hashing,
    /// How much may be laid down in rooms.
    pub shelf: Shelf,
    /// Whether everybody and everything here is made up: pages say so.
    pub demo: bool,
}

/// The cost of hashing one password with Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashing {
    pub memory_kib: u32,
    pub passes: u32,
}

/// Where casework is done. Cloning it is cheap.
#[derive(Clone)]
pub struct Desk {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub letters: Arc<Letters>,
    pub settings: Arc<Settings>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({:?})", self.db)
    }
}

/// Why a use case did not happen. Only `web` knows what status that is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("nobody is signed in")]
    SignIn,
    /// It is not there, or the person may not know that it is: nobody can tell which.
    #[error("not there")]
    Missing,
    /// The person may see it and may not do this.
    #[error("not allowed")]
    NotAllowed,
    /// The person may do this once they have shown again that it is them (SPEC §11).
    #[error("a fresh second step is needed")]
    NeedsFreshStep,
    /// Too many tries; how many seconds to wait.
    #[error("too many tries")]
    TooManyTries { seconds: i64 },
    #[error("refused")]
    Refused(Refusal),
    /// It could be done, but not as the case stands.
    #[error("not now")]
    Unmet(Stage, Vec<Reason>),
    /// A file that is not taken in.
    #[error("a file that is not taken in: {0}")]
    File(FileFlaw),
    #[error("bad input")]
    Flawed(Vec<Flaw>),
    /// Changing this needs `If-Match`.
    #[error("a precondition is needed")]
    NeedsTag,
    /// Somebody else changed it meanwhile.
    #[error("stale")]
    Stale,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// A cursor that was not made for this list and this person.
    #[error("a cursor that does not fit")]
    BadCursor,
    /// It cannot be, as things stand; what and why.
    #[error("{1}")]
    Conflict(&'static str, &'static str),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Letter(#[from] LetterError),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OldHash => Self::Stale,
            Refusal::Flawed(flaws) => Self::Flawed(flaws),
            Refusal::NotYourPart(_) | Refusal::Unmet { .. } => Self::Refused(refusal),
        }
    }
}

impl Asked for Error {
    fn database(&self) -> Option<&DbError> {
        match self {
            Self::Database(error) => Some(error),
            Self::SignIn
            | Self::Missing
            | Self::NotAllowed
            | Self::NeedsFreshStep
            | Self::TooManyTries { .. }
            | Self::Refused(_)
            | Self::Unmet(..)
            | Self::File(_)
            | Self::Flawed(_)
            | Self::NeedsTag
            | Self::Stale
            | Self::KeyReused
            | Self::BadCursor
            | Self::Conflict(..)
            | Self::Letter(_) => None,
        }
    }
}

impl Error {
    /// Whether trying again later may help: the database is locked, full, read-only or gone.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Database(DbError::Unavailable(_)))
    }

    /// A single flaw.
    #[must_use]
    pub fn flaw(pointer: &str, message: &str) -> Self {
        Self::Flawed(vec![Flaw::at(pointer, message)])
    }

    /// Makes a conflict of a statement that broke a rule of uniqueness; other errors stay what they are.
    #[must_use]
    pub fn or_taken(error: DbError, what: &'static str, why: &'static str) -> Self {
        match error {
            DbError::Query(query) if is_taken(&query) => Self::Conflict(what, why),
            other => Self::Database(other),
        }
    }
}

/// A key that makes a command happen once (SPEC §14): what the client sent, and what it was sent for.
#[derive(Debug, Clone)]
pub struct OnceKey {
    pub value: String,
    pub fingerprint: String,
}

impl Desk {
    /// Runs a write of `caller`. With a key, the second time answers what the first time answered; `may` is asked
    /// again before that, so that somebody whose rights have ended learns nothing.
    pub async fn write_once<T>(
        &self,
        caller: Credential,
        key: Option<OnceKey>,
        may: impl Fn(&mut Conn, &Actor) -> Result<(), Error> + Send + 'static,
        work: impl Fn(&mut Conn, &Actor, Moment) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                may(conn, &actor)?;
                once(conn, actor.person, key.as_ref(), now, |conn| {
                    work(conn, &actor, now)
                })
            })
            .await
    }
}

/// Answers what was answered before, or does the work and keeps its answer.
fn once<T: Serialize + DeserializeOwned>(
    conn: &mut Conn,
    person: Option<PersonId>,
    key: Option<&OnceKey>,
    now: Moment,
    work: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    let (Some(person), Some(key)) = (person, key) else {
        return work(conn);
    };
    match once::claim(conn, person, &key.value, &key.fingerprint, now)? {
        once::Claim::Taken => Err(Error::KeyReused),
        once::Claim::Answered(before) => serde_json::from_value(before).map_err(|why| {
            DbError::Unreadable {
                table: "once",
                id: key.value.clone(),
                why: why.to_string(),
            }
            .into()
        }),
        once::Claim::New => {
            let done = work(conn)?;
            let kept = serde_json::to_value(&done).expect("answers can always be written as JSON");
            once::answer(conn, person, &key.value, &kept)?;
            Ok(done)
        }
    }
}
