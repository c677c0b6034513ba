//! One's own account: who one is here, and everything about how one gets in. Each page is a use case of one's own; what
//! needs a fresh second step goes by `/step` and comes back.
pub mod connections;
pub mod notices;
pub mod paper;
pub mod passkeys;
pub mod programs;
pub mod sessions;
pub mod ways_in;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use super::visit::Visit;
use crate::domain::id::OrganisationId;
use crate::domain::people::MembershipState;
use crate::web::api::Answer;
use crate::web::problem::{Kind, Problem};

/// Who one is here, with a way to everything that can be changed.
pub async fn show(visit: Visit) -> Answer {
    let me = visit.me()?;
    let active = |state| matches!(state, MembershipState::Active);
    let mut memberships = Vec::new();
    for membership in me.memberships.iter().filter(|m| active(m.state)) {
        memberships.push(json!({
            "organisation": name_of(&visit, membership.organisation).await?,
            "lead": membership.lead,
            "since": membership.since,
        }));
    }
    let caller = || visit.caller();
    let data = json!({
        "me": {
            "name": me.person.name, "email": me.person.email,
            "roles": me.person.roles.iter().map(|role| role.word()).collect::<Vec<_>>(),
        },
        "memberships": memberships,
        "passkeys": visit.desk.passkeys(caller()).await?.items.len(),
        "sessions": visit.desk.sessions(caller()).await?.items.len(),
        "browsers": visit.desk.trusted_browsers(caller()).await?.items.len(),
        "codes": visit.desk.recovery_codes_left(caller()).await?.left,
        "tokens": visit.desk.tokens(caller()).await?.items.len(),
        "calendar": visit.desk.feed(caller()).await?.active,
        "help": help_under_way(&visit).await?,
    });
    visit.page("account/show", data)
}

/// Whether help that CLERO vouched for could let somebody in, now or soon.
async fn help_under_way(visit: &Visit) -> Result<bool, Problem> {
    let (now, me) = (visit.desk.clock.now(), visit.me()?.person.id);
    let all = visit.desk.recoveries(visit.caller(), me).await?.items;
    Ok(all
        .iter()
        .any(|r| r.stopped_at.is_none() && r.used_at.is_none() && now < r.expires_at))
}

/// What an organisation is called.
async fn name_of(visit: &Visit, id: OrganisationId) -> Result<String, Problem> {
    let found = visit.desk.organisation(visit.caller(), id).await?;
    Ok(found.working_name.as_str().to_owned())
}

/// The names of several, each looked up once.
async fn names_of(
    visit: &Visit,
    all: impl IntoIterator<Item = OrganisationId>,
) -> Result<BTreeMap<OrganisationId, String>, Problem> {
    let mut names = BTreeMap::new();
    for id in all {
        if let Entry::Vacant(place) = names.entry(id) {
            place.insert(name_of(visit, id).await?);
        }
    }
    Ok(names)
}

/// Asks for a fresh second step before somebody types anything that will need one. The use case asks again.
async fn fresh(visit: &Visit) -> Result<(), Problem> {
    match visit.desk.session(visit.caller()).await?.fresh_until {
        Some(_) => Ok(()),
        None => Err(Problem::new(Kind::FreshStep)),
    }
}

/// A page of the account, after a button on it.
fn after(visit: &Visit, done: Result<(), Problem>, path: &str, word: &str) -> Answer {
    done?;
    visit.on(&format!("{path}?done={word}"))
}

/// Nothing besides what every page has.
fn nothing() -> Value {
    json!({})
}
