//! What a request says, read the same way everywhere: who asks, what they saw, the key that makes a command happen
//! once, the query and the body.
use std::collections::BTreeMap;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::pin::Pin;

use super::problem::{Kind, Problem};
use super::{browser, cookies, json};
use crate::casework::act::Tags;
use crate::casework::read::{LONGEST_PAGE, Slice};
use crate::casework::signin::{Browser, Credential, csrf};
use crate::casework::{Desk, OnceKey};
use crate::domain::decide::Flaw;
use crate::domain::hash::{hash_of_bytes, same};

/// A request, as handlers see it.
#[derive(Debug, Clone)]
pub struct Ask {
    pub caller: Credential,
    request: HttpRequest,
    /// What shows that a page is ours, where the session is newer than the request.
    renewed: Option<String>,
}

impl FromRequest for Ask {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// A request of somebody who is signed in and may change something: known before anything of the body is looked at.
#[derive(Debug)]
pub struct Signed(pub Ask);

impl FromRequest for Signed {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let ask = Ask::from_request(request, payload).into_inner();
        let desk = request.app_data::<Data<Desk>>().cloned();
        Box::pin(async move {
            let (ask, desk) = (ask?, desk.ok_or_else(|| Problem::new(Kind::Broken))?);
            desk.may_write(ask.caller.clone()).await?;
            ask.is_our_page()?;
            Ok(Self(ask))
        })
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut all = headers.get_all(name);
    let first = all.next();
    if all.next().is_some() {
        return Err(
            Problem::new(Kind::BadRequest).saying("A header that may be there once is repeated.")
        );
    }
    first
        .map(|v| {
            v.to_str().map_err(|_| {
                Problem::new(Kind::BadRequest)
                    .saying("A header holds characters that headers cannot hold.")
            })
        })
        .transpose()
}

/// Who says they are asking.
pub(super) fn caller(headers: &HeaderMap) -> Result<Credential, Problem> {
    let Some(said) = one(headers, &header::AUTHORIZATION)? else {
        let session = cookies::read(headers, cookies::SESSION)?;
        return Ok(session.map_or_else(Credential::anonymous, |s| Credential::session(&s)));
    };
    match said.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Credential::bearer(token.trim()))
        }
        Some(_) | None => Err(Problem::new(Kind::SignIn)),
    }
}

/// The credential of a session cookie that nothing else speaks over.
#[must_use]
pub fn session_of(headers: &HeaderMap) -> Option<Credential> {
    caller(headers)
        .ok()
        .filter(|caller| matches!(caller, Credential::Session(_)))
}

impl Ask {
    /// Who asks, and what.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self {
            caller: caller(request.headers())?,
            request: request.clone(),
            renewed: None,
        })
    }

    /// The same, asked in the session that has begun with its answer.
    #[must_use]
    pub fn in_session(&self, secret: &str) -> Self {
        Self {
            caller: Credential::session(secret),
            request: self.request.clone(),
            renewed: Some(csrf(secret)),
        }
    }

    /// The browser it comes from.
    pub fn browser(&self) -> Result<Browser, Problem> {
        browser::of(&self.request)
    }

    /// What our own pages send back to show that they are ours; `None` without a session.
    pub fn csrf(&self) -> Result<Option<String>, Problem> {
        if self.renewed.is_some() {
            return Ok(self.renewed.clone());
        }
        Ok(cookies::read(self.request.headers(), cookies::SESSION)?.map(|secret| csrf(&secret)))
    }

    /// Whether a request with a cookie was made by a page of ours: only those can read what belongs in the header.
    fn is_our_page(&self) -> Result<(), Problem> {
        if !matches!(self.caller, Credential::Session(_)) {
            return Ok(());
        }
        let name = header::HeaderName::from_static("x-csrf-token");
        let sent = one(self.request.headers(), &name)?.unwrap_or_default();
        let wanted = self.csrf()?.unwrap_or_default();
        if same(sent.as_bytes(), wanted.as_bytes()) {
            Ok(())
        } else {
            Err(Problem::new(Kind::CrossSite))
        }
    }

    /// What was said beside the body.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The name in the path, in its one canonical spelling; anything else is not there.
    pub fn id<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.request
            .match_info()
            .get(name)
            .and_then(parse)
            .ok_or_else(|| Problem::new(Kind::NotFound))
    }

    /// What the caller saw (`If-Match`, RFC 9110 §13.1.1). A weak tag never fits.
    pub fn if_match(&self) -> Result<Option<Tags>, Problem> {
        let all: Vec<&str> = self
            .request
            .headers()
            .get_all(header::IF_MATCH)
            .map(|v| v.to_str().map_err(|_| Problem::new(Kind::BadRequest)))
            .collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Ok(None);
        }
        let tags: Vec<&str> = all
            .iter()
            .flat_map(|v| v.split(','))
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .collect();
        if tags == ["*"] {
            return Ok(Some(Tags::Any));
        }
        let strong = |tag: &str| {
            tag.strip_prefix('"')
                .and_then(|t| t.strip_suffix('"'))
                .map(str::to_owned)
        };
        if let Some(bad) = tags
            .iter()
            .find(|t| strong(t).is_none() && !t.starts_with("W/\""))
        {
            return Err(Problem::new(Kind::BadRequest).saying(&format!(
                "`If-Match` takes ETags in quotation marks, not {} characters without.",
                bad.len()
            )));
        }
        Ok(Some(Tags::These(
            tags.into_iter().filter_map(strong).collect(),
        )))
    }

    /// The key that makes a command happen once, bound to what it is sent for.
    pub fn key(&self, body: &[u8]) -> Result<Option<OnceKey>, Problem> {
        let name = header::HeaderName::from_static("idempotency-key");
        let Some(said) = one(self.request.headers(), &name)? else {
            return Ok(None);
        };
        let value = said.trim().trim_matches('"');
        let fine = (1..=200).contains(&value.len())
            && value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if !fine {
            return Err(Problem::new(Kind::BadRequest)
                .saying("`Idempotency-Key` is a text of 1 to 200 plain characters."));
        }
        let what = [
            self.request.method().as_str().as_bytes(),
            b" ",
            self.request.path().as_bytes(),
            b"\n",
            body,
        ]
        .concat();
        Ok(Some(OnceKey {
            value: value.to_owned(),
            fingerprint: hash_of_bytes(&what),
        }))
    }

    /// The query, each key once; a key nobody knows is refused.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let bad = |pointer: &str, message: &str| {
            Problem::new(Kind::BadRequest).with(vec![Flaw::at(pointer, message)])
        };
        let mut seen = BTreeMap::new();
        for (key, value) in url::form_urlencoded::parse(self.request.query_string().as_bytes()) {
            if value.contains('\u{FFFD}') || value.contains('\0') {
                return Err(bad(&format!("#{}", plain(&key)), "this is not text"));
            }
            if seen
                .insert(key.to_string(), serde_json::Value::from(value.into_owned()))
                .is_some()
            {
                return Err(bad(&format!("#{}", plain(&key)), "this is given twice"));
            }
        }
        let fields = serde_json::Value::Object(seen.into_iter().collect());
        serde_path_to_error::deserialize(fields).map_err(|e| {
            let place = e.path().to_string();
            bad(
                &format!("#{}", plain(&place)),
                &e.inner()
                    .to_string()
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(200)
                    .collect::<String>(),
            )
        })
    }

    /// The body as a `T`.
    pub fn body<T: DeserializeOwned>(&self, octets: &Bytes) -> Result<T, Problem> {
        json::shape(json::value(octets)?)
    }
}

fn plain(words: &str) -> String {
    words
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(40)
        .collect()
}

/// `limit` and `cursor` of a list.
pub fn slice(limit: Option<&str>, cursor: Option<String>) -> Result<Slice, Problem> {
    let bad = |pointer: &str, message: &str| {
        Problem::new(Kind::BadRequest).with(vec![Flaw::at(pointer, message)])
    };
    let limit = limit
        .map(|l| {
            l.parse::<u16>()
                .ok()
                .filter(|n| (1..=LONGEST_PAGE).contains(n))
                .ok_or_else(|| bad("#limit", "please ask for 1 to 100 items"))
        })
        .transpose()?;
    if cursor.as_ref().is_some_and(|c| c.len() > 1000) {
        return Err(Problem::new(Kind::BadCursor));
    }
    Ok(Slice { limit, cursor })
}
