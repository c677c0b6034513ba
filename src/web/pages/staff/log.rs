//! The log: what has happened to accounts and the register, and whether the whole still holds.
use serde_json::{Value, json};

use super::address;
use crate::casework::log::Verified;
use crate::domain::people::Role;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;

/// How many events there are on a page.
const ON_A_PAGE: u16 = 50;

/// The newest events.
pub async fn show(visit: Visit) -> Answer {
    shown(&visit, Value::Null).await
}

/// Follows the log link by link, and says what that has shown. Nothing is changed.
pub async fn verify(visit: Visit) -> Answer {
    let begun = visit.desk.clock.now();
    let found = match visit.desk.verify_log(visit.caller()).await? {
        Verified::Holds(events) => json!({ "holds": true, "events": events, "at": begun }),
        Verified::Broken { chain, place, why } => {
            json!({ "holds": false, "chain": chain, "place": place, "why": why, "at": begun })
        }
    };
    shown(&visit, found).await
}

async fn shown(visit: &Visit, found: Value) -> Answer {
    let slice = visit.slice(ON_A_PAGE)?;
    let first = slice.cursor.is_none();
    let page = visit.desk.register_log(visit.caller(), slice).await?;
    let next = page
        .next
        .as_deref()
        .map(|cursor| address("/log", &[("cursor", Some(cursor))]));
    visit.fresh_page(
        "staff/log",
        json!({ "events": page.items, "next": next, "begin": (!first).then_some("/log"), "found": found, "verifies": visit.is(Role::Auditor), "names": visit.is(Role::Administrator) }),
    )
}
