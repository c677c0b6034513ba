//! What was kept before anything was sealed: databases from before migration 4. Their rows are sealed once, when the
//! database is opened, in one transaction; then the plain tables are gone. Not here: how rows are kept now.
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use serde_json::{Map, Value};

use super::columns::{At, Id, Key, Stamp};
use super::db::{Conn, DbError, on_each};
use super::keys::{self, Keeper};
use super::schema::{cases, event_bodies, readings};
use crate::domain::case::Side;
use crate::domain::id::{CaseId, EventId};

const ROOMS: [&str; 9] = [
    "sides",
    "hold",
    "intake",
    "neutrals",
    "conversation",
    "review",
    "agreements",
    "closing",
    "clocks",
];

#[derive(QueryableByName)]
struct PlainCase {
    #[diesel(sql_type = Id)]
    id: Key,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Stamp)]
    opened_at: At,
    #[diesel(sql_type = Nullable<Stamp>)]
    invited_at: Option<At>,
    #[diesel(sql_type = Nullable<Stamp>)]
    next_look: Option<At>,
    #[diesel(sql_type = Text)]
    rooms: String,
}

#[derive(QueryableByName)]
struct PlainReading {
    #[diesel(sql_type = Id)]
    case_id: Key,
    #[diesel(sql_type = Text)]
    side: String,
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Text)]
    body: String,
}

#[derive(QueryableByName)]
struct PlainBody {
    #[diesel(sql_type = Id)]
    event_id: Key,
    #[diesel(sql_type = Binary)]
    salt: Vec<u8>,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    chain: String,
}

#[derive(QueryableByName)]
struct There {
    #[diesel(sql_type = Bool)]
    there: bool,
}

/// Seals what is still plain; answers whether there was something.
pub(super) fn seal(conn: &mut Conn) -> Result<bool, DbError> {
    let done = conn.transaction(|conn| {
        if !is_there(conn)? {
            return Ok(false);
        }
        seal_cases(conn)?;
        seal_readings(conn)?;
        seal_bodies(conn)?;
        let drop =
            "DROP TABLE plain_readings; DROP TABLE plain_event_bodies; DROP TABLE plain_cases;";
        conn.batch_execute(drop)?;
        Ok::<_, DbError>(true)
    })?;
    if let (true, Conn::Sqlite(c)) = (done, &mut *conn) {
        // What the log of the database still holds in plain words goes too.
        c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(done)
}

/// Whether there are plain rows; two replicas that open the database at once ask one after the other.
fn is_there(conn: &mut Conn) -> Result<bool, DbError> {
    let found: There = match conn {
        Conn::Sqlite(c) => diesel::sql_query(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'plain_cases') AS there",
        )
        .get_result(c)?,
        Conn::Postgres(c) => {
            c.batch_execute("SELECT pg_advisory_xact_lock(7041927)")?;
            diesel::sql_query("SELECT to_regclass('plain_cases') IS NOT NULL AS there")
                .get_result(c)?
        }
    };
    Ok(found.there)
}

fn seal_cases(conn: &mut Conn) -> Result<(), DbError> {
    // Each column is a JSON text, so the document of all of them is put together as text.
    let parts: Vec<String> = ROOMS
        .iter()
        .map(|room| format!("'\"{room}\":' || coalesce(CAST({room} AS TEXT), 'null')"))
        .collect();
    let query = format!(
        "SELECT id, reference, stage, CAST(version AS BIGINT) AS version, opened_at, invited_at, next_look, '{{' || {} || '}}' AS rooms FROM plain_cases",
        parts.join(" || ',' || ")
    );
    let all: Vec<PlainCase> = on_each!(conn, |c| diesel::sql_query(query).load(c))?;
    for plain in all {
        let id = CaseId::from(plain.id);
        let rooms: Map<String, Value> =
            serde_json::from_str(&plain.rooms).map_err(|why| DbError::Unreadable {
                table: "plain_cases",
                id: id.to_string(),
                why: why.to_string(),
            })?;
        let sealed = keys::seal_json(conn, Keeper::Case(id), &format!("cases:{id}"), &rooms)?;
        diesel::insert_into(cases::table)
            .values((
                cases::id.eq(plain.id),
                cases::reference.eq(plain.reference),
                cases::stage.eq(plain.stage),
                cases::version.eq(plain.version),
                cases::opened_at.eq(plain.opened_at),
                cases::invited_at.eq(plain.invited_at),
                cases::next_look.eq(plain.next_look),
                cases::sealed.eq(sealed),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn seal_readings(conn: &mut Conn) -> Result<(), DbError> {
    let query = "SELECT case_id, side, version, CAST(body AS TEXT) AS body FROM plain_readings";
    let all: Vec<PlainReading> = on_each!(conn, |c| diesel::sql_query(query).load(c))?;
    for plain in all {
        let case = CaseId::from(plain.case_id);
        let side = Side::BOTH
            .into_iter()
            .find(|side| super::cases::side_word(*side) == plain.side)
            .expect("the table takes only the words of sides");
        let place = format!("readings:{case}:{}", plain.side);
        let sealed = keys::seal(
            conn,
            Keeper::Side(case, side),
            &place,
            plain.body.as_bytes(),
        )?;
        diesel::insert_into(readings::table)
            .values((
                readings::case_id.eq(plain.case_id),
                readings::side.eq(plain.side),
                readings::version.eq(plain.version),
                readings::sealed.eq(sealed),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn seal_bodies(conn: &mut Conn) -> Result<(), DbError> {
    let query = "SELECT b.event_id, b.salt, b.body, e.chain FROM plain_event_bodies b JOIN events e ON e.id = b.event_id";
    let all: Vec<PlainBody> = on_each!(conn, |c| diesel::sql_query(query).load(c))?;
    for plain in all {
        let keeper = plain
            .chain
            .strip_prefix("case:")
            .and_then(CaseId::parse)
            .map_or(Keeper::House, Keeper::Case);
        let place = format!("event_bodies:{}", EventId::from(plain.event_id));
        let sealed = keys::seal(conn, keeper, &place, plain.body.as_bytes())?;
        diesel::insert_into(event_bodies::table)
            .values((
                event_bodies::event_id.eq(plain.event_id),
                event_bodies::salt.eq(plain.salt),
                event_bodies::sealed.eq(sealed),
            ))
            .execute(conn)?;
    }
    Ok(())
}
