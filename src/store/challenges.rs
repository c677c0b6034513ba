//! Questions that somebody must answer to go on: six digits from a letter, or a signature of a passkey. Each is
//! answered once, within minutes; how many tries it has is decided in `casework`.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError};
use super::schema::challenges;
use crate::domain::id::{ChallengeId, PersonId};
use crate::domain::time::Moment;

/// What a question is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    Step,
    PasskeySignIn,
    PasskeyStep,
    PasskeyAdd,
    Reset,
    Address,
}

impl Purpose {
    /// Its name in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Step => "step",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::PasskeyStep => "passkey_step",
            Self::PasskeyAdd => "passkey_add",
            Self::Reset => "reset",
            Self::Address => "address",
        }
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub id: ChallengeId,
    pub purpose: Purpose,
    /// Who must answer it; anybody with a passkey, where it is `None`.
    pub person: Option<PersonId>,
    /// The browser (or the session) it must be answered in.
    pub browser_hash: Option<String>,
    /// The hash of the code, or what a passkey must sign.
    pub secret: String,
    /// A new address that is waiting for it.
    pub detail: Option<String>,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// Whom an answer may come from.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Whoever has this secret of a browser or a session.
    Browser(&'a str),
    Person(PersonId),
}

/// Writes a question down.
pub fn add(conn: &mut Conn, new: &Challenge) -> Result<(), DbError> {
    diesel::insert_into(challenges::table)
        .values((
            challenges::id.eq(Key::from(new.id)),
            challenges::purpose.eq(new.purpose.word()),
            challenges::person_id.eq(new.person.map(Key::from)),
            challenges::browser_hash.eq(new.browser_hash.as_deref()),
            challenges::secret.eq(&new.secret),
            challenges::detail.eq(new.detail.as_deref()),
            challenges::tries.eq(0),
            challenges::created_at.eq(At(new.created_at)),
            challenges::expires_at.eq(At(new.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

type Row = (
    Key,
    Option<Key>,
    Option<String>,
    String,
    Option<String>,
    At,
    At,
);

/// The newest question for this purpose that can still be answered.
pub fn open(
    conn: &mut Conn,
    purpose: Purpose,
    from: By<'_>,
    most_tries: i32,
    now: Moment,
) -> Result<Option<Challenge>, DbError> {
    let mut query = challenges::table
        .filter(challenges::purpose.eq(purpose.word()))
        .filter(challenges::used_at.is_null())
        .filter(challenges::expires_at.gt(At(now)))
        .filter(challenges::tries.lt(most_tries))
        .order((challenges::created_at.desc(), challenges::id))
        .select((
            challenges::id,
            challenges::person_id,
            challenges::browser_hash,
            challenges::secret,
            challenges::detail,
            challenges::created_at,
            challenges::expires_at,
        ))
        .into_boxed::<super::db::AnyBackend>();
    query = match from {
        By::Browser(hash) => query.filter(challenges::browser_hash.eq(hash.to_owned())),
        By::Person(person) => query.filter(challenges::person_id.eq(Key::from(person))),
    };
    let row: Option<Row> = query.first(conn).optional()?;
    Ok(row.map(
        |(id, person, browser_hash, secret, detail, created_at, expires_at)| Challenge {
            id: id.into(),
            purpose,
            person: person.map(PersonId::from),
            browser_hash,
            secret,
            detail,
            created_at: created_at.0,
            expires_at: expires_at.0,
        },
    ))
}

/// Counts a try; `false` where none is left.
pub fn count_try(conn: &mut Conn, id: ChallengeId, most_tries: i32) -> Result<bool, DbError> {
    let open = challenges::table
        .filter(challenges::id.eq(Key::from(id)))
        .filter(challenges::used_at.is_null())
        .filter(challenges::tries.lt(most_tries));
    Ok(diesel::update(open)
        .set(challenges::tries.eq(challenges::tries + 1))
        .execute(conn)?
        == 1)
}

/// Marks a question as answered; `false` where somebody was quicker.
pub fn close(conn: &mut Conn, id: ChallengeId, now: Moment) -> Result<bool, DbError> {
    let open = challenges::table
        .filter(challenges::id.eq(Key::from(id)))
        .filter(challenges::used_at.is_null());
    Ok(diesel::update(open)
        .set(challenges::used_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
}

/// Closes every open question to a person: what it was asked for is no longer so.
pub fn close_all(conn: &mut Conn, person: PersonId, now: Moment) -> Result<usize, DbError> {
    let open = challenges::table
        .filter(challenges::person_id.eq(Key::from(person)))
        .filter(challenges::used_at.is_null());
    Ok(diesel::update(open)
        .set(challenges::used_at.eq(Some(At(now))))
        .execute(conn)?)
}

/// Closes a person's open questions for one purpose: a new one takes their place.
pub fn supersede(
    conn: &mut Conn,
    purpose: Purpose,
    person: PersonId,
    now: Moment,
) -> Result<usize, DbError> {
    let open = challenges::table
        .filter(challenges::purpose.eq(purpose.word()))
        .filter(challenges::person_id.eq(Key::from(person)))
        .filter(challenges::used_at.is_null());
    Ok(diesel::update(open)
        .set(challenges::used_at.eq(Some(At(now))))
        .execute(conn)?)
}

/// Removes questions that ran out or were answered before `before`.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize, DbError> {
    let expired = diesel::delete(challenges::table.filter(challenges::expires_at.lt(At(before))))
        .execute(conn)?;
    let answered = diesel::delete(challenges::table.filter(challenges::used_at.lt(At(before))))
        .execute(conn)?;
    Ok(expired + answered)
}
