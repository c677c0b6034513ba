//! Requests of CLERO to look into one room, and what came of them. Who may ask and decide is not decided here.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError, on_each};
use super::events::{read_word, word};
use super::keys::{self, Keeper};
use super::schema::room_looks;
use crate::domain::id::{CaseId, LookId, PersonId};
use crate::domain::room::{Look, LookDecision, Room};
use crate::domain::time::Moment;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = room_looks)]
struct Row {
    id: Key,
    case_id: Key,
    room: String,
    ground: String,
    hours: i32,
    asked_by: Key,
    asked_at: At,
    decided_by: Option<Key>,
    decided_at: Option<At>,
    approved: Option<bool>,
    until: Option<At>,
    sealed: Vec<u8>,
}

fn lies_at(id: LookId) -> String {
    format!("room_looks:{id}")
}

fn look(conn: &mut Conn, row: Row) -> Result<Look, DbError> {
    let id = LookId::from(row.id);
    let decided = match (row.decided_by, row.decided_at) {
        (Some(by), Some(at)) => Some(LookDecision {
            by: by.into(),
            at: at.0,
            until: row.until.map(|until| until.0),
        }),
        (None | Some(_), _) => None,
    };
    Ok(Look {
        id,
        room: read_word("room_looks", &id, row.room)?,
        ground: read_word("room_looks", &id, row.ground)?,
        reason: keys::unseal_json(conn, &lies_at(id), &row.sealed)?,
        hours: u8::try_from(row.hours).unwrap_or(Look::LONGEST),
        asked_by: row.asked_by.into(),
        asked_at: row.asked_at.0,
        decided,
    })
}

/// Writes a new request.
pub fn add(conn: &mut Conn, case: CaseId, look: &Look) -> Result<(), DbError> {
    let keeper = Keeper::of(case, look.room, look.asked_by);
    let row = Row {
        id: look.id.into(),
        case_id: case.into(),
        room: look.room.word().to_owned(),
        ground: word(&look.ground),
        hours: look.hours.into(),
        asked_by: look.asked_by.into(),
        asked_at: At(look.asked_at),
        decided_by: None,
        decided_at: None,
        approved: None,
        until: None,
        sealed: keys::seal_json(conn, keeper, &lies_at(look.id), &look.reason)?,
    };
    let insert = diesel::insert_into(room_looks::table).values(row);
    on_each!(conn, |c| insert.execute(c))?;
    Ok(())
}

/// Writes what the second person said; `false` where somebody was quicker.
pub fn decide(conn: &mut Conn, id: LookId, decision: LookDecision) -> Result<bool, DbError> {
    let open = room_looks::table
        .filter(room_looks::id.eq(Key::from(id)))
        .filter(room_looks::decided_by.is_null());
    let changed = diesel::update(open)
        .set((
            room_looks::decided_by.eq(Key::from(decision.by)),
            room_looks::decided_at.eq(At(decision.at)),
            room_looks::approved.eq(decision.until.is_some()),
            room_looks::until.eq(decision.until.map(At)),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// A request of a case.
pub fn find(conn: &mut Conn, case: CaseId, id: LookId) -> Result<Option<Look>, DbError> {
    let row: Option<Row> = room_looks::table
        .filter(room_looks::id.eq(Key::from(id)))
        .filter(room_looks::case_id.eq(Key::from(case)))
        .first(conn)
        .optional()?;
    row.map(|row| look(conn, row)).transpose()
}

/// Every request of a case, the newest first.
pub fn of_case(conn: &mut Conn, case: CaseId) -> Result<Vec<Look>, DbError> {
    let rows: Vec<Row> = room_looks::table
        .filter(room_looks::case_id.eq(Key::from(case)))
        .order((room_looks::asked_at.desc(), room_looks::id.desc()))
        .limit(200)
        .load(conn)?;
    rows.into_iter().map(|row| look(conn, row)).collect()
}

/// The requests that nobody has decided, of every case, the oldest first.
pub fn undecided(conn: &mut Conn) -> Result<Vec<(CaseId, Look)>, DbError> {
    let rows: Vec<Row> = room_looks::table
        .filter(room_looks::decided_by.is_null())
        .order((room_looks::asked_at, room_looks::id))
        .limit(200)
        .load(conn)?;
    rows.into_iter()
        .map(|row| Ok((CaseId::from(row.case_id), look(conn, row)?)))
        .collect()
}

/// Whether `person` may look into a room of a case now.
pub fn opens(
    conn: &mut Conn,
    case: CaseId,
    room: Room,
    person: PersonId,
    now: Moment,
) -> Result<bool, DbError> {
    let query = room_looks::table
        .filter(room_looks::case_id.eq(Key::from(case)))
        .filter(room_looks::room.eq(room.word()))
        .filter(room_looks::asked_by.eq(Key::from(person)))
        .filter(room_looks::approved.eq(true))
        .filter(room_looks::until.gt(At(now)));
    Ok(diesel::select(diesel::dsl::exists(query)).get_result(conn)?)
}
