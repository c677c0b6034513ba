//! The board: everything that is running, by what CLERO must do next.
use serde_json::{Value, json};

use super::{address, word_of};
use crate::casework::board::{Board, Card, Narrowed, Pile};
use crate::domain::case::Stage;
use crate::domain::sight::{Next, OrganisationName, Turn};
use crate::domain::time::Moment;
use crate::web::api::Answer;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;

/// How many cases there are on a page.
const ON_A_PAGE: usize = 40;

/// The board.
pub async fn show(visit: Visit) -> Answer {
    let asked = |key: &str| visit.asked_for(key);
    let (stage, turn, text) = (asked("stage"), asked("waiting_for"), asked("text"));
    // A pile that nobody knows is none.
    let pile: Option<Pile> = word_of(asked("show").as_deref());
    let show = asked("show").filter(|_| pile.is_some());
    let narrowed = Narrowed {
        pile,
        stage: word_of(stage.as_deref()),
        waiting_for: word_of(turn.as_deref()),
        text: text.clone(),
    };
    let is_narrowed = [&show, &stage, &turn, &text]
        .iter()
        .any(|said| said.is_some());
    let board = visit.desk.board(visit.caller(), narrowed).await?;
    let now = visit.desk.clock.now();
    let from = asked("from")
        .and_then(|n| n.parse::<usize>().ok())
        .unwrap_or(0);
    let page_at = |at: Option<usize>| {
        at.map(|at| {
            let from = at.to_string();
            let query = [
                ("show", &show),
                ("stage", &stage),
                ("waiting_for", &turn),
                ("text", &text),
            ];
            let mut all: Vec<(&str, Option<&str>)> =
                query.map(|(key, value)| (key, value.as_deref())).to_vec();
            all.push(("from", Some(from.as_str())));
            address("/board", &all)
        })
    };
    let found = board.cards.len();
    let mut stands = Fields::default();
    for (key, value) in [
        ("stage", &stage),
        ("waiting_for", &turn),
        ("text", &text),
        ("show", &show),
    ] {
        stands.add_some(key, value.as_ref());
    }
    let data = json!({
        "running": board.running, "found": found, "narrowed": is_narrowed, "show": show,
        "counts": counts(&board), "groups": groups(&board, from, now),
        "earlier": page_at((from > 0).then(|| from.saturating_sub(ON_A_PAGE))),
        "later": page_at(Some(from.saturating_add(ON_A_PAGE)).filter(|next| *next < found)),
    });
    visit.form("staff/board", data, stands, String::new())
}

fn counts(board: &Board) -> Vec<Value> {
    board
        .counts
        .iter()
        .map(|(pile, count)| json!({ "pile": pile, "count": count }))
        .collect()
}

/// The cases of this page under what CLERO must do with them.
fn groups(board: &Board, from: usize, now: Moment) -> Vec<Value> {
    let mut groups: Vec<(Next, Vec<Value>)> = Vec::new();
    for card in board.cards.iter().skip(from).take(ON_A_PAGE) {
        match groups.last_mut() {
            Some((next, cards)) if *next == card.next => cards.push(shown(card, now)),
            Some(_) | None => groups.push((card.next, vec![shown(card, now)])),
        }
    }
    groups
        .into_iter()
        .map(|(next, cards)| {
            let all = board.cards.iter().filter(|card| card.next == next).count();
            json!({ "next": next, "work": next.is_work(), "count": all, "cards": cards })
        })
        .collect()
}

/// A case as the board, and the tasks, show it.
pub fn shown(card: &Card, now: Moment) -> Value {
    let names = |those: &[OrganisationName]| -> Vec<String> {
        those.iter().map(|o| o.name.clone()).collect()
    };
    let sides = card.brief.sides.as_ref();
    let waiting: Vec<Value> = card
        .brief
        .waiting_for
        .iter()
        .flat_map(|turn| match (turn, sides) {
            (Turn::Initiating, Some(sides)) => names(&sides.initiating),
            (Turn::Invited, Some(sides)) => names(&sides.invited),
            (Turn::Facilitator | Turn::Coordinator | Turn::Initiating | Turn::Invited, _) => {
                Vec::new()
            }
        })
        .map(|name| json!({ "name": name }))
        .chain(card.brief.waiting_for.iter().filter_map(|turn| match turn {
            Turn::Facilitator | Turn::Coordinator => Some(json!({ "turn": turn, "name": null })),
            Turn::Initiating | Turn::Invited => None,
        }))
        .collect();
    let edge = match () {
        () if card.late.is_some() => "late",
        () if card.next.is_work() => "you",
        () if card.brief.waiting_for.is_empty() => "idle",
        () => "others",
    };
    json!({
        "id": card.brief.id, "reference": card.brief.reference, "stage": card.brief.stage, "edge": edge,
        "one": sides.map(|s| names(&s.initiating)), "other": sides.map(|s| names(&s.invited)),
        "places": card.brief.localities.iter().flatten().map(|place| &place.name).collect::<Vec<_>>(),
        "days": (now.0 - card.brief.opened_at.0).num_days(), "next": card.next,
        "waiting": waiting, "pips": pips(card.brief.stage), "clero": card.brief.waiting_for.contains(&Turn::Coordinator),
        "facilitator": card.facilitator.as_ref().map(|person| &person.name), "accepted": card.accepted,
        "late": card.late, "due": card.due, "paused": card.brief.on_hold,
    })
}

/// How far along the four stages a case is: each is done, now, or still to come.
fn pips(stage: Stage) -> Value {
    let at = match stage {
        Stage::Draft | Stage::Intake => 0,
        Stage::EarlyConversation => 1,
        Stage::StandardsReview => 2,
        Stage::AgreedActions => 3,
        Stage::Closed => 4,
    };
    let class = |n: usize| {
        if n < at {
            "is-done"
        } else if n == at {
            "is-now"
        } else {
            ""
        }
    };
    json!({ "at": at, "all": (1..=4).map(class).collect::<Vec<_>>() })
}
