//! Documents in rooms: laid down, listed, taken home, superseded by a later version, and released into a wider room as a
//! copy by whoever owns them (SPEC §5). A document's audience is its room, for good. What a good file is, is in `files`.
mod laying;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::read::{self, Page, Slice};
use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey, files, looks, once};
use crate::domain::access::{Capacity, CapacityName, reads_room};
use crate::domain::case::Case;
use crate::domain::document::{About, FileKind, Laid, may_lay_down};
use crate::domain::hash::hash_of_bytes;
use crate::domain::id::{CaseId, DocumentId, PersonId};
use crate::domain::people::Actor;
use crate::domain::room::Room;
use crate::domain::text::Line;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::documents::{self, Download};
use crate::store::people;
use laying::{lay_down, release};

/// A document as those who read its room see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    pub id: DocumentId,
    pub room: Room,
    /// Who can read it, in words.
    pub audience: String,
    pub name: Line,
    pub kind: FileKind,
    /// Octets.
    pub size: u64,
    /// The SHA-256 of its octets. Pictures are kept without what they told about whoever took them.
    pub sha256: String,
    pub note: Option<Line>,
    pub at: Moment,
    /// As what somebody laid it down.
    pub by: CapacityName,
    /// The version it came after.
    pub supersedes: Option<DocumentId>,
    /// The version that came after it.
    pub superseded_by: Option<DocumentId>,
    /// Whether it is a copy that was released from a narrower room.
    pub released: bool,
}

impl Document {
    fn of(laid: &Laid, about: About) -> Self {
        Self {
            id: laid.id,
            room: laid.room,
            audience: laid.room.audience().to_owned(),
            name: about.name,
            kind: about.kind,
            size: laid.size,
            sha256: about.sha256,
            note: about.note,
            at: laid.at,
            by: laid.by,
            supersedes: about.supersedes,
            superseded_by: laid.superseded_by,
            released: about.released,
        }
    }
}

/// Somebody who took a document home, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Downloaded {
    pub name: String,
    /// As what they met the case.
    pub capacity: CapacityName,
    pub at: Moment,
}

/// A room of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub case: CaseId,
    pub room: Room,
}

/// A file that somebody hands in.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// As it is called where it comes from; a path is made a label.
    pub name: String,
    pub octets: Vec<u8>,
    pub note: Option<Line>,
    /// The version this one takes the place of: the latest one, in the same room.
    pub supersedes: Option<DocumentId>,
}

/// A document on its way to somebody's own computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    pub name: Line,
    pub kind: FileKind,
    pub octets: Vec<u8>,
}

impl Desk {
    /// The documents of a room, in the order they came.
    pub async fn documents(
        &self,
        caller: Credential,
        place: Place,
        slice: Slice,
    ) -> Result<Page<Document>, Error> {
        let now = self.clock.now();
        let (again, rest) = (caller.clone(), slice.clone());
        let seen = self
            .db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, place.case, &actor, now)?;
                if looks::opens(conn, place.case, as_what, place.room, &actor, now)? {
                    return Ok(None);
                }
                if !reads_room(&case, as_what, place.room) {
                    return Err(Error::Missing);
                }
                listed(conn, place, &actor, &slice).map(Some)
            })
            .await?;
        match seen {
            Some(page) => Ok(page),
            None => self.look_at_documents(again, place, rest).await,
        }
    }

    /// The documents of a room that was opened to somebody of CLERO; each time is written down.
    async fn look_at_documents(
        &self,
        caller: Credential,
        place: Place,
        slice: Slice,
    ) -> Result<Page<Document>, Error> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, place.case, &actor, now)?;
                looks::look(conn, &case, as_what, place.room, &actor, "documents", now)?;
                listed(conn, place, &actor, &slice)
            })
            .await
    }

    /// What is known of a document.
    pub async fn document(
        &self,
        caller: Credential,
        case: CaseId,
        id: DocumentId,
    ) -> Result<Document, Error> {
        let (now, again) = (self.clock.now(), caller.clone());
        let seen = self
            .db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what, laid) = found(conn, case, id, &actor, now)?;
                if !reads_room(&case, as_what, laid.room) {
                    return Ok(None);
                }
                Ok::<_, Error>(Some(Document::of(&laid, documents::about(conn, id)?)))
            })
            .await?;
        if let Some(document) = seen {
            return Ok(document);
        }
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &again, now)?;
                let (case, as_what, laid) = found(conn, case, id, &actor, now)?;
                looks::look(conn, &case, as_what, laid.room, &actor, "document", now)?;
                Ok(Document::of(&laid, documents::about(conn, id)?))
            })
            .await
    }

    /// Lays down a document in a room. The file is looked at before anything else: what it must not be does not depend
    /// on where it goes.
    pub async fn add_document(
        &self,
        caller: Credential,
        place: Place,
        new: NewDocument,
        key: Option<OnceKey>,
    ) -> Result<Document, Error> {
        let shelf = self.settings.shelf;
        if !shelf.takes(length(&new.octets)) {
            return Err(Error::File(files::FileFlaw::TooLarge(shelf.document_mb)));
        }
        let name = files::label(&new.name).map_err(Error::File)?;
        let (kind, octets) = files::inspect(name.as_str(), new.octets).map_err(Error::File)?;
        let about = About {
            name,
            kind,
            sha256: hash_of_bytes(&octets),
            note: new.note,
            supersedes: new.supersedes,
            released: false,
        };
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = read::find(conn, place.case, &actor, now)?;
                may_enter(&case, as_what, place.room)?;
                let id = once(conn, actor.person, key.as_ref(), now, |conn| {
                    lay_down(conn, &desk, place, &actor, (&about, &octets), now)
                })?;
                shown(conn, place.case, id, &actor, now)
            })
            .await
    }

    /// Hands out a document, and writes down to whom.
    pub async fn download(
        &self,
        caller: Credential,
        case: CaseId,
        id: DocumentId,
    ) -> Result<Parcel, Error> {
        let now = self.clock.now();
        let laid = self
            .db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what, laid) = found(conn, case, id, &actor, now)?;
                if !reads_room(&case, as_what, laid.room) {
                    looks::look(conn, &case, as_what, laid.room, &actor, "download", now)?;
                }
                let download = Download {
                    id: Uuid::new_v4(),
                    person: actor.person.ok_or(Error::SignIn)?,
                    capacity: as_what.name(),
                    at: now,
                };
                documents::add_download(conn, id, &download)?;
                Ok::<_, Error>(laid)
            })
            .await?;
        self.db
            .read(move |conn| {
                let about = documents::about(conn, id)?;
                let octets = documents::octets(conn, &laid)?;
                Ok(Parcel {
                    name: about.name,
                    kind: about.kind,
                    octets,
                })
            })
            .await
    }

    /// Releases a document of one's own into a wider room: a copy is laid down there, and the document stays where it
    /// is, with what was said beside it.
    pub async fn release_document(
        &self,
        caller: Credential,
        case: CaseId,
        id: DocumentId,
        to: Room,
        key: Option<OnceKey>,
    ) -> Result<Document, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                found(conn, case, id, &actor, now)?;
                let copy = once(conn, actor.person, key.as_ref(), now, |conn| {
                    release(conn, &desk, (case, id), to, &actor, now)
                })?;
                shown(conn, case, copy, &actor, now)
            })
            .await
    }

    /// Who took a document home, for those it belongs to: the side of a side's room, and everybody who reads it
    /// anywhere else.
    pub async fn downloads(
        &self,
        caller: Credential,
        case: CaseId,
        id: DocumentId,
        slice: Slice,
    ) -> Result<Page<Downloaded>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (_, as_what, laid) = found(conn, case, id, &actor, now)?;
                if laid
                    .room
                    .side()
                    .is_some_and(|side| as_what.side() != Some(side))
                {
                    return Err(Error::NotAllowed);
                }
                let list = ("downloads", actor.person, id);
                let after: Option<(Moment, Uuid)> = slice.place(&list)?;
                let found = documents::downloads_of(conn, id, after, slice.most() + 1)?;
                let page = slice.page(found, &list, |download| (download.at, download.id));
                let those: BTreeSet<PersonId> = page.items.iter().map(|d| d.person).collect();
                let names = people::names(conn, &those)?;
                let items = page
                    .items
                    .iter()
                    .map(|download| Downloaded {
                        name: names.get(&download.person).cloned().unwrap_or_default(),
                        capacity: download.capacity,
                        at: download.at,
                    })
                    .collect();
                Ok(Page {
                    items,
                    next: page.next,
                })
            })
            .await
    }
}

fn listed(
    conn: &mut Conn,
    place: Place,
    actor: &Actor,
    slice: &Slice,
) -> Result<Page<Document>, Error> {
    let list = ("documents", actor.person, place.case, place.room);
    let after: Option<(Moment, DocumentId)> = slice.place(&list)?;
    let author = whose(place.room, actor.person);
    let here = (place.case, place.room);
    let found = documents::page(conn, here, author, after, slice.most() + 1)?;
    let page = slice.page(found, &list, |(laid, _)| (laid.at, laid.id));
    let items = page.items.into_iter();
    Ok(Page {
        items: items
            .map(|(laid, about)| Document::of(&laid, about))
            .collect(),
        next: page.next,
    })
}

fn length(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).unwrap_or(u64::MAX)
}

/// Notes are read by their author alone; everywhere else it does not matter whose a document is.
fn whose(room: Room, reader: Option<PersonId>) -> Option<PersonId> {
    match room {
        Room::Notes => reader,
        Room::Joint | Room::Private(_) | Room::Own(_) | Room::Neutrals | Room::Process => None,
    }
}

/// Whether somebody may lay down documents in a room of a case they may see; whether it is open is asked later.
fn may_enter(case: &Case, as_what: Capacity, room: Room) -> Result<(), Error> {
    if !reads_room(case, as_what, room) {
        Err(Error::Missing)
    } else if may_lay_down(case, as_what, room) {
        Ok(())
    } else {
        Err(Error::NotAllowed)
    }
}

/// A document of a case for `actor`, or nothing: one in a room they do not read looks like one that is not there.
fn found(
    conn: &mut Conn,
    case: CaseId,
    id: DocumentId,
    actor: &Actor,
    now: Moment,
) -> Result<(Arc<Case>, Capacity, Laid), Error> {
    let (case, as_what) = read::find(conn, case, actor, now)?;
    let laid = documents::find(conn, id)?
        .filter(|laid| laid.case == case.id)
        .filter(|laid| whose(laid.room, actor.person).is_none_or(|reader| reader == laid.author))
        .ok_or(Error::Missing)?;
    let reads = reads_room(&case, as_what, laid.room)
        || looks::opens(conn, case.id, as_what, laid.room, actor, now)?;
    if reads {
        Ok((case, as_what, laid))
    } else {
        Err(Error::Missing)
    }
}

fn shown(
    conn: &mut Conn,
    case: CaseId,
    id: DocumentId,
    actor: &Actor,
    now: Moment,
) -> Result<Document, Error> {
    let (_, _, laid) = found(conn, case, id, actor, now)?;
    Ok(Document::of(&laid, documents::about(conn, id)?))
}
