//! The diagram in the docs is the table in the code.
use std::fmt::Write;

use common_ground::domain::case::Stage;
use common_ground::domain::notice::Told;
use common_ground::domain::procedure::{PROCEDURE, Part, To};

fn told(audience: Told) -> &'static str {
    match audience {
        Told::Actor => "oneself (a receipt)",
        Told::InitiatingSide => "the initiating side",
        Told::InvitedLeads => "the invited side's leads",
        Told::BothSides => "both sides",
        Told::OtherSide => "the other side",
        Told::Neutral => "the facilitator",
        Told::AskedNeutral => "the person asked",
        Told::Coordinators => "coordinators",
        Told::NeutralElseCoordinators => "the facilitator, else coordinators",
        Told::Everyone => "everybody in the case",
    }
}

fn part(part: Part) -> &'static str {
    match part {
        Part::InitiatingRep => "the initiating side",
        Part::InvitedRep => "the invited side",
        Part::Rep => "either side",
        Part::Lead => "a lead of either side",
        Part::Neutral => "the facilitator",
        Part::AskedNeutral => "the person asked",
        Part::Coordinator => "a coordinator",
        Part::System => "the clock",
    }
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .expect("a word")
        .as_str()
        .expect("a word")
        .to_owned()
}

#[test]
fn the_docs_show_the_table() {
    let mut page = String::from(
        "# The procedure\n\nThis page is made from the table in `src/domain/procedure.rs` and compared with it by a test. Do not edit it by hand.\n\nA case never moves by time alone, nothing is skipped, and from `closed` there is one way: to reopen. Besides these moves, anybody may pause (`hold`) and either side may leave (`withdraw`) at any open stage.\n\n```mermaid\nstateDiagram-v2\n    [*] --> draft\n",
    );
    for line in PROCEDURE {
        let leads: Vec<(&str, String)> = line
            .from
            .iter()
            .filter_map(|from| match line.to {
                To::Stay => None,
                To::Stage(stage) => Some((from.word(), stage.word().to_owned())),
                To::Gone => Some((from.word(), "[*]".to_owned())),
                To::Back => Some((
                    from.word(),
                    if *from == Stage::AgreedActions {
                        "standards_review"
                    } else {
                        "early_conversation"
                    }
                    .to_owned(),
                )),
                To::Chosen => Some((from.word(), "early_conversation".to_owned())),
            })
            .collect();
        for (from, to) in leads {
            writeln!(page, "    {from} --> {to}: {}", line.event.word()).expect("text");
        }
    }
    page.push_str("```\n\n`reopen` leads to whichever stage the case had reached; the drawing shows one of them.\n\n| event | who may | from | to | what must be true | who is told, and by which letter |\n|---|---|---|---|---|---|\n");
    for line in PROCEDURE {
        let to = match line.to {
            To::Stay => "–".to_owned(),
            To::Stage(stage) => stage.word().to_owned(),
            To::Back => "one stage back".to_owned(),
            To::Chosen => "a stage it had reached".to_owned(),
            To::Gone => "nothing: the draft is gone".to_owned(),
        };
        let join = |words: Vec<String>| {
            if words.is_empty() {
                "–".to_owned()
            } else {
                words.join(", ")
            }
        };
        writeln!(
            page,
            "| `{}` | {} | {} | {to} | {} | {} |",
            line.event.word(),
            join(line.who.iter().map(|p| part(*p).to_owned()).collect()),
            join(line.from.iter().map(|s| s.word().to_owned()).collect()),
            join(
                line.guards
                    .iter()
                    .map(|r| format!("not `{}`", word(r)))
                    .collect()
            ),
            join(
                line.told
                    .iter()
                    .map(|(audience, letter)| format!("{} (`{}`)", told(*audience), letter.word()))
                    .collect()
            )
        )
        .expect("text");
    }
    page.push_str("\n## The conditions in words\n\nThe reason that is given while the condition is not met.\n\n| reason | what people read |\n|---|---|\n");
    let mut reasons: Vec<_> = PROCEDURE.iter().flat_map(|l| l.guards).collect();
    reasons.sort();
    reasons.dedup();
    for reason in reasons {
        writeln!(page, "| `{}` | {} |", word(reason), reason.sentence()).expect("text");
    }
    super::golden("docs/PROCEDURE.md", &page);
}

#[test]
fn every_event_is_taken_in_a_story() {
    let stories: String = super::files("tests/it", ".rs")
        .iter()
        .filter(|f| f.display().to_string().contains("stories") || f.ends_with("cast.rs"))
        .map(|f| std::fs::read_to_string(f).expect("a story"))
        .collect();
    for line in PROCEDURE {
        assert!(
            stories.contains(&format!("\"{}\"", line.event.word())),
            "{} happens in no story",
            line.event.word()
        );
    }
}
