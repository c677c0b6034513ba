//! What a coordinator has to look at besides the course of each case: letters that did not arrive, requests that wait for
//! a second person, and people who are being helped to get back in.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::board::{Card, running};
use super::mailbox::may_oversee;
use super::signin::{self, Credential};
use super::{Desk, Error};
use crate::domain::access::{Capacity, capacity};
use crate::domain::case::Reference;
use crate::domain::id::{CaseId, LookId, PersonId, RecoveryId};
use crate::domain::people::Actor;
use crate::domain::room::{Ground, Room};
use crate::domain::sight::{Next, PersonName};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{cases, looks, outbox, passwords, people};

/// The most letters that are looked through.
const LETTERS: i64 = 500;

/// What there is to look at.
#[derive(Debug, Clone, Serialize)]
pub struct Tasks {
    pub unreached: Vec<Unreached>,
    pub looks: Vec<LookToDecide>,
    /// Objections to decide, wishes to come back, and cases without anybody neutral.
    pub objections: Vec<Card>,
    pub reopenings: Vec<Card>,
    pub unfacilitated: Vec<Card>,
    pub recoveries: Vec<HelpToGetIn>,
}

/// Somebody whom letters did not reach, and none has reached since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreached {
    pub person: PersonName,
    pub letters: usize,
    pub since: Moment,
}

/// A request to look into a room that nobody has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookToDecide {
    pub id: LookId,
    pub case: CaseId,
    pub reference: Reference,
    pub room: Room,
    pub ground: Ground,
    pub asked_by: PersonName,
    pub asked_at: Moment,
    /// Whether the reader asked: then somebody else decides.
    pub own: bool,
}

/// Help to get back in that has not been used, stopped or forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HelpToGetIn {
    pub id: RecoveryId,
    pub person: PersonName,
    pub vouched_by: PersonName,
    pub effective_at: Moment,
    pub expires_at: Moment,
}

impl Desk {
    /// What there is to look at, for a coordinator.
    pub async fn tasks(&self, caller: Credential) -> Result<Tasks, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let cards = running(conn, &actor, now)?;
                let those = |next: Next| -> Vec<Card> {
                    cards.iter().filter(|c| c.next == next).cloned().collect()
                };
                Ok(Tasks {
                    objections: those(Next::DecideObjection),
                    reopenings: those(Next::DecideReopening),
                    unfacilitated: those(Next::FindFacilitator),
                    unreached: unreached(conn, &actor, now)?,
                    looks: looks_to_decide(conn, &actor, now)?,
                    recoveries: recoveries(conn, now)?,
                })
            })
            .await
    }
}

fn unreached(conn: &mut Conn, actor: &Actor, now: Moment) -> Result<Vec<Unreached>, Error> {
    let mut found: BTreeMap<PersonId, (usize, Moment, Moment)> = BTreeMap::new();
    for letter in outbox::page(conn, None, Some(&["dead"]), None, LETTERS)? {
        if !may_oversee(conn, actor, &letter, now)? {
            continue;
        }
        let at = letter.ended_at.unwrap_or(letter.created_at);
        let (letters, since, last) = found.entry(letter.person).or_insert((0, at, at));
        (*letters, *since, *last) = (*letters + 1, at.min(*since), at.max(*last));
    }
    let names = people::names(conn, &found.keys().copied().collect())?;
    let mut all = Vec::new();
    for (person, (letters, since, last)) in found {
        let arrived = outbox::page(conn, Some(person), Some(&["sent"]), None, 1)?;
        let reached_since = arrived.first().and_then(|letter| letter.ended_at);
        if reached_since.is_none_or(|at| at <= last) {
            all.push(Unreached {
                person: named(&names, person),
                letters,
                since,
            });
        }
    }
    all.sort_by_key(|one| one.since);
    Ok(all)
}

fn looks_to_decide(
    conn: &mut Conn,
    actor: &Actor,
    now: Moment,
) -> Result<Vec<LookToDecide>, Error> {
    let undecided = looks::undecided(conn)?;
    let askers: BTreeSet<PersonId> = undecided.iter().map(|(_, look)| look.asked_by).collect();
    let names = people::names(conn, &askers)?;
    let mut all = Vec::new();
    for (id, look) in undecided {
        let found = cases::find(conn, id)?;
        let mine = |case: &_| capacity(case, actor, now) == Some(Capacity::Coordinator);
        let Some(case) = found.filter(|case| mine(case)) else {
            continue;
        };
        all.push(LookToDecide {
            id: look.id,
            case: id,
            reference: case.reference.clone(),
            room: look.room,
            ground: look.ground,
            asked_by: named(&names, look.asked_by),
            asked_at: look.asked_at,
            own: actor.person == Some(look.asked_by),
        });
    }
    Ok(all)
}

fn recoveries(conn: &mut Conn, now: Moment) -> Result<Vec<HelpToGetIn>, Error> {
    let open = passwords::open_recoveries(conn, now)?;
    let those = open.iter().flat_map(|r| [r.person, r.vouched_by]).collect();
    let names = people::names(conn, &those)?;
    Ok(open
        .into_iter()
        .map(|r| HelpToGetIn {
            id: r.id,
            person: named(&names, r.person),
            vouched_by: named(&names, r.vouched_by),
            effective_at: r.effective_at,
            expires_at: r.expires_at,
        })
        .collect())
}

fn named(names: &BTreeMap<PersonId, String>, id: PersonId) -> PersonName {
    PersonName {
        id,
        name: names.get(&id).cloned().unwrap_or_default(),
    }
}
