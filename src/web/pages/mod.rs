//! Pages for people, rendered on the server and complete without a script. For now: how the API is used, what each
//! problem means, and a plain word for whoever follows the link of a letter.
use std::convert::Infallible;
use std::sync::LazyLock;

use actix_web::body::{MessageBody, SizedStream};
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Responder, ResponseError};
use futures_util::stream::{self, Stream};
use handlebars::Handlebars;
use serde_json::{Value, json};

use super::api::{Answer, meetings};
use super::ask::Ask;
use super::openapi;
use super::problem::{Kind, Problem};
use crate::casework::Desk;

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);
static DOCUMENT_TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

static TEMPLATES: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut pages = Handlebars::new();
    pages.set_strict_mode(true);
    for (name, source) in [
        ("layout", include_str!("templates/layout.hbs")),
        ("docs", include_str!("templates/docs.hbs")),
        ("problem", include_str!("templates/problem.hbs")),
        ("door", include_str!("templates/door.hbs")),
    ] {
        pages
            .register_template_string(name, source)
            .expect("the pages are part of the program, and a test renders each");
    }
    pages
});

/// Puts the pages in their places.
pub fn configure(config: &mut ServiceConfig) {
    at(config, "/", || async {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, "/api/docs"))
            .finish()
    });
    at(config, "/api/openapi.json", || async {
        let page = once_made(|| DOCUMENT_TEXT.as_str()).await?;
        let mut answer = HttpResponse::Ok();
        let answer = answer.content_type("application/json");
        Ok::<_, Problem>(answer.body(in_pieces(page)))
    });
    at(config, "/api/docs", docs);
    at(config, "/problems/{slug}", problem);
    at(config, "/sign-in", door);
    at(config, "/calendar/{secret}.ics", meetings::calendar);
    at(config, "/assets/house.css", || async {
        HttpResponse::Ok()
            .content_type("text/css; charset=utf-8")
            .body(include_str!("assets/house.css"))
    });
}

/// A page is there to be read, and says so to whoever tries something else.
fn at<F, Args>(config: &mut ServiceConfig, path: &str, handler: F)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let only_read = web::to(|| async {
        Problem::new(Kind::MethodNotAllowed)
            .allowing("GET, HEAD")
            .error_response()
    });
    config.service(
        web::resource(path)
            .route(web::get().to(handler.clone()))
            .route(web::head().to(handler))
            .default_service(only_read),
    );
}

fn page(name: &str, words: &Value) -> Answer {
    let body = rendered(name, words).map_err(|error| {
        tracing::error!(%error, page = name, "a page could not be rendered");
        Problem::new(Kind::Broken)
    })?;
    Ok(html(body))
}

fn rendered(name: &str, words: &Value) -> Result<String, handlebars::RenderError> {
    let body = TEMPLATES.render(name, words)?;
    TEMPLATES.render("layout", &json!({ "title": words["title"], "body": body }))
}

fn html(body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(body)
}

async fn door(desk: Data<Desk>) -> Answer {
    page(
        "door",
        &json!({ "title": "Common Ground", "phone": desk.settings.phone }),
    )
}

async fn problem(ask: Ask) -> HttpResponse {
    let kind = ask.id("slug", |slug| {
        Kind::ALL.iter().copied().find(|k| k.slug() == slug)
    });
    let shown = kind.and_then(|kind| page("problem", &json!({ "title": kind.title(), "status": kind.status().as_u16(), "what": kind.what_to_do() })));
    shown.unwrap_or_else(|problem| problem.error_response())
}

/// How the API is used: a long page, the same for everybody, and so rendered once.
async fn docs() -> Answer {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let words = json!({ "title": "Common Ground: the REST interface", "rooms": rooms(&DOCUMENT), "shapes": shapes(&DOCUMENT), "problems": problems() });
        rendered("docs", &words).expect("the page is part of the program, and a test renders it")
    });
    let page = once_made(|| PAGE.as_str()).await?;
    Ok(html(in_pieces(page)))
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
