//! Pages for anybody: what this is, how it goes, what it asks of people and what it promises them.
use serde_json::{Value, json};

use super::visit::Visit;
use crate::domain::deadline::Span;
use crate::domain::review;
use crate::web::api::Answer;

/// The front door.
pub async fn home(visit: Visit) -> Answer {
    visit.page("public/home", json!({}))
}

/// A guide for trying a conversation without us.
pub async fn before_you_start(visit: Visit) -> Answer {
    visit.page("public/before_you_start", json!({}))
}

/// The four stages, with the clocks as they are set here.
pub async fn how_it_works(visit: Visit) -> Answer {
    let spans = &visit.desk.settings.spans;
    let clocks = json!({
        "triage": said(spans.triage), "response": said(spans.response), "more_time": said(spans.more_time),
        "acceptance": said(spans.acceptance), "objection": said(spans.objection),
        "objection_decision": said(spans.objection_decision), "early": said(spans.early_conversation),
        "early_review": said(spans.early_conversation_review), "review": said(spans.standards_review),
        "actions": said(spans.agreed_actions), "signing": said(spans.signing),
        "hold": said(Span::Days(spans.hold_days)), "first_hold": said(Span::Days(spans.first_hold_days)),
        "reopen": said(Span::Days(spans.reopen_days)),
    });
    visit.page("public/how_it_works", json!({ "clocks": clocks }))
}

/// How long something takes: a number, and the word that goes with it. Whole weeks are said as weeks.
fn said(span: Span) -> Value {
    let (count, unit, one) = match span {
        Span::Days(days) if days % 7 == 0 && days < 70 => (days / 7, "weeks", "week"),
        Span::Days(days) => (days, "days", "day"),
        Span::WorkingDays(days) => (days, "working_days", "working_day"),
    };
    json!({ "count": count, "unit": if count == 1 { one } else { unit } })
}

/// The standards, section by section.
pub async fn standards(visit: Visit) -> Answer {
    let mut sections: Vec<(&str, &str, bool, Vec<Value>)> = Vec::new();
    for standard in review::standards() {
        // "Local: it is directed by …": the word before the colon is its name.
        let (name, about) = standard
            .label
            .split_once(": ")
            .unwrap_or((&standard.label, ""));
        let shown = json!({
            "number": standard.number, "name": name, "about": capital(about),
            "core": review::CORE.contains(&standard.number), "constituted_only": standard.constituted_only,
        });
        match sections
            .last_mut()
            .filter(|(section, ..)| *section == standard.section)
        {
            Some((.., all)) => all.push(shown),
            None => sections.push((
                &standard.section,
                &standard.section_title,
                standard.constituted_only,
                vec![shown],
            )),
        }
    }
    let sections: Vec<Value> = sections
        .into_iter()
        .map(|(section, title, constituted_only, all)| {
            json!({ "section": section, "title": title, "constituted_only": constituted_only, "standards": all })
        })
        .collect();
    let count = review::standards().len();
    visit.page(
        "public/standards",
        json!({ "sections": sections, "count": count, "core": review::CORE.len() }),
    )
}

/// With a capital letter at its beginning.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// What works for whom, and what to do where it does not.
pub async fn accessibility(visit: Visit) -> Answer {
    visit.page("public/accessibility", json!({}))
}

/// What is kept about people, for how long, and who reads it.
pub async fn privacy(visit: Visit) -> Answer {
    visit.page("public/privacy", json!({}))
}

/// Somebody may be at risk.
pub async fn safety(visit: Visit) -> Answer {
    visit.page("public/safety", json!({}))
}

/// Help, and how to reach a person.
pub async fn help(visit: Visit) -> Answer {
    let settings = &visit.desk.settings;
    let (days, hours) = (settings.invitation_days, settings.session_hours);
    visit.page(
        "public/help",
        json!({ "invitation_days": days, "session_hours": hours }),
    )
}

/// When something about the process, or about somebody neutral, is not as it should be.
pub async fn complaints(visit: Visit) -> Answer {
    visit.page("public/complaints", json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_people_say_them() {
        assert_eq!(said(Span::Days(42)), json!({ "count": 6, "unit": "weeks" }));
        assert_eq!(said(Span::Days(7)), json!({ "count": 1, "unit": "week" }));
        assert_eq!(said(Span::Days(30)), json!({ "count": 30, "unit": "days" }));
        assert_eq!(
            said(Span::WorkingDays(1)),
            json!({ "count": 1, "unit": "working_day" })
        );
    }
}
