//! Answers kept for `Idempotency-Key`: written in the same transaction as what they answer, so that a command with
//! a key happens exactly once (SAFETY §4).
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError, on_each};
use super::keys::{self, Keeper};
use super::schema::once;
use crate::domain::id::PersonId;
use crate::domain::time::Moment;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody used it: it is ours in this transaction.
    New,
    /// It was used for the same request; this was the answer.
    Answered(serde_json::Value),
    /// It was used for another request.
    Taken,
}

/// Claims `key` for a request with this `fingerprint`. A second transaction with the same key waits for the first.
pub fn claim(
    conn: &mut Conn,
    person: PersonId,
    key: &str,
    fingerprint: &str,
    now: Moment,
) -> Result<Claim, DbError> {
    let row = (
        once::person_id.eq(Key::from(person)),
        once::key.eq(key),
        once::fingerprint.eq(fingerprint),
        once::at.eq(At(now)),
    );
    let written = on_each!(conn, |c| diesel::insert_into(once::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    if written == 1 {
        return Ok(Claim::New);
    }
    let (before, sealed): (String, Option<Vec<u8>>) = once::table
        .find((Key::from(person), key))
        .select((once::fingerprint, once::sealed))
        .first(conn)?;
    match sealed {
        Some(sealed) if before == fingerprint => {
            keys::unseal_json(conn, &place(person, key), &sealed).map(Claim::Answered)
        }
        Some(_) | None => Ok(Claim::Taken),
    }
}

fn place(person: PersonId, key: &str) -> String {
    format!("once:{person}:{key}")
}

/// Keeps the answer to a claimed key.
pub fn answer(
    conn: &mut Conn,
    person: PersonId,
    key: &str,
    answer: &serde_json::Value,
) -> Result<(), DbError> {
    let sealed = keys::seal_json(conn, Keeper::House, &place(person, key), answer)?;
    diesel::update(once::table.find((Key::from(person), key)))
        .set(once::sealed.eq(Some(sealed)))
        .execute(conn)?;
    Ok(())
}

/// Forgets keys older than `before`.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize, DbError> {
    Ok(diesel::delete(once::table.filter(once::at.lt(At(before)))).execute(conn)?)
}
