//! What one was told, the newest first.
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Deserialize;
use serde_json::{Value, json};

use super::after;
use crate::domain::id::{CaseId, NoticeId};
use crate::domain::notice::Notice;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// How many are shown at a time.
const MANY: u16 = 20;

pub async fn show(visit: Visit) -> Answer {
    let page = visit
        .desk
        .notifications(visit.caller(), visit.slice(MANY)?)
        .await?;
    let mut cases: BTreeMap<CaseId, Option<String>> = BTreeMap::new();
    for id in page.items.iter().filter_map(|notice| notice.case) {
        if let Entry::Vacant(place) = cases.entry(id) {
            // A case somebody has left is spoken of once more, and not shown.
            let case = visit.desk.case(visit.caller(), id).await.ok();
            place.insert(case.map(|case| case.brief.reference.0));
        }
    }
    let one = |notice: &Notice| {
        let reference = notice.case.and_then(|id| cases.get(&id).cloned().flatten());
        json!({
            "id": notice.id, "what": notice.what, "case": notice.case, "reference": reference,
            "at": notice.at, "due": notice.due, "new": notice.read_at.is_none(),
        })
    };
    let shown: Vec<Value> = page.items.iter().map(one).collect();
    let new: Vec<NoticeId> = page
        .items
        .iter()
        .filter(|n| n.read_at.is_none())
        .map(|n| n.id)
        .collect();
    let first = visit.asked_for("cursor").is_none();
    visit.page(
        "account/notices",
        json!({ "notices": shown, "new": new, "next": page.next, "first": first }),
    )
}

/// Which ones somebody has read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(default)]
    ids: Vec<NoticeId>,
}

pub async fn read(visit: Visit) -> Answer {
    let said: Read = visit.body()?;
    let mut done = Ok(());
    for id in said.ids.into_iter().take(MANY.into()) {
        done = visit
            .desk
            .mark_read(visit.caller(), id, None)
            .await
            .map_err(Problem::from);
        if done.is_err() {
            break;
        }
    }
    after(&visit, done, "/notifications", "notices_read")
}
