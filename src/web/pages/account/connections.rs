//! One's ties to organisations, as one declares them. What is declared stays, and takes effect at once.
use serde_json::{Value, json};

use super::names_of;
use crate::casework::people::{Affiliation, NewAffiliation};
use crate::casework::read::{LONGEST_PAGE, Slice};
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// The most pages of the register that are shown to choose from.
const PAGES: usize = 20;

pub async fn show(visit: Visit) -> Answer {
    let me = visit.me()?.person.id;
    let declared = visit.desk.affiliations(visit.caller(), me).await?.items;
    let names = names_of(&visit, declared.iter().map(|tie| tie.organisation)).await?;
    let ties: Vec<Value> = declared
        .iter()
        .map(|tie| {
            json!({
                "organisation": names.get(&tie.organisation), "role": tie.role,
                "since": tie.since, "until": tie.until,
            })
        })
        .collect();
    let organisations = register(&visit).await?;
    visit.page(
        "account/connections",
        json!({ "ties": ties, "organisations": organisations }),
    )
}

/// Every organisation by its name, to choose one.
async fn register(visit: &Visit) -> Result<Vec<Value>, Problem> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let slice = Slice {
            limit: Some(LONGEST_PAGE),
            cursor,
        };
        let page = visit
            .desk
            .organisations(visit.caller(), None, slice)
            .await?;
        all.extend(
            page.items
                .iter()
                .map(|o| json!({ "value": o.id, "label": o.working_name, "hint": null })),
        );
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(all)
}

pub async fn declare(visit: Visit) -> Answer {
    match declared(&visit).await {
        Ok(_) => visit.on("/account/connections?done=connection_declared"),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

async fn declared(visit: &Visit) -> Result<Affiliation, Problem> {
    let (me, new) = (visit.me()?.person.id, visit.body::<NewAffiliation>()?);
    Ok(visit
        .desk
        .declare_affiliation(visit.caller(), me, new, visit.once())
        .await?)
}
