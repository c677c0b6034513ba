//! Reading and verifying the log as a whole (SAFETY §1, row "event log"): the auditor reads metadata and verifies, the
//! administrator reads what concerns how people get in. Neither reads what an event said.
use serde::Serialize;

use super::read::{Page, Slice};
use super::signin::{self, Credential};
use super::{Desk, Error};
use crate::domain::access::CapacityName;
use crate::domain::id::{EventId, PersonId};
use crate::domain::people::{Actor, Role};
use crate::domain::sight::PersonName;
use crate::domain::time::Moment;
use crate::store::{events, people};

/// The register's own chain: accounts, organisations and where they are.
const CHAIN: &str = "register";

/// The events that concern how people get in, and what they may do here.
const SECURITY: [&str; 18] = [
    "account_begun",
    "account_invited",
    "address_changed",
    "browser_trusted",
    "passkey_added",
    "passkey_removed",
    "password_changed",
    "password_reset",
    "person_added",
    "person_changed",
    "recovery_begun",
    "recovery_code_used",
    "recovery_codes_renewed",
    "recovery_stopped",
    "lead_handed_over",
    "token_issued",
    "token_made",
    "token_revoked",
];

/// An event, without what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    pub id: EventId,
    pub event: String,
    pub at: Moment,
    /// Whether the service itself did it.
    pub by_itself: bool,
    pub capacity: CapacityName,
    /// Who did it; for administrators.
    pub who: Option<PersonName>,
}

/// What following the log link by link has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Verified {
    /// It holds; so many events were followed.
    Holds(usize),
    /// It does not: in which chain, at which place, and why.
    Broken {
        chain: String,
        place: i64,
        why: &'static str,
    },
}

/// Whether somebody may read the log, and whether all of the register's chain.
fn reads_all(actor: &Actor) -> Result<bool, Error> {
    match (actor.is(Role::Auditor), actor.is(Role::Administrator)) {
        (true, _) => Ok(true),
        (false, true) => Ok(false),
        (false, false) => Err(Error::NotAllowed),
    }
}

impl Desk {
    /// Follows every chain link by link.
    pub async fn verify_log(&self, caller: Credential) -> Result<Verified, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                if !signin::actor(conn, &caller, now)?.is(Role::Auditor) {
                    return Err(Error::NotAllowed);
                }
                Ok(match events::verify(conn)? {
                    Ok(events) => Verified::Holds(events),
                    Err(broken) => Verified::Broken {
                        chain: broken.chain,
                        place: broken.seq,
                        why: broken.why,
                    },
                })
            })
            .await
    }

    /// The events of the register's chain, the newest first, as far as the caller may know them.
    pub async fn register_log(
        &self,
        caller: Credential,
        slice: Slice,
    ) -> Result<Page<LogLine>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (all, names_them) = (reads_all(&actor)?, actor.is(Role::Administrator));
                let is_security = |event: &str| SECURITY.contains(&event);
                let list = ("register log", actor.person);
                let mut before = match slice.place::<EventId>(&list)? {
                    Some(event) => {
                        Some(events::place(conn, CHAIN, event)?.ok_or(Error::BadCursor)?)
                    }
                    None => None,
                };
                let mut found = Vec::new();
                while found.len() <= slice.most() {
                    let batch = events::page(conn, CHAIN, before, 200)?;
                    let Some(last) = batch.last() else { break };
                    before = Some(last.seq);
                    found.extend(batch.into_iter().filter(|e| all || is_security(&e.event)));
                }
                let page = slice.page(found, &list, |event| event.id);
                let actors = page.items.iter().filter_map(|e| e.actor).collect();
                let names = people::names(conn, &actors)?;
                let named = |id: PersonId| PersonName {
                    id,
                    name: names.get(&id).cloned().unwrap_or_default(),
                };
                let line = |e: crate::domain::event::Envelope| LogLine {
                    id: e.id,
                    at: e.at,
                    by_itself: e.actor.is_none(),
                    capacity: e.capacity,
                    who: e
                        .actor
                        .filter(|_| names_them && is_security(&e.event))
                        .map(named),
                    event: e.event,
                };
                let items = page.items.into_iter().map(line).collect();
                Ok(Page {
                    items,
                    next: page.next,
                })
            })
            .await
    }
}
