//! Saying where an organisation is, and what CLERO thinks of it, as pages: first the place is found, then the rest is
//! asked; a coordinator confirms, or notes a question.
use serde_json::{Value, json};

use super::fields::Fields;
use super::find::searched;
use super::register::{Looked, base, organisation_of, with};
use super::visit::Visit;
use crate::domain::id::PresenceId;
use crate::domain::place;
use crate::domain::register::{LocalityCode, PresenceState};
use crate::web::api::Answer;
use crate::web::problem::{Kind, Problem};

/// Where an organisation is: first the place is found, then the rest is asked.
pub async fn declaring(visit: Visit) -> Answer {
    let looked = Looked::at(&visit).await?;
    if !looked.keeper && !looked.lead {
        return Err(Problem::new(Kind::NotAllowed));
    }
    let asked = visit
        .asked_for("at")
        .or_else(|| visit.said("locality").map(str::to_owned));
    let at = asked.as_deref().and_then(LocalityCode::parse);
    let (q, places) = match searched(&visit) {
        Some(q) if at.is_none() => {
            let places = candidates(&q);
            (Some(q), places)
        }
        Some(_) | None => (None, Vec::new()),
    };
    let places: Vec<Value> = places
        .iter()
        .map(|c| json!({ "code": c, "name": c.locality().name, "region": c.locality().region }))
        .collect();
    let mut stands = Fields::default();
    stands.add_some("locality", at.as_ref().map(LocalityCode::as_str));
    let data = json!({
        "q": q, "places": places, "at": at.as_ref().map(LocalityCode::as_str), "at_name": at.as_ref().map(|c| c.locality().name.as_str()),
    });
    visit.form(
        "register/declare",
        with(looked.data(), data),
        stands,
        String::new(),
    )
}

/// Which councils somebody may have meant.
fn candidates(said: &str) -> Vec<LocalityCode> {
    match place::find(said) {
        place::Found::Postcode(_, places) | place::Found::Nothing(places) => places,
        place::Found::NorthernIreland(_) => in_region("Northern Ireland"),
        place::Found::Region(region) => in_region(region),
        place::Found::NoSuchPostcode(_) => Vec::new(),
        place::Found::Named(named) => {
            let below = named
                .county
                .iter()
                .flat_map(|c| &c.districts)
                .filter_map(|c| LocalityCode::parse(c));
            let after = named.former.iter().flat_map(|f| f.successors.clone());
            let mut all = named.places.clone();
            for more in below.chain(after) {
                if !all.contains(&more) {
                    all.push(more);
                }
            }
            all
        }
    }
}

fn in_region(region: &str) -> Vec<LocalityCode> {
    place::in_region(region)
        .into_iter()
        .filter_map(|l| LocalityCode::parse(&l.code))
        .collect()
}

/// Says where an organisation is.
pub async fn declare(visit: Visit) -> Answer {
    let id = organisation_of(&visit)?;
    let done = match visit.body() {
        Ok(said) => visit
            .desk
            .declare_presence(visit.caller(), id, said, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(presence) => {
            let word = if presence.state == PresenceState::Confirmed {
                "presence_confirmed"
            } else {
                "presence_declared"
            };
            visit.on(&format!("{}?done={word}", base(&visit, id)))
        }
        Err(problem) => declaring(visit.troubled(problem)?).await,
    }
}

/// Confirms or questions what an organisation said.
pub async fn judge(visit: Visit) -> Answer {
    let id = organisation_of(&visit)?;
    let presence = visit.id("presence", PresenceId::parse)?;
    let state = match visit.said("state") {
        Some("confirmed") => PresenceState::Confirmed,
        Some("questioned") => PresenceState::Questioned,
        Some(_) | None => return Err(Problem::new(Kind::BadRequest)),
    };
    visit
        .desk
        .judge_presence(visit.caller(), id, presence, state, visit.once())
        .await
        .map_err(Problem::from)?;
    let word = if state == PresenceState::Confirmed {
        "presence_confirmed"
    } else {
        "presence_questioned"
    };
    visit.on(&format!("/register/{id}?done={word}"))
}
