//! Sessions and the browsers people trust: of each secret a hash only. When they end is decided in `casework`.
use std::collections::BTreeSet;

use diesel::prelude::*;

use super::columns::{At, Json, Key};
use super::db::{Conn, DbError, on_each};
use super::schema::{people, sessions, trusted_browsers};
use crate::domain::id::{BrowserId, PersonId, SessionId};
use crate::domain::people::Role;
use crate::domain::time::Moment;

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    /// The browser in a few fixed words.
    pub browser: String,
    pub created_at: Moment,
    pub seen_at: Moment,
    pub second_step_at: Option<Moment>,
    pub expires_at: Moment,
}

/// Writes a new session.
pub fn add(conn: &mut Conn, session: &Session, secret_hash: &str) -> Result<(), DbError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(Key::from(session.id)),
            sessions::person_id.eq(Key::from(session.person)),
            sessions::secret_hash.eq(secret_hash),
            sessions::browser.eq(&session.browser),
            sessions::created_at.eq(At(session.created_at)),
            sessions::seen_at.eq(At(session.seen_at)),
            sessions::second_step_at.eq(session.second_step_at.map(At)),
            sessions::expires_at.eq(At(session.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    pub id: SessionId,
    pub person: PersonId,
    pub roles: BTreeSet<Role>,
    pub seen_at: Moment,
    pub second_step_at: Option<Moment>,
    pub expires_at: Moment,
}

type AliveRow = (Key, Key, Json<BTreeSet<Role>>, At, Option<At>, At);

/// The session with this secret, while it lasts, was seen after `idle_since`, and the account is open.
pub fn alive(
    conn: &mut Conn,
    secret_hash: &str,
    now: Moment,
    idle_since: Moment,
) -> Result<Option<Alive>, DbError> {
    let query = sessions::table
        .inner_join(people::table.on(people::id.eq(sessions::person_id)))
        .filter(sessions::secret_hash.eq(secret_hash))
        .filter(sessions::expires_at.gt(At(now)))
        .filter(sessions::seen_at.gt(At(idle_since)))
        .filter(sessions::ended_at.is_null())
        .filter(people::active.eq(true))
        .select((
            sessions::id,
            people::id,
            people::roles,
            sessions::seen_at,
            sessions::second_step_at,
            sessions::expires_at,
        ));
    let found: Option<AliveRow> = on_each!(conn, |c| query.get_result(c)).optional()?;
    Ok(found.map(
        |(id, person, roles, seen_at, second_step_at, expires_at)| Alive {
            id: id.into(),
            person: person.into(),
            roles: roles.0,
            seen_at: seen_at.0,
            second_step_at: second_step_at.map(|at| at.0),
            expires_at: expires_at.0,
        },
    ))
}

/// Writes down that somebody was here.
pub fn touch(conn: &mut Conn, id: SessionId, now: Moment) -> Result<(), DbError> {
    diesel::update(sessions::table.find(Key::from(id)))
        .set(sessions::seen_at.eq(At(now)))
        .execute(conn)?;
    Ok(())
}

/// Gives a session a new secret, after a second step.
pub fn rotate(
    conn: &mut Conn,
    id: SessionId,
    secret_hash: &str,
    now: Moment,
) -> Result<(), DbError> {
    diesel::update(sessions::table.find(Key::from(id)))
        .set((
            sessions::secret_hash.eq(secret_hash),
            sessions::second_step_at.eq(Some(At(now))),
            sessions::seen_at.eq(At(now)),
        ))
        .execute(conn)?;
    Ok(())
}

type SessionRow = (Key, Key, String, At, At, Option<At>, At);

/// The sessions of a person that have not ended, the newest first.
pub fn of(
    conn: &mut Conn,
    person: PersonId,
    now: Moment,
    idle_since: Moment,
) -> Result<Vec<Session>, DbError> {
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::person_id.eq(Key::from(person)))
        .filter(sessions::expires_at.gt(At(now)))
        .filter(sessions::seen_at.gt(At(idle_since)))
        .filter(sessions::ended_at.is_null())
        .order((sessions::created_at.desc(), sessions::id))
        .select((
            sessions::id,
            sessions::person_id,
            sessions::browser,
            sessions::created_at,
            sessions::seen_at,
            sessions::second_step_at,
            sessions::expires_at,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(id, person, browser, created_at, seen_at, second_step_at, expires_at)| Session {
                id: id.into(),
                person: person.into(),
                browser,
                created_at: created_at.0,
                seen_at: seen_at.0,
                second_step_at: second_step_at.map(|at| at.0),
                expires_at: expires_at.0,
            },
        )
        .collect())
}

/// Ends one session of a person; `false` where there is none that lasts.
pub fn end(conn: &mut Conn, person: PersonId, id: SessionId, now: Moment) -> Result<bool, DbError> {
    let one = sessions::table
        .filter(sessions::id.eq(Key::from(id)))
        .filter(sessions::person_id.eq(Key::from(person)))
        .filter(sessions::ended_at.is_null());
    Ok(diesel::update(one)
        .set(sessions::ended_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
}

/// Ends every session of a person.
pub fn end_all(conn: &mut Conn, person: PersonId, now: Moment) -> Result<usize, DbError> {
    let all = sessions::table
        .filter(sessions::person_id.eq(Key::from(person)))
        .filter(sessions::ended_at.is_null());
    Ok(diesel::update(all)
        .set(sessions::ended_at.eq(Some(At(now))))
        .execute(conn)?)
}

/// Ends every session of a person but one.
pub fn end_others(
    conn: &mut Conn,
    person: PersonId,
    kept: SessionId,
    now: Moment,
) -> Result<usize, DbError> {
    let others = sessions::table
        .filter(sessions::person_id.eq(Key::from(person)))
        .filter(sessions::id.ne(Key::from(kept)))
        .filter(sessions::ended_at.is_null());
    Ok(diesel::update(others)
        .set(sessions::ended_at.eq(Some(At(now))))
        .execute(conn)?)
}

/// Removes sessions and trusted browsers that ended before `before`.
pub fn forget(conn: &mut Conn, before: Moment, now: Moment) -> Result<usize, DbError> {
    let expired = diesel::delete(sessions::table.filter(sessions::expires_at.lt(At(before))))
        .execute(conn)?;
    let ended =
        diesel::delete(sessions::table.filter(sessions::ended_at.lt(At(before)))).execute(conn)?;
    let browsers =
        diesel::delete(trusted_browsers::table.filter(trusted_browsers::expires_at.lt(At(now))))
            .execute(conn)?;
    let left =
        diesel::delete(trusted_browsers::table.filter(trusted_browsers::ended_at.lt(At(before))))
            .execute(conn)?;
    Ok(expired + ended + browsers + left)
}

/// A browser somebody trusts, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    pub id: BrowserId,
    pub browser: String,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// Writes down that a browser is trusted.
pub fn trust(
    conn: &mut Conn,
    person: PersonId,
    trusted: &Trusted,
    secret_hash: &str,
) -> Result<(), DbError> {
    diesel::insert_into(trusted_browsers::table)
        .values((
            trusted_browsers::id.eq(Key::from(trusted.id)),
            trusted_browsers::person_id.eq(Key::from(person)),
            trusted_browsers::secret_hash.eq(secret_hash),
            trusted_browsers::browser.eq(&trusted.browser),
            trusted_browsers::created_at.eq(At(trusted.created_at)),
            trusted_browsers::expires_at.eq(At(trusted.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whether the browser with this secret is one that `person` trusts.
pub fn is_trusted(
    conn: &mut Conn,
    person: PersonId,
    secret_hash: &str,
    now: Moment,
) -> Result<bool, DbError> {
    let found: Option<Key> = trusted_browsers::table
        .filter(trusted_browsers::secret_hash.eq(secret_hash))
        .filter(trusted_browsers::person_id.eq(Key::from(person)))
        .filter(trusted_browsers::expires_at.gt(At(now)))
        .filter(trusted_browsers::ended_at.is_null())
        .select(trusted_browsers::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// The browsers a person trusts, the newest first.
pub fn trusted_by(conn: &mut Conn, person: PersonId, now: Moment) -> Result<Vec<Trusted>, DbError> {
    let rows: Vec<(Key, String, At, At)> = trusted_browsers::table
        .filter(trusted_browsers::person_id.eq(Key::from(person)))
        .filter(trusted_browsers::expires_at.gt(At(now)))
        .filter(trusted_browsers::ended_at.is_null())
        .order((trusted_browsers::created_at.desc(), trusted_browsers::id))
        .select((
            trusted_browsers::id,
            trusted_browsers::browser,
            trusted_browsers::created_at,
            trusted_browsers::expires_at,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, browser, created_at, expires_at)| Trusted {
            id: id.into(),
            browser,
            created_at: created_at.0,
            expires_at: expires_at.0,
        })
        .collect())
}

/// Ends the trust in one browser of a person; `false` where there is none.
pub fn distrust(
    conn: &mut Conn,
    person: PersonId,
    id: BrowserId,
    now: Moment,
) -> Result<bool, DbError> {
    let one = trusted_browsers::table
        .filter(trusted_browsers::id.eq(Key::from(id)))
        .filter(trusted_browsers::person_id.eq(Key::from(person)))
        .filter(trusted_browsers::ended_at.is_null());
    Ok(diesel::update(one)
        .set(trusted_browsers::ended_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
}

/// Ends the trust in every browser of a person.
pub fn distrust_all(conn: &mut Conn, person: PersonId, now: Moment) -> Result<usize, DbError> {
    let all = trusted_browsers::table
        .filter(trusted_browsers::person_id.eq(Key::from(person)))
        .filter(trusted_browsers::ended_at.is_null());
    Ok(diesel::update(all)
        .set(trusted_browsers::ended_at.eq(Some(At(now))))
        .execute(conn)?)
}
