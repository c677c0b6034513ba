//! How often something was tried: a number for each key, from a time on. Keys are hashes and hold no address; what
//! is too often is decided in `casework`.
use diesel::prelude::*;

use super::columns::At;
use super::db::{Conn, DbError, on_each};
use super::schema::tries;
use crate::domain::time::Moment;

/// Counts one more try of `key`, beginning anew where the last beginning was before `window`. Answers how many there
/// are now, and since when. A second transaction with the same key waits for the first.
pub fn bump(
    conn: &mut Conn,
    key: &str,
    window: Moment,
    now: Moment,
) -> Result<(i32, Moment), DbError> {
    let row = (
        tries::key.eq(key.to_owned()),
        tries::count.eq(0),
        tries::since.eq(At(now)),
    );
    on_each!(conn, |c| diesel::insert_into(tries::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    let one = tries::table.filter(tries::key.eq(key));
    diesel::update(one)
        .set(tries::count.eq(tries::count + 1))
        .execute(conn)?;
    let (count, since): (i32, At) = tries::table
        .find(key)
        .select((tries::count, tries::since))
        .first(conn)?;
    if since.0 > window {
        return Ok((count, since.0));
    }
    diesel::update(tries::table.find(key))
        .set((tries::count.eq(1), tries::since.eq(At(now))))
        .execute(conn)?;
    Ok((1, now))
}

/// Takes one try back: it was a good one.
pub fn give_back(conn: &mut Conn, key: &str) -> Result<(), DbError> {
    let counted = tries::table
        .filter(tries::key.eq(key))
        .filter(tries::count.gt(0));
    diesel::update(counted)
        .set(tries::count.eq(tries::count - 1))
        .execute(conn)?;
    Ok(())
}

/// Forgets the tries of a key.
pub fn clear(conn: &mut Conn, key: &str) -> Result<(), DbError> {
    diesel::delete(tries::table.find(key)).execute(conn)?;
    Ok(())
}

/// Removes counts that began before `before`.
pub fn forget(conn: &mut Conn, before: Moment) -> Result<usize, DbError> {
    Ok(diesel::delete(tries::table.filter(tries::since.lt(At(before)))).execute(conn)?)
}
