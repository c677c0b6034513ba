//! A calendar for each person, fetched by whatever program they use: at an address nobody can guess, which can be taken
//! away at any time. It holds what the person may know at the moment it is fetched, and says no more than when.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::meetings::{entry, rooms_seen};
use super::people::log;
use super::signin::{self, Credential, secret};
use super::{Desk, Error, read};
use crate::domain::hash::hash_of_bytes;
use crate::domain::meeting::{MeetingState, View};
use crate::domain::time::Moment;
use crate::mail::calendar;
use crate::store::{meetings, people};

/// The most meetings of one case that are looked at.
const MEETINGS: i64 = 500;

/// Whether somebody's calendar has an address, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedState {
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
}

/// A new address, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewFeed {
    /// For a calendar program to subscribe to. Whoever has it sees when you have meetings, so keep it to yourself.
    pub url: String,
    pub since: Moment,
}

impl Desk {
    /// Whether the caller's calendar has an address.
    pub async fn feed(&self, caller: Credential) -> Result<FeedState, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let person = signin::actor(conn, &caller, now)?.person;
                let since = meetings::feed_since(conn, person.ok_or(Error::SignIn)?)?;
                Ok(FeedState {
                    active: since.is_some(),
                    since,
                })
            })
            .await
    }

    /// Gives the caller's calendar a new address; an earlier one leads nowhere from now on.
    pub async fn make_feed(&self, caller: Credential) -> Result<NewFeed, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let person = actor.person.ok_or(Error::SignIn)?;
                let secret = secret();
                meetings::set_feed(conn, person, &hash_of_bytes(secret.as_bytes()), now)?;
                log(
                    conn,
                    now,
                    Some(person),
                    "calendar_made",
                    json!({ "person": person }),
                )?;
                Ok(NewFeed {
                    url: format!("{}/calendar/{secret}.ics", desk.settings.public_url),
                    since: now,
                })
            })
            .await
    }

    /// Takes the address of the caller's calendar away.
    pub async fn revoke_feed(&self, caller: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let person = actor.person.ok_or(Error::SignIn)?;
                if meetings::remove_feed(conn, person)? {
                    log(
                        conn,
                        now,
                        Some(person),
                        "calendar_revoked",
                        json!({ "person": person }),
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// The calendar at an address: every meeting that has a time, in rooms its person reads at this moment.
    pub async fn calendar_at(&self, secret: &str) -> Result<String, Error> {
        let (settings, now) = (self.settings.clone(), self.clock.now());
        let hash = hash_of_bytes(secret.as_bytes());
        self.db
            .read(move |conn| {
                let person = meetings::feed_of(conn, &hash)?.ok_or(Error::Missing)?;
                let actor = people::actor(conn, person)?.ok_or(Error::Missing)?;
                let mut entries = Vec::new();
                for (case, capacity) in read::all_for(conn, &actor, now)? {
                    let rooms = rooms_seen(&case, capacity, |view| view == View::Whole);
                    for meeting in meetings::page(conn, case.id, &rooms, None, MEETINGS)? {
                        if meeting.state == MeetingState::Confirmed {
                            entries.extend(entry(&settings, &case, &meeting));
                        }
                    }
                }
                entries.sort_by(|a, b| (a.start, &a.uid).cmp(&(b.start, &b.uid)));
                let link = format!("{}/sign-in", settings.public_url);
                Ok(calendar::feed(&entries, &link))
            })
            .await
    }
}
