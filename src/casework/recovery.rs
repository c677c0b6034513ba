//! Getting back in: ten codes somebody keeps on paper, and the help CLERO vouches for when those are out of reach
//! (SPEC §11), which begins to work only after a day, so that the person can stop it.
use chrono::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::people::staff;
use super::read::Page;
use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey};
use crate::domain::hash::{hash_of_bytes, same};
use crate::domain::id::{PersonId, RecoveryCodeId, RecoveryId};
use crate::domain::notice::Letter;
use crate::domain::people::{Actor, Person, Role};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{passwords, people};

/// How many codes somebody has on paper.
const CODES: usize = 10;
/// How long help that was vouched for waits until it can be used, in hours: the person has a day to stop it.
pub const RECOVERY_DELAY_HOURS: i64 = 24;
/// How long it can be used then, in days.
pub const RECOVERY_DAYS: i64 = 7;

fn hash_of_code(id: RecoveryCodeId, code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_uppercase();
    hash_of_bytes(format!("{id}:{plain}").as_bytes())
}

/// Gives a person ten new codes, shown once; the old ones are gone.
pub fn new_codes(conn: &mut Conn, person: PersonId) -> Result<Vec<String>, Error> {
    let codes: Vec<(RecoveryCodeId, String)> = (0..CODES)
        .map(|_| (RecoveryCodeId::random(), super::invitations::new_code()))
        .collect();
    let kept: Vec<(RecoveryCodeId, String)> = codes
        .iter()
        .map(|(id, code)| (*id, hash_of_code(*id, code)))
        .collect();
    passwords::replace_codes(conn, person, &kept)?;
    Ok(codes.into_iter().map(|(_, code)| code).collect())
}

/// Which of a person's open codes this is.
pub fn find_code(
    conn: &mut Conn,
    person: PersonId,
    code: &str,
) -> Result<Option<RecoveryCodeId>, Error> {
    let open = passwords::open_codes(conn, person)?;
    Ok(open
        .into_iter()
        .find(|(id, hash)| same(hash_of_code(*id, code).as_bytes(), hash.as_bytes()))
        .map(|(id, _)| id))
}

/// Uses a code of a person; `false` where it is none of theirs, or has been used.
pub fn use_code(conn: &mut Conn, person: PersonId, code: &str, now: Moment) -> Result<bool, Error> {
    match find_code(conn, person, code)? {
        Some(id) => Ok(passwords::use_code(conn, id, now)?),
        None => Ok(false),
    }
}

/// Help that was vouched for and works now.
pub fn effective(
    conn: &mut Conn,
    person: PersonId,
    now: Moment,
) -> Result<Option<RecoveryId>, Error> {
    let all = passwords::recoveries_of(conn, person)?;
    Ok(all
        .into_iter()
        .find(|r| {
            r.stopped_at.is_none()
                && r.used_at.is_none()
                && r.effective_at <= now
                && now < r.expires_at
        })
        .map(|r| r.id))
}

/// Codes to be kept on paper, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// How many codes are left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryCodesLeft {
    pub left: usize,
}

/// Help to get back in, vouched for by somebody of CLERO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    pub id: RecoveryId,
    pub person: PersonId,
    pub vouched_by: PersonId,
    pub created_at: Moment,
    /// From when it can be used.
    pub effective_at: Moment,
    pub expires_at: Moment,
    pub stopped_at: Option<Moment>,
    pub used_at: Option<Moment>,
}

impl From<passwords::Recovery> for Recovery {
    fn from(r: passwords::Recovery) -> Self {
        Self {
            id: r.id,
            person: r.person,
            vouched_by: r.vouched_by,
            created_at: r.created_at,
            effective_at: r.effective_at,
            expires_at: r.expires_at,
            stopped_at: r.stopped_at,
            used_at: r.used_at,
        }
    }
}

/// Who may vouch for whom: coordinators for people without a role, administrators for everybody but themselves.
fn may_vouch(conn: &mut Conn, actor: &Actor, id: PersonId, now: Moment) -> Result<Person, Error> {
    if !staff(actor) {
        return Err(Error::NotAllowed);
    }
    let person = people::find(conn, id)?.ok_or(Error::Missing)?;
    if !vouches_for(actor, &person) {
        return Err(Error::NotAllowed);
    }
    signin::fresh(actor, now)?;
    Ok(person)
}

/// Whether `actor` may vouch for somebody, once they have shown that it is them.
pub(super) fn vouches_for(actor: &Actor, person: &Person) -> bool {
    staff(actor)
        && actor.person != Some(person.id)
        && (actor.is(Role::Administrator) || person.roles.is_empty())
        && person.active
}

/// The person it is for, and staff, may stop it.
fn may_stop(conn: &mut Conn, actor: &Actor, id: RecoveryId) -> Result<Recovery, Error> {
    passwords::find_recovery(conn, id)?
        .filter(|r| actor.person == Some(r.person) || staff(actor))
        .map(Recovery::from)
        .ok_or(Error::Missing)
}

impl Desk {
    /// Gives the caller ten new codes, shown once.
    pub async fn renew_recovery_codes(&self, caller: Credential) -> Result<RecoveryCodes, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                let recovery_codes = new_codes(conn, own.person.id)?;
                let (by, letter) = (Some(own.person.id), Letter::AccountChanged);
                let event = "recovery_codes_renewed";
                signin::noted(conn, &desk, &own.person, by, event, letter, now)?;
                Ok(RecoveryCodes { recovery_codes })
            })
            .await
    }

    /// How many codes the caller has left.
    pub async fn recovery_codes_left(
        &self,
        caller: Credential,
    ) -> Result<RecoveryCodesLeft, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                let left = passwords::open_codes(conn, person)?.len();
                Ok(RecoveryCodesLeft { left })
            })
            .await
    }

    /// Vouches for somebody who cannot get in any more.
    pub async fn vouch(
        &self,
        caller: Credential,
        person: PersonId,
        key: Option<OnceKey>,
    ) -> Result<Recovery, Error> {
        let desk = self.clone();
        let now = self.clock.now();
        let may =
            move |conn: &mut Conn, actor: &Actor| may_vouch(conn, actor, person, now).map(|_| ());
        self.write_once(caller, key, may, move |conn, actor, now| {
            let person = may_vouch(conn, actor, person, now)?;
            let effective_at = now.plus(Duration::hours(RECOVERY_DELAY_HOURS));
            let new = passwords::Recovery {
                id: RecoveryId::random(),
                person: person.id,
                vouched_by: actor.person.ok_or(Error::SignIn)?,
                created_at: now,
                effective_at,
                expires_at: effective_at.plus(Duration::days(RECOVERY_DAYS)),
                stopped_at: None,
                used_at: None,
            };
            passwords::add_recovery(conn, &new)?;
            let (event, letter) = ("recovery_begun", Letter::RecoveryBegun);
            signin::noted(conn, &desk, &person, actor.person, event, letter, now)?;
            Ok(Recovery::from(new))
        })
        .await
    }

    /// Stops help that was vouched for.
    pub async fn stop_recovery(
        &self,
        caller: Credential,
        id: RecoveryId,
        key: Option<OnceKey>,
    ) -> Result<Recovery, Error> {
        let desk = self.clone();
        self.write_once(
            caller,
            key,
            move |conn, actor| may_stop(conn, actor, id).map(|_| ()),
            move |conn, actor, now| {
                let found = may_stop(conn, actor, id)?;
                if passwords::stop_recovery(conn, id, now)? {
                    let person = people::find(conn, found.person)?.ok_or(Error::Missing)?;
                    let (event, letter) = ("recovery_stopped", Letter::AccountChanged);
                    signin::noted(conn, &desk, &person, actor.person, event, letter, now)?;
                }
                may_stop(conn, actor, id)
            },
        )
        .await
    }

    /// The help that was vouched for: one's own, or for staff anybody's.
    pub async fn recoveries(
        &self,
        caller: Credential,
        person: PersonId,
    ) -> Result<Page<Recovery>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                if actor.person != Some(person) && !staff(&actor) {
                    return Err(Error::Missing);
                }
                people::find(conn, person)?.ok_or(Error::Missing)?;
                Ok(passwords::recoveries_of(conn, person)?
                    .into_iter()
                    .map(Recovery::from)
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }
}
