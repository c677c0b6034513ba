//! Passwords as Argon2id strings, the codes people keep on paper as hashes, and the help CLERO vouches for.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError};
use super::schema::{passwords, recoveries, spare_codes};
use crate::domain::id::{PersonId, RecoveryCodeId, RecoveryId};
use crate::domain::time::Moment;

/// The password of a person, as it is kept.
pub fn find(conn: &mut Conn, person: PersonId) -> Result<Option<String>, DbError> {
    Ok(passwords::table
        .find(Key::from(person))
        .select(passwords::phc)
        .first(conn)
        .optional()?)
}

/// Writes a person's password, whether or not they had one.
pub fn save(conn: &mut Conn, person: PersonId, phc: &str, now: Moment) -> Result<(), DbError> {
    let changed = diesel::update(passwords::table.find(Key::from(person)))
        .set((passwords::phc.eq(phc), passwords::changed_at.eq(At(now))))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(passwords::table)
            .values((
                passwords::person_id.eq(Key::from(person)),
                passwords::phc.eq(phc),
                passwords::changed_at.eq(At(now)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Replaces the codes a person keeps on paper; the old ones are gone.
pub fn replace_codes(
    conn: &mut Conn,
    person: PersonId,
    codes: &[(RecoveryCodeId, String)],
) -> Result<(), DbError> {
    diesel::delete(spare_codes::table.filter(spare_codes::person_id.eq(Key::from(person))))
        .execute(conn)?;
    for (id, hash) in codes {
        diesel::insert_into(spare_codes::table)
            .values((
                spare_codes::id.eq(Key::from(*id)),
                spare_codes::person_id.eq(Key::from(person)),
                spare_codes::code_hash.eq(hash),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The codes of a person that have not been used.
pub fn open_codes(
    conn: &mut Conn,
    person: PersonId,
) -> Result<Vec<(RecoveryCodeId, String)>, DbError> {
    let rows: Vec<(Key, String)> = spare_codes::table
        .filter(spare_codes::person_id.eq(Key::from(person)))
        .filter(spare_codes::used_at.is_null())
        .select((spare_codes::id, spare_codes::code_hash))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, hash)| (id.into(), hash))
        .collect())
}

/// Marks a code as used; `false` where somebody was quicker.
pub fn use_code(conn: &mut Conn, id: RecoveryCodeId, now: Moment) -> Result<bool, DbError> {
    let open = spare_codes::table
        .filter(spare_codes::id.eq(Key::from(id)))
        .filter(spare_codes::used_at.is_null());
    Ok(diesel::update(open)
        .set(spare_codes::used_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
}

/// Help to get back in, vouched for by somebody of CLERO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    pub id: RecoveryId,
    pub person: PersonId,
    pub vouched_by: PersonId,
    pub created_at: Moment,
    /// From when it may be used.
    pub effective_at: Moment,
    pub expires_at: Moment,
    pub stopped_at: Option<Moment>,
    pub used_at: Option<Moment>,
}

type RecoveryRow = (Key, Key, Key, At, At, At, Option<At>, Option<At>);

fn recovery(
    (id, person, vouched_by, created_at, effective_at, expires_at, stopped_at, used_at): RecoveryRow,
) -> Recovery {
    Recovery {
        id: id.into(),
        person: person.into(),
        vouched_by: vouched_by.into(),
        created_at: created_at.0,
        effective_at: effective_at.0,
        expires_at: expires_at.0,
        stopped_at: stopped_at.map(|at| at.0),
        used_at: used_at.map(|at| at.0),
    }
}

/// Writes down that somebody vouches for a person.
pub fn add_recovery(conn: &mut Conn, new: &Recovery) -> Result<(), DbError> {
    diesel::insert_into(recoveries::table)
        .values((
            recoveries::id.eq(Key::from(new.id)),
            recoveries::person_id.eq(Key::from(new.person)),
            recoveries::vouched_by.eq(Key::from(new.vouched_by)),
            recoveries::created_at.eq(At(new.created_at)),
            recoveries::effective_at.eq(At(new.effective_at)),
            recoveries::expires_at.eq(At(new.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// One of them by id.
pub fn find_recovery(conn: &mut Conn, id: RecoveryId) -> Result<Option<Recovery>, DbError> {
    Ok(recoveries::table
        .find(Key::from(id))
        .first::<RecoveryRow>(conn)
        .optional()?
        .map(recovery))
}

/// All of a person, the newest first.
pub fn recoveries_of(conn: &mut Conn, person: PersonId) -> Result<Vec<Recovery>, DbError> {
    Ok(recoveries::table
        .filter(recoveries::person_id.eq(Key::from(person)))
        .order((recoveries::created_at.desc(), recoveries::id))
        .load::<RecoveryRow>(conn)?
        .into_iter()
        .map(recovery)
        .collect())
}

/// Those of everybody that can still be used or stopped, the oldest first.
pub fn open_recoveries(conn: &mut Conn, now: Moment) -> Result<Vec<Recovery>, DbError> {
    Ok(recoveries::table
        .filter(recoveries::stopped_at.is_null())
        .filter(recoveries::used_at.is_null())
        .filter(recoveries::expires_at.gt(At(now)))
        .order((recoveries::created_at, recoveries::id))
        .limit(200)
        .load::<RecoveryRow>(conn)?
        .into_iter()
        .map(recovery)
        .collect())
}

/// Stops one that has been neither stopped nor used; `false` where there is none.
pub fn stop_recovery(conn: &mut Conn, id: RecoveryId, now: Moment) -> Result<bool, DbError> {
    let open = recoveries::table
        .filter(recoveries::id.eq(Key::from(id)))
        .filter(recoveries::stopped_at.is_null())
        .filter(recoveries::used_at.is_null());
    Ok(diesel::update(open)
        .set(recoveries::stopped_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
}

/// Uses one that has been neither stopped nor used; `false` where somebody was quicker.
pub fn use_recovery(conn: &mut Conn, id: RecoveryId, now: Moment) -> Result<bool, DbError> {
    let open = recoveries::table
        .filter(recoveries::id.eq(Key::from(id)))
        .filter(recoveries::stopped_at.is_null())
        .filter(recoveries::used_at.is_null());
    Ok(diesel::update(open)
        .set(recoveries::used_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
}

/// Removes what has run out.
pub fn forget_recoveries(conn: &mut Conn, now: Moment) -> Result<usize, DbError> {
    Ok(
        diesel::delete(recoveries::table.filter(recoveries::expires_at.lt(At(now))))
            .execute(conn)?,
    )
}
