//! What proves who somebody is: API tokens and single-use invitation codes, kept as hashes only.
use std::collections::BTreeSet;

use diesel::prelude::*;

use super::columns::{At, Json, Key};
use super::db::{Conn, DbError, on_each};
use super::schema::{invitations, people, tokens};
use crate::domain::id::{InvitationId, MembershipId, PersonId, TokenId};
use crate::domain::people::{Role, Scope};
use crate::domain::time::Moment;

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub person: PersonId,
    /// What its owner calls it; empty where an operator made it.
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// Writes a token with the hash of its secret.
pub fn add_token(conn: &mut Conn, token: &Token, secret_hash: &str) -> Result<(), DbError> {
    diesel::insert_into(tokens::table)
        .values((
            tokens::id.eq(Key::from(token.id)),
            tokens::person_id.eq(Key::from(token.person)),
            tokens::secret_hash.eq(secret_hash),
            tokens::created_at.eq(At(token.created_at)),
            tokens::expires_at.eq(At(token.expires_at)),
            tokens::name.eq(&token.name),
            tokens::scopes.eq(Json(token.scopes.clone())),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose token it is and what it may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    pub person: PersonId,
    pub roles: BTreeSet<Role>,
    pub scopes: BTreeSet<Scope>,
    pub expires_at: Moment,
}

type BearerRow = (Key, Json<BTreeSet<Role>>, Json<BTreeSet<Scope>>, At);

/// The token with this secret, while it lasts and the account is open.
pub fn bearer(conn: &mut Conn, secret_hash: &str, now: Moment) -> Result<Option<Bearer>, DbError> {
    let query = tokens::table
        .inner_join(people::table.on(people::id.eq(tokens::person_id)))
        .filter(tokens::secret_hash.eq(secret_hash))
        .filter(tokens::expires_at.gt(At(now)))
        .filter(tokens::revoked_at.is_null())
        .filter(people::active.eq(true))
        .select((
            people::id,
            people::roles,
            tokens::scopes,
            tokens::expires_at,
        ));
    let found: Option<BearerRow> = on_each!(conn, |c| query.get_result(c)).optional()?;
    Ok(found.map(|(person, roles, scopes, expires_at)| Bearer {
        person: person.into(),
        roles: roles.0,
        scopes: scopes.0,
        expires_at: expires_at.0,
    }))
}

type TokenRow = (Key, Key, String, Json<BTreeSet<Scope>>, At, At);

/// The tokens of a person that still last, the newest first.
pub fn tokens_of(conn: &mut Conn, person: PersonId, now: Moment) -> Result<Vec<Token>, DbError> {
    let rows: Vec<TokenRow> = tokens::table
        .filter(tokens::person_id.eq(Key::from(person)))
        .filter(tokens::expires_at.gt(At(now)))
        .filter(tokens::revoked_at.is_null())
        .order((tokens::created_at.desc(), tokens::id))
        .select((
            tokens::id,
            tokens::person_id,
            tokens::name,
            tokens::scopes,
            tokens::created_at,
            tokens::expires_at,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, person, name, scopes, created_at, expires_at)| Token {
            id: id.into(),
            person: person.into(),
            name,
            scopes: scopes.0,
            created_at: created_at.0,
            expires_at: expires_at.0,
        })
        .collect())
}

/// Ends one token of a person; `false` where there is none that lasts.
pub fn revoke_token(
    conn: &mut Conn,
    person: PersonId,
    id: TokenId,
    now: Moment,
) -> Result<bool, DbError> {
    let one = tokens::table
        .filter(tokens::id.eq(Key::from(id)))
        .filter(tokens::person_id.eq(Key::from(person)))
        .filter(tokens::revoked_at.is_null());
    Ok(diesel::update(one)
        .set(tokens::revoked_at.eq(Some(At(now))))
        .execute(conn)?
        == 1)
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
    /// Which membership it leads to; none for somebody of CLERO.
    pub membership: Option<MembershipId>,
    pub code_hash: String,
    pub expires: Moment,
}

/// Writes an invitation.
pub fn add_invitation(conn: &mut Conn, invitation: &Invitation) -> Result<(), DbError> {
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(Key::from(invitation.id)),
            invitations::person_id.eq(Key::from(invitation.person)),
            invitations::membership_id.eq(invitation.membership.map(Key::from)),
            invitations::code_hash.eq(&invitation.code_hash),
            invitations::expires_at.eq(At(invitation.expires)),
        ))
        .execute(conn)?;
    Ok(())
}

type InvitationRow = (Key, Key, Option<Key>, String, At, Option<At>);

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
                membership: membership.map(MembershipId::from),
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
