//! How the API is used, for those who write programs: the document itself, and the same as a long page.
use std::convert::Infallible;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::web::{self, Bytes};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};

use super::frame::Language;
use super::visit::{Visit, nobody};
use crate::web::api::Answer;
use crate::web::openapi;
use crate::web::problem::{Kind, Problem};

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);
static DOCUMENT_TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// The document, for programs.
pub async fn document(_: Visit) -> Answer {
    let page = once_made(|| DOCUMENT_TEXT.as_str()).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(in_pieces(page)))
}

/// What a kind of problem means.
pub async fn problem(visit: Visit) -> Answer {
    let kind = visit.id("slug", |slug| {
        Kind::ALL.iter().copied().find(|k| k.slug() == slug)
    })?;
    visit.page("api/problem", json!({ "name": kind.title(), "status": kind.status().as_u16(), "what": kind.what_to_do() }))
}

/// How the API is used: a long page, the same for everybody, and so rendered once.
pub async fn docs(_: Visit) -> Answer {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let words = json!({ "rooms": rooms(&DOCUMENT), "shapes": shapes(&DOCUMENT), "problems": problems(), "here": nobody("/api/docs"), "errors": [], "stale": false });
        Language::first()
            .page("api/docs", &words)
            .expect("the page is part of the program, and a test renders it")
    });
    let page = once_made(|| PAGE.as_str()).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(in_pieces(page)))
}
/// A page that takes a while to make, the first time: made apart from the threads that answer everybody else.
async fn once_made(
    page: impl FnOnce() -> &'static str + Send + 'static,
) -> Result<&'static str, Problem> {
    web::block(page)
        .await
        .map_err(|_| Problem::new(Kind::Unavailable))
}

/// How many octets of a long page are handed over at a time.
const PIECE: usize = 16 * 1024;

/// A long page, handed over piece by piece: a client that reads slowly holds a piece in memory, and not the whole.
fn in_pieces(
    page: &'static str,
) -> SizedStream<impl Stream<Item = Result<Bytes, Infallible>> + 'static> {
    let pieces = page
        .as_bytes()
        .chunks(PIECE)
        .map(|piece| Ok(Bytes::from_static(piece)));
    SizedStream::new(page.len() as u64, stream::iter(pieces))
}

fn problems() -> Vec<Value> {
    Kind::ALL.iter().map(|k| json!({ "slug": k.slug(), "status": k.status().as_u16(), "title": k.title(), "what": k.what_to_do() })).collect()
}

/// The operations of the document by room, flat enough for a template.
fn rooms(document: &Value) -> Vec<Value> {
    let mut rooms: Vec<(String, Vec<Value>)> = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let room = operation["tags"][0].as_str().unwrap_or("api").to_owned();
            let parameters: Vec<Value> = operation["parameters"].as_array().into_iter().flatten().map(|p| json!({ "name": p["name"], "place": p["in"], "needed": p["required"], "words": p.get("description").cloned().unwrap_or(json!("")) })).collect();
            let answers: Vec<Value> = operation["responses"].as_object().into_iter().flatten().map(|(status, r)| json!({ "status": status, "words": r["description"], "shape": shape_name(&r["content"]["application/json"]["schema"]) })).collect();
            let shown = json!({ "method": method.to_uppercase(), "path": path, "name": operation["operationId"], "summary": operation["summary"], "parameters": parameters,
                "body": body_shapes(&operation["requestBody"]["content"]["application/json"]["schema"]), "answers": answers });
            match rooms.iter_mut().find(|(name, _)| *name == room) {
                Some((_, list)) => list.push(shown),
                None => rooms.push((room, vec![shown])),
            }
        }
    }
    rooms
        .into_iter()
        .map(|(name, operations)| json!({ "name": name, "operations": operations }))
        .collect()
}

fn body_shapes(schema: &Value) -> Vec<String> {
    match schema["oneOf"].as_array() {
        Some(all) => all.iter().map(shape_name).collect(),
        None => Some(shape_name(schema))
            .filter(|n| !n.is_empty())
            .into_iter()
            .collect(),
    }
}

fn shape_name(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if schema["type"] == "array" {
        return shape_name(&schema["items"]);
    }
    String::new()
}

fn shapes(document: &Value) -> Vec<Value> {
    document["components"]["schemas"].as_object().into_iter().flatten().map(|(name, schema)| {
        let words = schema["description"].as_str().unwrap_or_default();
        json!({ "name": name, "words": words, "schema": serde_json::to_string_pretty(schema).unwrap_or_default() })
    }).collect()
}
