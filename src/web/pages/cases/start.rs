//! Starting a conversation: one question a page, kept after each, checked at the end and then sent (SPEC §3.3). A draft
//! is a case; every page writes the whole draft back with its own answer in it.
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Open, open};
use crate::casework::act::Request;
use crate::casework::open::NewDraft;
use crate::casework::read::Slice;
use crate::domain::action::{Action, Asked, DiscardDraft, EventName, SaveDraft, Submit};
use crate::domain::case::{OnBehalf, Stage, Statement};
use crate::domain::decide::Flaw;
use crate::domain::id::OrganisationId;
use crate::domain::people::{MembershipState, Role};
use crate::domain::register::localities;
use crate::web::api::Answer;
use crate::web::json;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// The questions, in their order; each is a page and a part of the statement.
pub const QUESTIONS: [&str; 9] = [
    "what",
    "where",
    "with",
    "value",
    "tried",
    "outcome",
    "contact",
    "first",
    "authority",
];

/// Is this the right place, and for which organisation?
pub async fn begin_form(visit: Visit) -> Answer {
    let options = own_organisations(&visit).await?;
    let staff = visit.is(Role::Coordinator) || visit.is(Role::Facilitator);
    let found = found(&visit, staff).await?;
    let mut stands = Fields::default();
    if let [one] = options.as_slice() {
        stands.add_some("organisation!", one["value"].as_str());
    }
    visit.form(
        "start/begin",
        json!({ "own": options, "staff": staff, "found": found, "q": visit.asked_for("q") }),
        stands,
        String::new(),
    )
}

async fn own_organisations(visit: &Visit) -> Result<Vec<Value>, Problem> {
    let mut own = Vec::new();
    for member in visit
        .me()?
        .memberships
        .iter()
        .filter(|m| m.state == MembershipState::Active)
    {
        let organisation = visit
            .desk
            .organisation(visit.caller(), member.organisation)
            .await?;
        if organisation.kind.is_lero() {
            own.push(json!({ "value": organisation.id, "label": organisation.working_name, "hint": null }));
        }
    }
    Ok(own)
}

/// LEROs by name, for those who write something down for somebody offline.
async fn found(visit: &Visit, staff: bool) -> Result<Vec<Value>, Problem> {
    match visit.asked_for("q") {
        Some(q) if staff => leros(visit, &q).await,
        Some(_) | None => Ok(Vec::new()),
    }
}

async fn leros(visit: &Visit, q: &str) -> Result<Vec<Value>, Problem> {
    let slice = Slice {
        limit: Some(20),
        cursor: None,
    };
    let text: String = q.chars().take(100).collect();
    let page = visit
        .desk
        .organisations(visit.caller(), Some(text), slice)
        .await?;
    let all = page.items.into_iter().filter(|o| o.kind.is_lero());
    Ok(all
        .map(|o| json!({ "value": o.id, "label": o.working_name, "hint": null }))
        .collect())
}

/// Begins the draft.
pub async fn begin(visit: Visit) -> Answer {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Begun {
        organisation: OrganisationId,
        #[serde(default)]
        on_behalf_of: Option<OnBehalf>,
    }
    let mut body = visit.fields();
    if body["on_behalf_of"].is_object() {
        body["on_behalf_of"]["organisation"] = body["organisation"].clone();
    }
    let empty = SaveDraft {
        together_with: BTreeSet::new(),
        with: BTreeSet::new(),
        statement: Statement::default(),
    };
    let done = match json::shape::<Begun>(body) {
        Ok(begun) => {
            let new = NewDraft {
                organisation: begun.organisation,
                draft: empty,
                on_behalf_of: begun.on_behalf_of,
            };
            visit
                .desk
                .open(visit.caller(), new, visit.once())
                .await
                .map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(case) => visit.on(&format!("/cases/{}/start/{}", case.brief.id, QUESTIONS[0])),
        Err(problem) => begin_form(visit.troubled(problem)?).await,
    }
}

/// The draft as it stands.
fn draft(open: &Open) -> Result<SaveDraft, Problem> {
    let statement = open.sight.intake.as_ref().and_then(|i| i.statement.clone());
    let (Some(statement), Stage::Draft) = (statement, open.sight.brief.stage) else {
        return Err(Problem::new(Kind::NotFound));
    };
    let sides = open.sight.brief.sides.as_ref();
    let ids = |all: &[crate::domain::sight::OrganisationName]| {
        all.iter().map(|o| o.id).collect::<BTreeSet<_>>()
    };
    Ok(SaveDraft {
        // The first is the organisation itself.
        together_with: sides
            .map(|s| ids(s.initiating.get(1..).unwrap_or_default()))
            .unwrap_or_default(),
        with: sides.map(|s| ids(&s.invited)).unwrap_or_default(),
        statement,
    })
}

fn question(visit: &Visit) -> Result<&'static str, Problem> {
    visit.id("question", |word| {
        QUESTIONS.iter().find(|q| **q == word).copied()
    })
}

/// What stands in the draft, as fields.
fn fields(draft: &SaveDraft) -> Fields {
    let mut stands = Fields::default();
    let written = serde_json::to_value(&draft.statement).unwrap_or_default();
    for (key, value) in written.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => {
                // A field that is needed has its mark, and one field may be shown either way.
                stands.add(key, text.clone());
                stands.add(&format!("{key}!"), text.clone());
            }
            Value::Array(list) => list
                .iter()
                .filter_map(Value::as_str)
                .for_each(|v| stands.add(&format!("{key}[]"), v)),
            Value::Bool(true) => stands.add(&format!("{key}?"), "yes"),
            Value::Object(inner) => {
                stands.add_some(
                    &format!("{key}.post"),
                    inner.get("post").and_then(Value::as_str),
                );
                if inner.get("stated") == Some(&Value::Bool(true)) {
                    stands.add(&format!("{key}.stated?"), "yes");
                }
            }
            Value::Bool(false) | Value::Null | Value::Number(_) => {}
        }
    }
    draft
        .with
        .iter()
        .for_each(|o| stands.add("with[]", o.to_string()));
    draft
        .together_with
        .iter()
        .for_each(|o| stands.add("together_with[]", o.to_string()));
    stands
}

/// One question.
pub async fn question_form(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let (draft, question) = (draft(&open)?, question(&visit)?);
    let at = QUESTIONS
        .iter()
        .position(|q| *q == question)
        .unwrap_or_default();
    let before = at.checked_sub(1).map(|i| QUESTIONS[i]);
    let (places, partners) = match question {
        "where" => (places(&visit, &draft), json!([])),
        "with" => (json!([]), partners(&visit, &open, &draft).await?),
        _other => (json!([]), json!([])),
    };
    let data = json!({
        "case": open.head("overview"), "question": question, "number": at + 1, "of": QUESTIONS.len(), "before": before,
        "places": places, "partners": partners, "searched": visit.said("_q").map(ToOwned::to_owned),
        "behalf": behalf(&visit, &open)?, "action": action(&visit),
    });
    visit.form("start/question", data, fields(&draft), open.seen.clone())
}

/// Where the form goes: here, and back to the check where somebody came from there.
fn action(visit: &Visit) -> String {
    let from = visit.asked_for("from").map_or("", |_| "?from=check");
    format!("{}{from}", visit.path())
}

/// For whom somebody of CLERO writes this down, where it is not their own.
fn behalf(visit: &Visit, open: &Open) -> Result<Value, Problem> {
    let owner = open
        .organisations()
        .first()
        .map(|(_, o)| (o.id, o.name.clone()));
    let own = visit.me()?.memberships.iter().any(|m| {
        m.state == MembershipState::Active
            && owner.as_ref().is_some_and(|(id, _)| m.organisation == *id)
    });
    Ok(owner.filter(|_| !own).map_or(
        Value::Null,
        |(id, name)| json!({ "organisation": id, "name": name }),
    ))
}

/// Places to choose from: those chosen, and those that what was looked for names.
fn places(visit: &Visit, draft: &SaveDraft) -> Value {
    let mut chosen: BTreeSet<String> = draft
        .statement
        .localities
        .iter()
        .map(|c| c.as_str().to_owned())
        .collect();
    if let Some(typed) = &visit.typed {
        chosen = typed
            .pairs()
            .filter(|(n, _)| *n == "localities[]")
            .map(|(_, v)| v.to_owned())
            .collect();
    }
    let text = visit.said("_q");
    localities(None, None)
        .filter(|l| chosen.contains(&l.code))
        .chain(
            localities(None, text)
                .filter(|l| text.is_some() && !chosen.contains(&l.code))
                .take(12),
        )
        .map(|l| json!({ "value": l.code, "label": l.name, "hint": l.region }))
        .collect()
}

/// Organisations to choose from: those chosen, and those that what was looked for names.
async fn partners(visit: &Visit, open: &Open, draft: &SaveDraft) -> Result<Value, Problem> {
    let mut all: Vec<Value> = Vec::new();
    let mut chosen: BTreeSet<OrganisationId> = draft.with.clone();
    if let Some(typed) = &visit.typed {
        chosen.extend(
            typed
                .pairs()
                .filter(|(n, _)| *n == "with[]")
                .filter_map(|(_, v)| OrganisationId::parse(v)),
        );
    }
    for id in &chosen {
        let organisation = visit.desk.organisation(visit.caller(), *id).await?;
        all.push(json!({ "value": id, "label": organisation.working_name, "hint": null }));
    }
    if let Some(q) = visit.said("_q") {
        let own = open.organisations().first().map(|(_, o)| o.id.to_string());
        let found = leros(visit, q).await?;
        let known: Vec<String> = all
            .iter()
            .filter_map(|o| o["value"].as_str().map(ToOwned::to_owned))
            .chain(own)
            .collect();
        all.extend(
            found
                .into_iter()
                .filter(|o| !known.iter().any(|k| o["value"] == **k)),
        );
    }
    Ok(all.into())
}

/// Keeps an answer, and goes on to the next question, or looks something up.
pub async fn question_take(visit: Visit) -> Answer {
    if visit.said("_look").is_some() {
        return question_form(visit).await;
    }
    let open = open(&visit).await?;
    let (draft, question) = (draft(&open)?, question(&visit)?);
    let done = match with_answer(&visit, &draft, question) {
        Ok(draft) => act(&visit, &open, Action::SaveDraft(draft)).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => {
            let next = QUESTIONS
                .iter()
                .position(|q| *q == question)
                .and_then(|at| QUESTIONS.get(at + 1));
            let to = match next {
                Some(next)
                    if visit.asked_for("from").is_none() && visit.said("_later").is_none() =>
                {
                    *next
                }
                Some(_) | None => "check",
            };
            let later = if visit.said("_later").is_some() {
                "?done=kept_for_later"
            } else {
                ""
            };
            visit.on(&format!("/cases/{}/start/{to}{later}", open.id()))
        }
        Err(problem) => question_form(visit.troubled(problem)?).await,
    }
}

/// The draft with this page's answer in it: what the page asks for is replaced whole, everything else stays.
fn with_answer(visit: &Visit, draft: &SaveDraft, question: &str) -> Result<SaveDraft, Problem> {
    let said = visit.fields();
    let mut whole = json!({
        "together_with": draft.together_with, "with": draft.with, "statement": serde_json::to_value(&draft.statement).unwrap_or_default(),
    });
    let asks: &[&str] = match question {
        "what" => &["kind", "grounds", "topics"],
        "where" => &["localities"],
        "with" => &[],
        "value" => &["valued_in_the_other"],
        "tried" => &["about", "tried"],
        "outcome" => &["good_outcome"],
        "contact" => &["contact", "access_needs", "language"],
        "first" => &["first_contact", "summary_for_the_other"],
        _authority => &["authority", "personal_data_notice_read"],
    };
    for key in asks {
        whole["statement"][*key] = said[*key].clone();
        let nothing = match *key {
            "grounds" | "topics" | "localities" => json!([]),
            "personal_data_notice_read" => json!(false),
            "kind" => json!("disagreement"),
            _other => Value::Null,
        };
        if said[*key].is_null() {
            whole["statement"][*key] = nothing;
        }
    }
    if question == "authority"
        && said["authority"].is_object()
        && said["authority"]["stated"].is_null()
    {
        whole["statement"]["authority"] = Value::Null;
    }
    if question == "with" {
        whole["with"] = if said["with"].is_null() {
            json!([])
        } else {
            said["with"].clone()
        };
    }
    let needed = match question {
        "what" if said["grounds"].is_null() => Some(("/grounds", "please choose at least one")),
        "outcome" if said["good_outcome"].is_null() => Some((
            "/good_outcome",
            "please write something here: both organisations will read it",
        )),
        "with" if said["with"].is_null() => Some(("/with", "please look for a LERO and tick it")),
        _enough => None,
    };
    if let Some((at, words)) = needed {
        return Err(Problem::new(Kind::Invalid).with(vec![Flaw::at(at, words)]));
    }
    json::shape(whole).map_err(|problem| problem.without("/statement"))
}

async fn act(visit: &Visit, open: &Open, action: Action) -> Result<(), Problem> {
    let on_behalf_of = match behalf(visit, open)? {
        Value::Null => None,
        behalf => Some(OnBehalf {
            organisation: json::shape(behalf["organisation"].clone())?,
            channel: open
                .sight
                .intake
                .as_ref()
                .and_then(|i| i.statement.as_ref()?.contact)
                .unwrap_or(crate::domain::case::Channel::Phone),
            read_back_and_confirmed: action.name() == EventName::SaveDraft
                || visit.said("_read_back").is_some(),
            read_back_code: None,
        }),
    };
    let request = Request {
        caller: visit.caller(),
        case: open.id(),
        asked: Asked {
            action,
            on_behalf_of,
        },
        if_match: visit.seen(),
        key: visit.once(),
    };
    visit
        .desk
        .act(request)
        .await
        .map(|_| ())
        .map_err(Problem::from)
}

/// All answers, to be checked and sent.
pub async fn check(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let draft = draft(&open)?;
    let s = &draft.statement;
    let names =
        |ids: &BTreeSet<OrganisationId>| ids.iter().map(|o| open.name_of(*o)).collect::<Vec<_>>();
    let missing: Vec<String> = open
        .line(EventName::Submit)
        .map(|line| line.reasons.iter().map(|r| r.message.clone()).collect())
        .unwrap_or_default();
    let data = json!({
        "case": open.head("overview"), "missing": missing, "behalf": behalf(&visit, &open)?,
        "with": names(&draft.with), "together_with": names(&draft.together_with),
        "places": s.localities.iter().map(|c| c.locality().name.clone()).collect::<Vec<_>>(),
        "said": {
            "kind": s.kind, "grounds": s.grounds, "topics": s.topics, "about": s.about, "valued_in_the_other": s.valued_in_the_other,
            "tried": s.tried, "good_outcome": s.good_outcome, "contact": s.contact, "access_needs": s.access_needs, "language": s.language,
            "first_contact": s.first_contact, "summary_for_the_other": s.summary_for_the_other,
            "authority": s.authority.as_ref().is_some_and(|a| a.stated), "post": s.authority.as_ref().and_then(|a| a.post.clone()),
            "personal_data_notice_read": s.personal_data_notice_read,
        },
    });
    visit.form("start/check", data, Fields::default(), open.seen.clone())
}

/// Sends it to CLERO.
pub async fn submit(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    match act(&visit, &open, Action::Submit(Submit {})).await {
        Ok(()) => visit.on(&format!("/cases/{}?done=submitted", open.id())),
        // A second press finds that it was sent already.
        Err(_) if open.sight.brief.stage != Stage::Draft => {
            visit.on(&format!("/cases/{}", open.id()))
        }
        Err(problem) => check(visit.troubled(problem)?).await,
    }
}

/// Throws it away.
pub async fn discard(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    match act(&visit, &open, Action::DiscardDraft(DiscardDraft {})).await {
        Ok(()) => visit.on("/cases?done=discarded"),
        Err(problem) => check(visit.troubled(problem)?).await,
    }
}
