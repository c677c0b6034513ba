//! What happened: one entry of the log for each change, in a chain that cannot be altered unseen. The chain is
//! over salted commitments, so that a text can be erased and the chain still holds (SAFETY §3).
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::access::{Audience, CapacityName};
use super::hash::hex;
use super::id::{EventId, OrganisationId, PersonId};
use super::time::Moment;

/// Where a chain begins.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The part of an event that stays for ever: no names, no words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    pub id: EventId,
    /// Which aggregate it belongs to, such as `case:<id>` or `register`.
    pub chain: String,
    /// Its place in the chain, from 1. Never shown: it would count what a reader may not see.
    pub seq: i64,
    pub at: Moment,
    /// `None` is the service itself.
    pub actor: Option<PersonId>,
    pub capacity: CapacityName,
    /// For whom it was entered, where that was somebody offline.
    pub on_behalf_of: Option<OrganisationId>,
    pub event: String,
    pub audience: Audience,
    /// What its body was, without saying it.
    pub commitment: String,
}

/// A commitment to `body` that cannot be guessed without `salt`.
#[must_use]
pub fn commitment(salt: &[u8], body: &str) -> String {
    let mut hash = Sha256::new();
    field(&mut hash, salt);
    field(&mut hash, body.as_bytes());
    hex(&hash.finalize())
}

impl Envelope {
    /// The link of the chain: over the link before and every field, each with its length before it.
    #[must_use]
    pub fn link(&self, before: &str) -> String {
        let mut hash = Sha256::new();
        let person = self.actor.map(|p| p.to_string()).unwrap_or_default();
        let behalf = self.on_behalf_of.map(|o| o.to_string()).unwrap_or_default();
        let words = [
            "common-ground-log-1",
            before,
            &self.id.to_string(),
            &self.chain,
            &self.seq.to_string(),
            &self.at.written(),
            &person,
            &format!("{:?}", self.capacity),
            &behalf,
            &self.event,
            &format!("{:?}", self.audience),
            &self.commitment,
        ];
        for word in words {
            field(&mut hash, word.as_bytes());
        }
        hex(&hash.finalize())
    }
}

fn field(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// An event as somebody who may see it reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Happened {
    pub id: EventId,
    pub event: String,
    pub at: Moment,
    /// As what somebody acted; who it was is not shown.
    pub capacity: CapacityName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<OrganisationId>,
}
