//! Sealing what is kept (SAFETY §1): each room and side of a case has a data key of its own, and every data key is
//! wrapped by a key from outside the database. Who reads the database file, its log or a backup reads nothing that was
//! said. What is not here: who may read what; by the time something is unsealed, `access` has decided.
//!
//! Sealed octets are: one octet for the form, sixteen for the name of the data key, twenty-four of nonce, and the
//! ciphertext with its tag (XChaCha20-Poly1305). The place a row lies at is bound in, so that it cannot be moved.
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key as CipherKey, XChaCha20Poly1305, XNonce};
use diesel::prelude::*;
use lru::LruCache;
use rand::RngCore;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::columns::Key;
use super::db::{Conn, DbError, on_each};
use super::schema::{data_keys, wrapping_key};
use crate::domain::case::Side;
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::{CaseId, KeyId, PersonId};
use crate::domain::room::Room;

const FORM: u8 = 1;
const NONCE: usize = 24;
const HEAD: usize = 1 + 16;
/// How many data keys are kept at hand; each is 32 octets.
const AT_HAND: NonZeroUsize = NonZeroUsize::new(4096).expect("more than none");

type Secret = [u8; 32];

/// The key that wraps every other: 32 octets from outside the database.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappingKey(Secret);

impl std::fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WrappingKey({})", self.name())
    }
}

impl WrappingKey {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(drawn())
    }

    /// Reads one as it is written in a file or in the environment: 32 octets in base64.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let octets = STANDARD.decode(written.trim()).ok()?;
        octets.try_into().ok().map(Self)
    }

    /// How it is written down.
    #[must_use]
    pub fn written(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// What it is called in the database; it tells nothing about the key.
    #[must_use]
    pub fn name(&self) -> String {
        hash_of_bytes(&[b"common-ground-wrapping-key-1".as_slice(), &self.0].concat())[..32]
            .to_owned()
    }
}

/// Whose key seals something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The service's own: answers it keeps, the register's log.
    House,
    /// A case: what is in its row and its log.
    Case(CaseId),
    /// A side: its private room, its shelf, its reading.
    Side(CaseId, Side),
    /// A room that belongs to no side.
    Room(CaseId, Room),
    /// A neutral's own notes in a case.
    Notes(CaseId, PersonId),
}

impl Keeper {
    /// Whose key seals what lies in `room`; `owner` is whose notes they are.
    #[must_use]
    pub fn of(case: CaseId, room: Room, owner: PersonId) -> Self {
        match room {
            Room::Private(side) | Room::Own(side) => Self::Side(case, side),
            Room::Notes => Self::Notes(case, owner),
            Room::Joint | Room::Neutrals | Room::Process => Self::Room(case, room),
        }
    }

    fn case(self) -> Key {
        match self {
            Self::House => Key(Uuid::nil()),
            Self::Case(case) | Self::Side(case, _) | Self::Room(case, _) | Self::Notes(case, _) => {
                case.into()
            }
        }
    }

    fn part(self) -> String {
        match self {
            Self::House => "house".to_owned(),
            Self::Case(_) => "case".to_owned(),
            Self::Side(_, side) => super::cases::side_word(side).to_owned(),
            Self::Room(_, room) => room.word().to_owned(),
            Self::Notes(_, person) => format!("notes:{person}"),
        }
    }
}

/// The wrapping keys this process was given, by name. Tests open many databases in one process; a service has one.
static RING: LazyLock<RwLock<HashMap<String, WrappingKey>>> = LazyLock::new(RwLock::default);
/// Data keys that were unwrapped lately.
static OPEN: LazyLock<Mutex<LruCache<KeyId, Secret>>> =
    LazyLock::new(|| Mutex::new(LruCache::new(AT_HAND)));

fn drawn<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    rand::rng().fill_bytes(&mut octets);
    octets
}

/// Seals `what` with the key of `keeper`, bound to the `place` it will lie at.
pub fn seal(conn: &mut Conn, keeper: Keeper, place: &str, what: &[u8]) -> Result<Vec<u8>, DbError> {
    let (id, secret) = key_of(conn, keeper)?;
    Ok([
        &[FORM],
        id.0.as_bytes().as_slice(),
        &encrypted(&secret, place, what),
    ]
    .concat())
}

/// Opens what was sealed for this `place`.
pub fn unseal(conn: &mut Conn, place: &str, sealed: &[u8]) -> Result<Vec<u8>, DbError> {
    let unreadable = |why: &str| DbError::Unreadable {
        table: "sealed",
        id: place.to_owned(),
        why: why.to_owned(),
    };
    let (Some(&FORM), Some(name), Some(rest)) =
        (sealed.first(), sealed.get(1..HEAD), sealed.get(HEAD..))
    else {
        return Err(unreadable("it does not look like something sealed"));
    };
    let id = KeyId(Uuid::from_slice(name).map_err(|_| unreadable("its key has no name"))?);
    let secret = key_named(conn, id)?.ok_or_else(|| unreadable("its key was erased"))?;
    decrypted(&secret, place, rest).ok_or_else(|| unreadable("it was changed, or moved here"))
}

/// Whether the key of something sealed was erased.
pub fn is_erased(conn: &mut Conn, sealed: &[u8]) -> Result<bool, DbError> {
    match sealed
        .get(1..HEAD)
        .and_then(|name| Uuid::from_slice(name).ok())
    {
        Some(name) => Ok(key_named(conn, KeyId(name))?.is_none()),
        None => Ok(false),
    }
}

/// Seals a value, written as JSON.
pub fn seal_json(
    conn: &mut Conn,
    keeper: Keeper,
    place: &str,
    what: &impl Serialize,
) -> Result<Vec<u8>, DbError> {
    let written = serde_json::to_vec(what).expect("what is kept can always be written as JSON");
    seal(conn, keeper, place, &written)
}

/// Opens a value that was sealed as JSON.
pub fn unseal_json<T: DeserializeOwned>(
    conn: &mut Conn,
    place: &str,
    sealed: &[u8],
) -> Result<T, DbError> {
    let octets = unseal(conn, place, sealed)?;
    serde_json::from_slice(&octets).map_err(|why| DbError::Unreadable {
        table: "sealed",
        id: place.to_owned(),
        why: why.to_string(),
    })
}

/// Erases a key: what it sealed can never be read again, wherever it lies.
pub fn erase(conn: &mut Conn, keeper: Keeper) -> Result<(), DbError> {
    let gone: Vec<Key> = data_keys::table
        .filter(data_keys::case_id.eq(keeper.case()))
        .filter(data_keys::part.eq(keeper.part()))
        .select(data_keys::id)
        .load(conn)?;
    for id in gone {
        diesel::delete(data_keys::table.find(id)).execute(conn)?;
        at_hand().pop(&KeyId::from(id));
    }
    Ok(())
}

fn at_hand() -> std::sync::MutexGuard<'static, LruCache<KeyId, Secret>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key_of(conn: &mut Conn, keeper: Keeper) -> Result<(KeyId, Secret), DbError> {
    let query = data_keys::table
        .filter(data_keys::case_id.eq(keeper.case()))
        .filter(data_keys::part.eq(keeper.part()))
        .select(data_keys::id);
    let known: Option<Key> = on_each!(conn, |c| query.clone().first(c)).optional()?;
    if let Some(id) = known.map(KeyId::from)
        && let Some(secret) = key_named(conn, id)?
    {
        return Ok((id, secret));
    }
    let wrapping = in_use(conn)?;
    let (id, secret) = (KeyId::random(), drawn());
    let row = (
        data_keys::id.eq(Key::from(id)),
        data_keys::case_id.eq(keeper.case()),
        data_keys::part.eq(keeper.part()),
        data_keys::wrapped.eq(encrypted(&wrapping.0, &id.to_string(), &secret)),
        data_keys::wrapped_by.eq(wrapping.name()),
    );
    let written = on_each!(conn, |c| diesel::insert_into(data_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    if written == 1 {
        // It is not kept at hand yet: this transaction may still come to nothing.
        return Ok((id, secret));
    }
    // Another transaction was quicker, and has ended by now.
    let id = KeyId::from(query.first::<Key>(conn)?);
    let secret = key_named(conn, id)?
        .ok_or_else(|| DbError::Unavailable("a key was erased at this moment".to_owned()))?;
    Ok((id, secret))
}

fn key_named(conn: &mut Conn, id: KeyId) -> Result<Option<Secret>, DbError> {
    if let Some(secret) = at_hand().get(&id) {
        return Ok(Some(*secret));
    }
    let query = data_keys::table
        .find(Key::from(id))
        .select((data_keys::wrapped, data_keys::wrapped_by));
    let found: Option<(Vec<u8>, String)> = on_each!(conn, |c| query.first(c)).optional()?;
    let Some((wrapped, by)) = found else {
        return Ok(None);
    };
    let secret = unwrapped(&held(&by)?, id, &wrapped)?;
    at_hand().put(id, secret);
    Ok(Some(secret))
}

fn unwrapped(wrapping: &WrappingKey, id: KeyId, wrapped: &[u8]) -> Result<Secret, DbError> {
    decrypted(&wrapping.0, &id.to_string(), wrapped)
        .and_then(|octets| octets.try_into().ok())
        .ok_or_else(|| DbError::Unreadable {
            table: "data_keys",
            id: id.to_string(),
            why: "it was changed".to_owned(),
        })
}

/// The wrapping key of that name, if this process was given it.
fn held(name: &str) -> Result<WrappingKey, DbError> {
    RING.read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(name)
        .cloned()
        .ok_or_else(another_key)
}

fn another_key() -> DbError {
    DbError::Unsafe("the key that was given is not the one this database is sealed with; look at KEY_FILE (or KEY), or at the backup of the key".to_owned())
}

/// The wrapping key this database is sealed with.
fn in_use(conn: &mut Conn) -> Result<WrappingKey, DbError> {
    let query = wrapping_key::table.select(wrapping_key::name);
    let name: String = on_each!(conn, |c| query.first(c))?;
    held(&name)
}

/// Hands the database the key it is sealed with; a new database is sealed with it from now on, and a wrong key is
/// refused before anything is read.
pub(super) fn hand_over(conn: &mut Conn, key: &WrappingKey) -> Result<(), DbError> {
    let first = (wrapping_key::one.eq(1), wrapping_key::name.eq(key.name()));
    on_each!(conn, |c| diesel::insert_into(wrapping_key::table)
        .values(first)
        .on_conflict_do_nothing()
        .execute(c))?;
    let query = wrapping_key::table.select(wrapping_key::name);
    let name: String = on_each!(conn, |c| query.first(c))?;
    if name != key.name() {
        return Err(another_key());
    }
    RING.write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name, key.clone());
    Ok(())
}

/// Wraps every data key anew with `next`; answers how many there are. What was sealed stays as it is.
pub fn rotate(conn: &mut Conn, next: &WrappingKey) -> Result<usize, DbError> {
    let all: Vec<(Key, Vec<u8>, String)> = data_keys::table
        .select((data_keys::id, data_keys::wrapped, data_keys::wrapped_by))
        .load(conn)?;
    for (id, wrapped, by) in &all {
        let id = KeyId::from(*id);
        let secret = unwrapped(&held(by)?, id, wrapped)?;
        diesel::update(data_keys::table.find(Key::from(id)))
            .set((
                data_keys::wrapped.eq(encrypted(&next.0, &id.to_string(), &secret)),
                data_keys::wrapped_by.eq(next.name()),
            ))
            .execute(conn)?;
    }
    diesel::update(wrapping_key::table)
        .set(wrapping_key::name.eq(next.name()))
        .execute(conn)?;
    RING.write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(next.name(), next.clone());
    Ok(all.len())
}

fn encrypted(secret: &Secret, place: &str, what: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = drawn();
    let sealed = XChaCha20Poly1305::new(&CipherKey::from(*secret))
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: what,
                aad: place.as_bytes(),
            },
        )
        .expect("only texts of many gigabytes cannot be sealed");
    [nonce.as_slice(), &sealed].concat()
}

fn decrypted(secret: &Secret, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    XChaCha20Poly1305::new(&CipherKey::from(*secret))
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: rest,
                aad: place.as_bytes(),
            },
        )
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_and_at_its_place() {
        let (key, other) = (drawn(), drawn());
        let sealed = encrypted(&key, "cases:1", b"between us");
        assert_eq!(
            decrypted(&key, "cases:1", &sealed).as_deref(),
            Some(b"between us".as_slice())
        );
        assert!(decrypted(&key, "cases:2", &sealed).is_none());
        assert!(decrypted(&other, "cases:1", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(decrypted(&key, "cases:1", &changed).is_none(), "octet {at}");
        }
        assert!(decrypted(&key, "cases:1", &sealed[..10]).is_none());
    }

    #[test]
    fn a_wrapping_key_is_written_and_read_back_and_shows_nothing_of_itself() {
        let key = WrappingKey::random();
        assert_eq!(
            WrappingKey::parse(&format!("{}\n", key.written())),
            Some(key.clone())
        );
        assert!(WrappingKey::parse("c2hvcnQ=").is_none());
        assert!(!format!("{key:?}").contains(&key.written()));
    }
}
