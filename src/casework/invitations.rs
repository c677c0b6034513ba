//! The single-use invitation that leads to an account: a code in a letter, and the password its owner chooses with it.
//! There is no other way to become somebody here (SPEC §11).
use chrono::Duration;
use rand::RngCore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::people::log;
use super::signin::Browser;
use super::tell::{About, send};
use super::{Desk, Error, password, recovery, throttle};
use crate::domain::case::Reference;
use crate::domain::hash::{hash_of_bytes, same};
use crate::domain::id::{InvitationId, MembershipId, OrganisationId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::people::{Membership, MembershipState, Person};
use crate::domain::text::{EmailAddress, Password};
use crate::domain::time::Moment;
use crate::store::credentials::{self, Invitation};
use crate::store::db::Conn;
use crate::store::{passwords, people};

/// A code to be written down: ten letters nobody mistakes for one another, in two groups.
#[must_use]
pub fn new_code() -> String {
    let mut drawn = [0u8; 10];
    rand::rng().fill_bytes(&mut drawn);
    let letters: Vec<char> = drawn
        .iter()
        .map(|b| char::from(Reference::ALPHABET[usize::from(*b) % Reference::ALPHABET.len()]))
        .collect();
    format!(
        "{}-{}",
        letters[..5].iter().collect::<String>(),
        letters[5..].iter().collect::<String>()
    )
}

fn code_hash(id: InvitationId, code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_uppercase();
    hash_of_bytes(format!("{id}:{plain}").as_bytes())
}

/// Writes an invitation, for a membership or for an account alone, and answers its code, which is only ever in the
/// letter.
pub fn invite(
    conn: &mut Conn,
    person: PersonId,
    membership: Option<MembershipId>,
    now: Moment,
    days: u16,
) -> Result<String, Error> {
    let (id, code) = (InvitationId::random(), new_code());
    credentials::add_invitation(
        conn,
        &Invitation {
            id,
            person,
            membership,
            code_hash: code_hash(id, &code),
            expires: now.plus(Duration::days(i64::from(days))),
        },
    )?;
    Ok(code)
}

/// Sends somebody of CLERO the letter with the code for their account. `cause` names what it comes from.
pub fn invite_to_account(
    conn: &mut Conn,
    desk: &Desk,
    person: &Person,
    cause: &str,
    now: Moment,
) -> Result<(), Error> {
    let code = invite(conn, person.id, None, now, desk.settings.invitation_days)?;
    let about = About {
        code: Some(&code),
        ..About::default()
    };
    send(
        conn,
        &desk.letters,
        &desk.settings,
        person,
        Letter::FirstAccount,
        about,
        &format!("{cause}:first_account"),
        now,
    )
}

/// Somebody has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    pub person: PersonId,
    /// Where they belong from now on; null for somebody of CLERO.
    pub organisation: Option<OrganisationId>,
    /// Ten codes to be kept on paper, if the password was chosen now; shown once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
}

fn wrong() -> Error {
    Error::flaw(
        "/code",
        "this code and this address do not belong together, or the code has been used or has expired, or your account has another password; ring CLERO and we will send you a new one",
    )
}

/// An invitation that fits, and what is known of the account.
#[derive(Debug, Clone)]
struct Fitting {
    person: Person,
    invitation: Invitation,
    phc: Option<String>,
}

fn fitting(
    conn: &mut Conn,
    email: &EmailAddress,
    code: &str,
    now: Moment,
) -> Result<Option<Fitting>, Error> {
    let person = people::by_email(conn, email)?.filter(|p| p.active);
    let id = person.as_ref().map_or_else(PersonId::random, |p| p.id);
    let open = credentials::open_invitations(conn, id, now)?;
    let phc = passwords::find(conn, id)?;
    let invitation = open
        .into_iter()
        .find(|i| same(i.code_hash.as_bytes(), code_hash(i.id, code).as_bytes()));
    Ok(person.zip(invitation).map(|(person, invitation)| Fitting {
        person,
        invitation,
        phc,
    }))
}

impl Desk {
    /// Takes up an invitation with the code from the letter, the address it went to, and a password: the one the
    /// account has, or for a new account the one it will have. Whatever is wrong, the answer and the work are the
    /// same. A code has fifty bits, so nobody guesses one, and wrong guesses lock nobody out.
    pub async fn take_up_invitation(
        &self,
        email: EmailAddress,
        code: String,
        typed: Password,
        browser: Browser,
    ) -> Result<Accepted, Error> {
        let (cost, now) = (self.settings.hashing, self.clock.now());
        let (address, from, asked) = (email.clone(), browser.clone(), code.clone());
        let found = self
            .db
            .write(move |conn| {
                throttle::count_code(conn, &from, now)?;
                fitting(conn, &address, &asked, now)
            })
            .await?;
        let new = match found {
            Some(Fitting {
                person, phc: None, ..
            }) => {
                password::is_good(&typed, "/password", password::known_of(&person)).await?;
                Some(password::hash(cost, typed).await?)
            }
            Some(Fitting { phc: Some(phc), .. }) => {
                if !password::is_right(cost, typed, Some(phc)).await? {
                    return Err(wrong());
                }
                None
            }
            None => {
                password::is_right(cost, typed, None).await?;
                return Err(wrong());
            }
        };
        let accepted = self
            .db
            .write(move |conn| arrive(conn, &email, &code, new.as_deref(), &browser, now))
            .await?;
        accepted.ok_or_else(wrong)
    }

    /// Invites somebody from the command line, who has an account and no password yet: the first administrator comes
    /// this way. The code is shown once.
    pub async fn invite_by_operator(&self, email: EmailAddress) -> Result<String, Error> {
        let (now, days) = (self.clock.now(), self.settings.invitation_days);
        self.db
            .write(move |conn| {
                let person = people::by_email(conn, &email)?.ok_or(Error::Missing)?;
                let body = json!({ "person": person.id, "by": "operator" });
                log(conn, now, None, "account_invited", body)?;
                invite(conn, person.id, None, now, days)
            })
            .await
    }
}

/// Uses the invitation up; `None` where somebody was quicker.
fn arrive(
    conn: &mut Conn,
    email: &EmailAddress,
    code: &str,
    new: Option<&str>,
    browser: &Browser,
    now: Moment,
) -> Result<Option<Accepted>, Error> {
    let Some(found) = fitting(conn, email, code, now)? else {
        return Ok(None);
    };
    let person = found.person.id;
    // Another invitation of theirs may have been taken up meanwhile, with another password.
    if found.phc.is_none() != new.is_some() {
        return Ok(None);
    }
    if !credentials::use_invitation(conn, found.invitation.id, now)? {
        return Ok(None);
    }
    let membership = match found.invitation.membership {
        Some(id) => match joined(conn, person, id, now)? {
            Some(membership) => Some(membership),
            None => return Ok(None),
        },
        None => None,
    };
    let recovery_codes = match new {
        Some(phc) => {
            passwords::save(conn, person, phc, now)?;
            log(
                conn,
                now,
                Some(person),
                "account_begun",
                json!({ "person": person }),
            )?;
            recovery::new_codes(conn, person)?
        }
        None => Vec::new(),
    };
    throttle::code_was_right(conn, browser)?;
    Ok(Some(Accepted {
        person,
        organisation: membership.map(|m| m.organisation),
        recovery_codes,
    }))
}

/// The membership an invitation leads to becomes active; `None` where it was withdrawn.
fn joined(
    conn: &mut Conn,
    person: PersonId,
    id: MembershipId,
    now: Moment,
) -> Result<Option<Membership>, Error> {
    let Some(mut membership) =
        people::find_membership(conn, id)?.filter(|m| m.state == MembershipState::Invited)
    else {
        return Ok(None);
    };
    membership.state = MembershipState::Active;
    people::save_membership(conn, &membership)?;
    let body = json!({ "membership": membership.id });
    log(conn, now, Some(person), "membership_accepted", body)?;
    Ok(Some(membership))
}
