//! Who somebody is: bearer tokens, and the single-use invitation that leads to a first one. Secrets are 32 random
//! octets and are kept as hashes only.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::{Desk, Error};
use crate::domain::case::Reference;
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::{InvitationId, MembershipId, OrganisationId, PersonId, TokenId};
use crate::domain::people::{Actor, MembershipState};
use crate::domain::text::EmailAddress;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{credentials, people};

/// What a request says about who is asking: the hash of its bearer token, if it has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential(Option<String>);

/// Every token begins with this, so that one found in the wrong place is recognised.
const MARK: &str = "cg_";

impl Credential {
    /// Somebody who says nothing about themselves.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// A bearer token as it was sent; anything that cannot be one is as good as a wrong one.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self(Some(hash_of_bytes(token.as_bytes())))
    }
}

/// Who is asking, as they are at this moment, or `SignIn`.
pub fn actor(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Actor, Error> {
    let hash = who.0.as_ref().ok_or(Error::SignIn)?;
    let (person, roles) = credentials::bearer(conn, hash, now)?.ok_or(Error::SignIn)?;
    let mut actor = Actor {
        person: Some(person),
        roles,
        ..Actor::default()
    };
    people::add_ties(conn, &mut actor)?;
    Ok(actor)
}

/// Who is asking where anybody may ask: a token that is there must be good.
pub fn anyone(conn: &mut Conn, who: &Credential, now: Moment) -> Result<Actor, Error> {
    if who.0.is_none() {
        return Ok(Actor::default());
    }
    actor(conn, who, now)
}

/// A token, shown once.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NewToken {
    pub person: PersonId,
    pub token: String,
    pub expires_at: Moment,
}

/// Makes a token for `person`.
pub fn issue(conn: &mut Conn, person: PersonId, now: Moment, days: u16) -> Result<NewToken, Error> {
    let mut secret = [0u8; 32];
    rand::rng().fill_bytes(&mut secret);
    let token = format!("{MARK}{}", URL_SAFE_NO_PAD.encode(secret));
    let expires_at = now.plus(Duration::days(i64::from(days)));
    credentials::add_token(
        conn,
        TokenId::random(),
        person,
        &hash_of_bytes(token.as_bytes()),
        now,
        expires_at,
    )?;
    Ok(NewToken {
        person,
        token,
        expires_at,
    })
}

/// A code for an invitation: ten letters nobody mistakes for one another, in two groups.
#[must_use]
pub fn invitation_code() -> String {
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

/// Writes an invitation for a membership and answers its code, which is only ever in the letter.
pub fn invite(
    conn: &mut Conn,
    person: PersonId,
    membership: MembershipId,
    now: Moment,
    days: u16,
) -> Result<String, Error> {
    let (id, code) = (InvitationId::random(), invitation_code());
    credentials::add_invitation(
        conn,
        &credentials::Invitation {
            id,
            person,
            membership,
            code_hash: code_hash(id, &code),
            expires: now.plus(Duration::days(i64::from(days))),
        },
    )?;
    Ok(code)
}

/// What somebody gets who takes up an invitation.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Welcome {
    pub organisation: OrganisationId,
    #[serde(flatten)]
    pub token: NewToken,
}

impl Desk {
    /// Whether a credential is good at this moment; every use case asks again in its own transaction.
    pub async fn is_signed_in(&self, who: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| actor(conn, &who, now).map(|_| ()))
            .await
    }

    /// Takes up an invitation with the code from the letter and the address it went to: the membership becomes
    /// active. Whatever is wrong, the answer and the work are the same. A code has fifty bits, so nobody guesses one,
    /// and wrong guesses lock nobody out.
    pub async fn take_up_invitation(
        &self,
        email: EmailAddress,
        code: String,
    ) -> Result<Welcome, Error> {
        let (now, days) = (self.clock.now(), self.settings.token_days);
        let taken = self
            .db
            .write(move |conn| -> Result<Option<Welcome>, Error> {
                let person = people::by_email(conn, &email)?
                    .filter(|p| p.active)
                    .map_or_else(PersonId::random, |p| p.id);
                let open = credentials::open_invitations(conn, person, now)?;
                let Some(invitation) = open
                    .into_iter()
                    .find(|i| i.code_hash == code_hash(i.id, &code))
                else {
                    return Ok(None);
                };
                if !credentials::use_invitation(conn, invitation.id, now)? {
                    return Ok(None);
                }
                let Some(mut membership) = people::find_membership(conn, invitation.membership)?
                    .filter(|m| m.state == MembershipState::Invited)
                else {
                    return Ok(None);
                };
                membership.state = MembershipState::Active;
                people::save_membership(conn, &membership)?;
                super::people::log(
                    conn,
                    now,
                    Some(person),
                    "membership_accepted",
                    serde_json::json!({ "membership": membership.id }),
                )?;
                Ok(Some(Welcome {
                    organisation: membership.organisation,
                    token: issue(conn, person, now, days)?,
                }))
            })
            .await?;
        taken.ok_or(Error::flaw("/code", "this code and this address do not belong together, or the code has been used or has expired; ring CLERO and we will send a new one"))
    }
}
