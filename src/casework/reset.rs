//! A new password for somebody who has forgotten theirs: six digits from their mailbox, and with them a code kept on
//! paper or help that CLERO vouched for. The mailbox alone never opens the door (SPEC §11).
use super::challenge::{self, Question};
use super::password;
use super::signin::{self, Browser};
use super::tell::{About, write};
use super::{Desk, Error, recovery, throttle};
use crate::domain::id::{PersonId, RecoveryCodeId, RecoveryId};
use crate::domain::notice::Letter;
use crate::domain::people::Person;
use crate::domain::text::{EmailAddress, Line, Password};
use crate::domain::time::Moment;
use crate::store::challenges::{By, Challenge, Purpose};
use crate::store::db::Conn;
use crate::store::{credentials, passwords, people, sessions};

/// What is given besides the six digits.
#[derive(Debug, Clone, Copy)]
enum Second {
    Code(RecoveryCodeId),
    Vouched(RecoveryId),
}

/// A right answer, before it is used.
#[derive(Debug, Clone)]
struct Right {
    asked: Challenge,
    person: Person,
    second: Second,
}

/// A new password, with what shows whose it is.
#[derive(Debug, Clone)]
pub struct NewPassword {
    pub email: EmailAddress,
    pub code: String,
    pub recovery_code: Option<String>,
    pub password: Password,
}

fn wrong() -> Error {
    Error::flaw(
        "/code",
        "these do not belong together, or have been used or have run out; please begin again, or ring CLERO",
    )
}

/// An open account with this address and a password.
fn with_password(conn: &mut Conn, email: &EmailAddress) -> Result<Option<Person>, Error> {
    let Some(person) = people::by_email(conn, email)?.filter(|p| p.active) else {
        return Ok(None);
    };
    Ok(passwords::find(conn, person.id)?.map(|_| person))
}

impl Desk {
    /// Sends six digits to an open account with a password. For every other address the same work is done, and the
    /// letter is thrown away.
    pub async fn ask_for_reset(&self, email: EmailAddress, browser: Browser) -> Result<(), Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                throttle::count_code(conn, &browser, now)?;
                let found = with_password(conn, &email)?;
                let question = Question {
                    purpose: Purpose::Reset,
                    person: found.as_ref().map(|p| p.id),
                    browser_hash: None,
                    detail: None,
                };
                let letter = Letter::ResetCode;
                challenge::ask_for_code(conn, &desk, question, letter, found.as_ref(), now)?;
                if found.is_none() {
                    let nobody = nobody(&email)?;
                    throttle::may_write_to(conn, nobody.id, letter, now)?;
                    let about = About {
                        code: Some("000000"),
                        ..About::default()
                    };
                    write(
                        &desk.letters,
                        &desk.settings,
                        &nobody,
                        letter,
                        about,
                        "",
                        now,
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// Chooses a new password. Every session ends, and no browser is trusted any more.
    pub async fn reset_password(&self, new: NewPassword, browser: Browser) -> Result<(), Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let pointer = "/new_password";
        password::is_good(
            &new.password,
            pointer,
            password::words_of(new.email.as_str()),
        )
        .await?;
        let (asked, from) = (new.clone(), browser.clone());
        let right = self
            .db
            .write(move |conn| check(conn, &asked, &from, now))
            .await?
            .ok_or_else(wrong)?;
        password::is_good(&new.password, pointer, password::known_of(&right.person)).await?;
        let phc = password::hash(self.settings.hashing, new.password).await?;
        let done = self
            .db
            .write(move |conn| change(conn, &desk, &right, &phc, &browser, now))
            .await?;
        done.ok_or_else(wrong)
    }
}

/// Somebody who is not there, for a letter that does not go out.
fn nobody(email: &EmailAddress) -> Result<Person, Error> {
    Ok(Person {
        id: PersonId::random(),
        name: Line::parse("Somebody").map_err(|_| wrong())?,
        email: Some(email.clone()),
        roles: Default::default(),
        active: false,
    })
}

/// Counts the try and looks whether everything is right; uses nothing up but the try.
fn check(
    conn: &mut Conn,
    new: &NewPassword,
    browser: &Browser,
    now: Moment,
) -> Result<Option<Right>, Error> {
    throttle::count_code(conn, browser, now)?;
    let Some(person) = with_password(conn, &new.email)? else {
        return Ok(None);
    };
    let by = By::Person(person.id);
    let Some(asked) = challenge::try_one(conn, Purpose::Reset, by, now)? else {
        return Ok(None);
    };
    let second = match &new.recovery_code {
        Some(code) => recovery::find_code(conn, person.id, code)?.map(Second::Code),
        None => recovery::effective(conn, person.id, now)?.map(Second::Vouched),
    };
    if !challenge::is_code_of(&asked, &new.code) {
        return Ok(None);
    }
    Ok(second.map(|second| Right {
        asked,
        person,
        second,
    }))
}

/// Uses everything up and writes the new password; `None` where somebody was quicker.
fn change(
    conn: &mut Conn,
    desk: &Desk,
    right: &Right,
    phc: &str,
    browser: &Browser,
    now: Moment,
) -> Result<Option<()>, Error> {
    let id = right.person.id;
    let still_open = people::find(conn, id)?.is_some_and(|p| p.active);
    if !still_open || !challenge::close(conn, &right.asked, now)? {
        return Ok(None);
    }
    let used = match right.second {
        Second::Code(code) => passwords::use_code(conn, code, now)?,
        // It may have been stopped since.
        Second::Vouched(vouched) => passwords::use_recovery(conn, vouched, now)?,
    };
    if !used {
        return Ok(None);
    }
    passwords::save(conn, id, phc, now)?;
    credentials::revoke_tokens(conn, id, now)?;
    sessions::end_all(conn, id, now)?;
    sessions::distrust_all(conn, id, now)?;
    throttle::code_was_right(conn, browser)?;
    let letter = Letter::AccountChanged;
    signin::noted(
        conn,
        desk,
        &right.person,
        Some(id),
        "password_reset",
        letter,
        now,
    )?;
    Ok(Some(()))
}
