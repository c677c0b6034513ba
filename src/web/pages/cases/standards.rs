//! The standards review of a case: one's own reading, one standard a page; the two readings side by side; and what both
//! found together. Nothing is counted, and a blank is "not read".
use serde_json::{Value, json};

use super::{Open, by_side, open};
use crate::casework::reading::OwnReading;
use crate::domain::action::EventName as E;
use crate::domain::case::Stage;
use crate::domain::id::CaseId;
use crate::domain::review::{Entry, Reading, Standard, standards};
use crate::web::api::Answer;
use crate::web::json;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::{Visit, tag};
use crate::web::problem::{Kind, Problem};

fn standard(number: u8) -> Option<&'static Standard> {
    standards().iter().find(|s| s.number == number)
}

/// How far the review is: one's own reading, both beside each other, the joint reading.
pub async fn show(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let Some(review) = &open.sight.review else {
        return Err(Problem::new(Kind::NotFound));
    };
    let own = match open.side() {
        Some(_) => Some(visit.desk.own_reading(visit.caller(), open.id()).await?),
        None => None,
    };
    let beside: Vec<Value> = review
        .side_by_side
        .iter()
        .filter_map(|row| {
            let about = standard(row.standard)?;
            let readings = by_side(&open, &row.readings, |_, entry| entry.as_ref().map_or(Value::Null, shown));
            Some(json!({ "number": about.number, "label": about.label, "theme": about.theme, "beside": row.beside, "readings": readings }))
        })
        .collect();
    let offices = by_side(&open, &review.offices, |_, offices| {
        offices.as_ref().map_or(
            Value::Null,
            |o| json!({ "chair": o.chair, "chief_executive": o.chief_executive }),
        )
    });
    let shared = by_side(&open, &review.shared, |_, shared| json!(shared));
    let data = json!({
        "case": open.head("standards"), "revealed": review.revealed, "beside": beside, "offices": offices, "shared": shared,
        "own": own.as_ref().map(|own| progress(&open, own)), "frame": review.frame, "back": review.returned_because,
        "joint": joint(&open), "records": open.can(E::RecordJointReading), "confirms": open.can(E::ConfirmJointReading),
    });
    visit.page("cases/standards", data)
}

fn shown(entry: &Entry) -> Value {
    json!({ "view": entry.view, "in_place": entry.in_place, "missing": entry.missing, "would_show_it": entry.would_show_it })
}

/// One's own reading as a list of tasks.
fn progress(open: &Open, own: &OwnReading) -> Value {
    let tasks: Vec<Value> = own
        .scope
        .iter()
        .filter_map(|n| standard(*n))
        .map(|s| {
            let entry = own.reading.entries.get(&s.number);
            json!({ "number": s.number, "label": s.label, "view": entry.map(|e| e.view) })
        })
        .collect();
    json!({
        "tasks": tasks, "offices": own.reading.offices.is_some(), "shared": own.shared,
        "open": open.sight.brief.stage == Stage::StandardsReview && !own.shared,
        "ready": own.unread.is_empty() && own.reading.offices.is_some(),
    })
}

fn joint(open: &Open) -> Value {
    let Some(joint) = open
        .sight
        .review
        .as_ref()
        .and_then(|r| r.joint_reading.as_ref())
    else {
        return Value::Null;
    };
    let minutes: Vec<Value> = joint
        .minutes
        .iter()
        .map(|m| {
            json!({
                "theme": m.theme, "standard": m.standard.and_then(standard).map(|s| json!({ "number": s.number, "label": s.label })),
                "held_in_common": m.held_in_common, "where_we_differ": m.where_we_differ,
                "what_would_move_it": m.what_would_move_it, "who_could_help": m.who_could_help,
            })
        })
        .collect();
    let confirmed = by_side(open, &joint.confirmed, |_, those| {
        those.iter().map(|o| open.name_of(*o)).collect()
    });
    json!({ "minutes": minutes, "confirmed": confirmed })
}

/// What a page of one's own reading is about: a standard, or the posts of chair and chief executive.
enum Part {
    Standard(&'static Standard),
    Offices,
}

fn part(visit: &Visit, own: &OwnReading) -> Result<Part, Problem> {
    visit.id("part", |word| {
        if word == "posts" {
            return Some(Part::Offices);
        }
        let number: u8 = word.parse().ok().filter(|n: &u8| n.to_string() == word)?;
        own.scope
            .contains(&number)
            .then(|| standard(number))
            .flatten()
            .map(Part::Standard)
    })
}

/// One standard, as one's own side reads it.
pub async fn part_form(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let own = visit.desk.own_reading(visit.caller(), open.id()).await?;
    let mut stands = Fields::default();
    let about = match part(&visit, &own)? {
        Part::Standard(s) => {
            if let Some(entry) = own.reading.entries.get(&s.number) {
                let view = serde_json::to_value(entry.view).unwrap_or_default();
                stands.add_some("view!", view.as_str());
                stands.add_some("in_place", entry.in_place.as_ref());
                stands.add_some("missing", entry.missing.as_ref());
                stands.add_some("would_show_it", entry.would_show_it.as_ref());
            }
            json!({ "number": s.number, "label": s.label, "theme": s.theme, "section": s.section_title })
        }
        Part::Offices => {
            let said = serde_json::to_value(&own.reading.offices).unwrap_or_default();
            stands.add_some("chair!", said["chair"].as_str());
            stands.add_some("chief_executive!", said["chief_executive"].as_str());
            Value::Null
        }
    };
    let data = json!({ "case": open.head("standards"), "about": about, "shared": own.shared });
    visit.form("cases/standard", data, stands, tag(&own))
}

/// Keeps one standard of one's own reading, and goes on to the next that is not read.
pub async fn part_take(visit: Visit) -> Answer {
    let case = visit.id("case", CaseId::parse)?;
    let own = visit.desk.own_reading(visit.caller(), case).await?;
    let done = match with_part(&visit, &own) {
        Ok(reading) => {
            let kept = visit
                .desk
                .save_reading(visit.caller(), case, reading, visit.seen(), visit.once())
                .await;
            kept.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(kept) => {
            let next = kept.unread.iter().next().map(ToString::to_string);
            let next = next.or_else(|| kept.reading.offices.is_none().then(|| "posts".to_owned()));
            let to = next.map_or_else(
                || format!("/cases/{case}/standards?done=saved"),
                |part| format!("/cases/{case}/standards/{part}?done=saved"),
            );
            visit.on(&to)
        }
        Err(problem) => part_form(visit.troubled(problem)?).await,
    }
}

fn with_part(visit: &Visit, own: &OwnReading) -> Result<Reading, Problem> {
    let mut reading = own.reading.clone();
    match part(visit, own)? {
        Part::Standard(s) => {
            reading
                .entries
                .insert(s.number, json::shape(visit.fields())?);
        }
        Part::Offices => reading.offices = Some(json::shape(visit.fields())?),
    }
    Ok(reading)
}
