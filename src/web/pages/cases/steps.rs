//! Every step of the procedure as a page: what it means, what must be true, the letters it will send, its form, and one
//! button. There is one page for all of them, as there is one use case; what a step asks for is in `steps_about`.
use serde_json::{Value, json};

use super::{Open, open, steps_about};
use crate::casework::act::{Request, may_be_entered};
use crate::domain::access::CapacityName;
use crate::domain::action::EventName as E;
use crate::domain::id::OrganisationId;
use crate::domain::procedure::{To, line_of};
use crate::web::api::Answer;
use crate::web::api::cases::command;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// The step of the address; drafts have pages of their own, and the clock needs none.
fn event_of(visit: &Visit) -> Result<E, Problem> {
    visit.id("event", |word| {
        let event: E = word.parse().ok()?;
        let elsewhere = [E::SaveDraft, E::DiscardDraft, E::Submit, E::DeadlinePassed];
        (!elsewhere.contains(&event)).then_some(event)
    })
}

/// For whom a step is entered who is offline, where the address says so.
fn behalf(visit: &Visit, open: &Open, event: E) -> Option<OrganisationId> {
    let said = OrganisationId::parse(&visit.asked_for("for")?)?;
    let may = matches!(
        open.you_are(),
        CapacityName::Facilitator | CapacityName::Coordinator
    );
    let there = open.organisations().into_iter().any(|(_, o)| o.id == said);
    (may && there && may_be_entered(event)).then_some(said)
}

/// A step.
pub async fn show(visit: Visit) -> Answer {
    let (open, event) = (open(&visit).await?, event_of(&visit)?);
    let behalf = behalf(&visit, &open, event);
    let line = open
        .line(event)
        .ok_or_else(|| Problem::new(Kind::NotFound))?;
    let reasons: Vec<&str> = line.reasons.iter().map(|r| r.message.as_str()).collect();
    let moves = !matches!(line_of(event).to, To::Stay);
    let letters = if moves || open.is_neutral() || open.you_are() == CapacityName::Coordinator {
        visit
            .desk
            .letters_of_step(visit.caller(), open.id(), event)
            .await?
    } else {
        Vec::new()
    };
    let (about, stands) = steps_about::about(&visit, &open, event).await?;
    let data = json!({
        "case": open.head("overview"), "event": event.word(), "allowed": line.allowed || behalf.is_some(), "reasons": reasons,
        "must": must(&open, event), "moves": moves, "letters": letters, "part": format!("steps/{}", event.word()),
        "asks": visit.language.has(&format!("steps/{}", event.word())),
        "answers": line.answers.clone().or_else(|| steps_about::hash_of(&open, event)).filter(|_| event.names_a_hash()),
        "behalf": behalf.map(|id| json!({ "organisation": id, "name": open.name_of(id) })), "signs": event == E::AcceptAgreement,
        "action": action(&visit, &open, event, behalf), "about": about,
    });
    let seen = if event.names_a_hash() {
        String::new()
    } else {
        open.seen.clone()
    };
    visit.form("cases/step", data, stands, seen)
}

/// Where the form goes: here, with whatever the address says besides.
fn action(visit: &Visit, open: &Open, event: E, behalf: Option<OrganisationId>) -> String {
    let at = format!("/cases/{}/steps/{}", open.id(), event.word());
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    if let Some(organisation) = behalf {
        out.append_pair("for", &organisation.to_string());
    }
    for key in ["action", "standard"] {
        if let Some(value) = visit.asked_for(key) {
            out.append_pair(key, &value);
        }
    }
    let query = out.finish();
    if query.is_empty() {
        at
    } else {
        format!("{at}?{query}")
    }
}

/// What must be true before a step: each guard of its line, met or not.
fn must(open: &Open, event: E) -> Vec<Value> {
    let unmet = open
        .line(event)
        .map(|line| line.reasons.iter().map(|r| r.code).collect::<Vec<_>>());
    let unmet = unmet.unwrap_or_default();
    if !open.is_theirs(event) {
        return Vec::new();
    }
    line_of(event)
        .guards
        .iter()
        .map(|guard| json!({ "code": guard, "met": !unmet.contains(guard) }))
        .collect()
}

/// Takes a step.
pub async fn take(visit: Visit) -> Answer {
    let (open, event) = (open(&visit).await?, event_of(&visit)?);
    match act(&visit, &open, event).await {
        Ok(still_there) => {
            let to = if still_there {
                landing(&open, event)
            } else {
                "/cases".to_owned()
            };
            visit.on(&format!("{to}?done={}", event.word()))
        }
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

async fn act(visit: &Visit, open: &Open, event: E) -> Result<bool, Problem> {
    let mut body = steps_about::body(event, visit.fields())?;
    let behalf = behalf(visit, open, event);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("event".to_owned(), event.word().into());
        if let (Some(organisation), Some(Value::Object(entered))) =
            (behalf, fields.get_mut("on_behalf_of"))
        {
            entered.insert("organisation".to_owned(), organisation.to_string().into());
            entered
                .entry("read_back_and_confirmed")
                .or_insert(false.into());
        } else if behalf.is_none() {
            fields.remove("on_behalf_of");
        }
    }
    let request = Request {
        caller: visit.caller(),
        case: open.id(),
        asked: command(body)?,
        if_match: visit.seen().filter(|_| !event.names_a_hash()),
        key: visit.once(),
    };
    Ok(visit.desk.act(request).await?.is_some())
}

/// Where somebody goes after a step: to the page on which they see what came of it.
fn landing(open: &Open, event: E) -> String {
    let at = format!("/cases/{}", open.id());
    match event {
        E::ShareReading | E::RecordJointReading | E::ConfirmJointReading => {
            format!("{at}/standards")
        }
        E::ProposeAction
        | E::AmendAction
        | E::WithdrawAction
        | E::Circulate
        | E::AcceptAgreement
        | E::DeclineAgreement
        | E::ConcludeAgreement => format!("{at}/agreement"),
        E::LogSession => format!("{at}/meetings"),
        _overview => at,
    }
}

/// What can be written down for somebody who is offline: each organisation, and each step that is open to it.
pub async fn offline(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    if !matches!(
        open.you_are(),
        CapacityName::Facilitator | CapacityName::Coordinator
    ) {
        return Err(Problem::new(Kind::NotFound));
    }
    let stage = open.sight.brief.stage;
    let here: Vec<&str> = E::ALL
        .iter()
        .filter(|e| may_be_entered(**e) && line_of(**e).from.contains(&stage))
        .map(|e| e.word())
        .collect();
    let organisations: Vec<Value> = open
        .organisations()
        .iter()
        .map(|(_, o)| json!({ "id": o.id, "name": o.name }))
        .collect();
    visit.form(
        "cases/offline",
        json!({ "case": open.head("overview"), "organisations": organisations, "events": here }),
        Fields::default(),
        String::new(),
    )
}
