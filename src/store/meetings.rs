//! Meetings that are planned, sealed with the key of the room they belong to, and the secret addresses of people's
//! calendars, kept as hashes.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError, on_each};
use super::keys::{self, Keeper};
use super::schema::{calendar_feeds, meetings};
use crate::domain::id::{CaseId, MeetingId, PersonId};
use crate::domain::meeting::Meeting;
use crate::domain::room::Room;
use crate::domain::time::Moment;

/// The case is part of the place; the room is read from what is sealed.
fn lies_at(case: CaseId, id: MeetingId) -> String {
    format!("meetings:{case}:{id}")
}

fn sealed(conn: &mut Conn, case: CaseId, meeting: &Meeting) -> Result<Vec<u8>, DbError> {
    let keeper = Keeper::of(case, meeting.room, meeting.proposer);
    keys::seal_json(conn, keeper, &lies_at(case, meeting.id), meeting)
}

/// Writes a new meeting.
pub fn add(conn: &mut Conn, case: CaseId, meeting: &Meeting) -> Result<(), DbError> {
    let row = (
        meetings::id.eq(Key::from(meeting.id)),
        meetings::case_id.eq(Key::from(case)),
        meetings::room.eq(meeting.room.word()),
        meetings::at.eq(At(meeting.proposed_at)),
        meetings::version.eq(rand::random::<i64>()),
        meetings::sealed.eq(sealed(conn, case, meeting)?),
    );
    diesel::insert_into(meetings::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// A meeting of a case.
pub fn find(conn: &mut Conn, case: CaseId, id: MeetingId) -> Result<Option<Meeting>, DbError> {
    let found: Option<Vec<u8>> = meetings::table
        .filter(meetings::id.eq(Key::from(id)))
        .filter(meetings::case_id.eq(Key::from(case)))
        .select(meetings::sealed)
        .first(conn)
        .optional()?;
    found
        .map(|sealed| keys::unseal_json(conn, &lies_at(case, id), &sealed))
        .transpose()
}

/// Takes a meeting for this transaction.
pub fn lock(conn: &mut Conn, case: CaseId, id: MeetingId) -> Result<Option<Meeting>, DbError> {
    let those = meetings::table
        .filter(meetings::id.eq(Key::from(id)))
        .filter(meetings::case_id.eq(Key::from(case)));
    let changed = diesel::update(those)
        .set(meetings::version.eq(meetings::version))
        .execute(conn)?;
    if changed == 0 {
        return Ok(None);
    }
    find(conn, case, id)
}

/// Writes a meeting that `lock` took.
pub fn save(conn: &mut Conn, case: CaseId, meeting: &Meeting) -> Result<(), DbError> {
    let sealed = sealed(conn, case, meeting)?;
    diesel::update(meetings::table.find(Key::from(meeting.id)))
        .set((
            meetings::version.eq(rand::random::<i64>()),
            meetings::sealed.eq(sealed),
        ))
        .execute(conn)?;
    Ok(())
}

/// The meetings in some rooms of a case, in the order they were proposed, after `after`. What is planned in other rooms
/// is not even looked at, so that nobody can tell from the time it takes.
pub fn page(
    conn: &mut Conn,
    case: CaseId,
    rooms: &[Room],
    after: Option<(Moment, MeetingId)>,
    most: i64,
) -> Result<Vec<Meeting>, DbError> {
    let mut query = meetings::table
        .filter(meetings::case_id.eq(Key::from(case)))
        .filter(meetings::room.eq_any(rooms.iter().map(|room| room.word())))
        .order((meetings::at, meetings::id))
        .limit(most)
        .select((meetings::id, meetings::sealed))
        .into_boxed();
    if let Some((at, id)) = after {
        query = query.filter(
            meetings::at
                .gt(At(at))
                .or(meetings::at.eq(At(at)).and(meetings::id.gt(Key::from(id)))),
        );
    }
    let found: Vec<(Key, Vec<u8>)> = query.load(conn)?;
    found
        .into_iter()
        .map(|(id, sealed)| keys::unseal_json(conn, &lies_at(case, id.into()), &sealed))
        .collect()
}

/// Gives somebody's calendar a new address; the one before leads nowhere from now on.
pub fn set_feed(
    conn: &mut Conn,
    person: PersonId,
    secret_hash: &str,
    now: Moment,
) -> Result<(), DbError> {
    remove_feed(conn, person)?;
    let insert = diesel::insert_into(calendar_feeds::table).values((
        calendar_feeds::person_id.eq(Key::from(person)),
        calendar_feeds::secret_hash.eq(secret_hash),
        calendar_feeds::created_at.eq(At(now)),
    ));
    on_each!(conn, |c| insert.execute(c))?;
    Ok(())
}

/// Takes the address of somebody's calendar away; answers whether there was one.
pub fn remove_feed(conn: &mut Conn, person: PersonId) -> Result<bool, DbError> {
    let gone = diesel::delete(calendar_feeds::table.find(Key::from(person))).execute(conn)?;
    Ok(gone == 1)
}

/// Since when somebody's calendar has its address.
pub fn feed_since(conn: &mut Conn, person: PersonId) -> Result<Option<Moment>, DbError> {
    let found: Option<At> = calendar_feeds::table
        .find(Key::from(person))
        .select(calendar_feeds::created_at)
        .first(conn)
        .optional()?;
    Ok(found.map(|at| at.0))
}

/// Whose calendar is at this address.
pub fn feed_of(conn: &mut Conn, secret_hash: &str) -> Result<Option<PersonId>, DbError> {
    let found: Option<Key> = calendar_feeds::table
        .filter(calendar_feeds::secret_hash.eq(secret_hash))
        .select(calendar_feeds::person_id)
        .first(conn)
        .optional()?;
    Ok(found.map(PersonId::from))
}
