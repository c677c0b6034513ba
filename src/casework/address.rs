//! Another email address for oneself: a code goes to the new one, and when it is right both addresses hear of it.
//! Whether the new one belongs to somebody else is nobody's business.
use super::challenge::{self, Question};
use super::door::wrong_code;
use super::people::log;
use super::signin::{self, Browser, Credential};
use super::tell::{About, send};
use super::{Desk, Error, throttle};
use crate::domain::notice::Letter;
use crate::domain::people::Person;
use crate::domain::text::EmailAddress;
use crate::domain::time::Moment;
use crate::store::challenges::{self, By, Purpose};
use crate::store::db::{Conn, DbError, is_taken};
use crate::store::people;
use serde_json::json;

impl Desk {
    /// Sends a code to the new address; answers until when it works. To an address that somebody has, nothing goes.
    pub async fn ask_for_address(
        &self,
        caller: Credential,
        email: EmailAddress,
    ) -> Result<Moment, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                // Only the address that was asked for last can be confirmed.
                challenges::supersede(conn, Purpose::Address, own.person.id, now)?;
                let question = Question {
                    purpose: Purpose::Address,
                    person: Some(own.person.id),
                    browser_hash: None,
                    detail: Some(email.as_str().to_owned()),
                };
                let there = Person {
                    email: Some(email.clone()),
                    ..own.person
                };
                let free = people::by_email(conn, &email)?.is_none();
                let to = Some(&there).filter(|_| free);
                challenge::ask_for_code(conn, &desk, question, Letter::AddressCode, to, now)
            })
            .await
    }

    /// Takes the code from the new address, which is the caller's from then on.
    pub async fn change_address(
        &self,
        caller: Credential,
        code: String,
        browser: Browser,
    ) -> Result<Person, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let changed = self
            .db
            .write(move |conn| -> Result<Option<Person>, Error> {
                let own = signin::own(conn, &caller, now)?;
                throttle::count_code(conn, &browser, now)?;
                let by = By::Person(own.person.id);
                let Some(asked) = challenge::try_one(conn, Purpose::Address, by, now)? else {
                    return Ok(None);
                };
                let new = asked
                    .detail
                    .as_deref()
                    .and_then(|email| EmailAddress::parse(email).ok());
                let Some(new) = new.filter(|_| challenge::is_code_of(&asked, &code)) else {
                    return Ok(None);
                };
                if people::by_email(conn, &new)?.is_some() || !challenge::close(conn, &asked, now)?
                {
                    return Ok(None);
                }
                throttle::code_was_right(conn, &browser)?;
                move_to(conn, &desk, own.person, new, now).map(Some)
            })
            .await?;
        changed.ok_or_else(wrong_code)
    }
}

/// Writes the new address down and tells both.
fn move_to(
    conn: &mut Conn,
    desk: &Desk,
    before: Person,
    new: EmailAddress,
    now: Moment,
) -> Result<Person, Error> {
    people::set_email(conn, before.id, &new).map_err(|error| match error {
        // Somebody else took it a moment ago.
        DbError::Query(query) if is_taken(&query) => wrong_code(),
        other => Error::Database(other),
    })?;
    let after = Person {
        email: Some(new),
        ..before.clone()
    };
    let body = json!({ "person": after.id });
    let event = log(conn, now, Some(after.id), "address_changed", body)?;
    for (person, which) in [(&before, "old"), (&after, "new")] {
        send(
            conn,
            &desk.letters,
            &desk.settings,
            person,
            Letter::AddressChanged,
            About::default(),
            &format!("{event}:address_changed:{which}"),
            now,
        )?;
    }
    Ok(after)
}
