//! The one form of upload: `multipart/form-data` with a part `file` and perhaps a few short texts (RFC 7578). What the
//! file may be is decided by `casework::files`.
use std::collections::BTreeMap;
use std::future::ready;

use actix_multipart::{Field, Multipart};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::guard::UPLOAD_CAP;
use super::problem::{Kind, Problem};
use crate::domain::hash::hash_of_bytes;

/// The most octets a text beside the file may have.
const LONGEST_TEXT: usize = 4096;

/// The most parts a page sends along for itself.
const MOST_OWN: usize = 4;

/// What an upload holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The name of the file, as it was sent.
    pub name: String,
    pub octets: Vec<u8>,
    pub note: Option<String>,
    pub supersedes: Option<String>,
    /// What a page of ours sends along for itself: names that begin with `_`.
    pub own: BTreeMap<String, String>,
}

impl Upload {
    /// The same for the same upload, whatever stands between its parts: clients draw that anew each time.
    #[must_use]
    pub fn fingerprint(&self) -> Vec<u8> {
        json!([
            self.name,
            self.note,
            self.supersedes,
            hash_of_bytes(&self.octets)
        ])
        .to_string()
        .into_bytes()
    }
}

/// Whether a request says that it brings a form.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE);
    let (Some(kind), None) = (kinds.next().and_then(|v| v.to_str().ok()), kinds.next()) else {
        return false;
    };
    kind.split(';')
        .next()
        .is_some_and(|k| k.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// Reads an upload out of a body that has arrived.
pub async fn upload(headers: &HeaderMap, body: Bytes) -> Result<Upload, Problem> {
    if !is_form(headers) {
        return Err(Problem::new(Kind::Unsupported)
            .saying("Send `multipart/form-data` with a part `file`, uncompressed."));
    }
    let whole = stream::once(ready(Ok::<Bytes, PayloadError>(body)));
    let mut parts = Multipart::new(headers, whole);
    let (mut file, mut note, mut supersedes) = (None, None, None);
    let mut own = BTreeMap::new();
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| unreadable())?;
        match part.name().unwrap_or_default().to_owned().as_str() {
            "file" if file.is_none() => file = Some(file_of(&mut part).await?),
            "note" if note.is_none() => note = Some(text(&mut part).await?),
            "supersedes" if supersedes.is_none() => supersedes = Some(text(&mut part).await?),
            name if name.starts_with('_') && own.len() < MOST_OWN && !own.contains_key(name) => {
                own.insert(name.to_owned(), text(&mut part).await?);
            }
            _other => return Err(unreadable()),
        }
    }
    let (name, octets) = file.ok_or_else(unreadable)?;
    // A page sends a field that was left empty as an empty text.
    let said = |text: Option<String>| text.filter(|t| !t.is_empty());
    Ok(Upload {
        name,
        octets,
        note: said(note),
        supersedes: said(supersedes),
        own,
    })
}

fn unreadable() -> Problem {
    Problem::new(Kind::BadRequest).saying(
        "This is not a form we can read: send one part `file` with a file name, and at most one `note` and one `supersedes`.",
    )
}

async fn file_of(part: &mut Field) -> Result<(String, Vec<u8>), Problem> {
    let name = part
        .content_disposition()
        .and_then(|said| said.get_filename())
        .ok_or_else(unreadable)?
        .to_owned();
    Ok((name, octets(part, UPLOAD_CAP).await?))
}

async fn text(part: &mut Field) -> Result<String, Problem> {
    String::from_utf8(octets(part, LONGEST_TEXT).await?).map_err(|_| unreadable())
}

async fn octets(part: &mut Field, most: usize) -> Result<Vec<u8>, Problem> {
    match part.bytes(most).await {
        Ok(Ok(octets)) => Ok(octets.to_vec()),
        Ok(Err(_)) => Err(unreadable()),
        Err(_) => Err(Problem::new(Kind::TooLarge)),
    }
}
