//! Everybody with an account: the list, and adding somebody.
use serde_json::json;

use super::address;
use crate::casework::people::NewPerson;
use crate::domain::people::Role;
use crate::web::api::Answer;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// How many people there are on a page.
const ON_A_PAGE: u16 = 50;

/// Everybody, by name.
pub async fn list(visit: Visit) -> Answer {
    let name = visit.asked_for("name").map(|name| name.trim().to_owned());
    let slice = visit.slice(ON_A_PAGE)?;
    let first = slice.cursor.is_none();
    let page = visit
        .desk
        .find_people(visit.caller(), name.clone(), slice)
        .await?;
    let begin = address("/people", &[("name", name.as_deref())]);
    let next = page.next.as_deref().map(|cursor| {
        address(
            "/people",
            &[("name", name.as_deref()), ("cursor", Some(cursor))],
        )
    });
    visit.page(
        "staff/people",
        json!({ "people": page.items.iter().map(person_line).collect::<Vec<_>>(), "name": name, "next": next, "begin": (!first).then_some(begin) }),
    )
}

fn person_line(person: &crate::domain::people::Person) -> serde_json::Value {
    json!({ "id": person.id, "name": person.name, "email": person.email, "roles": person.roles, "active": person.active })
}

/// The form to add somebody.
pub async fn new(visit: Visit) -> Answer {
    // Whoever may not add people may not see the form either.
    let nobody = crate::casework::read::Slice {
        limit: Some(1),
        cursor: None,
    };
    visit.desk.people(visit.caller(), nobody).await?;
    let all = visit.is(Role::Administrator);
    visit.form(
        "staff/new_person",
        json!({ "all": all }),
        Fields::default(),
        String::new(),
    )
}

/// Adds somebody.
pub async fn add(visit: Visit) -> Answer {
    let said: NewPerson = match visit.body() {
        Ok(said) => said,
        Err(problem) => return new(visit.troubled(problem)?).await,
    };
    let added = visit
        .desk
        .add_person(visit.caller(), said, visit.once())
        .await;
    match added.map_err(Problem::from) {
        Ok(person) => visit.on(&format!("/people/{}?done=person_added", person.id)),
        Err(problem) => new(visit.troubled(problem)?).await,
    }
}
