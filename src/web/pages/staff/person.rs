//! Somebody with an account: what they may do here, where they belong, and help to get back in.
use serde_json::{Value, json};

use crate::casework::people::{ChangePerson, NewAffiliation};
use crate::casework::read::Slice;
use crate::casework::recovery::Recovery;
use crate::domain::id::{OrganisationId, PersonId, RecoveryId};
use crate::domain::people::{MembershipState, Person};
use crate::web::api::Answer;
use crate::web::json;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::{Visit, tag};
use crate::web::problem::Problem;

fn id_in(visit: &Visit) -> Result<PersonId, Problem> {
    visit.id("person", PersonId::parse)
}

fn shown(person: &Person) -> Value {
    json!({ "id": person.id, "name": person.name, "email": person.email, "roles": person.roles, "active": person.active })
}

/// Everything there is to know of somebody.
pub async fn show(visit: Visit) -> Answer {
    let (id, desk) = (id_in(&visit)?, visit.desk.clone());
    let may = desk.staff_may(visit.caller(), id).await?;
    let person = desk.person(visit.caller(), id).await?;
    let places = desk.places_of(visit.caller(), id).await?;
    let ties = if may.see_ties {
        let all = desk.affiliations(visit.caller(), id).await?;
        let names = organisation_names(&visit).await?;
        let named = |o: OrganisationId| {
            names
                .iter()
                .find(|(id, _)| *id == o)
                .map(|(_, name)| name.clone())
        };
        let line = |tie: &crate::casework::people::Affiliation| json!({ "organisation": named(tie.organisation), "role": tie.role, "since": tie.since, "until": tie.until });
        Some(all.items.iter().map(line).collect::<Vec<_>>())
    } else {
        None
    };
    let now = desk.clock.now();
    let recoveries = desk.recoveries(visit.caller(), id).await?;
    let open = |r: &Recovery| r.stopped_at.is_none() && r.used_at.is_none() && r.expires_at > now;
    let recovery = recoveries.items.iter().find(|r| open(r));
    let current = |state: MembershipState| state == MembershipState::Active;
    visit.page(
        "staff/person",
        json!({
            "person": shown(&person), "may": may, "ties": ties,
            "places": places.iter().map(|p| json!({ "organisation": p.organisation, "lead": p.membership.lead, "state": p.membership.state, "since": p.membership.since, "until": p.membership.until, "now": current(p.membership.state) })).collect::<Vec<_>>(),
            "recovery": recovery.map(|r| json!({ "id": r.id, "since": r.created_at, "from": r.effective_at, "until": r.expires_at, "works": r.effective_at <= now })),
        }),
    )
}

/// The form to change roles, and whether the account is open.
pub async fn change(visit: Visit) -> Answer {
    let id = id_in(&visit)?;
    visit
        .desk
        .staff_may(visit.caller(), id)
        .await?
        .need_change()?;
    let person = visit.desk.person(visit.caller(), id).await?;
    let mut stands = Fields::default();
    for role in &person.roles {
        stands.add("roles[]", role.word());
    }
    stands.add("active?", if person.active { "yes" } else { "no" });
    visit.form(
        "staff/change_person",
        json!({ "person": shown(&person) }),
        stands,
        tag(&person),
    )
}

/// Changes them.
pub async fn save(visit: Visit) -> Answer {
    let id = id_in(&visit)?;
    let mut said = visit.fields();
    if let Value::Object(fields) = &mut said {
        // No box ticked is no role, and not nothing said.
        fields.entry("roles").or_insert_with(|| json!([]));
    }
    let change: ChangePerson = match json::shape(said) {
        Ok(change) => change,
        Err(problem) => return self::change(visit.troubled(problem)?).await,
    };
    let done = visit
        .desk
        .change_person(visit.caller(), id, change, visit.seen(), visit.once())
        .await;
    match done.map_err(Problem::from) {
        Ok(_) => visit.on(&format!("/people/{id}?done=person_changed")),
        Err(problem) => self::change(visit.troubled(problem)?).await,
    }
}

/// The form to declare a connection.
pub async fn connection(visit: Visit) -> Answer {
    let id = id_in(&visit)?;
    let person = visit.desk.person(visit.caller(), id).await?;
    // Whoever may declare for somebody may read what was declared.
    visit.desk.affiliations(visit.caller(), id).await?;
    let all = organisation_names(&visit).await?;
    let options: Vec<Value> = all
        .iter()
        .map(|(id, name)| json!({ "value": id, "label": name, "hint": null }))
        .collect();
    visit.form(
        "staff/connection",
        json!({ "person": shown(&person), "organisations": options }),
        Fields::default(),
        String::new(),
    )
}

/// Declares it.
pub async fn declare(visit: Visit) -> Answer {
    let id = id_in(&visit)?;
    let said: NewAffiliation = match visit.body() {
        Ok(said) => said,
        Err(problem) => return connection(visit.troubled(problem)?).await,
    };
    let done = visit
        .desk
        .declare_affiliation(visit.caller(), id, said, visit.once())
        .await;
    match done.map_err(Problem::from) {
        Ok(_) => visit.on(&format!("/people/{id}?done=connection_declared")),
        Err(problem) => connection(visit.troubled(problem)?).await,
    }
}

/// What vouching means, before it is done.
pub async fn vouching(visit: Visit) -> Answer {
    let id = id_in(&visit)?;
    visit
        .desk
        .staff_may(visit.caller(), id)
        .await?
        .need_vouch()?;
    let person = visit.desk.person(visit.caller(), id).await?;
    visit.page("staff/vouch", json!({ "person": shown(&person) }))
}

/// Vouches for somebody who cannot get in.
pub async fn vouch(visit: Visit) -> Answer {
    let id = id_in(&visit)?;
    let done = visit.desk.vouch(visit.caller(), id, visit.once()).await;
    match done.map_err(Problem::from) {
        Ok(_) => visit.on(&format!("/people/{id}?done=vouched")),
        Err(problem) => vouching(visit.troubled(problem)?).await,
    }
}

/// Stops help that was vouched for.
pub async fn stop(visit: Visit) -> Answer {
    let (id, recovery) = (id_in(&visit)?, visit.id("recovery", RecoveryId::parse)?);
    visit
        .desk
        .stop_recovery(visit.caller(), recovery, visit.once())
        .await?;
    visit.on(&format!("/people/{id}?done=recovery_stopped"))
}

/// Every organisation by name: some hundreds, in pages of a hundred.
async fn organisation_names(visit: &Visit) -> Result<Vec<(OrganisationId, String)>, Problem> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let slice = Slice {
            limit: Some(100),
            cursor,
        };
        let page = visit
            .desk
            .organisations(visit.caller(), None, slice)
            .await?;
        all.extend(
            page.items
                .into_iter()
                .map(|o| (o.id, o.working_name.as_str().to_owned())),
        );
        cursor = page.next;
        if cursor.is_none() || all.len() >= 2000 {
            return Ok(all);
        }
    }
}
