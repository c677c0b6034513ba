//! What goes wrong, on the wire: RFC 9457 documents with stable types, each explained at its own address. Only here
//! do the house's errors become statuses, and only here is a cause logged.
use std::fmt;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::casework::Error;
use crate::casework::files::FileFlaw;
use crate::domain::action::EventName;
use crate::domain::case::Stage;
use crate::domain::decide::{Flaw, Refusal};
use crate::domain::reason::NamedReason;

macro_rules! kinds { ($($name:ident $slug:literal $status:literal $title:literal: $what:literal),+ $(,)?) => {
    /// A kind of problem. Its slug is the end of its `type`, and never changes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Kind { $($name),+ }

    impl Kind {
        /// Every kind there is.
        pub const ALL: &'static [Self] = &[$(Self::$name),+];
        /// The end of its address.
        #[must_use]
        pub fn slug(self) -> &'static str { match self { $(Self::$name => $slug),+ } }
        /// The status it comes with.
        #[must_use]
        pub fn status(self) -> StatusCode { StatusCode::from_u16(match self { $(Self::$name => $status),+ }).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR) }
        /// What happened, in a few words.
        #[must_use]
        pub fn title(self) -> &'static str { match self { $(Self::$name => $title),+ } }
        /// What it means and what to do.
        #[must_use]
        pub fn what_to_do(self) -> &'static str { match self { $(Self::$name => $what),+ } }
    }
} }

kinds! {
    BadRequest "bad-request" 400 "This request cannot be read": "Check the address, the query and the headers against the documentation.",
    BadJson "bad-json" 400 "This is not JSON we can read": "Send one JSON document in UTF-8, without repeated keys and not nested deeper than 32 levels.",
    BadCursor "bad-cursor" 400 "This cursor does not fit": "Use the cursor from `next` with the same list, the same filters and the same token, or begin without one.",
    SignIn "sign-in" 401 "Please sign in": "Send `Authorization: Bearer` with a token that has not expired.",
    NotAllowed "not-allowed" 403 "You may not do this": "You may see it, but this belongs to somebody else. Ask CLERO if you think it should be you.",
    NotYourPart "not-your-part" 403 "This step belongs to somebody else": "GET the case's available-events to see what you can do.",
    FreshStep "fresh-step" 403 "Please show once more that it is you": "This counts as a signature, or changes how you sign in. In the browser where you are signed in, POST /api/v1/session/step and answer with the six digits from the letter, or use a passkey; then send it again within ten minutes. A token needs the scope `sign`.",
    CrossSite "cross-site" 403 "This request came from another place": "Nothing was changed. Send it from the service's own pages, with the header `X-CSRF-Token` that GET /api/v1/session gives you, or with a token.",
    NotFound "not-found" 404 "Not found": "There is nothing here that you can see. Check the address, or ask the person who gave it to you.",
    MethodNotAllowed "method-not-allowed" 405 "This address does not do that": "The header `Allow` names the methods this address has.",
    NotAcceptable "not-acceptable" 406 "We cannot answer in that form": "Accept `application/json` and `application/problem+json`.",
    SlowBody "slow-body" 408 "The request took too long to arrive": "Send it again, in one go.",
    NotPossibleNow "not-possible-now" 409 "This cannot be done now": "The reasons say what is missing. Put that right, or GET available-events to see what can be done instead.",
    Conflict "conflict" 409 "This does not fit with what is there": "The detail says with what. Change the request and send it again.",
    Stale "stale" 412 "Somebody else changed this": "Nothing was lost and nothing was changed. Read it again, look at what is new, and send your request with the new ETag or hash.",
    TooLarge "too-large" 413 "This is too large": "Send less: JSON may have 256 KiB, and the upload of a document 10 MB.",
    Unsupported "unsupported-media-type" 415 "We cannot read this kind of content": "Send `Content-Type: application/json`, uncompressed; where a document is laid down, `multipart/form-data`.",
    Misdirected "misdirected" 421 "This is not the service you are looking for": "Use the address you were given; the host name of this request is not ours.",
    Invalid "invalid" 422 "Some of this needs another look": "Each entry of `errors` says where (a JSON pointer) and what to do.",
    KeyReused "key-reused" 422 "This key was used for another request": "Use a new Idempotency-Key for a new request, or send the same request again.",
    NeedsTag "precondition-required" 428 "Please say what you saw": "Send `If-Match` with the ETag of what you read, so that nobody's change is lost.",
    TooMany "too-many-tries" 429 "Too many tries": "Please wait for the seconds in `Retry-After`, then try again. If it was not you who tried, ring CLERO.",
    Broken "internal" 500 "Something went wrong on our side": "It was not your doing, and it has been written down. Please try again, or ring CLERO.",
    Unavailable "unavailable" 503 "We cannot do this at the moment": "Nothing was lost and nothing was changed. Try again after the seconds in `Retry-After`.",
}

/// One flaw: where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Flaw")]
pub struct FlawView {
    /// A JSON pointer into the request body, or `#name` for a parameter.
    pub pointer: String,
    pub message: String,
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemView {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FlawView>,
    /// The event that was asked for, and the stage the case is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The unmet conditions by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<NamedReason>,
}

/// A problem on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    errors: Vec<FlawView>,
    event: Option<EventName>,
    stage: Option<Stage>,
    reasons: Vec<NamedReason>,
    allow: Option<String>,
    /// How many seconds to wait.
    wait: Option<i64>,
}

impl Problem {
    /// A problem of `kind`, with its usual words.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail: None,
            errors: Vec::new(),
            event: None,
            stage: None,
            reasons: Vec::new(),
            allow: None,
            wait: None,
        }
    }

    /// The same with a sentence of its own.
    #[must_use]
    pub fn saying(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned());
        self
    }

    /// The same with what is wrong, and where.
    #[must_use]
    pub fn with(mut self, flaws: Vec<Flaw>) -> Self {
        self.errors = flaws
            .into_iter()
            .map(|f| FlawView {
                pointer: f.pointer,
                message: f.message,
            })
            .collect();
        self
    }

    /// The same with every flaw one level further down.
    #[must_use]
    pub fn beneath(mut self, pointer: &str) -> Self {
        for flaw in &mut self.errors {
            flaw.pointer = format!("{pointer}{}", flaw.pointer);
        }
        self
    }

    /// The same with every flaw said from `pointer` on, where it lies beneath.
    #[must_use]
    pub fn without(mut self, pointer: &str) -> Self {
        for flaw in &mut self.errors {
            if let Some(rest) = flaw.pointer.strip_prefix(pointer) {
                flaw.pointer = rest.to_owned();
            }
        }
        self
    }

    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The status it comes with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// What happened and what to do, in a sentence.
    #[must_use]
    pub fn detail(&self) -> String {
        let usual = || self.kind.what_to_do().to_owned();
        self.detail.clone().unwrap_or_else(usual)
    }

    /// What is wrong, and where.
    #[must_use]
    pub fn flaws(&self) -> &[FlawView] {
        &self.errors
    }

    /// The unmet conditions.
    #[must_use]
    pub fn reasons(&self) -> &[NamedReason] {
        &self.reasons
    }

    /// The same with the methods an address has.
    #[must_use]
    pub fn allowing(mut self, methods: &str) -> Self {
        self.allow = Some(methods.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.slug())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::SignIn => Self::new(Kind::SignIn),
            Error::Missing => Self::new(Kind::NotFound),
            Error::NotAllowed => Self::new(Kind::NotAllowed),
            Error::NeedsFreshStep => Self::new(Kind::FreshStep),
            Error::TooManyTries { seconds } => Self {
                wait: Some(seconds),
                ..Self::new(Kind::TooMany)
            },
            Error::Refused(Refusal::NotYourPart(event)) => Self {
                event: Some(event),
                reasons: vec![crate::domain::reason::Reason::NotYourPart.into()],
                ..Self::new(Kind::NotYourPart)
            },
            Error::Refused(Refusal::Unmet {
                event,
                stage,
                reasons,
            }) => Self {
                event: Some(event),
                stage: Some(stage),
                reasons: reasons.into_iter().map(NamedReason::from).collect(),
                ..Self::new(Kind::NotPossibleNow)
            },
            Error::Unmet(stage, reasons) => Self {
                stage: Some(stage),
                reasons: reasons.into_iter().map(NamedReason::from).collect(),
                ..Self::new(Kind::NotPossibleNow)
            },
            Error::File(flaw) => file(flaw),
            Error::Refused(Refusal::OldHash) | Error::Stale => Self::new(Kind::Stale),
            Error::Refused(Refusal::Flawed(flaws)) | Error::Flawed(flaws) => {
                Self::new(Kind::Invalid).with(flaws)
            }
            Error::NeedsTag => Self::new(Kind::NeedsTag),
            Error::KeyReused => Self::new(Kind::KeyReused),
            Error::BadCursor => Self::new(Kind::BadCursor),
            Error::Conflict(what, why) => Self {
                reasons: Vec::new(),
                errors: vec![FlawView {
                    pointer: format!("#{what}"),
                    message: why.to_owned(),
                }],
                ..Self::new(Kind::Conflict).saying(why)
            },
            passing if passing.is_passing() => {
                tracing::warn!(error = %passing, "the database cannot be used at the moment");
                Self::new(Kind::Unavailable)
            }
            Error::Database(error) => {
                tracing::error!(%error, "the database failed");
                Self::new(Kind::Broken)
            }
            Error::Letter(error) => {
                tracing::error!(%error, "a letter could not be written");
                Self::new(Kind::Broken)
            }
        }
    }
}

/// Why a file is not taken in: its label is a flaw of the form, its size and its kind are statuses of their own.
fn file(flaw: FileFlaw) -> Problem {
    let words = flaw.to_string();
    match flaw {
        FileFlaw::Label(_) | FileFlaw::NoLabel | FileFlaw::Empty => {
            Problem::new(Kind::Invalid).with(vec![Flaw::at("/file", &words)])
        }
        FileFlaw::TooLarge(_) => Problem::new(Kind::TooLarge).saying(&sentence(&words)),
        FileFlaw::NotOurs | FileFlaw::NotWhatItSays | FileFlaw::Active => {
            Problem::new(Kind::Unsupported).saying(&format!("{} {ACCEPTED}", sentence(&words)))
        }
    }
}

/// What may be laid down in a room.
const ACCEPTED: &str =
    "Documents can be PDF, DOCX, ODT, JPG, PNG, CSV or TXT files, without macros or scripts.";

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        .unwrap_or_default()
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let view = ProblemView {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail(),
            errors: self.errors.clone(),
            event: self.event,
            stage: self.stage,
            reasons: self.reasons.clone(),
        };
        let mut answer = HttpResponse::build(self.kind.status());
        answer.insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        ));
        let mut answer = answer.body(serde_json::to_vec(&view).unwrap_or_default());
        self.mark(&mut answer);
        // Where people look at pages, the same is said as a page.
        answer.extensions_mut().insert(self.clone());
        answer
    }
}

impl Problem {
    /// Puts into an answer what a problem of this kind says beside its words.
    pub fn mark(&self, answer: &mut HttpResponse) {
        let mut head = |name, value: HeaderValue| {
            answer.headers_mut().insert(name, value);
        };
        match self.kind {
            Kind::SignIn => head(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Kind::Unavailable => head(header::RETRY_AFTER, HeaderValue::from_static("2")),
            Kind::TooMany => {
                let seconds = self.wait.unwrap_or(60).max(1);
                head(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            // What is still on its way of such a body is not read: the line is closed.
            Kind::SlowBody | Kind::TooLarge => {
                answer.head_mut().set_connection_type(ConnectionType::Close);
            }
            Kind::BadRequest
            | Kind::BadJson
            | Kind::BadCursor
            | Kind::NotAllowed
            | Kind::NotYourPart
            | Kind::FreshStep
            | Kind::CrossSite
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::NotAcceptable
            | Kind::NotPossibleNow
            | Kind::Conflict
            | Kind::Stale
            | Kind::Unsupported
            | Kind::Misdirected
            | Kind::Invalid
            | Kind::KeyReused
            | Kind::NeedsTag
            | Kind::Broken => {}
        }
        if let Some(allow) = self
            .allow
            .as_ref()
            .and_then(|methods| HeaderValue::from_str(methods).ok())
        {
            answer.headers_mut().insert(header::ALLOW, allow);
        }
    }
}
