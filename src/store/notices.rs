//! What people must be told, as the app shows it to each of them.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{AnyBackend, Conn, DbError, on_each};
use super::schema::notices;
use crate::domain::id::{CaseId, NoticeId, PersonId};
use crate::domain::notice::{Letter, Notice};
use crate::domain::time::Moment;

/// Writes a notice for a person.
pub fn add(conn: &mut Conn, person: PersonId, notice: &Notice) -> Result<(), DbError> {
    let insert = diesel::insert_into(notices::table).values((
        notices::id.eq(Key::from(notice.id)),
        notices::person_id.eq(Key::from(person)),
        notices::case_id.eq(notice.case.map(Key::from)),
        notices::letter.eq(notice.letter.word()),
        notices::at.eq(At(notice.at)),
        notices::due.eq(notice.due.map(At)),
    ));
    on_each!(conn, |c| insert.execute(c))?;
    Ok(())
}

type Row = (Key, Key, Option<Key>, String, At, Option<At>, Option<At>);

fn notice((id, _, case, letter, at, due, read_at): Row) -> Result<Notice, DbError> {
    let id = NoticeId::from(id);
    let letter: Letter = letter.parse().map_err(|why| DbError::Unreadable {
        table: "notices",
        id: id.to_string(),
        why,
    })?;
    Ok(Notice {
        id,
        letter,
        what: letter.what().to_owned(),
        case: case.map(CaseId::from),
        at: at.0,
        due: due.map(|d| d.0),
        read_at: read_at.map(|r| r.0),
    })
}

/// A person's notices, the newest first, older than `before`.
pub fn page(
    conn: &mut Conn,
    person: PersonId,
    before: Option<(Moment, NoticeId)>,
    most: i64,
) -> Result<Vec<Notice>, DbError> {
    let mut query = notices::table
        .filter(notices::person_id.eq(Key::from(person)))
        .order((notices::at.desc(), notices::id.desc()))
        .limit(most)
        .into_boxed::<AnyBackend>();
    if let Some((at, id)) = before {
        query = query.filter(
            notices::at
                .lt(At(at))
                .or(notices::at.eq(At(at)).and(notices::id.lt(Key::from(id)))),
        );
    }
    query.load::<Row>(conn)?.into_iter().map(notice).collect()
}

/// Marks a notice of `person` as read; `false` where there is none.
pub fn mark_read(
    conn: &mut Conn,
    person: PersonId,
    id: NoticeId,
    now: Moment,
) -> Result<bool, DbError> {
    Ok(diesel::update(
        notices::table
            .filter(notices::id.eq(Key::from(id)))
            .filter(notices::person_id.eq(Key::from(person))),
    )
    .set(notices::read_at.eq(At(now)))
    .execute(conn)?
        == 1)
}
