//! A browser as stories use it: it keeps cookies, sends back what shows that a page is ours, and comes from somewhere.
use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{App, Call, Reply};

/// A browser of somebody's.
pub struct Browser<'a> {
    pub app: &'a App,
    /// The address it comes from.
    pub from: &'static str,
    pub cookies: RefCell<BTreeMap<String, String>>,
    pub csrf: RefCell<String>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a App) -> Self {
        Self::from(app, "192.0.2.7")
    }

    /// A browser somewhere else.
    pub fn from(app: &'a App, from: &'static str) -> Self {
        Self {
            app,
            from,
            cookies: RefCell::default(),
            csrf: RefCell::default(),
        }
    }

    /// A request of it, ready to be sent.
    pub fn call(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
        more: &[(&str, &str)],
    ) -> Call {
        let cookies: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut headers = vec![
            ("x-forwarded-for".to_owned(), self.from.to_owned()),
            ("x-csrf-token".to_owned(), self.csrf.borrow().clone()),
            ("sec-fetch-site".to_owned(), "same-origin".to_owned()),
        ];
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        headers.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        Call {
            method,
            path: path.to_owned(),
            token: None,
            body: body.map(Value::to_string),
            headers,
        }
    }

    pub fn send(&self, call: &Call) -> Reply {
        let reply = self.app.send(call);
        for (_, cookie) in reply.headers.iter().filter(|(n, _)| n == "set-cookie") {
            let (pair, rest) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            for needed in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(rest.contains(needed), "{cookie}");
            }
            if value.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies
                    .borrow_mut()
                    .insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(csrf) = reply.body["csrf"].as_str() {
            csrf.clone_into(&mut self.csrf.borrow_mut());
        }
        reply
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(&self.call("GET", path, None, &[]))
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(&self.call("POST", path, Some(body), &[]))
    }

    pub fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        self.send(&self.call("POST", path, Some(body), headers))
    }

    /// Types an address and a password.
    pub fn try_password(&self, email: &str, password: &str) -> Reply {
        self.post(
            "/api/v1/sign-in",
            &json!({ "email": email, "password": password }),
        )
    }

    /// Types the six digits.
    pub fn answer(&self, code: &str) -> Reply {
        self.post("/api/v1/sign-in/code", &json!({ "code": code }))
    }

    /// Types the six digits, and trusts this browser.
    pub fn answer_and_trust(&self, code: &str) -> Reply {
        let body = json!({ "code": code, "trust_this_browser": true });
        self.post("/api/v1/sign-in/code", &body)
    }
}
