//! Documents over HTTP.
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Data};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::cases::SliceQuery;
use super::{Answer, json};
use crate::casework::Desk;
use crate::casework::documents::{Document, NewDocument, Place};
use crate::domain::decide::Flaw;
use crate::domain::id::{CaseId, DocumentId};
use crate::domain::room::Room;
use crate::domain::text::Line;
use crate::web::ask::{Ask, Signed};
use crate::web::form;
use crate::web::problem::{Kind, Problem};

/// Where a document is released to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// A wider room than the one it lies in.
    pub to: Room,
}

fn place(ask: &Ask) -> Result<Place, Problem> {
    Ok(Place {
        case: ask.id("case", CaseId::parse)?,
        room: ask.id("room", Room::parse)?,
    })
}

fn document(ask: &Ask) -> Result<(CaseId, DocumentId), Problem> {
    Ok((
        ask.id("case", CaseId::parse)?,
        ask.id("document", DocumentId::parse)?,
    ))
}

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let (place, query): (_, SliceQuery) = (place(&ask)?, ask.query()?);
    let slice = query.slice()?;
    json(
        StatusCode::OK,
        &desk.documents(ask.caller, place, slice).await?,
    )
}

pub async fn add(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let place = place(&ask)?;
    let sent = form::upload(ask.headers(), octets).await?;
    if !sent.own.is_empty() {
        return Err(Problem::new(Kind::BadRequest)
            .saying("Only `file`, `note` and `supersedes` are known here."));
    }
    let key = ask.key(&sent.fingerprint())?;
    let flawed = |pointer: &str, words: &str| {
        Problem::new(Kind::Invalid).with(vec![Flaw::at(pointer, words)])
    };
    let note = sent
        .note
        .map(|note| Line::parse(&note).map_err(|why| flawed("/note", &why.to_string())))
        .transpose()?;
    let supersedes = sent
        .supersedes
        .map(|id| {
            DocumentId::parse(&id)
                .ok_or_else(|| flawed("/supersedes", "there is no such document in this room"))
        })
        .transpose()?;
    let new = NewDocument {
        name: sent.name,
        octets: sent.octets,
        note,
        supersedes,
    };
    let laid = desk.add_document(ask.caller, place, new, key).await?;
    created(place.case, &laid)
}

pub async fn read(ask: Ask, desk: Data<Desk>) -> Answer {
    let (case, id) = document(&ask)?;
    json(StatusCode::OK, &desk.document(ask.caller, case, id).await?)
}

/// A document as a file to keep. Nothing shows it as a page of ours, and nothing in it can run as one (SAFETY §4).
pub async fn content(ask: Ask, desk: Data<Desk>) -> Answer {
    let (case, id) = document(&ask)?;
    let parcel = desk.download(ask.caller, case, id).await?;
    Ok(HttpResponse::Ok()
        .content_type(parcel.kind.media_type())
        .insert_header((header::CONTENT_DISPOSITION, kept_as(parcel.name.as_str())))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .body(parcel.octets))
}

pub async fn release(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (case, id) = document(&ask)?;
    let (body, key): (Release, _) = (ask.body(&octets)?, ask.key(&octets)?);
    let copy = desk
        .release_document(ask.caller, case, id, body.to, key)
        .await?;
    created(case, &copy)
}

pub async fn downloads(ask: Ask, desk: Data<Desk>) -> Answer {
    let ((case, id), query): (_, SliceQuery) = (document(&ask)?, ask.query()?);
    let slice = query.slice()?;
    json(
        StatusCode::OK,
        &desk.downloads(ask.caller, case, id, slice).await?,
    )
}

fn created(case: CaseId, laid: &Document) -> Answer {
    let mut created = json(StatusCode::CREATED, laid)?;
    let place = format!("/api/v1/cases/{case}/documents/{}", laid.id);
    if let Ok(place) = HeaderValue::from_str(&place) {
        created.headers_mut().insert(header::LOCATION, place);
    }
    Ok(created)
}

/// Letters a name may have in a header as they are (RFC 8187 §3.2.1).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// That an answer is a file to keep, and under which name: once for everybody in ASCII, once as it is (RFC 6266).
fn kept_as(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _other => '_',
        })
        .collect();
    format!(
        "attachment; filename=\"{ascii}\"; filename*=UTF-8''{}",
        utf8_percent_encode(name, PLAIN)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        assert_eq!(
            kept_as("Zo\u{EB}'s \"plan\"; a\\b 100%.pdf"),
            "attachment; filename=\"Zo_'s _plan_; a_b 100_.pdf\"; filename*=UTF-8''Zo%C3%AB%27s%20%22plan%22%3B%20a%5Cb%20100%25.pdf"
        );
    }
}
