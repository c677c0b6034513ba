//! How often somebody may try (SPEC §11, SAFETY §4): counted before anything is checked, for an account in a network,
//! for a network, and for an account. What is counted is known by hashes only. Nobody locks anybody else out: a
//! browser that its owner trusts does not count what others try elsewhere.
use chrono::Duration;

use super::Error;
use super::signin::Browser;
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::PersonId;
use crate::domain::notice::Letter;
use crate::domain::text::EmailAddress;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::tries;

/// How often, and in how many minutes.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most: i32,
    minutes: i64,
}

/// Failures for one account from one network: a person who has forgotten.
const ACCOUNT_AND_NETWORK: Limit = Limit {
    most: 10,
    minutes: 15,
};
/// Failures from one network, whatever the account: many people may share a network.
const NETWORK: Limit = Limit {
    most: 100,
    minutes: 15,
};
/// Failures for one account, from wherever: many machines that try one account.
const ACCOUNT: Limit = Limit {
    most: 100,
    minutes: 60,
};
/// Wrong answers to questions put to one person, from wherever: whoever has the password does not guess the digits.
const ANSWERS: Limit = Limit {
    most: 30,
    minutes: 60,
};
/// Letters with codes to one account: nobody's mailbox is flooded.
const LETTERS: Limit = Limit {
    most: 5,
    minutes: 15,
};

fn key(kind: &str, what: &str) -> String {
    hash_of_bytes(format!("{kind}:{what}").as_bytes())
}

/// The keys of a try of a password, in the order in which they are always taken.
fn keys(email: &EmailAddress, browser: &Browser) -> [String; 3] {
    let (account, network) = (email.as_str(), browser.network.as_str());
    [
        key("account and network", &format!("{account} {network}")),
        key("network", network),
        key("account", account),
    ]
}

fn count(conn: &mut Conn, key: &str, limit: Limit, now: Moment) -> Result<(), Error> {
    let window = Duration::minutes(limit.minutes);
    let (tries, since) = tries::bump(conn, key, now.plus(-window), now)?;
    if tries <= limit.most {
        return Ok(());
    }
    let seconds = (since.plus(window).0 - now.0).num_seconds().max(1);
    Err(Error::TooManyTries { seconds })
}

/// Counts a try of a password, before it is checked. `trusted`: in a browser its owner trusts.
pub fn count_password(
    conn: &mut Conn,
    email: &EmailAddress,
    browser: &Browser,
    trusted: bool,
    now: Moment,
) -> Result<(), Error> {
    let [both, network, account] = keys(email, browser);
    count(conn, &both, ACCOUNT_AND_NETWORK, now)?;
    count(conn, &network, NETWORK, now)?;
    if !trusted {
        count(conn, &account, ACCOUNT, now)?;
    }
    Ok(())
}

/// Takes a try of a password back: it was right.
pub fn password_was_right(
    conn: &mut Conn,
    email: &EmailAddress,
    browser: &Browser,
    trusted: bool,
) -> Result<(), Error> {
    let [both, network, account] = keys(email, browser);
    tries::clear(conn, &both)?;
    tries::give_back(conn, &network)?;
    if !trusted {
        tries::give_back(conn, &account)?;
    }
    Ok(())
}

/// Counts a try of a code or a passkey, before it is checked. Codes have few tries of their own.
pub fn count_code(conn: &mut Conn, browser: &Browser, now: Moment) -> Result<(), Error> {
    count(conn, &key("network", &browser.network), NETWORK, now)
}

/// Counts an answer of a person to a question, before it is checked; `false` where there were too many.
pub fn may_answer(conn: &mut Conn, person: PersonId, now: Moment) -> Result<bool, Error> {
    let window = Duration::minutes(ANSWERS.minutes);
    let key = key("answers", &person.to_string());
    Ok(tries::bump(conn, &key, now.plus(-window), now)?.0 <= ANSWERS.most)
}

/// Takes an answer back: it was right.
pub fn answer_was_right(conn: &mut Conn, person: PersonId) -> Result<(), Error> {
    Ok(tries::give_back(
        conn,
        &key("answers", &person.to_string()),
    )?)
}

/// Takes a try of a code or a passkey back: it was right.
pub fn code_was_right(conn: &mut Conn, browser: &Browser) -> Result<(), Error> {
    Ok(tries::give_back(conn, &key("network", &browser.network))?)
}

/// Whether one more letter with a code of this kind may go to a person. Where it may not, nobody is told. Each kind is
/// counted apart: what anybody may ask for takes nothing from what only its owner can.
pub fn may_write_to(
    conn: &mut Conn,
    person: PersonId,
    letter: Letter,
    now: Moment,
) -> Result<bool, Error> {
    let window = Duration::minutes(LETTERS.minutes);
    let key = key("letters", &format!("{} {person}", letter.word()));
    let (letters, _) = tries::bump(conn, &key, now.plus(-window), now)?;
    Ok(letters <= LETTERS.most)
}
