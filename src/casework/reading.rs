//! A side's own reading of the standards: read and written by that side alone until every side has shared.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::act::Tags;
use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey, once, read};
use crate::domain::access::{Audience, Capacity};
use crate::domain::action::EventName;
use crate::domain::case::{Case, Side, Stage};
use crate::domain::decide::Refusal;
use crate::domain::hash::hash_of;
use crate::domain::id::CaseId;
use crate::domain::people::Actor;
use crate::domain::reason::Reason;
use crate::domain::review::{Reading, scope, standards};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{cases, events, readings};

/// A side's own reading, as that side sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnReading {
    pub reading: Reading,
    /// What to name in `share_reading`.
    pub hash: String,
    /// The standards to read.
    pub scope: BTreeSet<u8>,
    /// Those not read yet.
    pub unread: BTreeSet<u8>,
    pub shared: bool,
}

impl Desk {
    /// The reading of the caller's side.
    pub async fn own_reading(&self, caller: Credential, id: CaseId) -> Result<OwnReading, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, side) = own_side(conn, id, &actor, now)?;
                own(conn, &case, side)
            })
            .await
    }

    /// Writes the reading of the caller's side, until it is shared. The case itself does not change.
    pub async fn save_reading(
        &self,
        caller: Credential,
        id: CaseId,
        reading: Reading,
        if_match: Option<Tags>,
        key: Option<OnceKey>,
    ) -> Result<OwnReading, Error> {
        if let Some(number) = reading
            .entries
            .keys()
            .find(|n| !standards().iter().any(|s| s.number == **n))
        {
            return Err(Error::flaw(
                &format!("/entries/{number}"),
                "the standards are numbered 1 to 33",
            ));
        }
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (_, _) = own_side(conn, id, &actor, now)?;
                once(conn, actor.person, key.as_ref(), now, |conn| {
                    let case = cases::lock(conn, id)?.ok_or(Error::Missing)?;
                    let (_, side) = own_side(conn, id, &actor, now)?;
                    let before = own(conn, &case, side)?;
                    Tags::check(if_match.as_ref(), &before)?;
                    if case.stage != Stage::StandardsReview {
                        return Err(unmet(&case, Reason::NotAtThisStage));
                    }
                    if before.shared {
                        return Err(unmet(&case, Reason::ReadingAlreadyShared));
                    }
                    readings::save(conn, id, side, &reading)?;
                    events::append(
                        conn,
                        events::Entry {
                            chain: format!("reading:{id}:{}", cases::side_word(side)),
                            at: now,
                            actor: actor.person,
                            capacity: crate::domain::access::capacity(&case, &actor, now)
                                .unwrap_or(Capacity::System)
                                .name(),
                            on_behalf_of: None,
                            event: "save_reading",
                            audience: Audience::of(side),
                            keeper: Keeper::Side(id, side),
                            body: json!({ "hash": hash_of(&reading) }),
                        },
                    )?;
                    own(conn, &case, side)
                })
            })
            .await
    }
}

fn unmet(case: &Case, reason: Reason) -> Error {
    Refusal::Unmet {
        event: EventName::ShareReading,
        stage: case.stage,
        reasons: vec![reason],
    }
    .into()
}

/// The side of a representative; to everybody else there is no such reading.
fn own_side(
    conn: &mut Conn,
    id: CaseId,
    actor: &Actor,
    now: Moment,
) -> Result<(Arc<Case>, Side), Error> {
    let (case, as_what) = read::find(conn, id, actor, now)?;
    let side = as_what
        .side()
        .filter(|_| case.review.frame.is_some())
        .ok_or(Error::Missing)?;
    Ok((case, side))
}

fn own(conn: &mut Conn, case: &Case, side: Side) -> Result<OwnReading, Error> {
    let reading = readings::find(conn, case.id, side)?.unwrap_or_default();
    let wanted = scope(case.sides.of(side));
    Ok(OwnReading {
        hash: hash_of(&reading),
        unread: reading.unread(&wanted),
        shared: case.review.shared.of(side).is_some(),
        scope: wanted,
        reading,
    })
}
