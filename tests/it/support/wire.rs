//! HTTP as the tests speak it: every exchange is held against the OpenAPI document the service serves.
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use common_ground::web::openapi;
use jsonschema::Validator;
use serde_json::{Value, json};

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub text: String,
    /// What came back, as it came.
    pub octets: Vec<u8>,
    pub tag: Option<String>,
    pub headers: Vec<(String, String)>,
}

impl Reply {
    /// The reply, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The end of a problem's type.
    pub fn problem(&self) -> &str {
        self.body["type"]
            .as_str()
            .and_then(|t| t.strip_prefix("/problems/"))
            .unwrap_or("none")
    }

    /// The named reasons of a refusal.
    pub fn reasons(&self) -> Vec<String> {
        self.body["reasons"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|r| r["code"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Where the flaws are.
    pub fn flaws(&self) -> Vec<String> {
        self.body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| e["pointer"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// What somebody could tell two replies apart by: everything but the date.
    pub fn fingerprint(&self) -> (u16, String, Vec<(String, String)>) {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(n, _)| n != "date")
            .cloned()
            .collect();
        headers.sort();
        (self.status, self.text.clone(), headers)
    }
}

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub token: Option<String>,
    pub body: Option<String>,
    pub headers: Vec<(String, String)>,
}

/// Sends a request and holds what comes back against the document.
pub fn send(base: &str, call: &Call) -> Reply {
    let reply = send_unchecked(base, call);
    check(call, &reply);
    reply
}

/// Sends a request with octets for a body, which are of the kind its headers say.
pub fn send_octets(base: &str, call: &Call, octets: &[u8]) -> Reply {
    let reply = exchange(base, call, Some(octets));
    check(call, &reply);
    reply
}

/// Sends a request that the document does not speak of.
pub fn send_unchecked(base: &str, call: &Call) -> Reply {
    exchange(base, call, call.body.as_deref().map(str::as_bytes))
}

fn exchange(base: &str, call: &Call, body: Option<&[u8]>) -> Reply {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(call.method)
        .uri(format!("{base}{}", call.path));
    if let Some(token) = &call.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let mut reply = match body {
        Some(body) => agent.run(
            if call.headers.iter().any(|(n, _)| n == "content-type") {
                request
            } else {
                request.header("content-type", "application/json")
            }
            .body(body)
            .expect("a request"),
        ),
        None => agent.run(request.body(()).expect("a request")),
    }
    .expect("an answer");
    let headers: Vec<(String, String)> = reply
        .headers()
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned()))
        .collect();
    let octets = reply
        .body_mut()
        .with_config()
        .limit(50_000_000)
        .read_to_vec()
        .expect("octets");
    let text = String::from_utf8_lossy(&octets).into_owned();
    Reply {
        status: reply.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        tag: headers
            .iter()
            .find(|(n, _)| n == "etag")
            .map(|(_, v)| v.clone()),
        text,
        octets,
        headers,
    }
}

/// A few letters that stand in no file of a test.
pub fn drawn() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A form as a browser sends it (RFC 7578).
pub fn form(between: &str, (name, octets): (&str, &[u8]), texts: &[(&str, &str)]) -> Vec<u8> {
    let mut body = format!(
        "--{between}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(octets);
    for (field, text) in texts {
        let part = format!(
            "\r\n--{between}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{text}"
        );
        body.extend(part.into_bytes());
    }
    body.extend(format!("\r\n--{between}--\r\n").into_bytes());
    body
}

/// The path of the document that an address belongs to.
fn template(path: &str) -> Option<String> {
    let plain = path.split('?').next().unwrap_or(path);
    let parts: Vec<&str> = plain.split('/').collect();
    let fits = |template: &&String| {
        let wanted: Vec<&str> = template.split('/').collect();
        wanted.len() == parts.len()
            && wanted
                .iter()
                .zip(&parts)
                .all(|(w, p)| w == p || (w.starts_with('{') && !p.is_empty()))
    };
    let all = DOCUMENT["paths"].as_object().expect("paths");
    all.keys()
        .find(|t| t.as_str() == plain)
        .or_else(|| all.keys().find(fits))
        .cloned()
}

fn check(call: &Call, reply: &Reply) {
    let Some(path) = template(&call.path) else {
        return;
    };
    let operation = &DOCUMENT["paths"][&path][call.method.to_lowercase()];
    if operation.is_null() {
        assert_eq!(reply.status, 405, "{} {path}", call.method);
        return;
    }
    let what = format!("{} {path} {}", call.method, reply.status);
    let documented = &operation["responses"][reply.status.to_string()];
    assert!(
        !documented.is_null(),
        "{what} is not documented: {}",
        reply.text
    );
    let (kind, content) = match documented["content"]
        .as_object()
        .and_then(|c| c.iter().next())
    {
        Some((kind, content)) => (kind.clone(), content["schema"].clone()),
        None => {
            assert!(reply.text.is_empty(), "{what} should have no body");
            return;
        }
    };
    if kind == "*/*" {
        // A file: the document says nothing about what is in it.
        return;
    }
    assert!(
        reply
            .header("content-type")
            .is_some_and(|c| c.starts_with(&kind)),
        "{what}: {:?}",
        reply.header("content-type")
    );
    hold(&what, &content, &reply.body);
    if reply.status < 300 {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if let Some(body) = call.body.as_ref().filter(|_| !schema.is_null()) {
            hold(
                &format!("{what} request"),
                schema,
                &serde_json::from_str(body).expect("JSON"),
            );
        }
    }
}

fn hold(what: &str, schema: &Value, value: &Value) {
    let key = schema.to_string();
    let known = VALIDATORS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    let validator = known.unwrap_or_else(|| {
        let whole = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema], "components": DOCUMENT["components"] });
        let made = Arc::new(jsonschema::draft202012::new(&whole).expect("a schema"));
        VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
        made
    });
    let wrong: Vec<String> = validator
        .iter_errors(value)
        .map(|e| format!("{}: {e}", e.instance_path))
        .collect();
    assert!(
        wrong.is_empty(),
        "{what} breaks the document: {wrong:?}\n{value}"
    );
}
