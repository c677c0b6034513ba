//! The cases somebody can see: one list, what waits for them first and the most overdue on top, with filters.
use serde_json::{Value, json};

use super::turn::{turn_of, waiting_word};
use super::{between, title};
use crate::casework::read::{Filter, Search};
use crate::domain::access::CapacityName;
use crate::domain::case::Stage;
use crate::domain::people::{MembershipState, Role};
use crate::domain::sight::{Brief, Turn};
use crate::domain::time::Moment;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// How many cases are read for one page: what somebody takes part in fits on one.
const AT_ONCE: u16 = 100;

/// The list.
pub async fn show(visit: Visit) -> Answer {
    let filter = filter(&visit);
    let search = Search {
        filter: filter.clone(),
        slice: visit.slice(AT_ONCE)?,
    };
    let page = visit.desk.cases(visit.caller(), search).await?;
    let now = visit.desk.clock.now();
    let mut mine: Vec<&Brief> = page.items.iter().collect();
    mine.sort_by_key(|b| {
        (
            order(b),
            b.next_due.is_none(),
            b.next_due,
            std::cmp::Reverse(b.opened_at),
        )
    });
    let group = |wanted: Group| -> Vec<Value> {
        mine.iter()
            .filter(|b| order(b) == wanted)
            .map(|b| case(b, now))
            .collect()
    };
    let late = mine.iter().filter(|b| is_late(b, now)).count();
    let groups = [
        ("you", Group::You),
        ("others", Group::Others),
        ("closed", Group::Closed),
    ];
    let data = json!({
        "groups": groups.iter().map(|(word, g)| json!({ "word": word, "cases": group(*g) })).collect::<Vec<_>>(),
        "counts": { "late": late, "you": group(Group::You).len(), "others": group(Group::Others).len(), "closed": group(Group::Closed).len() },
        "none": page.items.is_empty(), "filtered": filter != Filter::default(), "next": page.next,
        "stage": visit.asked_for("stage"), "waiting": visit.asked_for("waiting"), "text": visit.asked_for("text"),
        "query": query(&visit), "starts": may_start(&visit)?,
    });
    visit.page("cases/list", data)
}

/// Whether somebody may begin a case: for their own organisation, or for somebody who is offline.
fn may_start(visit: &Visit) -> Result<bool, Problem> {
    let member = visit
        .me()?
        .memberships
        .iter()
        .any(|m| m.state == MembershipState::Active);
    Ok(member || visit.is(Role::Coordinator) || visit.is(Role::Facilitator))
}

fn filter(visit: &Visit) -> Filter {
    let turn = visit.asked_for("waiting").and_then(|word| {
        [
            Turn::Initiating,
            Turn::Invited,
            Turn::Facilitator,
            Turn::Coordinator,
        ]
        .into_iter()
        .find(|t| t.word() == word)
    });
    Filter {
        stage: visit.asked_for("stage").and_then(|word| word.parse().ok()),
        waiting_for: turn,
        text: visit.asked_for("text").filter(|t| t.chars().count() <= 200),
        ..Filter::default()
    }
}

/// The filters again, for the address of the next page.
fn query(visit: &Visit) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for key in ["stage", "waiting", "text"] {
        if let Some(value) = visit.asked_for(key) {
            out.append_pair(key, &value);
        }
    }
    out.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    You,
    Others,
    Closed,
}

fn order(brief: &Brief) -> Group {
    let own = turn_of(brief.you_are).is_some_and(|turn| brief.waiting_for.contains(&turn));
    if own && !brief.on_hold {
        Group::You
    } else if brief.stage == Stage::Closed {
        Group::Closed
    } else {
        Group::Others
    }
}

fn is_late(brief: &Brief, now: Moment) -> bool {
    !brief.on_hold && brief.stage != Stage::Closed && brief.next_due.is_some_and(|due| due < now)
}

/// A case of a list, as the part `case` shows it.
pub fn case(brief: &Brief, now: Moment) -> Value {
    let number = match brief.stage {
        Stage::Draft | Stage::Intake => 0,
        Stage::EarlyConversation => 1,
        Stage::StandardsReview => 2,
        Stage::AgreedActions => 3,
        Stage::Closed => 4,
    };
    let look = match (is_late(brief, now), order(brief)) {
        (true, _) => "late",
        (false, Group::You) => "you",
        (false, Group::Others) => "others",
        (false, Group::Closed) => "closed",
    };
    let pips: Vec<&str> = (1..=4)
        .map(|n| match n {
            n if n < number || brief.stage == Stage::Closed => "is-done",
            n if n == number => "is-now",
            _to_come => "",
        })
        .collect();
    json!({
        "id": brief.id, "reference": brief.reference, "title": title(brief), "between": between(brief), "stage": brief.stage,
        "number": number, "pips": pips, "look": look, "waits": waiting_word(brief), "due": brief.next_due.filter(|_| brief.stage != Stage::Closed),
        "on_hold": brief.on_hold, "opened_at": brief.opened_at, "asked": brief.you_are == CapacityName::AskedFacilitator,
    })
}
