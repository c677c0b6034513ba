//! Passkeys: public keys and how often each has signed. What a signature must say is checked in `casework`.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{Conn, DbError};
use super::schema::passkeys;
use crate::domain::id::{PasskeyId, PersonId};
use crate::domain::time::Moment;

/// A passkey of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    pub id: PasskeyId,
    pub person: PersonId,
    /// The name the authenticator knows it by, in base64url.
    pub credential_id: String,
    /// The COSE number of its algorithm (RFC 9053).
    pub algorithm: i32,
    /// The public key, in the form its algorithm is checked with.
    pub public_key: Vec<u8>,
    pub sign_count: i64,
    pub name: String,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
}

type Row = (Key, Key, String, i32, Vec<u8>, i64, String, At, Option<At>);

fn passkey(
    (id, person, credential_id, algorithm, public_key, sign_count, name, created_at, used): Row,
) -> Passkey {
    Passkey {
        id: id.into(),
        person: person.into(),
        credential_id,
        algorithm,
        public_key,
        sign_count,
        name,
        created_at: created_at.0,
        last_used_at: used.map(|at| at.0),
    }
}

/// Writes a new passkey; a name of an authenticator that is known already is an error of uniqueness.
pub fn add(conn: &mut Conn, new: &Passkey) -> Result<(), DbError> {
    diesel::insert_into(passkeys::table)
        .values((
            passkeys::id.eq(Key::from(new.id)),
            passkeys::person_id.eq(Key::from(new.person)),
            passkeys::credential_id.eq(&new.credential_id),
            passkeys::algorithm.eq(new.algorithm),
            passkeys::public_key.eq(&new.public_key),
            passkeys::sign_count.eq(new.sign_count),
            passkeys::name.eq(&new.name),
            passkeys::created_at.eq(At(new.created_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// A passkey by the name its authenticator gave it.
pub fn by_credential(conn: &mut Conn, credential_id: &str) -> Result<Option<Passkey>, DbError> {
    Ok(passkeys::table
        .filter(passkeys::credential_id.eq(credential_id))
        .first::<Row>(conn)
        .optional()?
        .map(passkey))
}

/// The passkeys of a person, the oldest first.
pub fn of(conn: &mut Conn, person: PersonId) -> Result<Vec<Passkey>, DbError> {
    Ok(passkeys::table
        .filter(passkeys::person_id.eq(Key::from(person)))
        .order((passkeys::created_at, passkeys::id))
        .load::<Row>(conn)?
        .into_iter()
        .map(passkey)
        .collect())
}

/// Writes down that a passkey has signed, if nobody else did meanwhile; `false` if somebody did.
pub fn used(
    conn: &mut Conn,
    id: PasskeyId,
    before: i64,
    sign_count: i64,
    now: Moment,
) -> Result<bool, DbError> {
    let unchanged = passkeys::table
        .filter(passkeys::id.eq(Key::from(id)))
        .filter(passkeys::sign_count.eq(before));
    Ok(diesel::update(unchanged)
        .set((
            passkeys::sign_count.eq(sign_count),
            passkeys::last_used_at.eq(Some(At(now))),
        ))
        .execute(conn)?
        == 1)
}

/// Removes a passkey of a person; `false` where there is none.
pub fn remove(conn: &mut Conn, person: PersonId, id: PasskeyId) -> Result<bool, DbError> {
    let one = passkeys::table
        .filter(passkeys::id.eq(Key::from(id)))
        .filter(passkeys::person_id.eq(Key::from(person)));
    Ok(diesel::delete(one).execute(conn)? == 1)
}
