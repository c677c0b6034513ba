//! Each side's own reading of the standards: an aggregate of its own, so that work on it leaves no trace on the case.
use diesel::prelude::*;

use super::cases::side_word;
use super::columns::{Json, Key};
use super::db::{Conn, DbError};
use super::schema::readings;
use crate::domain::case::{BySide, Side};
use crate::domain::id::CaseId;
use crate::domain::review::Reading;

/// A side's reading, if it has begun one.
pub fn find(conn: &mut Conn, case: CaseId, side: Side) -> Result<Option<Reading>, DbError> {
    let found: Option<Json<Reading>> = readings::table
        .find((Key::from(case), side_word(side)))
        .select(readings::body)
        .first(conn)
        .optional()?;
    Ok(found.map(|reading| reading.0))
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
    let place = readings::table.find((Key::from(case), side_word(side)));
    let changed = diesel::update(place)
        .set((
            readings::body.eq(Json(reading.clone())),
            readings::version.eq(readings::version + 1),
        ))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(readings::table)
            .values((
                readings::case_id.eq(Key::from(case)),
                readings::side.eq(side_word(side)),
                readings::version.eq(1),
                readings::body.eq(Json(reading.clone())),
            ))
            .execute(conn)?;
    }
    Ok(())
}
