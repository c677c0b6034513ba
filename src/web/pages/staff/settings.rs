//! What is set, to be read: it is changed where the service is started.
use serde_json::{Value, json};

use crate::domain::deadline::{Span, Spans};
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;

/// What is set.
pub async fn show(visit: Visit) -> Answer {
    let set = visit.desk.settings_seen(visit.caller()).await?;
    let holidays: Vec<Value> = set
        .holidays_until
        .iter()
        .map(|(place, day)| json!({ "place": place, "day": day }))
        .collect();
    let clocks = clocks(&set.spans);
    visit.page(
        "staff/settings",
        json!({ "set": set, "clocks": clocks, "holidays": holidays }),
    )
}

/// Every clock with its length, in the order in which a case meets them.
fn clocks(spans: &Spans) -> Vec<Value> {
    let clock = |word: &str, span: Span| match span {
        Span::Days(n) => json!({ "clock": word, "n": n, "kind": "days" }),
        Span::WorkingDays(n) => json!({ "clock": word, "n": n, "kind": "working_days" }),
    };
    let days = |n: u16| Span::Days(n);
    vec![
        clock("triage", spans.triage),
        clock("acceptance", spans.acceptance),
        clock("response", spans.response),
        clock("more_time", spans.more_time),
        clock("objection", spans.objection),
        clock("objection_decision", spans.objection_decision),
        clock("early_conversation_review", spans.early_conversation_review),
        clock("early_conversation", spans.early_conversation),
        clock("standards_review", spans.standards_review),
        clock("agreed_actions", spans.agreed_actions),
        clock("signing", spans.signing),
        clock("first_hold", days(spans.first_hold_days)),
        clock("hold", days(spans.hold_days)),
        clock("reopen", days(spans.reopen_days)),
    ]
}
