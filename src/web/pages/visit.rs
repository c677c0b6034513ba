//! A visit to a page: who is there, what they typed, what was wrong with it, and the ways a page can answer. Every page
//! is handed one of these and gives back an answer; whatever goes wrong on the way is a `Problem`, as in the API.
use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fields::Fields;
use super::frame::Language;
use super::kept;
use crate::casework::act::Tags;
use crate::casework::people::Me;
use crate::casework::read::Slice;
use crate::casework::sessions::NewSession;
use crate::casework::signin::{self, Credential};
use crate::casework::{Desk, OnceKey};
use crate::domain::hash::{hash_of_bytes, same, tag_of};
use crate::domain::people::{MembershipState, Role};
use crate::web::api::Answer;
use crate::web::ask::{Ask, slice};
use crate::web::json;
use crate::web::problem::{Kind, Problem};

/// A visit.
#[derive(Clone)]
pub struct Visit {
    pub desk: Data<Desk>,
    pub ask: Ask,
    /// Who is signed in, if somebody is.
    pub me: Option<Me>,
    pub language: &'static Language,
    /// What was typed, where something was sent.
    pub typed: Option<Fields>,
    /// The body as it was sent.
    pub octets: Bytes,
    /// What was wrong with it.
    trouble: Option<Problem>,
    path: String,
    request: HttpRequest,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visit({})", self.path)
    }
}

impl Visit {
    /// Opens the door: finds out who is there.
    pub async fn begin(
        request: HttpRequest,
        desk: Data<Desk>,
        octets: Bytes,
    ) -> Result<Self, Problem> {
        let ask = Ask::of(&request)?;
        let me = match ask.caller {
            Credential::Anonymous => None,
            Credential::Bearer(_) | Credential::Session(_) => {
                desk.me(ask.caller.clone()).await.ok()
            }
        };
        Ok(Self {
            language: Language::of(request.headers()),
            path: request.path().to_owned(),
            desk,
            ask,
            me,
            typed: None,
            octets,
            trouble: None,
            request,
        })
    }

    /// Reads what was sent, if a page of ours sent it.
    pub fn read_form(&mut self) -> Result<(), Problem> {
        let typed = Fields::read(&self.octets)?;
        let ours = self.is_ours(typed.get("_csrf"));
        self.typed = Some(typed);
        ours
    }

    /// The same visit in a session that begins with its answer: pages shown now belong to that session.
    pub async fn in_session(&self, new: &NewSession) -> Result<Self, Problem> {
        let ask = self.ask.in_session(&new.secret);
        let me = self.desk.me(ask.caller.clone()).await?;
        Ok(Self {
            ask,
            me: Some(me),
            ..self.clone()
        })
    }

    /// Whether a page of this session sent what came with `token`. Without a session there is nothing to show.
    pub fn is_ours(&self, token: Option<&str>) -> Result<(), Problem> {
        let Some(wanted) = self.ask.csrf()?.filter(|_| self.me.is_some()) else {
            return Ok(());
        };
        if same(token.unwrap_or_default().as_bytes(), wanted.as_bytes()) {
            Ok(())
        } else {
            Err(Problem::new(Kind::CrossSite))
        }
    }

    /// Whoever is signed in.
    pub fn me(&self) -> Result<&Me, Problem> {
        self.me.as_ref().ok_or_else(|| Problem::new(Kind::SignIn))
    }

    /// Whether whoever is there holds `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.me
            .as_ref()
            .is_some_and(|me| me.person.roles.contains(&role))
    }

    /// The credential of whoever is there.
    #[must_use]
    pub fn caller(&self) -> Credential {
        self.ask.caller.clone()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole address, to come back to; without what was just done there.
    #[must_use]
    pub fn address(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in url::form_urlencoded::parse(self.request.query_string().as_bytes()) {
            if key != "done" {
                query.append_pair(&key, &value);
            }
        }
        match query.finish() {
            nothing if nothing.is_empty() => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// The name in the path, or "not found".
    pub fn id<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.ask.id(name, parse)
    }

    /// A value of the query, if it is there.
    #[must_use]
    pub fn asked_for(&self, key: &str) -> Option<String> {
        url::form_urlencoded::parse(self.request.query_string().as_bytes())
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.trim().is_empty())
    }

    /// Which part of a list: `limit` items from `cursor` of the query on.
    pub fn slice(&self, limit: u16) -> Result<Slice, Problem> {
        slice(Some(&limit.to_string()), self.asked_for("cursor"))
    }

    /// A field as it was typed.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        self.typed
            .as_ref()?
            .get(name)
            .filter(|v| !v.trim().is_empty())
    }

    /// What was typed, as the body that the API would take.
    #[must_use]
    pub fn fields(&self) -> Value {
        self.typed.as_ref().map_or_else(|| json!({}), Fields::body)
    }

    /// The same as a `T`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        json::shape(self.fields())
    }

    /// The key that makes this form happen once, however often its button is pressed.
    #[must_use]
    pub fn once(&self) -> Option<OnceKey> {
        self.once_for(self.said("_once")?, &self.typed.as_ref()?.fingerprint())
    }

    /// The same for a form that was read by somebody else.
    #[must_use]
    pub fn once_for(&self, key: &str, what: &[u8]) -> Option<OnceKey> {
        let fine = (16..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_hexdigit());
        fine.then(|| OnceKey {
            value: format!("page-{key}"),
            fingerprint: hash_of_bytes(&[self.path.as_bytes(), b"\n", what].concat()),
        })
    }

    /// What the sender had seen, where the form says so.
    #[must_use]
    pub fn seen(&self) -> Option<Tags> {
        self.said("_seen")
            .map(|tag| Tags::These(vec![tag.to_owned()]))
    }

    /// Takes what went wrong with a form back to the form, or passes on what no form can mend.
    pub fn troubled(mut self, problem: Problem) -> Result<Self, Problem> {
        match problem.kind() {
            Kind::Invalid
            | Kind::Conflict
            | Kind::NotPossibleNow
            | Kind::Stale
            | Kind::KeyReused
            | Kind::TooMany
            | Kind::TooLarge
            | Kind::Unsupported
            | Kind::Unavailable => {
                self.trouble = Some(problem);
                Ok(self)
            }
            Kind::BadRequest
            | Kind::BadJson
            | Kind::BadCursor
            | Kind::SignIn
            | Kind::NotAllowed
            | Kind::NotYourPart
            | Kind::FreshStep
            | Kind::CrossSite
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::NotAcceptable
            | Kind::SlowBody
            | Kind::Misdirected
            | Kind::NeedsTag
            | Kind::Broken => Err(problem),
        }
    }

    /// Shows a page that has nothing to do with what was typed.
    pub fn fresh_page(&self, name: &str, data: Value) -> Answer {
        let fresh = Self {
            typed: None,
            trouble: None,
            ..self.clone()
        };
        fresh.page(name, data)
    }

    /// Shows a page. `data` is what the page speaks of.
    pub fn page(&self, name: &str, data: Value) -> Answer {
        self.form(name, data, Fields::default(), String::new())
    }

    /// Shows a page with a form: `stands` is what there is to be changed, `seen` the tag of it. What was typed stays
    /// typed; where somebody else was quicker, both texts are shown.
    pub fn form(&self, name: &str, data: Value, stands: Fields, seen: String) -> Answer {
        let mut all = data;
        let trouble = self.trouble.as_ref();
        let stale = trouble.is_some_and(|p| p.kind() == Kind::Stale);
        // A form that comes back after signing in has something typed and nothing wrong.
        let values = match &self.typed {
            Some(typed) => typed.by_name(),
            None => stands.by_name(),
        };
        let parts = [
            ("here", self.here()),
            ("values", values),
            ("stands", stands.by_name()),
            ("seen", seen.into()),
            ("stale", stale.into()),
            (
                "errors",
                trouble.map_or_else(|| json!([]), |problem| errors(self.language, problem)),
            ),
        ];
        if let Value::Object(fields) = &mut all {
            for (key, value) in parts {
                fields.insert(key.to_owned(), value);
            }
        }
        let status = trouble.map_or(StatusCode::OK, Problem::status);
        let body = self.language.page(name, &all).map_err(|error| {
            tracing::error!(%error, page = name, "a page could not be rendered");
            Problem::new(Kind::Broken)
        })?;
        let mut page = HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .body(body);
        if let Some(problem) = trouble {
            problem.mark(&mut page);
        }
        Ok(page)
    }

    /// Goes on to another page after something was done.
    pub fn on(&self, to: &str) -> Answer {
        Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, to))
            .finish())
    }

    /// Where and for whom a page is: for its layout.
    fn here(&self) -> Value {
        let roles: BTreeSet<&str> = self
            .me
            .iter()
            .flat_map(|me| &me.person.roles)
            .map(|role| role.word())
            .collect();
        let represents = self.me.as_ref().is_some_and(|me| {
            me.memberships
                .iter()
                .any(|m| m.state == MembershipState::Active)
        });
        let now = self.desk.clock.now();
        json!({
            "path": self.path,
            "room": self.path.split('/').nth(1).unwrap_or_default(),
            "csrf": self.ask.csrf().ok().flatten().filter(|_| self.me.is_some()),
            "once": signin::secret(),
            "phone": self.desk.settings.phone,
            "reply_to": self.desk.settings.sender.reply_to.as_str(),
            "name": self.me.as_ref().map(|me| me.person.name.as_str()),
            "roles": {
                "facilitator": roles.contains("facilitator"),
                "coordinator": roles.contains("coordinator"),
                "administrator": roles.contains("administrator"),
                "auditor": roles.contains("auditor"),
                "representative": represents,
            },
            "done": self.asked_for("done").filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')),
            "today": now.london_day(),
            "demo": self.desk.settings.demo,
        })
    }

    /// A page that says what went wrong, with a way on.
    pub fn apology(&self, problem: &Problem) -> HttpResponse {
        let kept = kept::after(self, problem);
        kept.or_else(|| self.said_plainly(problem))
            .unwrap_or_else(|| problem.error_response())
    }

    fn said_plainly(&self, problem: &Problem) -> Option<HttpResponse> {
        let data = json!({ "problem": told(problem), "way_on": if self.me.is_some() { "/cases" } else { "/" } });
        let mut page = self.fresh_page("problem", data).ok()?;
        *page.status_mut() = problem.status();
        problem.mark(&mut page);
        Some(page)
    }
}

/// Where a page is that is the same for everybody.
#[must_use]
pub fn nobody(path: &str) -> Value {
    json!({
        "path": path, "room": "", "csrf": Value::Null, "once": "", "phone": "", "reply_to": "", "name": Value::Null,
        "roles": { "facilitator": false, "coordinator": false, "administrator": false, "auditor": false, "representative": false },
        "done": Value::Null, "today": "", "demo": false,
    })
}

/// What a page about a problem says of it.
#[must_use]
pub fn told(problem: &Problem) -> Value {
    json!({
        "slug": problem.kind().slug(), "status": problem.status().as_u16(), "detail": problem.detail(),
        "reasons": problem.reasons().iter().map(|r| &r.message).collect::<Vec<_>>(),
        "flaws": problem.flaws().iter().map(|f| &f.message).collect::<Vec<_>>(),
    })
}

/// What is wrong, for the summary at the top of a form: flaws with their place, reasons, or the sentence that says why.
fn errors(language: &Language, problem: &Problem) -> Value {
    let mut all: Vec<Value> = problem
        .flaws()
        .iter()
        .map(|flaw| {
            let (at, message) = kindly(&flaw.pointer, &flaw.message);
            json!({ "at": at, "message": language.said(&message) })
        })
        .collect();
    all.extend(
        problem
            .reasons()
            .iter()
            .map(|reason| json!({ "at": "", "message": language.said(&reason.message) })),
    );
    if all.is_empty() {
        all.push(json!({ "at": "", "message": language.said(&problem.detail()) }));
    }
    Value::from(all)
}

/// A flaw as a page says it: where it belongs, and without a program's words.
fn kindly(pointer: &str, message: &str) -> (String, String) {
    let mut at = pointer.trim_start_matches(['/', '#']).replace('/', "-");
    let mut words = message.to_owned();
    if let Some(field) = message.strip_prefix("please fill in ") {
        at = [at.as_str(), field]
            .iter()
            .filter(|p| !p.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("-");
        words = "please fill this in".to_owned();
    } else if message.starts_with("unknown variant") {
        words = "please choose one".to_owned();
    } else if message.contains("2026-11-27") {
        words = "please write a date, such as 27 11 2026".to_owned();
    } else if message.contains("2027-01-12T10:00") {
        words = "please write a date and a time, such as 12 1 2027 and 10:30am".to_owned();
    } else if message.starts_with("invalid type: string") {
        words = "please write a number".to_owned();
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        words = "please look at this again".to_owned();
    }
    let mut letters = words.chars();
    let sentence = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    (at, sentence)
}

/// The tag of what a reader was shown.
#[must_use]
pub fn tag(shown: &impl Serialize) -> String {
    tag_of(shown)
}
