//! Questions that somebody must answer to go on: six digits from a letter, one of the codes kept on paper, or what a
//! passkey signs. Each has five tries and ten minutes, and is answered once.
use chrono::Duration;
use rand::Rng;

use super::signin::secret;
use super::tell::{About, send};
use super::{Desk, Error, recovery, throttle};
use crate::domain::hash::{hash_of_bytes, same};
use crate::domain::id::{ChallengeId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::people::Person;
use crate::domain::time::Moment;
use crate::store::challenges::{self, By, Challenge, Purpose};
use crate::store::db::Conn;

/// How long a question can be answered, in minutes.
pub const MINUTES: i64 = 10;
/// How often an answer may be tried.
pub const TRIES: i32 = 5;

/// What somebody answers with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The six digits from the letter.
    Code(String),
    /// One of the codes kept on paper.
    RecoveryCode(String),
}

/// A question to be asked.
#[derive(Debug, Clone)]
pub struct Question {
    pub purpose: Purpose,
    pub person: Option<PersonId>,
    /// The hash of the secret of the browser, or of the session, it is asked in.
    pub browser_hash: Option<String>,
    pub detail: Option<String>,
}

fn hash_of_code(id: ChallengeId, code: &str) -> String {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    hash_of_bytes(format!("{id}:{digits}").as_bytes())
}

/// Asks for six digits, and sends them by `letter` to the person given, if there is one and not too many letters have
/// gone there. Answers until when the question stands.
pub fn ask_for_code(
    conn: &mut Conn,
    desk: &Desk,
    question: Question,
    letter: Letter,
    to: Option<&Person>,
    now: Moment,
) -> Result<Moment, Error> {
    let id = ChallengeId::random();
    let code = format!("{:06}", rand::rng().random_range(0..1_000_000u32));
    let asked = Challenge {
        id,
        purpose: question.purpose,
        person: question.person,
        browser_hash: question.browser_hash,
        secret: hash_of_code(id, &code),
        detail: question.detail,
        created_at: now,
        expires_at: now.plus(Duration::minutes(MINUTES)),
    };
    if let Some(person) = to
        && throttle::may_write_to(conn, person.id, letter, now)?
    {
        // A code that nobody was sent is not one that can be guessed.
        challenges::add(conn, &asked)?;
        let about = About {
            code: Some(&code),
            ..About::default()
        };
        send(
            conn,
            &desk.letters,
            &desk.settings,
            person,
            letter,
            about,
            &format!("{id}:{}", letter.word()),
            now,
        )?;
    }
    Ok(asked.expires_at)
}

/// Asks for a signature of a passkey; answers what is to be signed.
pub fn ask_for_signature(
    conn: &mut Conn,
    question: Question,
    now: Moment,
) -> Result<String, Error> {
    let asked = Challenge {
        id: ChallengeId::random(),
        purpose: question.purpose,
        person: question.person,
        browser_hash: question.browser_hash,
        secret: secret(),
        detail: question.detail,
        created_at: now,
        expires_at: now.plus(Duration::minutes(MINUTES)),
    };
    challenges::add(conn, &asked)?;
    Ok(asked.secret)
}

/// The open question, with one more try counted; `None` if there is none or no try is left. What is counted is kept
/// only if the transaction is: a wrong answer must not be an error inside of it.
pub fn try_one(
    conn: &mut Conn,
    purpose: Purpose,
    by: By<'_>,
    now: Moment,
) -> Result<Option<Challenge>, Error> {
    let Some(asked) = challenges::open(conn, purpose, by, TRIES, now)? else {
        return Ok(None);
    };
    Ok(challenges::count_try(conn, asked.id, TRIES)?.then_some(asked))
}

/// Whether the digits are those of the question.
#[must_use]
pub fn is_code_of(asked: &Challenge, code: &str) -> bool {
    same(
        hash_of_code(asked.id, code).as_bytes(),
        asked.secret.as_bytes(),
    )
}

/// Takes an answer: the question, if it is now answered; `None` where anything is wrong.
pub fn take(
    conn: &mut Conn,
    purpose: Purpose,
    by: By<'_>,
    answer: &Answer,
    now: Moment,
) -> Result<Option<Challenge>, Error> {
    let Some(asked) = try_one(conn, purpose, by, now)? else {
        return Ok(None);
    };
    if let Some(person) = asked.person
        && !throttle::may_answer(conn, person, now)?
    {
        return Ok(None);
    }
    let right = match (answer, asked.person) {
        (Answer::Code(code), _) => is_code_of(&asked, code),
        (Answer::RecoveryCode(code), Some(person)) => recovery::use_code(conn, person, code, now)?,
        (Answer::RecoveryCode(_), None) => false,
    };
    let answered = right && challenges::close(conn, asked.id, now)?;
    if let Some(person) = asked.person.filter(|_| answered) {
        throttle::answer_was_right(conn, person)?;
    }
    Ok(answered.then_some(asked))
}

/// Closes a question that was answered in another way; `false` where somebody was quicker.
pub fn close(conn: &mut Conn, asked: &Challenge, now: Moment) -> Result<bool, Error> {
    Ok(challenges::close(conn, asked.id, now)?)
}

/// Whether there is a question of this kind that can be answered.
pub fn is_open(conn: &mut Conn, purpose: Purpose, by: By<'_>, now: Moment) -> Result<bool, Error> {
    Ok(challenges::open(conn, purpose, by, TRIES, now)?.is_some())
}
