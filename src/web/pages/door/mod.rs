//! Pages around getting in: signing in and out, showing once more that it is you, arriving with an invitation, choosing
//! a new password. Whoever is on the way somewhere, or has written something, comes out there with it.
pub mod invitation;
pub mod new_password;
pub mod sign_in;
pub mod step;

use serde_json::{Value, json};

use super::kept::{self, Kept};
use super::visit::Visit;
use crate::casework::sessions::NewSession;
use crate::web::api::Answer;
use crate::web::cookies;

/// Where somebody goes on to afterwards, and what they bring along.
pub struct Onward {
    kept: Option<Kept>,
    next: Option<String>,
}

impl Onward {
    /// What the form that was sent brings along, or what the address says.
    pub fn of(visit: &Visit) -> Self {
        let said = visit
            .said("_next")
            .map(ToOwned::to_owned)
            .or_else(|| visit.asked_for("next"));
        Self {
            kept: Kept::of(visit),
            next: said.filter(|next| kept::is_ours(next)),
        }
    }

    /// For the forms on the way, which send it along: `{{> parts/kept}}`.
    pub fn shown(&self) -> Value {
        json!({ "kept": self.kept.as_ref().map(Kept::shown), "next": self.next })
    }

    /// Whether somebody brings something they wrote: then every page on the way is the answer to a form.
    pub fn brings_something(&self) -> bool {
        self.kept.is_some()
    }

    /// The address of a page on the way.
    pub fn by(&self, path: &str) -> String {
        match &self.next {
            Some(next) => {
                let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                format!("{path}?next={next}")
            }
            None => path.to_owned(),
        }
    }

    /// Lets somebody go on who is in already.
    pub fn go_on(&self, visit: &Visit) -> Answer {
        match &self.kept {
            Some(kept) => kept.go_on(visit),
            None => visit.on(&kept::next_of(self.next.as_deref())),
        }
    }

    /// Lets somebody go on whose session begins now, or has a new secret: what is shown belongs to the new one.
    pub async fn enter(&self, visit: &Visit, new: &NewSession) -> Answer {
        let inside = visit.in_session(new).await?;
        let mut answer = self.go_on(&inside)?;
        cookies::lay(&mut answer, &cookies::entered(new, visit.desk.clock.now()));
        Ok(answer)
    }
}
