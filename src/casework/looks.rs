//! Breaking the glass (SAFETY §1, SPEC §13): somebody of CLERO asks to look into one room for at most a day, somebody
//! else without a connection decides, the people whose room it is are told at once, and every look is written down.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::read::{self, Page};
use super::rooms::{audience, chain};
use super::signin::{self, Credential};
use super::tell::{About, coordinators_of, people_of_room, send};
use super::{Desk, Error, OnceKey};
use crate::domain::access::{Capacity, reads_room};
use crate::domain::case::Case;
use crate::domain::id::{CaseId, LookId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::people::Actor;
use crate::domain::room::{Ground, Look, LookDecision, Room};
use crate::domain::sight::PersonName;
use crate::domain::text::Prose;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{events, looks, people};

/// The word in a room's log for each time it was looked into.
const LOOKED: &str = "looked_into";

/// A request to look into a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLook {
    pub room: Room,
    pub ground: Ground,
    /// Why, in a few sentences. The people whose room it is read this.
    pub reason: Prose,
    /// For how many hours, 1 to 24.
    #[schemars(range(min = 1, max = 24))]
    pub hours: u8,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LookState {
    Asked,
    Approved,
    Declined,
    /// It was approved, and its time has passed.
    Over,
}

/// A request as those who may know of it see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LookSight {
    pub id: LookId,
    pub room: Room,
    pub ground: Ground,
    pub reason: Prose,
    pub hours: u8,
    pub state: LookState,
    pub asked_by: PersonName,
    pub asked_at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Each time the room was read under it.
    pub looked_at: Vec<Moment>,
}

impl Desk {
    /// The requests of a case: for CLERO all of them; for others those that were approved for a room of theirs.
    pub async fn looks(&self, caller: Credential, id: CaseId) -> Result<Page<LookSight>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, capacity) = read::find(conn, id, &actor, now)?;
                let mut sights = Vec::new();
                for look in looks::of_case(conn, id)? {
                    if may_know(&case, capacity, &look) {
                        sights.push(sight(conn, id, look, now)?);
                    }
                }
                Ok(sights.into())
            })
            .await
    }

    /// Asks to look into a room.
    pub async fn ask_to_look(
        &self,
        caller: Credential,
        id: CaseId,
        new: NewLook,
        key: Option<OnceKey>,
    ) -> Result<LookSight, Error> {
        if !(1..=Look::LONGEST).contains(&new.hours) {
            return Err(Error::flaw("/hours", "please choose 1 to 24 hours"));
        }
        if !Look::is_for(new.room) {
            return Err(Error::flaw("/room", "this room cannot be looked into"));
        }
        let desk = self.clone();
        let may = move |conn: &mut Conn, actor: &Actor| of_clero(conn, id, actor, desk.clock.now());
        let desk = self.clone();
        let asked = self.write_once(caller, key, may, move |conn, actor, now| {
            let (case, _) = read::find(conn, id, actor, now)?;
            let person = actor.person.ok_or(Error::SignIn)?;
            signin::fresh(actor, now)?;
            let look = Look {
                id: LookId::random(),
                room: new.room,
                ground: new.ground,
                reason: new.reason.clone(),
                hours: new.hours,
                asked_by: person,
                asked_at: now,
                decided: None,
            };
            looks::add(conn, id, &look)?;
            let cause = log(conn, &case, &look, person, "ask_to_look", now)?;
            let mut others = coordinators_of(conn, &case, now)?;
            others.remove(&person);
            write_to(
                conn,
                &desk,
                &case,
                &others,
                (Letter::RoomLookAsked, &cause),
                now,
            )?;
            Ok(look.id)
        });
        self.look_as_it_is(id, asked.await?).await
    }

    /// Says yes or no to somebody else's request. A yes opens the room to the one who asked, and tells those whose it is.
    pub async fn decide_look(
        &self,
        caller: Credential,
        (id, look): (CaseId, LookId),
        approve: bool,
        key: Option<OnceKey>,
    ) -> Result<LookSight, Error> {
        let desk = self.clone();
        let may = move |conn: &mut Conn, actor: &Actor| of_clero(conn, id, actor, desk.clock.now());
        let desk = self.clone();
        let decided = self.write_once(caller, key, may, move |conn, actor, now| {
            let (case, _) = read::find(conn, id, actor, now)?;
            let person = actor.person.ok_or(Error::SignIn)?;
            let look = looks::find(conn, id, look)?.ok_or(Error::Missing)?;
            if look.asked_by == person {
                return Err(Error::NotAllowed);
            }
            signin::fresh(actor, now)?;
            let hours = chrono::Duration::hours(look.hours.into());
            let decision = LookDecision {
                by: person,
                at: now,
                until: approve.then(|| now.plus(hours)),
            };
            if !looks::decide(conn, look.id, decision)? {
                return Err(Error::Conflict(
                    "already-decided",
                    "This request has been decided already.",
                ));
            }
            let (event, letter) = if approve {
                ("approve_look", Letter::RoomLookApproved)
            } else {
                ("decline_look", Letter::RoomLookDeclined)
            };
            let cause = log(conn, &case, &look, person, event, now)?;
            let mut told = BTreeSet::from([look.asked_by]);
            if approve {
                told.extend(people_of_room(conn, &case, look.room, now)?);
            }
            write_to(conn, &desk, &case, &told, (letter, &cause), now)?;
            Ok(look.id)
        });
        self.look_as_it_is(id, decided.await?).await
    }

    /// A request as it stands, for whoever has just done something to it.
    async fn look_as_it_is(&self, case: CaseId, id: LookId) -> Result<LookSight, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let look = looks::find(conn, case, id)?.ok_or(Error::Missing)?;
                sight(conn, case, look, now)
            })
            .await
    }
}

/// Those of CLERO without a connection to a party ask and decide; to everybody else there is nothing here.
fn of_clero(conn: &mut Conn, id: CaseId, actor: &Actor, now: Moment) -> Result<(), Error> {
    match read::find(conn, id, actor, now)? {
        (_, Capacity::Coordinator) => Ok(()),
        (_, _) => Err(Error::NotAllowed),
    }
}

fn may_know(case: &Case, capacity: Capacity, look: &Look) -> bool {
    let approved = look
        .decided
        .is_some_and(|decision| decision.until.is_some());
    capacity == Capacity::Coordinator || approved && reads_room(case, capacity, look.room)
}

/// Whether a coordinator may read `room` at this moment because somebody opened it to them.
pub(super) fn opens(
    conn: &mut Conn,
    case: CaseId,
    capacity: Capacity,
    room: Room,
    actor: &Actor,
    now: Moment,
) -> Result<bool, Error> {
    match actor.person {
        Some(person) if capacity == Capacity::Coordinator => {
            Ok(looks::opens(conn, case, room, person, now)?)
        }
        Some(_) | None => Ok(false),
    }
}

/// Lets somebody of CLERO look at something in a room that was opened to them, and writes it down.
pub(super) fn look(
    conn: &mut Conn,
    case: &Case,
    capacity: Capacity,
    room: Room,
    actor: &Actor,
    what: &'static str,
    now: Moment,
) -> Result<(), Error> {
    if !opens(conn, case.id, capacity, room, actor, now)? {
        return Err(Error::Missing);
    }
    let person = actor.person.ok_or(Error::SignIn)?;
    events::append(
        conn,
        events::Entry {
            chain: chain(case.id, room, person),
            at: now,
            actor: Some(person),
            capacity: Capacity::Coordinator.name(),
            on_behalf_of: None,
            event: LOOKED,
            audience: audience(room),
            keeper: Keeper::of(case.id, room, person),
            body: json!({ "read": what }),
        },
    )?;
    Ok(())
}

/// An entry in the log of the room, which the people of the room may have read to them.
fn log(
    conn: &mut Conn,
    case: &Case,
    look: &Look,
    by: PersonId,
    event: &'static str,
    now: Moment,
) -> Result<String, Error> {
    let entry = events::Entry {
        chain: chain(case.id, look.room, by),
        at: now,
        actor: Some(by),
        capacity: Capacity::Coordinator.name(),
        on_behalf_of: None,
        event,
        audience: audience(look.room),
        keeper: Keeper::of(case.id, look.room, by),
        body: json!({ "look": look.id, "ground": look.ground, "hours": look.hours }),
    };
    Ok(format!("{}:{event}", events::append(conn, entry)?))
}

fn write_to(
    conn: &mut Conn,
    desk: &Desk,
    case: &Case,
    those: &BTreeSet<PersonId>,
    (letter, cause): (Letter, &str),
    now: Moment,
) -> Result<(), Error> {
    for person in people::all_of(conn, those)? {
        let about = About {
            case: Some((case.id, &case.reference.0)),
            ..About::default()
        };
        send(
            conn,
            &desk.letters,
            &desk.settings,
            &person,
            letter,
            about,
            cause,
            now,
        )?;
    }
    Ok(())
}

fn sight(conn: &mut Conn, case: CaseId, look: Look, now: Moment) -> Result<LookSight, Error> {
    let ids = [Some(look.asked_by), look.decided.map(|d| d.by)];
    let names = people::names(conn, &ids.into_iter().flatten().collect())?;
    let named = |id: PersonId| PersonName {
        id,
        name: names.get(&id).cloned().unwrap_or_default(),
    };
    let until = look.decided.and_then(|decision| decision.until);
    let state = match (look.decided, until) {
        (None, _) => LookState::Asked,
        (Some(_), None) => LookState::Declined,
        (Some(_), Some(until)) if now < until => LookState::Approved,
        (Some(_), Some(_)) => LookState::Over,
    };
    let read = events::moments(
        conn,
        &chain(case, look.room, look.asked_by),
        LOOKED,
        look.asked_by,
    )?;
    let within = |at: &Moment| {
        look.decided.is_some_and(|d| *at >= d.at) && until.is_some_and(|until| *at < until)
    };
    Ok(LookSight {
        id: look.id,
        room: look.room,
        ground: look.ground,
        hours: look.hours,
        state,
        asked_by: named(look.asked_by),
        asked_at: look.asked_at,
        decided_by: look.decided.map(|d| named(d.by)),
        decided_at: look.decided.map(|d| d.at),
        until,
        looked_at: read.into_iter().filter(within).collect(),
        reason: look.reason,
    })
}
