//! Agreed actions: what is on the table, the draft that goes round, and the agreement in force.
use serde_json::{Value, json};

use super::{Open, by_side, open};
use crate::domain::action::EventName as E;
use crate::domain::agreement::{AgreedAction, When};
use crate::domain::case::{BySide, Side};
use crate::domain::hash::read_back_code;
use crate::domain::id::OrganisationId;
use crate::domain::review::standards;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// The agreement of the case, wherever it is.
pub async fn show(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let Some(agreement) = &open.sight.agreement else {
        return Err(Problem::new(Kind::NotFound));
    };
    let drafting = agreement
        .drafting
        .as_ref()
        .map(|all| all.iter().map(|a| action(&open, a)).collect::<Vec<_>>());
    let circulated = agreement.circulated.as_ref().map(|c| {
        let accepted = c.accepted.as_ref().map(|those| answers(&open, |o| those.contains(&o)));
        let declined: Option<Vec<Value>> = c.declined.as_ref().map(|those| {
            those.iter().map(|(o, why)| json!({ "name": open.name_of(*o), "what_would_help": why })).collect()
        });
        json!({ "hash": c.hash, "code": read_back_code(&c.hash), "still_open": c.still_open, "accepted": accepted, "declined": declined })
    });
    let in_force = agreement.in_force.as_ref().map(|a| {
        let signed: Vec<Value> = a
            .signed
            .iter()
            .map(|(o, s)| json!({ "name": open.name_of(*o), "at": s.at, "channel": s.channel }))
            .collect();
        let actions: Vec<Value> = a.actions.iter().map(|a| action(&open, a)).collect();
        json!({ "since": a.since, "hash": a.hash, "actions": actions, "still_open": a.still_open, "signed": signed, "legally_binding": a.legally_binding })
    });
    let missing: Vec<String> = open
        .line(E::Circulate)
        .filter(|_| open.is_theirs(E::Circulate))
        .map(|line| line.reasons.iter().map(|r| r.message.clone()).collect())
        .unwrap_or_default();
    let data = json!({
        "case": open.head("agreement"), "state": agreement.state, "drafting": drafting, "circulated": circulated, "in_force": in_force,
        "missing": missing, "can": can(&open),
    });
    visit.page("cases/agreement", data)
}

/// Who has accepted, organisation by organisation.
fn answers(open: &Open, accepted: impl Fn(OrganisationId) -> bool) -> Vec<Value> {
    open.organisations()
        .into_iter()
        .map(|(_, o)| json!({ "name": o.name, "accepted": accepted(o.id) }))
        .collect()
}

fn can(open: &Open) -> Value {
    let events = [
        E::ProposeAction,
        E::AmendAction,
        E::WithdrawAction,
        E::Circulate,
        E::AcceptAgreement,
        E::DeclineAgreement,
        E::ConcludeAgreement,
    ];
    let can: serde_json::Map<String, Value> = events
        .iter()
        .map(|e| (e.word().to_owned(), open.can(*e).into()))
        .collect();
    can.into()
}

/// An action, as pages show it.
pub fn action(open: &Open, a: &AgreedAction) -> Value {
    let t = &a.terms;
    let (by, until) = match &t.when {
        When::By(day) => (Some(day), None),
        When::Until(words) => (None, Some(words)),
    };
    let linked: Vec<Value> = standards()
        .iter()
        .filter(|s| t.standards.contains(&s.number))
        .map(|s| json!({ "number": s.number, "label": s.label }))
        .collect();
    json!({
        "id": a.id, "proposed_by": proposer(open, a.proposed_by), "changed_by": a.changed_by.map(|p| proposer(open, p)),
        "owner": open.name_of(t.owner), "owner_post": t.owner_post, "what": t.what, "by": by, "until": until,
        "place": t.place.as_ref().map(|p| p.locality().name.clone()), "how_we_will_know": t.how_we_will_know,
        "priorities": t.priorities, "benefit": t.benefit, "standards": linked, "review_on": t.review_on,
    })
}

/// Who put it on the table: the names of a side, or nothing for the neutral.
fn proposer(open: &Open, by: crate::domain::agreement::Proposer) -> Value {
    use crate::domain::agreement::Proposer;
    let names = by_side(
        open,
        &BySide {
            initiating: (),
            invited: (),
        },
        |_, ()| Value::Null,
    );
    let of = |side: Side| {
        let at = usize::from(side == Side::Invited);
        names[at]["name"].clone()
    };
    match by {
        Proposer::Initiating => json!({ "neutral": false, "name": of(Side::Initiating) }),
        Proposer::Invited => json!({ "neutral": false, "name": of(Side::Invited) }),
        Proposer::Neutral => json!({ "neutral": true, "name": null }),
    }
}
