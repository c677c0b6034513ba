//! Passwords: what a good one is, and how it is hashed (Argon2id), on threads of their own and never inside a write.
//! Nothing here knows whose password it is; people choose a new one in `change_password` and in `reset`.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::RngCore;
use tokio::sync::oneshot;

use super::signin::{self, Credential};
use super::{Desk, Error, Hashing};
use crate::domain::hash::same;
use crate::domain::notice::Letter;
use crate::domain::people::Person;
use crate::domain::text::Password;
use crate::store::db::DbError;
use crate::store::{passwords, sessions};

/// How many passwords are hashed at a time in this process: each takes memory and a core.
const HANDS: usize = 2;
/// What waits to be hashed. The threads that do it are always the same ones, so that the memory each of them needs is
/// used again, and does not grow with the number of threads.
static WAITING: LazyLock<Sender<Work>> = LazyLock::new(|| {
    let (sender, waiting) = channel::<Work>();
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..HANDS {
        let waiting = waiting.clone();
        let hand = std::thread::Builder::new().name("password".to_owned());
        let begun = hand.spawn(move || {
            loop {
                let next = waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv();
                let Ok(work) = next else { return };
                // Whoever waits for it hears that nothing came of it; the next one is not held up.
                let _ = catch_unwind(AssertUnwindSafe(work));
            }
        });
        begun.expect("a service that cannot begin two threads cannot begin");
    }
    sender
});

type Work = Box<dyn FnOnce() + Send>;

/// The octets of a hash, and of its salt.
const HASH: usize = 32;
const SALT: usize = 16;
/// The least a new password must score, from 0 to 4: ten thousand million guesses.
const LEAST_SCORE: u8 = 3;
/// Words that are on everybody's mind here, and so in every guesser's list.
const OURS: [&str; 6] = [
    "common ground",
    "clero",
    "lero",
    "recovery",
    "common",
    "ground",
];

/// Runs slow work on one of the two threads that are there for it.
async fn by_hand<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let stopping = || Error::Database(DbError::Unavailable("the service is stopping".to_owned()));
    let (done, told) = oneshot::channel();
    let job: Work = Box::new(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    });
    WAITING.send(job).map_err(|_| stopping())?;
    told.await.map_err(|_| stopping())
}

fn digest(cost: Hashing, password: &Password, salt: &[u8]) -> Result<[u8; HASH], String> {
    let params =
        Params::new(cost.memory_kib, cost.passes, 1, Some(HASH)).map_err(|why| why.to_string())?;
    let mut out = [0u8; HASH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.reveal().as_bytes(), salt, &mut out)
        .map_err(|why| why.to_string())?;
    Ok(out)
}

fn unreadable(why: String) -> Error {
    Error::Database(DbError::Unreadable {
        table: "passwords",
        id: "of somebody".to_owned(),
        why,
    })
}

/// Hashes a password; the answer holds its salt and its cost, as a PHC string.
pub async fn hash(cost: Hashing, password: Password) -> Result<String, Error> {
    let mut salt = [0u8; SALT];
    rand::rng().fill_bytes(&mut salt);
    let hash = by_hand(move || digest(cost, &password, &salt))
        .await?
        .map_err(unreadable)?;
    Ok(format!(
        "$argon2id$v=19$m={},t={},p=1${}${}",
        cost.memory_kib,
        cost.passes,
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    ))
}

/// Cost, salt and hash of a PHC string as `hash` writes it.
fn parts(phc: &str) -> Option<(Hashing, Vec<u8>, Vec<u8>)> {
    let rest = phc.strip_prefix("$argon2id$v=19$m=")?;
    let mut fields = rest.split('$');
    let (cost, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let (memory, passes) = cost.strip_suffix(",p=1")?.split_once(",t=")?;
    let cost = Hashing {
        memory_kib: memory.parse().ok()?,
        passes: passes.parse().ok()?,
    };
    Some((
        cost,
        STANDARD_NO_PAD.decode(salt).ok()?,
        STANDARD_NO_PAD.decode(hash).ok()?,
    ))
}

/// Whether it is this password. Without one to compare with, the same work is done and the answer is no.
pub async fn is_right(
    cost: Hashing,
    password: Password,
    phc: Option<String>,
) -> Result<bool, Error> {
    let kept = phc
        .map(|phc| parts(&phc).ok_or_else(|| unreadable("not a PHC string".to_owned())))
        .transpose()?;
    by_hand(move || match kept {
        Some((cost, salt, hash)) => digest(cost, &password, &salt).map(|ours| same(&ours, &hash)),
        None => digest(cost, &password, &[0; SALT]).map(|_| false),
    })
    .await?
    .map_err(unreadable)
}

/// Whether a new password is long and strange enough; if not, a flaw at `pointer`. `known`: what everybody knows of
/// the person, and guesses first.
pub async fn is_good(
    password: &Password,
    pointer: &'static str,
    known: Vec<String>,
) -> Result<(), Error> {
    if password.reveal().chars().count() < Password::LEAST {
        return Err(Error::flaw(
            pointer,
            "please use at least 12 characters; three or four random words are easy to remember",
        ));
    }
    let password = password.clone();
    let score = by_hand(move || {
        let inputs: Vec<&str> = known.iter().map(String::as_str).chain(OURS).collect();
        u8::from(zxcvbn::zxcvbn(password.reveal(), &inputs).score())
    })
    .await?;
    if score < LEAST_SCORE {
        return Err(Error::flaw(
            pointer,
            "this would be guessed soon; please try three or four random words that have nothing to do with you",
        ));
    }
    Ok(())
}

/// What everybody knows of a person: their address and their names.
#[must_use]
pub fn known_of(person: &Person) -> Vec<String> {
    let name = person.name.as_str();
    let mut known = vec![name.to_owned()];
    known.extend(name.split_whitespace().map(str::to_owned));
    if let Some(email) = &person.email {
        known.extend(words_of(email.as_str()));
    }
    known
}

/// The parts of an address that a guesser tries.
#[must_use]
pub fn words_of(email: &str) -> Vec<String> {
    let mut words = vec![email.to_owned()];
    words.extend(email.split(['@', '.', '-', '_', '+']).map(str::to_owned));
    words.retain(|word| !word.is_empty());
    words
}

impl Desk {
    /// Chooses a new password, in one's own session and with a fresh second step. Every other session ends, and no
    /// browser is trusted any more.
    pub async fn change_password(&self, caller: Credential, new: Password) -> Result<(), Error> {
        let (desk, now, who) = (self.clone(), self.clock.now(), caller.clone());
        let own = self
            .db
            .read(move |conn| signin::own_and_fresh(conn, &who, now))
            .await?;
        is_good(&new, "/new_password", known_of(&own.person)).await?;
        let phc = hash(self.settings.hashing, new).await?;
        self.db
            .write(move |conn| {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                let id = own.person.id;
                passwords::save(conn, id, &phc, now)?;
                sessions::end_others(conn, id, own.session, now)?;
                sessions::distrust_all(conn, id, now)?;
                signin::noted(
                    conn,
                    &desk,
                    &own.person,
                    Some(id),
                    "password_changed",
                    Letter::AccountChanged,
                    now,
                )
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Hashing = Hashing {
        memory_kib: 8,
        passes: 1,
    };

    fn password(typed: &str) -> Password {
        Password::parse(typed).expect("a password")
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_another_is_not() {
        let phc = hash(CHEAP, password("lantern otter drum seven"))
            .await
            .expect("a hash");
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc}");
        for (typed, right) in [
            ("lantern otter drum seven", true),
            ("lantern otter drum eight", false),
            ("", false),
        ] {
            let Ok(typed) = Password::parse(typed) else {
                continue;
            };
            let said = is_right(CHEAP, typed, Some(phc.clone())).await;
            assert_eq!(said.expect("an answer"), right);
        }
        let nobody = is_right(CHEAP, password("lantern otter drum seven"), None).await;
        assert!(!nobody.expect("an answer"));
    }

    #[tokio::test]
    async fn weak_and_short_passwords_are_refused_kindly() {
        for (typed, good) in [
            ("short", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("password1234", false),
            ("commonground", false),
            ("lantern otter drum seven", true),
        ] {
            let said = is_good(&password(typed), "/password", Vec::new()).await;
            assert_eq!(said.is_ok(), good, "{typed}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(format!("{:?}", password("secret words")), "Password(…)");
    }
}
