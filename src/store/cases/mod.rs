//! Cases: a row each, with everything that was said in it sealed. What lists find them by is in `headings`; what was
//! read lately stays on the `shelf`.
mod headings;
mod shelf;

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{At, Key};
use super::db::{Conn, DbError, on_each};
use super::keys::{self, Keeper};
use super::schema::cases;
use crate::domain::agreement::Agreements;
use crate::domain::case::{BySide, Case, Hold, Intake, Party, Reference, Side, Stage};
use crate::domain::closure::Closing;
use crate::domain::conversation::Conversation;
use crate::domain::deadline::Clocks;
use crate::domain::id::{CaseId, OrganisationId};
use crate::domain::neutral::Neutrals;
use crate::domain::review::Review;
use crate::domain::time::Moment;

pub use headings::{Heading, page};

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = cases, treat_none_as_null = true)]
struct Row {
    id: Key,
    reference: String,
    stage: String,
    /// Drawn anew each time the case is written: it names exactly what was written then.
    version: i64,
    opened_at: At,
    invited_at: Option<At>,
    next_look: Option<At>,
    /// The rooms.
    sealed: Vec<u8>,
}

/// Everything in a case that somebody said or decided: what is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Rooms {
    sides: BySide<Vec<Party>>,
    hold: Option<Hold>,
    intake: Intake,
    neutrals: Neutrals,
    conversation: Conversation,
    review: Review,
    agreements: Agreements,
    closing: Closing,
    clocks: Clocks,
}

fn place(id: CaseId) -> String {
    format!("cases:{id}")
}

impl Row {
    /// The row of a case that is written now, at a new version.
    fn of(conn: &mut Conn, case: &Case) -> Result<Self, DbError> {
        let rooms = Rooms {
            sides: case.sides.clone(),
            hold: case.hold.clone(),
            intake: case.intake.clone(),
            neutrals: case.neutrals.clone(),
            conversation: case.conversation.clone(),
            review: case.review.clone(),
            agreements: case.agreements.clone(),
            closing: case.closing.clone(),
            clocks: case.clocks.clone(),
        };
        Ok(Self {
            id: case.id.into(),
            reference: case.reference.0.clone(),
            stage: case.stage.word().to_owned(),
            version: rand::random(),
            opened_at: At(case.opened_at),
            invited_at: case.invited_at.map(At),
            next_look: if case.is_open() {
                case.clocks
                    .next_look(case.hold.is_some(), &case.nations())
                    .map(At)
            } else {
                None
            },
            sealed: keys::seal_json(conn, Keeper::Case(case.id), &place(case.id), &rooms)?,
        })
    }

    fn case(self, conn: &mut Conn) -> Result<Case, DbError> {
        let id = CaseId::from(self.id);
        let stage: Stage = self.stage.parse().map_err(|why| DbError::Unreadable {
            table: "cases",
            id: id.to_string(),
            why,
        })?;
        let rooms: Rooms = keys::unseal_json(conn, &place(id), &self.sealed)?;
        Ok(Case {
            id,
            reference: Reference(self.reference),
            stage,
            opened_at: self.opened_at.0,
            sides: rooms.sides,
            invited_at: self.invited_at.map(|at| at.0),
            hold: rooms.hold,
            intake: rooms.intake,
            neutrals: rooms.neutrals,
            conversation: rooms.conversation,
            review: rooms.review,
            agreements: rooms.agreements,
            closing: rooms.closing,
            clocks: rooms.clocks,
        })
    }
}

/// Reads a case.
pub fn find(conn: &mut Conn, id: CaseId) -> Result<Option<Arc<Case>>, DbError> {
    let query = cases::table.find(Key::from(id)).select(cases::version);
    let version = on_each!(conn, |c| query.get_result(c)).optional()?;
    version.map_or(Ok(None), |version| at_version(conn, id, version))
}

/// Takes a case for this transaction: a portable row lock. Whoever comes second sees what the first one did.
pub fn lock(conn: &mut Conn, id: CaseId) -> Result<Option<Arc<Case>>, DbError> {
    let version = diesel::update(cases::table.find(Key::from(id)))
        .set(cases::version.eq(cases::version))
        .returning(cases::version)
        .get_result(conn)
        .optional()?;
    version.map_or(Ok(None), |version| at_version(conn, id, version))
}

/// The case as it was written at `version`, which was just read; or as it stands by now, if somebody's transaction has
/// ended in between.
fn at_version(conn: &mut Conn, id: CaseId, version: i64) -> Result<Option<Arc<Case>>, DbError> {
    let read = |conn: &mut Conn| -> Result<Option<(i64, Arc<Case>)>, DbError> {
        let row: Option<Row> = cases::table.find(Key::from(id)).first(conn).optional()?;
        row.map(|row| Ok((row.version, Arc::new(row.case(conn)?))))
            .transpose()
    };
    if let Some(kept) = shelf::take(id, version) {
        // Every test that reads a case shows that what is kept at hand is what is written.
        debug_assert!(read(conn)?.is_none_or(|(now, case)| now != version || case == kept));
        return Ok(Some(kept));
    }
    let found = read(conn)?;
    if let Some((version, case)) = &found {
        shelf::put(*version, case);
    }
    Ok(found.map(|(_, case)| case))
}

/// Whether a reference is already given to a case.
pub fn reference_taken(conn: &mut Conn, reference: &Reference) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(
        cases::table.filter(cases::reference.eq(&reference.0)),
    ))
    .get_result(conn)?)
}

/// Writes a new case.
pub fn add(conn: &mut Conn, case: &Case) -> Result<(), DbError> {
    let row = Row::of(conn, case)?;
    shelf::put(row.version, &Arc::new(case.clone()));
    let insert = diesel::insert_into(cases::table).values(row);
    on_each!(conn, |c| insert.execute(c))?;
    headings::list(conn, None, Some(case))
}

/// Writes a case that `lock` took.
pub fn save(conn: &mut Conn, before: &Case, case: &Case) -> Result<(), DbError> {
    let row = Row::of(conn, case)?;
    shelf::put(row.version, &Arc::new(case.clone()));
    let update = diesel::update(cases::table.find(Key::from(case.id))).set(row);
    on_each!(conn, |c| update.execute(c))?;
    headings::list(conn, Some(before), Some(case))
}

/// Removes a draft that was thrown away.
pub fn remove(conn: &mut Conn, case: &Case) -> Result<(), DbError> {
    headings::list(conn, Some(case), None)?;
    diesel::delete(cases::table.find(Key::from(case.id))).execute(conn)?;
    keys::erase(conn, Keeper::Case(case.id))
}

/// How many cases there are, drafts too.
pub fn count(conn: &mut Conn) -> Result<usize, DbError> {
    let all: i64 = cases::table.count().get_result(conn)?;
    Ok(usize::try_from(all).unwrap_or_default())
}

/// The word for a side in the tables.
#[must_use]
pub fn side_word(side: Side) -> &'static str {
    match side {
        Side::Initiating => "initiating",
        Side::Invited => "invited",
    }
}

/// Open cases between exactly these organisations; for noticing that a matter is already open.
pub fn open_between(
    conn: &mut Conn,
    organisations: &BTreeSet<OrganisationId>,
    but: CaseId,
) -> Result<Vec<Arc<Case>>, DbError> {
    let mut parties = organisations.iter().map(|o| vec![Heading::Party(*o)]);
    let first = parties.next().unwrap_or_default();
    let open = Stage::OPEN.map(Heading::Stage).to_vec();
    let also: Vec<Vec<Heading>> = parties.chain([open]).collect();
    let mut found = page(conn, &first, &also, None, 100)?;
    found.retain(|case| {
        case.id != but && case.organisations().collect::<BTreeSet<_>>() == *organisations
    });
    Ok(found)
}

/// Cases the clock has to look at.
pub fn to_look_at(conn: &mut Conn, now: Moment, most: i64) -> Result<Vec<CaseId>, DbError> {
    let found: Vec<Key> = cases::table
        .filter(cases::next_look.is_not_null())
        .filter(cases::next_look.le(At(now)))
        .order(cases::next_look)
        .limit(most)
        .select(cases::id)
        .load(conn)?;
    Ok(found.into_iter().map(CaseId::from).collect())
}
