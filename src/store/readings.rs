//! Each side's own reading of the standards: an aggregate of its own, so that work on it leaves no trace on the case.
use diesel::prelude::*;

use super::cases::side_word;
use super::columns::Key;
use super::db::{Conn, DbError};
use super::keys::{self, Keeper};
use super::schema::readings;
use crate::domain::case::{BySide, Side};
use crate::domain::id::CaseId;
use crate::domain::review::Reading;

fn at(case: CaseId, side: Side) -> String {
    format!("readings:{case}:{}", side_word(side))
}

/// A side's reading, if it has begun one.
pub fn find(conn: &mut Conn, case: CaseId, side: Side) -> Result<Option<Reading>, DbError> {
    let found: Option<Vec<u8>> = readings::table
        .find((Key::from(case), side_word(side)))
        .select(readings::sealed)
        .first(conn)
        .optional()?;
    found
        .map(|sealed| keys::unseal_json(conn, &at(case, side), &sealed))
        .transpose()
}

/// Both sides' readings; who may see them is not decided here.
pub fn both(conn: &mut Conn, case: CaseId) -> Result<BySide<Option<Reading>>, DbError> {
    Ok(BySide {
        initiating: find(conn, case, Side::Initiating)?,
        invited: find(conn, case, Side::Invited)?,
    })
}

/// Writes a side's reading.
pub fn save(conn: &mut Conn, case: CaseId, side: Side, reading: &Reading) -> Result<(), DbError> {
    let sealed = keys::seal_json(conn, Keeper::Side(case, side), &at(case, side), reading)?;
    let place = readings::table.find((Key::from(case), side_word(side)));
    let changed = diesel::update(place)
        .set((
            readings::sealed.eq(&sealed),
            readings::version.eq(readings::version + 1),
        ))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(readings::table)
            .values((
                readings::case_id.eq(Key::from(case)),
                readings::side.eq(side_word(side)),
                readings::version.eq(1),
                readings::sealed.eq(&sealed),
            ))
            .execute(conn)?;
    }
    Ok(())
}
