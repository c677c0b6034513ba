//! The demo's front door: everybody of the demo with a button that makes you them, and the letters that were sent. It is
//! there only where the demo hands it to the server; without it, these addresses do not exist.
mod mailbox;

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use serde::Serialize;
use serde_json::json;

use super::visit::Visit;
use super::{Place, button, page, put};
use crate::casework::door::Entry;
use crate::casework::signin::{Browser, Credential};
use crate::domain::hash::hash_of_bytes;
use crate::domain::text::{EmailAddress, Password};
use crate::web::api::Answer;
use crate::web::cookies;
use crate::web::problem::{Kind, Problem};

/// What the demo hands over: its people, and where its letters lie.
#[derive(Debug)]
pub struct Door {
    /// The password of everybody in the demo.
    pub password: &'static str,
    pub groups: Vec<Group>,
    pub letters: PathBuf,
}

/// People who are the same kind of somebody.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Where on the page they are.
    pub id: &'static str,
    /// What they are, as a heading.
    pub name: &'static str,
    /// What that means, in a sentence.
    pub about: &'static str,
    pub people: Vec<Somebody>,
}

/// Somebody to be.
#[derive(Debug, Serialize)]
pub struct Somebody {
    pub name: String,
    pub email: String,
    /// Lead of which LERO, or what they are at CLERO.
    pub post: String,
    /// What is worth a look as them.
    pub see: &'static str,
    /// Where they begin.
    pub begins_at: &'static str,
    /// The secret of the browser they trust: with it, the password alone is enough.
    #[serde(skip)]
    pub browser: String,
}

/// Opens it.
pub fn configure(config: &mut ServiceConfig, door: &Arc<Door>) {
    for place in places(door) {
        put(config, place);
    }
}

fn places(door: &Arc<Door>) -> Vec<Place> {
    let (front, be, list) = (door.clone(), door.clone(), door.clone());
    let (letter, html) = (door.clone(), door.clone());
    vec![
        page("/demo", move |visit| people(visit, front.clone())).for_anybody(),
        button("/demo/be", move |visit| become_somebody(visit, be.clone())).for_anybody(),
        page("/demo/mailbox", move |visit| {
            mailbox::list(visit, list.clone())
        })
        .for_anybody(),
        page("/demo/mailbox/{letter}", move |visit| {
            mailbox::letter(visit, letter.clone())
        })
        .for_anybody(),
        page("/demo/mailbox/{letter}/html", move |visit| {
            mailbox::html(visit, html.clone())
        })
        .for_anybody(),
    ]
}

/// Everybody of the demo.
async fn people(visit: Visit, door: Arc<Door>) -> Answer {
    let now = visit
        .me
        .as_ref()
        .and_then(|me| Some(me.person.email.as_ref()?.as_str().to_owned()));
    visit.page("demo/people", json!({ "groups": door.groups, "now": now }))
}

/// Signs in as somebody, by their password, in a browser they trust.
async fn become_somebody(visit: Visit, door: Arc<Door>) -> Answer {
    let missing = || Problem::new(Kind::NotFound);
    let wanted = visit.said("person").ok_or_else(missing)?;
    let all = || door.groups.iter().flat_map(|group| &group.people);
    let somebody = all().find(|p| p.email == wanted).ok_or_else(missing)?;
    let email = EmailAddress::parse(&somebody.email).map_err(|_| missing())?;
    let password = Password::parse(door.password).map_err(|_| missing())?;
    let browser = Browser {
        trusted: Some(hash_of_bytes(somebody.browser.as_bytes())),
        ..visit.ask.browser()?
    };
    let Entry::In(new) = visit.desk.sign_in(email, password, browser).await? else {
        // This browser is trusted no more: somebody ended that, or the demo is older than the door.
        return visit.fresh_page("demo/too_old", json!({ "name": somebody.name }));
    };
    if let before @ Credential::Session(_) = visit.caller() {
        // Whoever was here before leaves, if they had not left already.
        visit.desk.sign_out(before).await.ok();
    }
    let seconds = (new.expires_at.0 - visit.desk.clock.now().0)
        .num_seconds()
        .max(1);
    let mut answer = visit.on(somebody.begins_at)?;
    let cookie = cookies::given(cookies::SESSION, &new.secret, seconds);
    let cookie = header::HeaderValue::from_str(&cookie).map_err(|_| Problem::new(Kind::Broken))?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}
