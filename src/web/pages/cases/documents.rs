//! Documents of a case: laid down in a room, taken home, released. They are shown as a list and never opened here.
use serde_json::{Value, json};

use super::messages::{band, choices};
use super::{Open, open};
use crate::casework::documents::{Document, NewDocument, Place};
use crate::domain::decide::Flaw;
use crate::domain::id::{CaseId, DocumentId};
use crate::domain::room::{Room, is_wider};
use crate::domain::text::Line;
use crate::web::api::{Answer, documents};
use crate::web::form;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// Every room, with what lies in it.
pub async fn rooms(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let mut rooms = Vec::new();
    for mut choice in choices(&open, false) {
        let Some(room) = choice["room"].as_str().and_then(Room::parse) else {
            continue;
        };
        let page = visit
            .desk
            .documents(
                visit.caller(),
                Place {
                    case: open.id(),
                    room,
                },
                visit.slice(100)?,
            )
            .await?;
        choice["documents"] = page.items.iter().map(|d| shown(&open, d)).collect();
        choice["lays"] = lays(&open, room).into();
        rooms.push(choice);
    }
    rooms.sort_by_key(|r| r["documents"].as_array().is_none_or(Vec::is_empty));
    visit.page(
        "cases/documents",
        json!({ "case": open.head("documents"), "rooms": rooms }),
    )
}

/// Whether there is a way to lay something down here: the neutral only reads a side's private room.
fn lays(open: &Open, room: Room) -> bool {
    let writes = open
        .room(room)
        .is_some_and(|r| r.you_may_write && r.closed_because.is_none());
    writes && !(open.is_neutral() && matches!(room, Room::Private(_)))
}

fn shown(open: &Open, document: &Document) -> Value {
    let own = document.by.side().is_some() && document.by.side() == open.side()
        || open.is_neutral() && document.by.side().is_none();
    let ways = Room::ALL
        .into_iter()
        .filter(|to| is_wider(document.room, *to) && open.room(*to).is_some())
        .count();
    json!({
        "id": document.id, "name": document.name, "size": document.size, "at": document.at, "by": document.by, "note": document.note,
        "released": document.released, "superseded": document.superseded_by.is_some(), "supersedes": document.supersedes.is_some(),
        "may_release": own && ways > 0,
    })
}

fn place(visit: &Visit) -> Result<Place, Problem> {
    Ok(Place {
        case: visit.id("case", CaseId::parse)?,
        room: visit.id("room", Room::parse)?,
    })
}

/// The form for laying a document down.
pub async fn add_form(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let place = place(&visit)?;
    if open.room(place.room).is_none() {
        return Err(Problem::new(Kind::NotFound));
    }
    let page = visit
        .desk
        .documents(visit.caller(), place, visit.slice(100)?)
        .await?;
    let latest: Vec<Value> = page
        .items
        .iter()
        .filter(|d| d.superseded_by.is_none())
        .map(|d| json!({ "value": d.id, "label": d.name, "hint": null }))
        .collect();
    let data = json!({
        "case": open.head("documents"), "room": place.room, "band": band(&open, place.room), "latest": latest,
        "lays": lays(&open, place.room), "closed": open.room(place.room).and_then(|r| r.closed_because.as_ref()).map(|c| c.message.clone()),
    });
    visit.form("cases/document_add", data, Fields::default(), String::new())
}

/// Takes a document.
pub async fn add(mut visit: Visit) -> Answer {
    let place = place(&visit)?;
    let sent = form::upload(visit.ask.headers(), visit.octets.clone()).await?;
    visit.is_ours(sent.own.get("_csrf").map(String::as_str))?;
    let once = sent
        .own
        .get("_once")
        .and_then(|key| visit.once_for(key, &sent.fingerprint()));
    let mut typed = Fields::default();
    typed.add_some("note", sent.note.as_ref());
    typed.add_some("supersedes", sent.supersedes.as_ref());
    visit.typed = Some(typed);
    let done = match read(sent) {
        Ok(new) => visit
            .desk
            .add_document(visit.caller(), place, new, once)
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!("/cases/{}/documents?done=laid_down", place.case)),
        Err(problem) => add_form(visit.troubled(problem)?).await,
    }
}

/// What the form says besides the file.
fn read(sent: form::Upload) -> Result<NewDocument, Problem> {
    let flawed =
        |at: &str, words: &str| Problem::new(Kind::Invalid).with(vec![Flaw::at(at, words)]);
    let note = sent
        .note
        .as_deref()
        .map(Line::parse)
        .transpose()
        .map_err(|why| flawed("/note", &why.to_string()))?;
    let supersedes = sent
        .supersedes
        .map(|id| {
            DocumentId::parse(&id)
                .ok_or_else(|| flawed("/supersedes", "please choose one of this room"))
        })
        .transpose()?;
    Ok(NewDocument {
        name: sent.name,
        octets: sent.octets,
        note,
        supersedes,
    })
}

/// One document: what is known of it, who took it home, and its release.
pub async fn document(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let id = visit.id("document", DocumentId::parse)?;
    let found = visit.desk.document(visit.caller(), open.id(), id).await?;
    let taken = visit
        .desk
        .downloads(visit.caller(), open.id(), id, visit.slice(50)?)
        .await;
    let taken: Option<Vec<Value>> = taken.ok().map(|page| {
        page.items
            .iter()
            .map(|d| json!({ "name": d.name, "capacity": d.capacity, "at": d.at }))
            .collect()
    });
    let ways: Vec<Value> = Room::ALL
        .into_iter()
        .filter(|to| is_wider(found.room, *to) && open.room(*to).is_some())
        .map(|to| json!({ "to": to, "band": band(&open, to) }))
        .collect();
    let data = json!({
        "case": open.head("documents"), "document": shown(&open, &found), "band": band(&open, found.room), "taken": taken, "ways": ways,
    });
    visit.form("cases/document", data, Fields::default(), String::new())
}

/// Releases a document into a wider room.
pub async fn release(visit: Visit) -> Answer {
    let (case, id) = (
        visit.id("case", CaseId::parse)?,
        visit.id("document", DocumentId::parse)?,
    );
    let done = match visit.body::<documents::Release>() {
        Ok(to) => visit
            .desk
            .release_document(visit.caller(), case, id, to.to, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!("/cases/{case}/documents?done=released")),
        Err(problem) => document(visit.troubled(problem)?).await,
    }
}

/// Hands a document out as a file to keep.
pub async fn content(visit: Visit) -> Answer {
    documents::content(visit.ask.clone(), visit.desk.clone()).await
}
