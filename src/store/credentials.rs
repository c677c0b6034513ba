//! What proves who somebody is: API tokens and single-use invitation codes, kept as hashes only.
use diesel::prelude::*;

use super::columns::{At, Json, Key};
use super::db::{Conn, DbError, on_each};
use super::schema::{invitations, people, tokens};
use crate::domain::id::{InvitationId, MembershipId, PersonId, TokenId};
use crate::domain::people::Role;
use crate::domain::time::Moment;

/// Writes a token's hash.
pub fn add_token(
    conn: &mut Conn,
    id: TokenId,
    person: PersonId,
    secret_hash: &str,
    now: Moment,
    expires: Moment,
) -> Result<(), DbError> {
    diesel::insert_into(tokens::table)
        .values((
            tokens::id.eq(Key::from(id)),
            tokens::person_id.eq(Key::from(person)),
            tokens::secret_hash.eq(secret_hash),
            tokens::created_at.eq(At(now)),
            tokens::expires_at.eq(At(expires)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose token it is, with their roles, while it lasts and the account is open.
pub fn bearer(
    conn: &mut Conn,
    secret_hash: &str,
    now: Moment,
) -> Result<Option<(PersonId, std::collections::BTreeSet<Role>)>, DbError> {
    let query = tokens::table
        .inner_join(people::table.on(people::id.eq(tokens::person_id)))
        .filter(tokens::secret_hash.eq(secret_hash))
        .filter(tokens::expires_at.gt(At(now)))
        .filter(tokens::revoked_at.is_null())
        .filter(people::active.eq(true))
        .select((people::id, people::roles));
    let found: Option<(Key, Json<std::collections::BTreeSet<Role>>)> =
        on_each!(conn, |c| query.get_result(c)).optional()?;
    Ok(found.map(|(id, roles)| (id.into(), roles.0)))
}

/// Ends every token of a person; answers how many there were.
pub fn revoke_tokens(conn: &mut Conn, person: PersonId, now: Moment) -> Result<usize, DbError> {
    Ok(diesel::update(
        tokens::table
            .filter(tokens::person_id.eq(Key::from(person)))
            .filter(tokens::revoked_at.is_null()),
    )
    .set(tokens::revoked_at.eq(At(now)))
    .execute(conn)?)
}

/// An invitation to a first account.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub id: InvitationId,
    pub person: PersonId,
    pub membership: MembershipId,
    pub code_hash: String,
    pub expires: Moment,
}

/// Writes an invitation.
pub fn add_invitation(conn: &mut Conn, invitation: &Invitation) -> Result<(), DbError> {
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(Key::from(invitation.id)),
            invitations::person_id.eq(Key::from(invitation.person)),
            invitations::membership_id.eq(Key::from(invitation.membership)),
            invitations::code_hash.eq(&invitation.code_hash),
            invitations::expires_at.eq(At(invitation.expires)),
        ))
        .execute(conn)?;
    Ok(())
}

type InvitationRow = (Key, Key, Key, String, At, Option<At>);

/// The invitations of a person that can still be taken up.
pub fn open_invitations(
    conn: &mut Conn,
    person: PersonId,
    now: Moment,
) -> Result<Vec<Invitation>, DbError> {
    let rows: Vec<InvitationRow> = invitations::table
        .filter(invitations::person_id.eq(Key::from(person)))
        .filter(invitations::used_at.is_null())
        .filter(invitations::expires_at.gt(At(now)))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(id, person, membership, code_hash, expires, _)| Invitation {
                id: id.into(),
                person: person.into(),
                membership: membership.into(),
                code_hash,
                expires: expires.0,
            },
        )
        .collect())
}

/// Marks an invitation as taken up; `false` where somebody was quicker.
pub fn use_invitation(conn: &mut Conn, id: InvitationId, now: Moment) -> Result<bool, DbError> {
    let open = invitations::table
        .filter(invitations::id.eq(Key::from(id)))
        .filter(invitations::used_at.is_null());
    Ok(diesel::update(open)
        .set(invitations::used_at.eq(At(now)))
        .execute(conn)?
        == 1)
}
