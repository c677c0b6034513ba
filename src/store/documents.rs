//! Documents as they are kept: a row for each, its octets in sealed pieces, and who took one home. A document is never
//! altered; all that happens to its row is that a later version is named. Who may read one is decided above.
use diesel::prelude::*;
use uuid::Uuid;

use super::columns::{At, Key};
use super::db::{AnyBackend, Conn, DbError};
use super::keys::{self, Keeper};
use super::schema::{document_chunks, documents, downloads};
use crate::domain::access::CapacityName;
use crate::domain::document::{About, Laid};
use crate::domain::id::{CaseId, DocumentId, PersonId};
use crate::domain::room::Room;
use crate::domain::time::Moment;

/// How many octets a piece has before it is sealed.
const PIECE: usize = 256 * 1024;

type Row = (Key, Key, String, At, Key, String, i64, Option<Key>, Vec<u8>);

/// Case, room and author are part of the place, so that a document cannot be moved to where others read it.
fn lies_at(laid: &Laid) -> String {
    let room = laid.room.word();
    format!("documents:{}:{room}:{}:{}", laid.case, laid.author, laid.id)
}

fn piece_lies_at(laid: &Laid, n: i32) -> String {
    format!("document_chunks:{}:{n}", lies_at(laid))
}

fn unreadable(id: DocumentId, why: &str) -> DbError {
    DbError::Unreadable {
        table: "documents",
        id: id.to_string(),
        why: why.to_owned(),
    }
}

fn word(capacity: CapacityName) -> String {
    serde_json::to_value(capacity)
        .ok()
        .and_then(|w| w.as_str().map(str::to_owned))
        .expect("words of the domain are written as text")
}

fn capacity(id: DocumentId, word: String) -> Result<CapacityName, DbError> {
    serde_json::from_value(word.into()).map_err(|why| unreadable(id, &why.to_string()))
}

/// What a row says without being opened, and what is sealed in it.
fn laid(row: Row) -> Result<(Laid, Vec<u8>), DbError> {
    let (id, case, room, at, author, by, size, superseded_by, sealed) = row;
    let id = DocumentId::from(id);
    let laid = Laid {
        id,
        case: case.into(),
        room: Room::parse(&room).ok_or_else(|| unreadable(id, "it lies in no room"))?,
        at: at.0,
        author: author.into(),
        by: capacity(id, by)?,
        size: u64::try_from(size).map_err(|why| unreadable(id, &why.to_string()))?,
        superseded_by: superseded_by.map(DocumentId::from),
    };
    Ok((laid, sealed))
}

/// Lays down a document; its row and its octets are sealed with the key of its room.
pub fn add(conn: &mut Conn, laid: &Laid, about: &About, octets: &[u8]) -> Result<(), DbError> {
    let keeper = Keeper::of(laid.case, laid.room, laid.author);
    let sealed = keys::seal_json(conn, keeper, &lies_at(laid), about)?;
    diesel::insert_into(documents::table)
        .values((
            documents::id.eq(Key::from(laid.id)),
            documents::case_id.eq(Key::from(laid.case)),
            documents::room.eq(laid.room.word()),
            documents::at.eq(At(laid.at)),
            documents::author.eq(Key::from(laid.author)),
            documents::capacity.eq(word(laid.by)),
            documents::size.eq(i64::try_from(laid.size).expect("nobody has a file that large")),
            documents::superseded_by.eq(laid.superseded_by.map(Key::from)),
            documents::sealed.eq(sealed),
        ))
        .execute(conn)?;
    for (n, piece) in (0..).zip(octets.chunks(PIECE)) {
        let sealed = keys::seal(conn, keeper, &piece_lies_at(laid, n), piece)?;
        diesel::insert_into(document_chunks::table)
            .values((
                document_chunks::document_id.eq(Key::from(laid.id)),
                document_chunks::n.eq(n),
                document_chunks::sealed.eq(sealed),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The documents of a room in the order they came, those after `after`; of notes those of `author` only.
pub fn page(
    conn: &mut Conn,
    (case, room): (CaseId, Room),
    author: Option<PersonId>,
    after: Option<(Moment, DocumentId)>,
    most: usize,
) -> Result<Vec<(Laid, About)>, DbError> {
    let mut query = documents::table
        .filter(documents::case_id.eq(Key::from(case)))
        .filter(documents::room.eq(room.word()))
        .order((documents::at.asc(), documents::id.asc()))
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .into_boxed::<AnyBackend>();
    if let Some(author) = author {
        query = query.filter(documents::author.eq(Key::from(author)));
    }
    if let Some((at, id)) = after {
        query = query.filter(
            documents::at.gt(At(at)).or(documents::at
                .eq(At(at))
                .and(documents::id.gt(Key::from(id)))),
        );
    }
    let rows: Vec<Row> = query.load(conn)?;
    rows.into_iter()
        .map(|row| {
            let (laid, sealed) = laid(row)?;
            let about = keys::unseal_json(conn, &lies_at(&laid), &sealed)?;
            Ok((laid, about))
        })
        .collect()
}

/// A document, without opening it: whether it may be opened is decided from what this answers.
pub fn find(conn: &mut Conn, id: DocumentId) -> Result<Option<Laid>, DbError> {
    let row: Option<Row> = documents::table
        .find(Key::from(id))
        .first(conn)
        .optional()?;
    row.map(|row| laid(row).map(|(laid, _)| laid)).transpose()
}

/// What a document says about itself.
pub fn about(conn: &mut Conn, id: DocumentId) -> Result<About, DbError> {
    let row: Row = documents::table.find(Key::from(id)).first(conn)?;
    let (laid, sealed) = laid(row)?;
    keys::unseal_json(conn, &lies_at(&laid), &sealed)
}

/// The octets of a document, all of them.
pub fn octets(conn: &mut Conn, laid: &Laid) -> Result<Vec<u8>, DbError> {
    let pieces: Vec<(i32, Vec<u8>)> = document_chunks::table
        .filter(document_chunks::document_id.eq(Key::from(laid.id)))
        .order(document_chunks::n)
        .select((document_chunks::n, document_chunks::sealed))
        .load(conn)?;
    let mut octets = Vec::new();
    for (n, sealed) in pieces {
        octets.extend(keys::unseal(conn, &piece_lies_at(laid, n), &sealed)?);
    }
    if u64::try_from(octets.len()).ok() == Some(laid.size) {
        Ok(octets)
    } else {
        Err(unreadable(laid.id, "a piece of it is missing"))
    }
}

/// How many octets a room holds, every version counted; of notes those of `author` only.
pub fn size_of_room(
    conn: &mut Conn,
    (case, room): (CaseId, Room),
    author: Option<PersonId>,
) -> Result<u64, DbError> {
    let mut query = documents::table
        .filter(documents::case_id.eq(Key::from(case)))
        .filter(documents::room.eq(room.word()))
        .select(documents::size)
        .into_boxed::<AnyBackend>();
    if let Some(author) = author {
        query = query.filter(documents::author.eq(Key::from(author)));
    }
    let sizes: Vec<i64> = query.load(conn)?;
    Ok(sizes
        .into_iter()
        .filter_map(|size| u64::try_from(size).ok())
        .sum())
}

/// Names the version that comes after `before`; `false` where one was named already.
pub fn mark_superseded(
    conn: &mut Conn,
    before: DocumentId,
    by: DocumentId,
) -> Result<bool, DbError> {
    let latest = documents::table
        .filter(documents::id.eq(Key::from(before)))
        .filter(documents::superseded_by.is_null());
    let changed = diesel::update(latest)
        .set(documents::superseded_by.eq(Some(Key::from(by))))
        .execute(conn)?;
    Ok(changed == 1)
}

/// That somebody took a document home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    pub id: Uuid,
    pub person: PersonId,
    /// As what they met the case.
    pub capacity: CapacityName,
    pub at: Moment,
}

/// Writes down that somebody took `document` home.
pub fn add_download(
    conn: &mut Conn,
    document: DocumentId,
    download: &Download,
) -> Result<(), DbError> {
    diesel::insert_into(downloads::table)
        .values((
            downloads::id.eq(Key(download.id)),
            downloads::document_id.eq(Key::from(document)),
            downloads::person_id.eq(Key::from(download.person)),
            downloads::capacity.eq(word(download.capacity)),
            downloads::at.eq(At(download.at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Who took a document home, in the order of time, those after `after`.
pub fn downloads_of(
    conn: &mut Conn,
    document: DocumentId,
    after: Option<(Moment, Uuid)>,
    most: usize,
) -> Result<Vec<Download>, DbError> {
    let mut query = downloads::table
        .filter(downloads::document_id.eq(Key::from(document)))
        .order((downloads::at.asc(), downloads::id.asc()))
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .into_boxed::<AnyBackend>();
    if let Some((at, id)) = after {
        query = query.filter(
            downloads::at
                .gt(At(at))
                .or(downloads::at.eq(At(at)).and(downloads::id.gt(Key(id)))),
        );
    }
    let rows: Vec<(Key, Key, Key, String, At)> = query.load(conn)?;
    rows.into_iter()
        .map(|(id, _, person, by, at)| {
            Ok(Download {
                id: id.0,
                person: person.into(),
                capacity: capacity(document, by)?,
                at: at.0,
            })
        })
        .collect()
}
