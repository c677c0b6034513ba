//! How a document comes to lie in a room: in one transaction with the case held, the room asked whether it is open and
//! has space, the log of the room written, and those who read there told. Who may do it at all is asked here once more.
use std::collections::BTreeSet;

use serde_json::json;

use super::{Place, found, length, may_enter, whose};
use crate::casework::rooms::{audience, chain};
use crate::casework::tell::{self, people_of_room};
use crate::casework::{Desk, Error, signin};
use crate::domain::access::{CapacityName, capacity};
use crate::domain::case::Case;
use crate::domain::document::{About, Laid};
use crate::domain::id::{CaseId, DocumentId, EventId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::people::Actor;
use crate::domain::reason::Reason;
use crate::domain::room::{Put, Room, closed_because, is_wider, may_release};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{cases, documents, events, people};

/// Who acts, as what, and when.
#[derive(Debug, Clone, Copy)]
struct Acting {
    person: PersonId,
    by: CapacityName,
    now: Moment,
}

fn open_now(case: &Case, room: Room) -> Result<(), Error> {
    match closed_because(case, room) {
        Some(reason) => Err(Error::Unmet(case.stage, vec![reason])),
        None => Ok(()),
    }
}

/// Lays down a file that was found good.
pub(super) fn lay_down(
    conn: &mut Conn,
    desk: &Desk,
    place: Place,
    actor: &Actor,
    (about, octets): (&About, &[u8]),
    now: Moment,
) -> Result<DocumentId, Error> {
    let case = cases::lock(conn, place.case)?.ok_or(Error::Missing)?;
    let as_what = capacity(&case, actor, now).ok_or(Error::Missing)?;
    may_enter(&case, as_what, place.room)?;
    open_now(&case, place.room)?;
    let acting = Acting {
        person: actor.person.ok_or(Error::SignIn)?,
        by: as_what.name(),
        now,
    };
    if let Some(before) = about.supersedes {
        is_latest(conn, place, before, actor, now)?;
    }
    let laid = on_the_shelf(conn, desk, place, acting, octets)?;
    documents::add(conn, &laid, about, octets)?;
    if let Some(before) = about.supersedes
        && !documents::mark_superseded(conn, before, laid.id)?
    {
        return Err(has_a_later_version());
    }
    let said = json!({ "document": laid.id, "sha256": about.sha256 });
    let event = append(conn, &laid, acting, "document_added", said)?;
    tell_readers(conn, desk, &case, &laid, event, acting).map(|()| laid.id)
}

/// A new place for a document, if the room can still hold it.
fn on_the_shelf(
    conn: &mut Conn,
    desk: &Desk,
    place: Place,
    acting: Acting,
    octets: &[u8],
) -> Result<Laid, Error> {
    let laid = Laid {
        id: DocumentId::random(),
        case: place.case,
        room: place.room,
        at: acting.now,
        author: acting.person,
        by: acting.by,
        size: length(octets),
        superseded_by: None,
    };
    let author = whose(place.room, Some(acting.person));
    let held = documents::size_of_room(conn, (place.case, place.room), author)?;
    if desk.settings.shelf.has_room(held, laid.size) {
        return Ok(laid);
    }
    let stage = cases::find(conn, place.case)?.ok_or(Error::Missing)?.stage;
    Err(Error::Unmet(stage, vec![Reason::RoomFull]))
}

/// A document that is named as the version before must be the latest one, in this room. One that is not here is as good
/// as one that is nowhere, wherever it is.
fn is_latest(
    conn: &mut Conn,
    place: Place,
    before: DocumentId,
    actor: &Actor,
    now: Moment,
) -> Result<(), Error> {
    let unknown = || Error::flaw("/supersedes", "there is no such document in this room");
    let laid = match found(conn, place.case, before, actor, now) {
        Ok((_, _, laid)) => laid,
        Err(Error::Missing) => return Err(unknown()),
        Err(other) => return Err(other),
    };
    if laid.room != place.room {
        return Err(unknown());
    }
    match laid.superseded_by {
        None => Ok(()),
        Some(_) => Err(has_a_later_version()),
    }
}

fn has_a_later_version() -> Error {
    Error::flaw(
        "/supersedes",
        "this document has a later version already; please name the latest one",
    )
}

/// Lays down a copy of somebody's own document in a wider room.
pub(super) fn release(
    conn: &mut Conn,
    desk: &Desk,
    (case, id): (CaseId, DocumentId),
    to: Room,
    actor: &Actor,
    now: Moment,
) -> Result<DocumentId, Error> {
    cases::lock(conn, case)?.ok_or(Error::Missing)?;
    let (case, as_what, laid) = found(conn, case, id, actor, now)?;
    if !is_wider(laid.room, to) {
        return Err(Error::flaw(
            "/to",
            "a document can be released into a wider room only: from a side's own documents to its private room or the joint room, and from there or from the neutrals' room to the joint room",
        ));
    }
    let put = Put {
        room: laid.room,
        by: laid.by,
        at: laid.at,
    };
    if !may_release(&case, as_what, put, to) {
        return Err(Error::NotAllowed);
    }
    open_now(&case, to)?;
    let acting = Acting {
        person: actor.person.ok_or(Error::SignIn)?,
        by: as_what.name(),
        now,
    };
    let octets = documents::octets(conn, &laid)?;
    let place = Place {
        case: case.id,
        room: to,
    };
    let copy = on_the_shelf(conn, desk, place, acting, &octets)?;
    // A note was written for those who read it where it is, and so was what this is a version of.
    let about = About {
        note: None,
        supersedes: None,
        released: true,
        ..documents::about(conn, id)?
    };
    signin::fresh(actor, now)?;
    documents::add(conn, &copy, &about, &octets)?;
    let left = json!({ "document": id, "sha256": about.sha256, "to": to, "copy": copy.id });
    append(conn, &laid, acting, "document_released", left)?;
    let came = json!({ "document": copy.id, "sha256": about.sha256 });
    let event = append(conn, &copy, acting, "document_released", came)?;
    tell_readers(conn, desk, &case, &copy, event, acting).map(|()| copy.id)
}

/// Writes into the log of the room a document lies in; its words are sealed like the room's.
fn append(
    conn: &mut Conn,
    laid: &Laid,
    acting: Acting,
    event: &str,
    body: serde_json::Value,
) -> Result<EventId, Error> {
    Ok(events::append(
        conn,
        events::Entry {
            chain: chain(laid.case, laid.room, laid.author),
            at: acting.now,
            actor: Some(acting.person),
            capacity: acting.by,
            on_behalf_of: None,
            event,
            audience: audience(laid.room),
            keeper: Keeper::of(laid.case, laid.room, laid.author),
            body,
        },
    )?)
}

/// Tells everybody who reads the room but whoever acted.
fn tell_readers(
    conn: &mut Conn,
    desk: &Desk,
    case: &Case,
    laid: &Laid,
    event: EventId,
    acting: Acting,
) -> Result<(), Error> {
    let readers = match laid.room {
        Room::Notes => BTreeSet::new(),
        Room::Joint | Room::Private(_) | Room::Own(_) | Room::Neutrals | Room::Process => {
            people_of_room(conn, case, laid.room, acting.now)?
        }
    };
    let letter = Letter::DocumentAdded;
    for person in people::all_of(conn, &readers)? {
        if person.id == acting.person {
            continue;
        }
        tell::send(
            conn,
            &desk.letters,
            &desk.settings,
            &person,
            letter,
            tell::About {
                case: Some((case.id, &case.reference.0)),
                ..tell::About::default()
            },
            &format!("{event}:{}", letter.word()),
            acting.now,
        )?;
    }
    Ok(())
}
