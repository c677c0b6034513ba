//! The log: append, read, verify. Envelopes are never changed or removed (a trigger forbids it); what an event said
//! lies apart and can be erased.
use diesel::prelude::*;
use rand::RngCore;

use super::columns::{At, Key};
use super::db::{Conn, DbError, on_each};
use super::keys::{self, Keeper};
use super::schema::{event_bodies, events};
use crate::domain::access::{Audience, CapacityName};
use crate::domain::event::{Envelope, GENESIS, commitment};
use crate::domain::id::{EventId, OrganisationId, PersonId};
use crate::domain::time::Moment;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = events)]
struct Row {
    id: Key,
    chain: String,
    seq: i64,
    at: At,
    actor: Option<Key>,
    capacity: String,
    on_behalf_of: Option<Key>,
    event: String,
    audience: String,
    commitment: String,
    link: String,
}

/// What is to be written down.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    pub chain: String,
    pub at: Moment,
    pub actor: Option<PersonId>,
    pub capacity: CapacityName,
    pub on_behalf_of: Option<OrganisationId>,
    pub event: &'a str,
    pub audience: Audience,
    /// Whose key seals what it says.
    pub keeper: Keeper,
    pub body: serde_json::Value,
}

/// Appends `entry` to its chain; nobody else appends to the same chain until this transaction ends.
pub fn append(conn: &mut Conn, entry: Entry<'_>) -> Result<EventId, DbError> {
    hold_chain(conn, &entry.chain)?;
    let query = events::table
        .filter(events::chain.eq(&entry.chain))
        .order(events::seq.desc())
        .select((events::seq, events::link));
    let last: Option<(i64, String)> = on_each!(conn, |c| query.first(c)).optional()?;
    let (seq, before) = last.map_or((1, GENESIS.to_owned()), |(seq, link)| (seq + 1, link));
    let mut salt = [0u8; 32];
    rand::rng().fill_bytes(&mut salt);
    let body = entry.body.to_string();
    let envelope = Envelope {
        id: EventId::random(),
        chain: entry.chain,
        seq,
        at: entry.at,
        actor: entry.actor,
        capacity: entry.capacity,
        on_behalf_of: entry.on_behalf_of,
        event: entry.event.to_owned(),
        audience: entry.audience,
        commitment: commitment(&salt, &body),
    };
    let id = envelope.id;
    let insert = diesel::insert_into(events::table).values(row(&envelope, envelope.link(&before)));
    on_each!(conn, |c| insert.execute(c))?;
    let sealed = keys::seal(conn, entry.keeper, &lies_at(id), body.as_bytes())?;
    let insert = diesel::insert_into(event_bodies::table).values((
        event_bodies::event_id.eq(Key::from(id)),
        event_bodies::salt.eq(salt.to_vec()),
        event_bodies::sealed.eq(sealed),
    ));
    on_each!(conn, |c| insert.execute(c))?;
    Ok(id)
}

fn lies_at(id: EventId) -> String {
    format!("event_bodies:{id}")
}

/// SQLite has one writer anyway; PostgreSQL queues at a lock of the chain's own.
fn hold_chain(conn: &mut Conn, chain: &str) -> Result<(), DbError> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => {
            diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 7041))")
                .bind::<diesel::sql_types::Text, _>(chain)
                .execute(c)?;
            Ok(())
        }
    }
}

fn row(envelope: &Envelope, link: String) -> Row {
    Row {
        id: envelope.id.into(),
        chain: envelope.chain.clone(),
        seq: envelope.seq,
        at: At(envelope.at),
        actor: envelope.actor.map(Key::from),
        capacity: word(&envelope.capacity),
        on_behalf_of: envelope.on_behalf_of.map(Key::from),
        event: envelope.event.clone(),
        audience: word(&envelope.audience),
        commitment: envelope.commitment.clone(),
        link,
    }
}

/// The word a value of the domain is written as.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|w| w.as_str().map(str::to_owned))
        .expect("words of the domain are written as text")
}

/// Reads such a word.
pub(super) fn read_word<T: serde::de::DeserializeOwned>(
    table: &'static str,
    id: &impl std::fmt::Display,
    word: String,
) -> Result<T, DbError> {
    serde_json::from_value(word.into()).map_err(|why| DbError::Unreadable {
        table,
        id: id.to_string(),
        why: why.to_string(),
    })
}

fn envelope(row: Row) -> Result<(Envelope, String), DbError> {
    let id = EventId::from(row.id);
    let envelope = Envelope {
        id,
        chain: row.chain,
        seq: row.seq,
        at: row.at.0,
        actor: row.actor.map(PersonId::from),
        capacity: read_word("events", &id, row.capacity)?,
        on_behalf_of: row.on_behalf_of.map(OrganisationId::from),
        event: row.event,
        audience: read_word("events", &id, row.audience)?,
        commitment: row.commitment,
    };
    Ok((envelope, row.link))
}

/// The events of a chain, the newest first, older than `before`.
pub fn page(
    conn: &mut Conn,
    chain: &str,
    before: Option<i64>,
    most: i64,
) -> Result<Vec<Envelope>, DbError> {
    let rows: Vec<Row> = events::table
        .filter(events::chain.eq(chain))
        .filter(events::seq.lt(before.unwrap_or(i64::MAX)))
        .order(events::seq.desc())
        .limit(most)
        .load(conn)?;
    rows.into_iter()
        .map(|row| envelope(row).map(|(envelope, _)| envelope))
        .collect()
}

/// When events of this name happened in a chain, by one person, the oldest first.
pub fn moments(
    conn: &mut Conn,
    chain: &str,
    event: &str,
    by: PersonId,
) -> Result<Vec<Moment>, DbError> {
    let found: Vec<At> = events::table
        .filter(events::chain.eq(chain))
        .filter(events::event.eq(event))
        .filter(events::actor.eq(Key::from(by)))
        .order(events::seq)
        .limit(1000)
        .select(events::at)
        .load(conn)?;
    Ok(found.into_iter().map(|at| at.0).collect())
}

/// Where an event stands in its chain.
pub fn place(conn: &mut Conn, chain: &str, id: EventId) -> Result<Option<i64>, DbError> {
    Ok(events::table
        .filter(events::chain.eq(chain))
        .filter(events::id.eq(Key::from(id)))
        .select(events::seq)
        .first(conn)
        .optional()?)
}

/// Erases what the events of a chain said; the chain still holds.
pub fn erase_bodies(conn: &mut Conn, chain: &str) -> Result<usize, DbError> {
    let those = events::table
        .filter(events::chain.eq(chain))
        .select(events::id);
    Ok(
        diesel::delete(event_bodies::table.filter(event_bodies::event_id.eq_any(those)))
            .execute(conn)?,
    )
}

/// Whether what an event said, if it is still there, is what it is committed to.
fn holds(conn: &mut Conn, envelope: &Envelope) -> Result<bool, DbError> {
    let found: Option<(Vec<u8>, Vec<u8>)> = event_bodies::table
        .find(Key::from(envelope.id))
        .select((event_bodies::salt, event_bodies::sealed))
        .first(conn)
        .optional()?;
    let Some((salt, sealed)) = found else {
        return Ok(true);
    };
    if keys::is_erased(conn, &sealed)? {
        return Ok(true);
    }
    match keys::unseal(conn, &lies_at(envelope.id), &sealed) {
        Ok(body) => Ok(std::str::from_utf8(&body)
            .is_ok_and(|body| commitment(&salt, body) == envelope.commitment)),
        Err(DbError::Unreadable { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// What is wrong with the log, if something is: the chain and the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub chain: String,
    pub seq: i64,
    pub why: &'static str,
}

/// Follows every chain link by link, and every body that is still there; answers how many events it saw.
pub fn verify(conn: &mut Conn) -> Result<Result<usize, Broken>, DbError> {
    let chains: Vec<String> = events::table
        .select(events::chain)
        .distinct()
        .order(events::chain)
        .load(conn)?;
    let mut seen = 0;
    for chain in chains {
        let (mut seq, mut before) = (0, GENESIS.to_owned());
        loop {
            let rows: Vec<Row> = events::table
                .filter(events::chain.eq(&chain))
                .filter(events::seq.gt(seq))
                .order(events::seq)
                .limit(500)
                .load(conn)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let (envelope, link) = envelope(row)?;
                let broken = |why| Broken {
                    chain: chain.clone(),
                    seq: envelope.seq,
                    why,
                };
                if envelope.seq != seq + 1 {
                    return Ok(Err(broken("an event is missing before this one")));
                }
                if envelope.link(&before) != link {
                    return Ok(Err(broken("the link does not fit")));
                }
                if !holds(conn, &envelope)? {
                    return Ok(Err(broken("what the event said was changed")));
                }
                (seq, before, seen) = (envelope.seq, link, seen + 1);
            }
        }
    }
    Ok(Ok(seen))
}
