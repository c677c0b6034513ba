//! What is said in rooms, sealed with each room's key, and how far each person has read. Who may read or write is
//! decided in `access`.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError, on_each};
use super::events::{read_word, word};
use super::keys::{self, Keeper};
use super::schema::{messages, read_marks};
use crate::domain::id::{CaseId, MessageId, PersonId};
use crate::domain::room::{Message, Room};
use crate::domain::time::Moment;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = messages)]
struct Row {
    id: Key,
    case_id: Key,
    room: String,
    at: At,
    author: Key,
    capacity: String,
    sealed: Vec<u8>,
}

/// Where a message stands in its room.
pub type Place = (Moment, MessageId);

/// Room, case and author are part of the place, so that words cannot be moved to where others read them.
fn lies_at(case: CaseId, room: &str, author: PersonId, id: MessageId) -> String {
    format!("messages:{case}:{room}:{author}:{id}")
}

fn message(conn: &mut Conn, row: Row) -> Result<Message, DbError> {
    let id = MessageId::from(row.id);
    let place = lies_at(row.case_id.into(), &row.room, row.author.into(), id);
    Ok(Message {
        id,
        at: row.at.0,
        author: row.author.into(),
        capacity: read_word("messages", &id, row.capacity)?,
        said: keys::unseal_json(conn, &place, &row.sealed)?,
    })
}

fn sealed(
    conn: &mut Conn,
    case: CaseId,
    room: Room,
    message: &Message,
) -> Result<Vec<u8>, DbError> {
    let keeper = Keeper::of(case, room, message.author);
    let place = lies_at(case, room.word(), message.author, message.id);
    keys::seal_json(conn, keeper, &place, &message.said)
}

/// Writes a new message.
pub fn add(conn: &mut Conn, case: CaseId, room: Room, message: &Message) -> Result<(), DbError> {
    let row = Row {
        id: message.id.into(),
        case_id: case.into(),
        room: room.word().to_owned(),
        at: At(message.at),
        author: message.author.into(),
        capacity: word(&message.capacity),
        sealed: sealed(conn, case, room, message)?,
    };
    let insert = diesel::insert_into(messages::table).values(row);
    on_each!(conn, |c| insert.execute(c))?;
    Ok(())
}

/// Writes what became of a message.
pub fn save(conn: &mut Conn, case: CaseId, room: Room, message: &Message) -> Result<(), DbError> {
    let sealed = sealed(conn, case, room, message)?;
    diesel::update(messages::table.find(Key::from(message.id)))
        .set(messages::sealed.eq(sealed))
        .execute(conn)?;
    Ok(())
}

/// Removes a message and every trace of it; only notes are removed.
pub fn remove(conn: &mut Conn, id: MessageId) -> Result<(), DbError> {
    diesel::delete(messages::table.find(Key::from(id))).execute(conn)?;
    Ok(())
}

/// A message, if it is in this room; of notes, if it is `owner`'s.
pub fn find(
    conn: &mut Conn,
    case: CaseId,
    room: Room,
    owner: Option<PersonId>,
    id: MessageId,
) -> Result<Option<Message>, DbError> {
    let mut query = messages::table
        .filter(messages::id.eq(Key::from(id)))
        .filter(messages::case_id.eq(Key::from(case)))
        .filter(messages::room.eq(room.word()))
        .into_boxed();
    if let Some(owner) = owner {
        query = query.filter(messages::author.eq(Key::from(owner)));
    }
    let row: Option<Row> = query.first(conn).optional()?;
    row.map(|row| message(conn, row)).transpose()
}

/// The messages of a room, the newest first, older than `before`; of notes, those of `owner`.
pub fn page(
    conn: &mut Conn,
    case: CaseId,
    room: Room,
    owner: Option<PersonId>,
    before: Option<Place>,
    most: i64,
) -> Result<Vec<Message>, DbError> {
    let mut query = messages::table
        .filter(messages::case_id.eq(Key::from(case)))
        .filter(messages::room.eq(room.word()))
        .order((messages::at.desc(), messages::id.desc()))
        .limit(most)
        .into_boxed();
    if let Some((at, id)) = before {
        query = query.filter(
            messages::at
                .lt(At(at))
                .or(messages::at.eq(At(at)).and(messages::id.lt(Key::from(id)))),
        );
    }
    if let Some(owner) = owner {
        query = query.filter(messages::author.eq(Key::from(owner)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    rows.into_iter().map(|row| message(conn, row)).collect()
}

/// How far somebody has read a room.
pub fn mark(
    conn: &mut Conn,
    person: PersonId,
    case: CaseId,
    room: Room,
) -> Result<Option<Place>, DbError> {
    let found: Option<(At, Key)> = read_marks::table
        .find((Key::from(person), Key::from(case), room.word()))
        .select((read_marks::at, read_marks::message_id))
        .first(conn)
        .optional()?;
    Ok(found.map(|(at, id)| (at.0, id.into())))
}

/// Notes how far somebody has read a room; never further back than before.
pub fn set_mark(
    conn: &mut Conn,
    person: PersonId,
    case: CaseId,
    room: Room,
    place: Place,
) -> Result<(), DbError> {
    let before = mark(conn, person, case, room)?;
    if before.is_some_and(|before| before >= place) {
        return Ok(());
    }
    diesel::delete(read_marks::table.find((Key::from(person), Key::from(case), room.word())))
        .execute(conn)?;
    diesel::insert_into(read_marks::table)
        .values((
            read_marks::person_id.eq(Key::from(person)),
            read_marks::case_id.eq(Key::from(case)),
            read_marks::room.eq(room.word()),
            read_marks::at.eq(At(place.0)),
            read_marks::message_id.eq(Key::from(place.1)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The places of what others said in a room after `mark`, the newest first, at most `most`.
pub fn unread(
    conn: &mut Conn,
    person: PersonId,
    case: CaseId,
    room: Room,
    most: i64,
) -> Result<Vec<Place>, DbError> {
    let mut query = messages::table
        .filter(messages::case_id.eq(Key::from(case)))
        .filter(messages::room.eq(room.word()))
        .filter(messages::author.ne(Key::from(person)))
        .order((messages::at.desc(), messages::id.desc()))
        .limit(most)
        .select((messages::at, messages::id))
        .into_boxed();
    if let Some((at, id)) = mark(conn, person, case, room)? {
        query = query.filter(
            messages::at
                .gt(At(at))
                .or(messages::at.eq(At(at)).and(messages::id.gt(Key::from(id)))),
        );
    }
    let found: Vec<(At, Key)> = query.load(conn)?;
    Ok(found
        .into_iter()
        .map(|(at, id)| (at.0, id.into()))
        .collect())
}
