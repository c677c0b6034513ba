//! What somebody wrote, kept while they sign in again or show once more that it is them. It travels with the forms on
//! the way, in the browser it came from, and is never put down anywhere here.
use actix_web::HttpResponse;
use actix_web::http::Method;
use serde_json::{Value, json};

use super::fields::Fields;
use super::visit::Visit;
use crate::web::api::Answer;
use crate::web::problem::{Kind, Problem};

/// The field that holds a form that is kept, as it was sent.
const FORM: &str = "_kept";
/// The field that says where it was going.
const TO: &str = "_to";
/// The field that says that it comes back to be looked at, and is not to be carried out yet.
pub const AGAIN: &str = "_again";

/// The way on for somebody who must sign in, or show that it is them: what they wrote comes along.
#[must_use]
pub fn after(visit: &Visit, problem: &Problem) -> Option<HttpResponse> {
    let page = match problem.kind() {
        Kind::SignIn => "sign_in/begin",
        Kind::FreshStep => "sign_in/step",
        _other => return None,
    };
    let Some(typed) = &visit.typed else {
        let next: String =
            url::form_urlencoded::byte_serialize(visit.address().as_bytes()).collect();
        let door = if problem.kind() == Kind::SignIn {
            "/sign-in"
        } else {
            "/step"
        };
        return visit.on(&format!("{door}?next={next}")).ok();
    };
    let kept = Kept::with(visit, typed, problem.kind() == Kind::SignIn);
    let mut shown = visit
        .fresh_page(page, json!({ "kept": kept.shown(), "next": Value::Null }))
        .ok()?;
    *shown.status_mut() = problem.status();
    Some(shown)
}

/// A form that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    form: String,
    to: String,
    /// Whether it is shown again before it is carried out.
    again: bool,
}

/// The way on for somebody whose page belongs to an earlier session of theirs, or to the same one before it had a new
/// secret: what they wrote comes back to be looked at. Nothing is carried out.
#[must_use]
pub fn of_an_older_page(visit: &Visit, problem: &Problem) -> Option<HttpResponse> {
    let typed = visit
        .typed
        .as_ref()
        .filter(|_| problem.kind() == Kind::CrossSite)?;
    let mut shown = Kept::with(visit, typed, true).go_on(visit).ok()?;
    *shown.status_mut() = problem.status();
    Some(shown)
}

/// A form as it was sent, without what belongs to its page. A password is typed again, and never written into a page.
fn written(typed: &Fields) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    let stays = |name: &str| name != "_csrf" && !name.contains("password");
    for (name, value) in typed.pairs().filter(|(name, _)| stays(name)) {
        out.append_pair(name, value);
    }
    out.finish()
}

impl Kept {
    fn with(visit: &Visit, typed: &Fields, again: bool) -> Self {
        Self {
            form: written(typed),
            to: visit.path().to_owned(),
            again,
        }
    }

    /// What is kept with the form that was sent now.
    #[must_use]
    pub fn of(visit: &Visit) -> Option<Self> {
        let typed = visit.typed.as_ref()?;
        let to = typed.get(TO).filter(|to| is_ours(to))?;
        Some(Self {
            form: typed.get(FORM)?.to_owned(),
            to: to.to_owned(),
            again: typed.get(AGAIN).is_some(),
        })
    }

    /// For the forms on the way, which send it along: `{{> parts/kept}}`.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({ "form": self.form, "to": self.to, "again": self.again })
    }

    /// The page on which whoever is back goes on with what they wrote.
    pub fn go_on(&self, visit: &Visit) -> Answer {
        let fields = Fields::read(self.form.as_bytes())?;
        let pairs: Vec<Value> = fields
            .pairs()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        visit.fresh_page(
            "sign_in/go_on",
            json!({ "to": self.to, "again": self.again, "fields": pairs }),
        )
    }
}

/// Where somebody goes after signing in: a page of ours, whatever the address says.
#[must_use]
pub fn next_of(said: Option<&str>) -> String {
    said.filter(|to| is_ours(to)).unwrap_or("/cases").to_owned()
}

/// Whether an address stays in this house: a path, and nothing a browser could read as another host.
#[must_use]
pub fn is_ours(to: &str) -> bool {
    to.starts_with('/')
        && !to.starts_with("//")
        && to.len() <= 500
        && to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// Whether a form comes back to be looked at again.
#[must_use]
pub fn comes_back(visit: &Visit, method: &Method) -> bool {
    method == Method::POST && visit.said(AGAIN).is_some() && visit.said(TO).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_house() {
        for elsewhere in [
            "//elsewhere.example",
            "/\\elsewhere.example",
            "https://elsewhere.example",
            "",
            "elsewhere",
            "/a\r\nb",
            "/a b",
        ] {
            assert_eq!(next_of(Some(elsewhere)), "/cases", "{elsewhere}");
        }
        assert_eq!(next_of(Some("/cases/1?done=said")), "/cases/1?done=said");
        assert_eq!(next_of(None), "/cases");
    }
}
