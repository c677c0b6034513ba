//! What the page of each step needs to know besides the case itself, what stands in its form at first, and what of a
//! form needs a hand before it is the body that the API takes.
use serde_json::{Value, json};

use super::agreement::action;
use super::{Open, by_side};
use crate::casework::read::{Filter, Search, Slice};
use crate::domain::action::EventName as E;
use crate::domain::agreement::{AgreedAction, When};
use crate::domain::case::Stage;
use crate::domain::deadline::DeadlineKind;
use crate::domain::decide::Flaw;
use crate::domain::id::{ActionId, CaseId};
use crate::domain::people::MembershipState;
use crate::domain::register::localities;
use crate::domain::review::{PRINCIPLES, standards};
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// The hash a step answers, as far as its reader sees it in the case.
pub fn hash_of(open: &Open, event: E) -> Option<String> {
    let sight = &open.sight;
    match event {
        E::Respond => sight.summary.as_ref()?.invitation_hash.clone(),
        E::AgreeToTalk => Some(sight.conversation.as_ref()?.ground_rules.hash.clone()),
        E::ConfirmJointReading => Some(sight.review.as_ref()?.joint_reading.as_ref()?.hash.clone()),
        E::AcceptAgreement | E::DeclineAgreement => {
            Some(sight.agreement.as_ref()?.circulated.as_ref()?.hash.clone())
        }
        E::AgreeSummary => Some(
            sight
                .closure
                .as_ref()?
                .proposed_summary
                .as_ref()?
                .hash
                .clone(),
        ),
        E::AgreeTimetable => Some(sight.proposed_timetable.as_ref()?.hash.clone()),
        _others => None,
    }
}

/// What a step's form is about, and what stands in it.
pub async fn about(visit: &Visit, open: &Open, event: E) -> Result<(Value, Fields), Problem> {
    let mut stands = Fields::default();
    let sight = &open.sight;
    let about = match event {
        E::AssignFacilitator | E::ReplaceFacilitator => {
            let all = visit.desk.candidates(visit.caller(), open.id()).await;
            json!({ "candidates": all.map(|page| page.items).unwrap_or_default() })
        }
        E::AdmitObserver => {
            let all = visit
                .desk
                .possible_observers(visit.caller(), open.id())
                .await;
            let all = all.map(|page| page.items).unwrap_or_default();
            json!({ "people": all.iter().map(|p| json!({ "value": p.id, "label": p.name, "hint": null })).collect::<Vec<_>>() })
        }
        E::AcceptAppointment | E::DeclineAppointment => {
            json!({ "between": super::between(&sight.brief), "places": places(open) })
        }
        E::Invite => json!({ "invited": invited(open) }),
        E::AgreeToTalk => {
            let rules = sight
                .conversation
                .as_ref()
                .map(|c| c.ground_rules.rules.clone())
                .unwrap_or_default();
            json!({ "rules": rules })
        }
        E::Respond => {
            let summary = sight.summary.as_ref();
            json!({ "good_outcome": summary.and_then(|s| s.good_outcome.clone()), "in_short": summary.and_then(|s| s.in_short.clone()), "accounts": accounts(open) })
        }
        E::GiveMore => {
            let asked = sight
                .intake
                .as_ref()
                .and_then(|i| i.questions.iter().rev().find(|q| q.answer.is_none()));
            json!({ "question": asked.map(|q| q.asked.clone()) })
        }
        E::DecideObjection => objection(open, &mut stands),
        E::ProposeAction | E::AmendAction => terms(visit, open, event, &mut stands)?,
        E::WithdrawAction => json!({ "action": the_action(visit, open)?.map(|a| action(open, a)) }),
        E::RecordJointReading => joint_reading(open, &mut stands),
        E::ConfirmJointReading => json!({ "joint": true }),
        E::Circulate | E::AcceptAgreement | E::DeclineAgreement | E::ConcludeAgreement => {
            drafted(open)
        }
        E::AgreeSummary => {
            json!({ "summary": sight.closure.as_ref().and_then(|c| c.proposed_summary.as_ref()).map(|s| s.text.clone()) })
        }
        E::Close => closing(open),
        E::LinkCase => json!({ "cases": other_cases(visit, open).await? }),
        E::ProposeTimetable | E::AgreeTimetable => timetable(open),
        E::Hold => {
            json!({ "on_hold": sight.brief.on_hold, "until": sight.hold.as_ref().map(|h| h.until) })
        }
        E::Reopen => {
            json!({ "asked": sight.closure.as_ref().and_then(|c| c.reopening_asked.as_ref()).map(|r| json!({ "why": r.why, "new_facts": r.new_facts })) })
        }
        E::SetConfidentiality => {
            let model = sight
                .conversation
                .as_ref()
                .map(|c| serde_json::to_value(c.confidentiality).unwrap_or_default());
            stands.add_some("model!", model.as_ref().and_then(Value::as_str));
            json!({})
        }
        E::ShareReading => json!({}),
        _plain => json!({}),
    };
    Ok((about, stands))
}

fn places(open: &Open) -> Vec<String> {
    open.sight
        .brief
        .localities
        .iter()
        .flatten()
        .map(|p| p.name.clone())
        .collect()
}

fn invited(open: &Open) -> Vec<Value> {
    open.organisations()
        .into_iter()
        .filter(|(side, _)| *side == crate::domain::case::Side::Invited)
        .map(|(_, o)| json!({ "id": o.id, "name": o.name }))
        .collect()
}

fn accounts(open: &Open) -> Value {
    open.sight
        .accounts
        .as_ref()
        .map_or(Value::Null, |accounts| {
            by_side(open, accounts, |_, account| {
                let texts = account.iter().flat_map(|a| &a.texts);
                texts
                    .map(|t| json!({ "about": t.about, "text": t.text }))
                    .collect()
            })
        })
}

fn objection(open: &Open, stands: &mut Fields) -> Value {
    let asked = open.sight.objections.iter().find(|o| o.result.is_none());
    stands.add_some("objection!", asked.map(|o| o.id));
    json!({ "objection": asked.map(|o| json!({ "id": o.id, "by": o.by, "reasons": o.reasons, "at": o.at })) })
}

/// The action that the address names, among those on the table.
fn the_action<'a>(visit: &Visit, open: &'a Open) -> Result<Option<&'a AgreedAction>, Problem> {
    let Some(said) = visit.asked_for("action") else {
        return Ok(None);
    };
    let id = ActionId::parse(&said);
    let all = open
        .sight
        .agreement
        .as_ref()
        .and_then(|a| a.drafting.as_ref());
    let found = all.into_iter().flatten().find(|a| Some(a.id) == id);
    found.map(Some).ok_or_else(|| Problem::new(Kind::NotFound))
}

/// What an action is made of, and for one that is changed what stands in it.
fn terms(visit: &Visit, open: &Open, event: E, stands: &mut Fields) -> Result<Value, Problem> {
    let before = the_action(visit, open)?.filter(|_| event == E::AmendAction);
    if let Some(a) = before {
        let t = &a.terms;
        stands.add("terms.owner!", t.owner.to_string());
        stands.add_some("terms.owner_post", t.owner_post.as_ref());
        stands.add("terms.what!", t.what.as_str());
        match &t.when {
            When::By(day) => stands.add_day("terms.when.by", Some(*day)),
            When::Until(words) => stands.add("terms.when.until", words.as_str()),
        }
        stands.add_some(
            "terms.where",
            t.place.as_ref().map(|p| p.as_str().to_owned()),
        );
        stands.add_some("terms.how_we_will_know", t.how_we_will_know.as_ref());
        stands.add("terms.benefit!", t.benefit.as_str());
        for priority in &t.priorities {
            let word = serde_json::to_value(priority).unwrap_or_default();
            stands.add_some("terms.priorities[]", word.as_str());
        }
        t.standards
            .iter()
            .for_each(|n| stands.add("terms.standards[]", n.to_string()));
        stands.add_day("terms.review_on", t.review_on);
    } else if let Some(own) = own_organisation(visit, open) {
        stands.add("terms.owner!", own);
    }
    if let Some(standard) = visit.asked_for("standard") {
        stands.add("terms.standards[]", standard);
        stands.add("terms.priorities[]", "shared_learning");
    }
    let own_places: Vec<&str> = open
        .sight
        .brief
        .localities
        .iter()
        .flatten()
        .map(|p| p.code.as_str())
        .collect();
    let places: Vec<Value> = localities(None, None)
        .filter(|l| own_places.contains(&l.code.as_str()))
        .map(|l| json!({ "value": l.code, "label": l.name }))
        .collect();
    let all: Vec<Value> = standards().iter().map(|s| json!({ "value": s.number, "label": format!("{}. {}", s.number, s.label), "hint": null })).collect();
    Ok(
        json!({ "action": before.map(|a| a.id), "owners": open.organisation_options(), "places": places, "standards": all }),
    )
}

fn own_organisation(visit: &Visit, open: &Open) -> Option<String> {
    let mine = visit
        .me
        .as_ref()?
        .memberships
        .iter()
        .filter(|m| m.state == MembershipState::Active);
    let ids: Vec<_> = mine.map(|m| m.organisation).collect();
    open.organisations()
        .into_iter()
        .find(|(_, o)| ids.contains(&o.id))
        .map(|(_, o)| o.id.to_string())
}

/// The three principles first, then room for more.
fn joint_reading(open: &Open, stands: &mut Fields) -> Value {
    let before = open
        .sight
        .review
        .as_ref()
        .and_then(|r| r.joint_reading.as_ref());
    for (i, minute) in before.iter().flat_map(|j| &j.minutes).enumerate() {
        let theme = serde_json::to_value(minute.theme).unwrap_or_default();
        stands.add_some(&format!("minutes.+{i}.theme"), theme.as_str());
        stands.add(
            &format!("minutes.+{i}.held_in_common!"),
            minute.held_in_common.as_str(),
        );
        stands.add(
            &format!("minutes.+{i}.held_in_common"),
            minute.held_in_common.as_str(),
        );
        stands.add_some(
            &format!("minutes.+{i}.where_we_differ"),
            minute.where_we_differ.as_ref(),
        );
        stands.add_some(
            &format!("minutes.+{i}.what_would_move_it"),
            minute.what_would_move_it.as_ref(),
        );
        stands.add_some(
            &format!("minutes.+{i}.who_could_help"),
            minute.who_could_help.as_ref(),
        );
    }
    let principles: Vec<Value> = PRINCIPLES
        .iter()
        .enumerate()
        .map(|(i, theme)| json!({ "slot": i, "theme": theme }))
        .collect();
    let more: Vec<usize> = (PRINCIPLES.len()..PRINCIPLES.len() + 2).collect();
    json!({ "principles": principles, "more": more })
}

fn drafted(open: &Open) -> Value {
    let agreement = open.sight.agreement.as_ref();
    let actions: Vec<Value> = agreement
        .and_then(|a| a.drafting.as_ref())
        .into_iter()
        .flatten()
        .map(|a| action(open, a))
        .collect();
    let circulated = agreement.and_then(|a| a.circulated.as_ref());
    json!({
        "actions": actions, "still_open": circulated.and_then(|c| c.still_open.clone()),
        "code": circulated.map(|c| crate::domain::hash::read_back_code(&c.hash)),
    })
}

fn closing(open: &Open) -> Value {
    let in_force = open
        .sight
        .agreement
        .as_ref()
        .and_then(|a| a.in_force.as_ref());
    let actions: Vec<Value> = in_force
        .into_iter()
        .flat_map(|a| &a.actions)
        .enumerate()
        .map(|(i, a)| json!({ "slot": i, "action": action(open, a) }))
        .collect();
    let agreed = open
        .sight
        .closure
        .as_ref()
        .and_then(|c| c.proposed_summary.as_ref())
        .map(|s| s.text.clone());
    json!({ "actions": actions, "agreed": in_force.is_some(), "summary": agreed, "talked": open.sight.brief.stage > Stage::Intake })
}

/// Other cases of the same organisations, for linking.
async fn other_cases(visit: &Visit, open: &Open) -> Result<Vec<Value>, Problem> {
    let mut all: Vec<(CaseId, Value)> = Vec::new();
    for (_, organisation) in open.organisations() {
        let filter = Filter {
            party: Some(organisation.id),
            ..Filter::default()
        };
        let slice = Slice {
            limit: Some(50),
            cursor: None,
        };
        let page = visit
            .desk
            .cases(visit.caller(), Search { filter, slice })
            .await?;
        for brief in page.items.iter().filter(|b| b.id != open.id()) {
            if !all.iter().any(|(id, _)| *id == brief.id) {
                let label = format!("{} · {}", brief.reference.0, super::title(brief));
                all.push((
                    brief.id,
                    json!({ "value": brief.id, "label": label, "hint": null }),
                ));
            }
        }
    }
    Ok(all.into_iter().map(|(_, option)| option).collect())
}

fn timetable(open: &Open) -> Value {
    const DATES: [DeadlineKind; 5] = [
        DeadlineKind::Response,
        DeadlineKind::EarlyConversation,
        DeadlineKind::StandardsReview,
        DeadlineKind::AgreedActions,
        DeadlineKind::Signing,
    ];
    let running = |kind| {
        open.sight
            .deadlines
            .iter()
            .find(|d| d.kind == kind)
            .map(|d| d.due)
    };
    let dates: Vec<Value> = DATES
        .iter()
        .map(|kind| json!({ "kind": kind, "due": running(*kind) }))
        .collect();
    let proposed: Vec<Value> = open
        .sight
        .proposed_timetable
        .iter()
        .flat_map(|t| &t.until)
        .map(|(kind, day)| json!({ "kind": kind, "day": day }))
        .collect();
    json!({ "dates": dates, "proposed": proposed })
}

/// A form as the body the API takes: where a form has two ways to say one thing, only one may be used.
pub fn body(event: E, mut body: Value) -> Result<Value, Problem> {
    let flawed =
        |at: &str, words: &str| Err(Problem::new(Kind::Invalid).with(vec![Flaw::at(at, words)]));
    match event {
        E::ProposeAction | E::AmendAction => {
            let when = &body["terms"]["when"];
            if when["by"].is_string() && when["until"].is_string() {
                return flawed(
                    "/terms/when/by",
                    "please give a date, or say until when, but not both",
                );
            }
            if when.is_null() {
                return flawed("/terms/when/by", "please give a date, or say until when");
            }
            if body["terms"]["priorities"].is_null() {
                return flawed("/terms/priorities", "please choose at least one");
            }
            // Standards are numbers; boxes send words.
            if let Some(Value::Array(list)) = body.pointer_mut("/terms/standards") {
                for n in list {
                    *n = n
                        .as_str()
                        .and_then(|s| s.parse::<u8>().ok())
                        .map_or(n.clone(), Value::from);
                }
            }
            Ok(body)
        }
        E::Invite => {
            // The name of the organisation comes along; without somebody to invite it says nothing.
            if let Some(Value::Array(accounts)) = body.get_mut("first_accounts") {
                accounts.retain(|a| a["name"].is_string() || a["email"].is_string());
            }
            Ok(body)
        }
        E::ProposeTimetable if body["until"].is_null() => {
            flawed("/until", "please write at least one date")
        }
        E::Close if body["sessions_logged"].is_null() => {
            body["sessions_logged"] = false.into();
            Ok(body)
        }
        E::AcceptAppointment => {
            for (tick, words) in [
                ("available", "please tick this, or decline instead"),
                ("impartial", "please tick this, or decline instead"),
                (
                    "will_disclose_changes",
                    "please tick this, or decline instead",
                ),
            ] {
                if body["acceptance"][tick].is_null() {
                    return flawed(&format!("/acceptance/{tick}"), words);
                }
            }
            Ok(body)
        }
        _as_it_is => Ok(body),
    }
}
