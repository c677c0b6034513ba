//! What every request passes before any handler: is it meant for us, is it small enough and quick enough, and is it in
//! a form we read. Caps hold for every address alike, but for the one where documents are laid down (SAFETY §4).
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{Error as ActixError, HttpMessage, ResponseError};
use futures_util::StreamExt;

use super::ask::{caller, session_of};
use super::form::is_form;
use super::pages::{self, is_page};
use super::problem::{Kind, Problem};
use crate::casework::Desk;
use crate::domain::decide::Flaw;

/// The most a body may have, in octets.
pub const JSON_CAP: usize = 256 * 1024;
/// The most a form of a page may have.
pub const FORM_CAP: usize = 64 * 1024;
/// The most the upload of a document may have: 10 MB, and what a form puts around it.
pub const UPLOAD_CAP: usize = 10 * 1024 * 1024 + 64 * 1024;
/// How many times longer an upload may take than another body.
const UPLOAD_PATIENCE: u32 = 10;

/// What the guard is told.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Host names, with a port where it is not the usual one, that are ours.
    pub hosts: Vec<String>,
    /// Proxies of ours, whose word about who is behind them counts.
    pub proxies: Vec<IpAddr>,
    /// How long a body may take to arrive.
    pub body_time: Duration,
}

/// The life of a connection: it ends when no request has begun or been answered for a while. Only the first head of a connection, a body
/// with a length and an idle connection have deadlines of the server's own.
pub struct Life(tokio::sync::watch::Sender<()>);

impl Life {
    /// Begins it; `end` is called once if nothing has happened for `patience`.
    pub fn begin(patience: Duration, end: impl FnOnce() + 'static) -> Self {
        let (beat, mut beats) = tokio::sync::watch::channel(());
        actix_web::rt::spawn(async move {
            loop {
                match tokio::time::timeout(patience, beats.changed()).await {
                    Ok(Ok(())) => {}
                    // The connection is gone by itself.
                    Ok(Err(_)) => return,
                    Err(_) => return end(),
                }
            }
        });
        Self(beat)
    }

    /// A request has begun, or been answered.
    pub fn goes_on(&self) {
        self.0.send_replace(());
    }
}

/// Lets a request through, or answers it.
pub async fn guard(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, ActixError> {
    if let Some(life) = req.conn_data::<Life>() {
        life.goes_on();
    }
    let answer = match checked(&mut req).await {
        Ok(()) => {
            let session = session_of(req.headers());
            let answer = next.call(req).await?;
            let desk = answer.request().app_data::<Data<Desk>>().cloned();
            if let (Some(session), Some(desk), true) = (session, desk, answer.status().is_success())
                && let Err(error) = desk.touch(session).await
            {
                tracing::warn!(%error, "it was not written down that a session is in use");
            }
            if let Some(life) = answer.request().conn_data::<Life>() {
                life.goes_on();
            }
            answer.map_into_boxed_body()
        }
        Err(problem) => req
            .into_response(problem.error_response())
            .map_into_boxed_body(),
    };
    Ok(with_house_headers(for_people(answer).await))
}

/// Where people look at pages, a problem is a page too.
async fn for_people(answer: ServiceResponse) -> ServiceResponse {
    let problem = answer.response().extensions().get::<Problem>().cloned();
    let (Some(problem), true) = (problem, is_page(answer.request().path())) else {
        return answer;
    };
    match pages::apology(answer.request(), &problem).await {
        Some(page) => answer.into_response(page),
        None => answer,
    }
}

async fn checked(req: &mut ServiceRequest) -> Result<(), Problem> {
    let watch = req
        .app_data::<Data<Watch>>()
        .cloned()
        .ok_or_else(|| Problem::new(Kind::Broken))?;
    meant_for_us(req, &watch)?;
    if !req.method().is_safe() {
        from_our_pages(req.headers(), &watch)?;
    }
    if req.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(Kind::Unsupported));
    }
    acceptable(req.headers(), req.path())?;
    each_key_once(req.query_string())?;
    let upload = is_upload(req);
    let (cap, patience) = if upload {
        (UPLOAD_CAP, watch.body_time * UPLOAD_PATIENCE)
    } else if is_page(req.path()) {
        (FORM_CAP, watch.body_time)
    } else {
        (JSON_CAP, watch.body_time)
    };
    if req
        .headers()
        .get(header::CONTENT_LENGTH)
        .is_some_and(|length| {
            length
                .to_str()
                .ok()
                .and_then(|l| l.parse::<u64>().ok())
                .is_none_or(|l| l > cap as u64)
        })
    {
        return Err(Problem::new(Kind::TooLarge));
    }
    // Without either header there is no body (RFC 9112 §6.3), whatever a request to change protocols makes of it.
    let has_body = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
        .iter()
        .any(|name| req.headers().contains_key(name));
    if upload && has_body {
        // Nobody makes us hold ten megabytes without saying who they are.
        let desk = req
            .app_data::<Data<Desk>>()
            .cloned()
            .ok_or_else(|| Problem::new(Kind::Broken))?;
        desk.may_write(caller(req.headers())?).await?;
    }
    let body = if has_body {
        let payload = req.take_payload();
        // Only an upload may take longer than a connection waits.
        let life = req.conn_data::<Life>().filter(|_| upload);
        tokio::time::timeout(patience, whole_body(payload, cap, life))
            .await
            .map_err(|_| Problem::new(Kind::SlowBody))??
    } else {
        Bytes::new()
    };
    if !body.is_empty()
        && [Method::POST, Method::PUT, Method::PATCH].contains(req.method())
        && !takes_a_form(req)
        && !has_kind(
            req.headers(),
            if is_page(req.path()) {
                FORM
            } else {
                "application/json"
            },
        )
    {
        return Err(Problem::new(Kind::Unsupported));
    }
    req.set_payload(Payload::from(body));
    Ok(())
}

/// Whether somebody lays down a document: the one place where a body is a form, and may be large.
fn is_upload(req: &ServiceRequest) -> bool {
    req.method() == Method::POST && takes_a_form(req)
}

/// Whether this is a form, where forms are read; that the address does not take this method is said later.
fn takes_a_form(req: &ServiceRequest) -> bool {
    req.path().ends_with("/documents") && is_form(req.headers())
}

/// A request for another host is not answered: links in letters are made from our own address only.
fn meant_for_us(req: &ServiceRequest, watch: &Watch) -> Result<(), Problem> {
    let mut named = req.headers().get_all(header::HOST);
    // A request in absolute form names its host twice; both must be ours.
    let ours = |host: &str| {
        watch
            .hosts
            .iter()
            .any(|ours| ours.eq_ignore_ascii_case(host))
    };
    if req
        .uri()
        .authority()
        .is_some_and(|authority| !ours(authority.as_str()))
    {
        return Err(Problem::new(Kind::Misdirected));
    }
    let host = named
        .next()
        .ok_or_else(|| Problem::new(Kind::BadRequest).saying("The header `Host` is missing."))?;
    if named.next().is_some() {
        return Err(Problem::new(Kind::BadRequest).saying("The header `Host` is repeated."));
    }
    if ours(host.to_str().unwrap_or_default()) {
        Ok(())
    } else {
        Err(Problem::new(Kind::Misdirected))
    }
}

/// A browser says where a request comes from. What another site's page sends changes nothing here; programs that are no
/// browsers say nothing.
fn from_our_pages(headers: &HeaderMap, watch: &Watch) -> Result<(), Problem> {
    let elsewhere = || Problem::new(Kind::CrossSite);
    for site in headers.get_all("sec-fetch-site") {
        if !matches!(site.as_bytes(), b"same-origin" | b"none") {
            return Err(elsewhere());
        }
    }
    for origin in headers.get_all(header::ORIGIN) {
        let host = origin.to_str().ok().and_then(host_of);
        let ours = host.is_some_and(|host| {
            watch
                .hosts
                .iter()
                .any(|ours| ours.eq_ignore_ascii_case(&host))
        });
        if !ours {
            return Err(elsewhere());
        }
    }
    Ok(())
}

/// Host and port of an origin.
fn host_of(origin: &str) -> Option<String> {
    let url = url::Url::parse(origin).ok()?;
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

/// What somebody may accept who takes a document home, or is told why not.
const CONTENT: &[&str] = &[
    "*/*",
    "application/*",
    "application/json",
    "application/octet-stream",
    "application/pdf",
    "application/problem+json",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/*",
    "image/jpeg",
    "image/png",
    "text/*",
    "text/csv",
    "text/plain",
];

fn acceptable(headers: &HeaderMap, path: &str) -> Result<(), Problem> {
    let said = || {
        headers
            .get_all(header::ACCEPT)
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .map(str::trim)
            .filter(|v| !v.is_empty())
    };
    let refused = |range: &str| {
        range.split(';').skip(1).any(|p| {
            p.trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q == 0.0))
        })
    };
    let wanted: Vec<&str> = said()
        .filter(|range| !refused(range))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .collect();
    let ours: &[&str] = if path.starts_with("/api/v1/cases/") && path.ends_with("/content") {
        CONTENT
    } else if path.starts_with("/api/v1")
        || path.starts_with("/health")
        || path == "/api/openapi.json"
    {
        &[
            "*/*",
            "application/*",
            "application/json",
            "application/problem+json",
        ]
    } else {
        &[
            "*/*",
            "text/*",
            "text/html",
            "text/css",
            "text/plain",
            "text/calendar",
        ]
    };
    if said().next().is_none()
        || wanted
            .iter()
            .any(|w| ours.iter().any(|o| o.eq_ignore_ascii_case(w)))
    {
        Ok(())
    } else {
        Err(Problem::new(Kind::NotAcceptable))
    }
}

fn each_key_once(query: &str) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for (key, _) in url::form_urlencoded::parse(query.as_bytes()) {
        let pointer = format!(
            "#{}",
            key.chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                .take(40)
                .collect::<String>()
        );
        if !seen.insert(key) {
            return Err(Problem::new(Kind::BadRequest)
                .with(vec![Flaw::at(&pointer, "this is given twice")]));
        }
    }
    Ok(())
}

async fn whole_body(
    mut payload: Payload,
    cap: usize,
    life: Option<&Life>,
) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        // An upload that goes on is no idle connection.
        if let Some(life) = life {
            life.goes_on();
        }
        let chunk = chunk.map_err(|_| {
            Problem::new(Kind::BadRequest).saying("The body did not arrive as its headers said.")
        })?;
        if body.len() + chunk.len() > cap {
            return Err(Problem::new(Kind::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What the forms of pages are sent as.
const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a body is said to be of one kind, in UTF-8.
fn has_kind(headers: &HeaderMap, wanted: &str) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE);
    let (Some(kind), None) = (kinds.next().and_then(|v| v.to_str().ok()), kinds.next()) else {
        return false;
    };
    let mut parts = kind.split(';').map(str::trim);
    parts.next().is_some_and(|k| k.eq_ignore_ascii_case(wanted))
        && parts.all(|p| {
            p.is_empty()
                || p.eq_ignore_ascii_case("charset=utf-8")
                || p.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

/// What a page says of itself that shows something of ours in a frame: a letter, shut in.
#[derive(Debug, Clone, Copy)]
pub struct Framed;

/// Headers that every answer carries: nothing is kept, nothing is guessed, nothing is framed.
fn with_house_headers<B>(mut answer: ServiceResponse<B>) -> ServiceResponse<B> {
    let page = answer
        .response()
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let framed = answer.response().extensions().get::<Framed>().is_some();
    let policy = if page && framed {
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    } else if page {
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    // A document brings a stricter one of its own.
    let sandboxed = answer
        .response()
        .headers()
        .get(header::CONTENT_SECURITY_POLICY)
        .is_some_and(|policy| policy.as_bytes().starts_with(b"sandbox"));
    // Only what never changes says otherwise of itself.
    let kept = answer
        .response()
        .headers()
        .contains_key(header::CACHE_CONTROL);
    let headers = answer.headers_mut();
    if !kept {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer`, browsers say `Origin: null` of a page's own forms too.
        (
            header::REFERRER_POLICY,
            if page { "same-origin" } else { "no-referrer" },
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !sandboxed {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(policy),
        );
    }
    answer
}
