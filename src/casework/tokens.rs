//! API tokens: made by their owner for what they need them for, or by an operator on the command line; shown once.
use std::collections::BTreeSet;

use chrono::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::people::log;
use super::read::Page;
use super::signin::{self, Credential, secret};
use super::{Desk, Error};
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::{PersonId, TokenId};
use crate::domain::notice::Letter;
use crate::domain::people::Scope;
use crate::domain::text::{EmailAddress, Line};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{credentials, people};

/// Every token begins with this, so that one found in the wrong place is recognised.
const MARK: &str = "cg_";
/// How long a token that can sign lasts at most, in hours (SPEC §11).
const MOST_HOURS_TO_SIGN: u16 = 24;
/// How long any other token lasts at most, in days.
const MOST_DAYS: u16 = 365;

/// A token, shown once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NewToken {
    pub id: TokenId,
    pub person: PersonId,
    pub token: String,
    pub scopes: BTreeSet<Scope>,
    pub expires_at: Moment,
}

/// A token as its owner sees it afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiToken {
    pub id: TokenId,
    /// What its owner calls it; empty where an operator made it.
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// A token somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantToken {
    /// What it is for.
    pub name: Line,
    /// What it may do. Every token may read, and one that may sign may write.
    #[schemars(length(min = 1, max = 3))]
    pub scopes: BTreeSet<Scope>,
    /// How many days it lasts: at most 365.
    #[serde(default)]
    pub days: Option<u16>,
    /// How many hours it lasts, instead of days; a token that may sign lasts at most 24.
    #[serde(default)]
    pub hours: Option<u16>,
}

impl WantToken {
    /// How long it is to last.
    fn span(&self, usual_days: u16) -> Result<Duration, Error> {
        let signs = self.scopes.contains(&Scope::Sign);
        let (most, usual) = if signs {
            (MOST_HOURS_TO_SIGN, MOST_HOURS_TO_SIGN)
        } else {
            (MOST_DAYS * 24, usual_days.min(MOST_DAYS) * 24)
        };
        let (hours, pointer) = match (self.days, self.hours) {
            (None, None) => (usual, "/hours"),
            (Some(days), None) => (days.saturating_mul(24), "/days"),
            (None, Some(hours)) => (hours, "/hours"),
            (Some(_), Some(_)) => {
                return Err(Error::flaw("/hours", "please say days or hours, not both"));
            }
        };
        if (1..=most).contains(&hours) {
            return Ok(Duration::hours(hours.into()));
        }
        let why = if signs {
            "a token that may sign lasts 1 to 24 hours"
        } else {
            "a token lasts 1 to 365 days"
        };
        Err(Error::flaw(pointer, why))
    }
}

/// Writes a new token down and shows it, this once.
fn add(
    conn: &mut Conn,
    person: PersonId,
    name: &str,
    scopes: BTreeSet<Scope>,
    now: Moment,
    span: Duration,
) -> Result<NewToken, Error> {
    let token = format!("{MARK}{}", secret());
    let kept = credentials::Token {
        id: TokenId::random(),
        person,
        name: name.to_owned(),
        scopes,
        created_at: now,
        expires_at: now.plus(span),
    };
    credentials::add_token(conn, &kept, &hash_of_bytes(token.as_bytes()))?;
    Ok(NewToken {
        id: kept.id,
        person,
        token,
        scopes: kept.scopes,
        expires_at: kept.expires_at,
    })
}

impl Desk {
    /// The caller's tokens that still last.
    pub async fn tokens(&self, caller: Credential) -> Result<Page<ApiToken>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                Ok(credentials::tokens_of(conn, person, now)?
                    .into_iter()
                    .map(|t| ApiToken {
                        id: t.id,
                        name: t.name,
                        scopes: t.scopes,
                        created_at: t.created_at,
                        expires_at: t.expires_at,
                    })
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }

    /// Makes a token for the caller.
    pub async fn make_token(&self, caller: Credential, want: WantToken) -> Result<NewToken, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                if want.scopes.is_empty() {
                    return Err(Error::flaw("/scopes", "please say what it may do"));
                }
                let span = want.span(desk.settings.token_days)?;
                let mut scopes = want.scopes.clone();
                scopes.insert(Scope::Read);
                if scopes.contains(&Scope::Sign) {
                    scopes.insert(Scope::Write);
                }
                let (id, letter) = (own.person.id, Letter::AccountChanged);
                let made = add(conn, id, want.name.as_str(), scopes, now, span)?;
                signin::noted(
                    conn,
                    &desk,
                    &own.person,
                    Some(id),
                    "token_made",
                    letter,
                    now,
                )?;
                Ok(made)
            })
            .await
    }

    /// Ends a token of the caller.
    pub async fn revoke_token(&self, caller: Credential, id: TokenId) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                if !credentials::revoke_token(conn, person, id, now)? {
                    return Err(Error::Missing);
                }
                let body = json!({ "person": person });
                log(conn, now, Some(person), "token_revoked", body)?;
                Ok(())
            })
            .await
    }

    /// Makes a token from the command line, for whoever has this address. It may read and write, and not sign.
    pub async fn issue_token_by_operator(
        &self,
        email: EmailAddress,
        days: Option<u16>,
    ) -> Result<NewToken, Error> {
        let (now, days) = (self.clock.now(), days.unwrap_or(self.settings.token_days));
        self.db
            .write(move |conn| {
                let person = people::by_email(conn, &email)?.ok_or(Error::Missing)?;
                let body = json!({ "person": person.id, "by": "operator" });
                log(conn, now, None, "token_issued", body)?;
                let scopes = BTreeSet::from([Scope::Read, Scope::Write]);
                add(
                    conn,
                    person.id,
                    "",
                    scopes,
                    now,
                    Duration::days(days.into()),
                )
            })
            .await
    }
}
