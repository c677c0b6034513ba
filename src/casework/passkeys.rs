//! One's own passkeys: what a browser needs to make one, and which there are. What a signature must say is checked in
//! `passkey`; signing in with one is in `door`.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::challenge::{self, MINUTES};
use super::door::wrong_passkey;
use super::passkey::{self, Site};
use super::read::Page;
use super::signin::{self, Credential};
use super::step::question_to;
use super::{Desk, Error};
use crate::domain::id::PasskeyId;
use crate::domain::notice::Letter;
use crate::domain::text::Line;
use crate::domain::time::Moment;
use crate::store::challenges::{By, Purpose};
use crate::store::passkeys::{self, Passkey};

/// How long the browser may take, in milliseconds.
const TIMEOUT: i64 = MINUTES * 60_000;

/// What the browser needs to ask for a signature (WebAuthn, PublicKeyCredentialRequestOptions in JSON).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyRequest {
    pub challenge: String,
    pub rp_id: String,
    pub timeout: i64,
    pub user_verification: String,
    pub allow_credentials: Vec<PasskeyDescriptor>,
}

/// A passkey by the name its authenticator gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeyDescriptor {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// Who asks for a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeySite {
    pub id: String,
    pub name: String,
}

/// For whom it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyOwner {
    pub id: String,
    pub name: String,
    pub display_name: String,
}

/// A kind of key that can be checked here: a COSE number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeyAlgorithm {
    #[serde(rename = "type")]
    pub kind: String,
    pub alg: i32,
}

/// What the authenticator must be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyNeeds {
    pub resident_key: String,
    pub user_verification: String,
}

/// What the browser needs to make a passkey (WebAuthn, PublicKeyCredentialCreationOptions in JSON).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyCreation {
    pub rp: PasskeySite,
    pub user: PasskeyOwner,
    pub challenge: String,
    pub pub_key_cred_params: Vec<PasskeyAlgorithm>,
    pub timeout: i64,
    pub authenticator_selection: PasskeyNeeds,
    pub attestation: String,
    pub exclude_credentials: Vec<PasskeyDescriptor>,
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Passkey")]
pub struct PasskeyView {
    pub id: PasskeyId,
    pub name: String,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
}

impl From<Passkey> for PasskeyView {
    fn from(key: Passkey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
        }
    }
}

fn descriptor(id: String) -> PasskeyDescriptor {
    PasskeyDescriptor {
        id,
        kind: "public-key".to_owned(),
    }
}

impl Desk {
    /// What a browser needs to sign `challenge` with one of the passkeys named, or with any.
    #[must_use]
    pub fn passkey_request(&self, challenge: String, names: Vec<String>) -> PasskeyRequest {
        PasskeyRequest {
            challenge,
            rp_id: Site::of(&self.settings.public_url).host,
            timeout: TIMEOUT,
            user_verification: "required".to_owned(),
            allow_credentials: names.into_iter().map(descriptor).collect(),
        }
    }

    /// The caller's passkeys.
    pub async fn passkeys(&self, caller: Credential) -> Result<Page<PasskeyView>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let person = signin::known(conn, &caller, now)?.person;
                Ok(passkeys::of(conn, person)?
                    .into_iter()
                    .map(PasskeyView::from)
                    .collect::<Vec<_>>()
                    .into())
            })
            .await
    }

    /// Begins to make a passkey, in one's own session and with a fresh second step.
    pub async fn begin_passkey(&self, caller: Credential) -> Result<PasskeyCreation, Error> {
        let now = self.clock.now();
        let site = Site::of(&self.settings.public_url);
        self.db
            .write(move |conn| {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                let there = passkeys::of(conn, own.person.id)?;
                let question = question_to(&own, Purpose::PasskeyAdd);
                let challenge = challenge::ask_for_signature(conn, question, now)?;
                let email = own.person.email.as_ref().map(|e| e.as_str().to_owned());
                Ok(PasskeyCreation {
                    rp: PasskeySite {
                        id: site.host.clone(),
                        name: "Common Ground".to_owned(),
                    },
                    user: PasskeyOwner {
                        id: URL_SAFE_NO_PAD.encode(own.person.id.0.as_bytes()),
                        name: email.unwrap_or_default(),
                        display_name: own.person.name.as_str().to_owned(),
                    },
                    challenge,
                    pub_key_cred_params: passkey::ALGORITHMS
                        .iter()
                        .map(|alg| PasskeyAlgorithm {
                            kind: "public-key".to_owned(),
                            alg: *alg,
                        })
                        .collect(),
                    timeout: TIMEOUT,
                    authenticator_selection: PasskeyNeeds {
                        resident_key: "required".to_owned(),
                        user_verification: "required".to_owned(),
                    },
                    attestation: "none".to_owned(),
                    exclude_credentials: there
                        .into_iter()
                        .map(|key| descriptor(key.credential_id))
                        .collect(),
                })
            })
            .await
    }

    /// Keeps the passkey a browser has made.
    pub async fn add_passkey(
        &self,
        caller: Credential,
        name: Line,
        credential: Value,
    ) -> Result<PasskeyView, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        let site = Site::of(&self.settings.public_url);
        let added = self
            .db
            .write(move |conn| -> Result<Option<PasskeyView>, Error> {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                let by = By::Browser(&own.hash);
                let Some(asked) = challenge::try_one(conn, Purpose::PasskeyAdd, by, now)? else {
                    return Ok(None);
                };
                let Some(made) = passkey::made(&credential, &asked.secret, &site) else {
                    return Ok(None);
                };
                if !challenge::close(conn, &asked, now)? {
                    return Ok(None);
                }
                let key = Passkey {
                    id: PasskeyId::random(),
                    person: own.person.id,
                    credential_id: made.credential_id,
                    algorithm: made.algorithm,
                    public_key: made.public_key,
                    sign_count: made.sign_count,
                    name: name.as_str().to_owned(),
                    created_at: now,
                    last_used_at: None,
                };
                passkeys::add(conn, &key).map_err(|error| {
                    let why = "This passkey is known already.";
                    Error::or_taken(error, "passkey-known", why)
                })?;
                let (by, letter) = (Some(own.person.id), Letter::AccountChanged);
                signin::noted(conn, &desk, &own.person, by, "passkey_added", letter, now)?;
                Ok(Some(PasskeyView::from(key)))
            })
            .await?;
        added.ok_or_else(wrong_passkey)
    }

    /// Removes one of the caller's passkeys.
    pub async fn remove_passkey(&self, caller: Credential, id: PasskeyId) -> Result<(), Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let own = signin::own_and_fresh(conn, &caller, now)?;
                if !passkeys::remove(conn, own.person.id, id)? {
                    return Err(Error::Missing);
                }
                let (by, letter) = (Some(own.person.id), Letter::AccountChanged);
                signin::noted(conn, &desk, &own.person, by, "passkey_removed", letter, now)
            })
            .await
    }
}
