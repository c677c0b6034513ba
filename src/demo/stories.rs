//! The demo's stories: one for each stage, and a few for what happens beside them.
use serde_json::{Value, json};

use super::DemoError;
use super::talk;
use super::walk::Walk;
use super::world::{COORDINATOR, SECOND_COORDINATOR};
use crate::domain::case::Side;
use crate::domain::conversation::Way;
use crate::domain::id::CaseId;
use crate::domain::room::Room;
use crate::domain::time::Moment;

fn statement(ground: &str, place: &str, about: &str, outcome: &str, first_contact: &str) -> Value {
    json!({
        "grounds": [ground], "localities": [place], "about": about,
        "valued_in_the_other": "They answer the telephone at night, and people trust them.",
        "tried": "We met once for coffee and agreed to meet again, and then the summer came.",
        "good_outcome": outcome, "contact": "phone", "authority": { "stated": true, "post": "Chair" },
        "first_contact": first_contact, "summary_for_the_other": "We would like to talk about how we both work here.", "personal_data_notice_read": true,
    })
}

/// Lives through all of them, from the oldest to the newest; the last ones end shortly before `now`.
pub async fn live(walk: &mut Walk, now: Moment) -> Result<(), DemoError> {
    let ago = |days: i64| now.plus(-chrono::Duration::days(days));
    closed_with_an_agreement(walk).await?;
    closed_in_conversation(walk).await?;
    walk.until(ago(50)).await?;
    agreed_actions_going_round(walk).await?;
    walk.until(ago(30)).await?;
    standards_review_under_way(walk).await?;
    walk.until(ago(14)).await?;
    paused(walk).await?;
    walk.until(ago(7)).await?;
    waiting_for_an_answer(walk).await?;
    walk.until(ago(4)).await?;
    at_the_door(walk).await?;
    a_draft(walk).await?;
    walk.until(ago(2)).await?;
    looking_for_a_facilitator(walk).await?;
    just_arrived(walk).await
}

/// From the submission to the first conversation.
async fn into_conversation(
    walk: &mut Walk,
    by: &str,
    own: &str,
    with: &str,
    facilitator: &str,
    said: Value,
) -> Result<CaseId, DemoError> {
    let case = walk.draft(by, own, &[with], said).await?;
    walk.act(by, case, json!({ "event": "submit" })).await?;
    walk.days(1).await?;
    let person = walk.person(facilitator)?;
    walk.act(
        COORDINATOR,
        case,
        json!({ "event": "screen", "result": "suitable" }),
    )
    .await?;
    walk.act(
        COORDINATOR,
        case,
        json!({ "event": "assign_facilitator", "person": person }),
    )
    .await?;
    walk.days(1).await?;
    walk.act(facilitator, case, json!({ "event": "accept_appointment", "acceptance": { "available": true, "impartial": true, "will_disclose_changes": true } })).await?;
    walk.act(COORDINATOR, case, json!({ "event": "invite" }))
        .await?;
    walk.act(COORDINATOR, case, json!({ "event": "accept_intake" }))
        .await?;
    Ok(case)
}

/// Both sides answer, agree to talk and meet.
async fn talk(
    walk: &mut Walk,
    case: CaseId,
    one: &str,
    other: &str,
    facilitator: &str,
    (minutes, lines, papers): (u16, &[talk::Line], &[talk::Paper]),
) -> Result<(), DemoError> {
    walk.days(3).await?;
    walk.act(
        other,
        case,
        json!({ "event": "respond", "answer": "take_part" }),
    )
    .await?;
    walk.act(one, case, json!({ "event": "agree_to_talk" }))
        .await?;
    walk.act(other, case, json!({ "event": "agree_to_talk" }))
        .await?;
    talk::talk(walk, case, lines, papers).await?;
    let library = (
        Room::Joint,
        Way::InPerson,
        "The library, meeting room 2. There is a ramp at the side door.",
    );
    let meeting = walk
        .propose_meeting(facilitator, case, library, &[5, 6])
        .await?;
    walk.answer_meeting(one, case, &meeting, None).await?;
    walk.answer_meeting(other, case, &meeting, Some("A seat near the door, please."))
        .await?;
    walk.set_meeting(facilitator, case, &meeting).await?;
    walk.days(5).await?;
    let today = walk.desk.clock.now().london_day();
    walk.act(facilitator, case, json!({ "event": "log_session", "session": { "on": today, "way": "in_person", "who_came": "both", "minutes": minutes } })).await
}

fn reading(free: &str) -> Value {
    let entry = |view: &str| json!({ "view": view, "in_place": "People who came for support now sit on the board." });
    json!({ "entries": { "1": entry("in_place"), "2": entry("partly"), "5": entry(free), "13": entry("in_place"), "28": entry("partly") }, "offices": { "chair": "yes", "chief_executive": "yes" } })
}

/// The light review: both read, both confirm.
async fn review(
    walk: &mut Walk,
    case: CaseId,
    one: &str,
    other: &str,
    facilitator: &str,
) -> Result<(), DemoError> {
    walk.act(
        facilitator,
        case,
        json!({ "event": "begin_standards_review" }),
    )
    .await?;
    walk.days(4).await?;
    walk.share_reading(one, case, reading("in_place")).await?;
    walk.days(1).await?;
    walk.share_reading(other, case, reading("not_yet")).await?;
    let minute = |theme: &str, words: &str| json!({ "theme": theme, "held_in_common": words });
    walk.act(facilitator, case, json!({ "event": "record_joint_reading", "minutes": [
        minute("authenticity", "Both grew out of this place and answer to its people."), minute("independence", "Both decide for themselves, and would like to help each other to keep doing so."),
        minute("lived_experience_leadership", "Both are led by people who have been there."),
    ] })).await?;
    walk.act(one, case, json!({ "event": "confirm_joint_reading" }))
        .await?;
    walk.act(other, case, json!({ "event": "confirm_joint_reading" }))
        .await
}

async fn propose(
    walk: &mut Walk,
    case: CaseId,
    by: &str,
    owner: &str,
    what: &str,
    priority: &str,
) -> Result<(), DemoError> {
    let (owner, day) = (
        walk.organisation(owner)?,
        walk.desk.clock.now().london_day() + chrono::Duration::days(60),
    );
    walk.act(by, case, json!({ "event": "propose_action", "terms": {
        "owner": owner, "owner_post": "Manager", "what": what, "when": { "by": day }, "priorities": [priority],
        "benefit": "People hear the same welcome whichever door they knock on.", "how_we_will_know": "We ask the people who come.",
    } })).await
}

async fn write_actions(
    walk: &mut Walk,
    case: CaseId,
    (one, first): (&str, &str),
    (other, second): (&str, &str),
    facilitator: &str,
) -> Result<(), DemoError> {
    walk.act(
        facilitator,
        case,
        json!({ "event": "begin_agreed_actions" }),
    )
    .await?;
    walk.days(2).await?;
    propose(
        walk,
        case,
        one,
        first,
        "Open the Tuesday group to people from both organisations.",
        "cooperation",
    )
    .await?;
    propose(
        walk,
        case,
        other,
        second,
        "Share the hall on the seafront on the last Friday of each month.",
        "community_benefit",
    )
    .await?;
    walk.act(facilitator, case, json!({ "event": "circulate" }))
        .await
}

async fn closed_with_an_agreement(walk: &mut Walk) -> Result<(), DemoError> {
    let (one, other, helper) = ("Asha Marlow", "Ben Tarrow", "Denise Adair");
    let said = statement(
        "locality_overlap",
        "E07000128",
        "We both run a drop-in on the same street on the same morning.",
        "Nobody has to choose between two front doors.",
        "share_all",
    );
    let case = into_conversation(walk, one, "Lantern Wyre", "Estuary Voices", helper, said).await?;
    talk(
        walk,
        case,
        one,
        other,
        helper,
        (90, talk::STREET, talk::STREET_PAPERS),
    )
    .await?;
    review(walk, case, one, other, helper).await?;
    write_actions(
        walk,
        case,
        (one, "Lantern Wyre"),
        (other, "Estuary Voices"),
        helper,
    )
    .await?;
    walk.act(one, case, json!({ "event": "accept_agreement" }))
        .await?;
    walk.act(other, case, json!({ "event": "accept_agreement" }))
        .await?;
    walk.act(helper, case, json!({ "event": "conclude_agreement" }))
        .await?;
    walk.act(helper, case, json!({ "event": "propose_summary", "summary": "We listened, we found two mornings, and we will look again in the spring." })).await?;
    walk.act(one, case, json!({ "event": "agree_summary" }))
        .await?;
    walk.act(other, case, json!({ "event": "agree_summary" }))
        .await?;
    let seen = walk
        .desk
        .case(walk.caller(helper)?, case)
        .await
        .map_err(|e| DemoError::Step(helper.to_owned(), e.to_string()))?;
    let actions: Vec<Value> = seen
        .agreement
        .and_then(|a| a.in_force)
        .into_iter()
        .flat_map(|a| a.actions)
        .map(|a| json!({ "action": a.id, "becomes": "moved_to_follow_up" }))
        .collect();
    walk.act(helper, case, json!({ "event": "close", "outcome": "agreed_full", "actions": actions, "sessions_logged": true })).await
}

async fn closed_in_conversation(walk: &mut Walk) -> Result<(), DemoError> {
    let (one, other, helper) = ("Dev Hollin", "Elsie Roe", "Callum Frith");
    let said = statement(
        "collaboration",
        "E08000033",
        "We were both asked to speak at the same event and each thought the other had said no.",
        "People see us on one stage.",
        "facilitator_rings_first",
    );
    let case = into_conversation(walk, one, "Calder Footbridge", "Aire Kin", helper, said).await?;
    talk(walk, case, one, other, helper, (45, &[], &[])).await?;
    walk.act(helper, case, json!({ "event": "close", "outcome": "resolved_in_conversation", "summary": "A letter had gone astray. Both laughed, and both will speak.", "sessions_logged": true })).await
}

async fn agreed_actions_going_round(walk: &mut Walk) -> Result<(), DemoError> {
    let (one, other, helper) = ("Femi Strand", "Grace Lowther", "Yusra Banning");
    let said = statement(
        "boundaries",
        "E08000021",
        "Each of us supports people on both banks of the river, and referrals go round in circles.",
        "One telephone call is enough, whichever bank somebody lives on.",
        "share_summary",
    );
    let case = into_conversation(walk, one, "Tyne Hearth", "Quayside Circle", helper, said).await?;
    talk(
        walk,
        case,
        one,
        other,
        helper,
        (75, talk::RIVER, talk::RIVER_PAPERS),
    )
    .await?;
    review(walk, case, one, other, helper).await?;
    write_actions(
        walk,
        case,
        (one, "Tyne Hearth"),
        (other, "Quayside Circle"),
        helper,
    )
    .await?;
    walk.act(one, case, json!({ "event": "accept_agreement" }))
        .await
}

async fn standards_review_under_way(walk: &mut Walk) -> Result<(), DemoError> {
    let (one, other, helper) = ("Carys Penn", "Asha Marlow", "Callum Frith");
    let said = statement(
        "boundaries",
        "E07000121",
        "A new contract names a place where another organisation is at home.",
        "People there know whom to ask, and nobody is asked twice.",
        "share_all",
    );
    let case = into_conversation(
        walk,
        one,
        "Northgate Together",
        "Lantern Wyre",
        helper,
        said,
    )
    .await?;
    talk(walk, case, one, other, helper, (60, talk::CONTRACT, &[])).await?;
    walk.act(helper, case, json!({ "event": "begin_standards_review" }))
        .await?;
    walk.days(2).await?;
    walk.share_reading(one, case, reading("partly")).await?;
    let call = (Room::Private(Side::Invited), Way::Phone, "I will ring you.");
    let private = walk.propose_meeting(helper, case, call, &[30, 31]).await?;
    walk.set_meeting(helper, case, &private).await?;
    let table = (
        Room::Joint,
        Way::Video,
        "The link comes by text message on the day.",
    );
    walk.propose_meeting(helper, case, table, &[35, 36, 39])
        .await
        .map(|_| ())
}

async fn paused(walk: &mut Walk) -> Result<(), DemoError> {
    let (one, other, helper) = ("Ines Prosser", "Hamish Orr", "Denise Adair");
    let said = statement(
        "collaboration",
        "W06000014",
        "We planned an exchange visit together, and it did not come about.",
        "Members of both meet, and learn from each other.",
        "share_all",
    );
    let case =
        into_conversation(walk, one, "Hearth y Fro", "Clyde Open Door", helper, said).await?;
    walk.days(2).await?;
    walk.act(
        other,
        case,
        json!({ "event": "respond", "answer": "talk_first" }),
    )
    .await?;
    talk::talk(walk, case, talk::VISIT, &[]).await?;
    walk.act(other, case, json!({ "event": "hold" })).await?;
    let until = walk.desk.clock.now().london_day() + chrono::Duration::days(29);
    walk.act(helper, case, json!({ "event": "hold", "until": until }))
        .await
}

async fn waiting_for_an_answer(walk: &mut Walk) -> Result<(), DemoError> {
    let said = statement(
        "locality_overlap",
        "E07000081",
        "An established organisation has been asked to work where a new one is just beginning.",
        "The new group has time to find its feet.",
        "share_all",
    );
    into_conversation(
        walk,
        "Kit Sallow",
        "Severn Kindling",
        "Fenland Compass",
        "Yusra Banning",
        said,
    )
    .await
    .map(|_| ())
}

async fn at_the_door(walk: &mut Walk) -> Result<(), DemoError> {
    let said = statement(
        "locality_overlap",
        "N09000003",
        "Two evening groups began within a month of each other, round the corner from each other.",
        "There is a group on every evening of the week.",
        "share_summary",
    );
    let case = walk
        .draft("Jude McCrea", "Lagan Steps", &["Clyde Open Door"], said)
        .await?;
    walk.act("Jude McCrea", case, json!({ "event": "submit" }))
        .await?;
    walk.days(1).await?;
    walk.act(SECOND_COORDINATOR, case, json!({ "event": "ask_for_more", "question": "Have the two of you been able to meet yet?" })).await
}

async fn a_draft(walk: &mut Walk) -> Result<(), DemoError> {
    walk.draft(
        "Lena Brook",
        "Fenland Compass",
        &[],
        json!({ "grounds": ["collaboration"], "good_outcome": "A shared calendar." }),
    )
    .await
    .map(|_| ())
}

async fn looking_for_a_facilitator(walk: &mut Walk) -> Result<(), DemoError> {
    let said = statement(
        "boundaries",
        "E08000032",
        "People who move between our two towns are asked to begin again each time.",
        "Somebody who moves takes their place in a group with them.",
        "share_all",
    );
    let case = walk
        .draft("Elsie Roe", "Aire Kin", &["Tyne Hearth"], said)
        .await?;
    walk.act("Elsie Roe", case, json!({ "event": "submit" }))
        .await?;
    walk.days(1).await?;
    let suitable = json!({ "event": "screen", "result": "suitable" });
    walk.act(COORDINATOR, case, suitable).await
}

async fn just_arrived(walk: &mut Walk) -> Result<(), DemoError> {
    let said = statement(
        "collaboration",
        "E07000119",
        "We both train volunteers, and each of us has half of what it takes.",
        "One course for everybody who would like to help.",
        "share_all",
    );
    let case = walk
        .draft(
            "Ben Tarrow",
            "Estuary Voices",
            &["Northgate Together"],
            said,
        )
        .await?;
    walk.act("Ben Tarrow", case, json!({ "event": "submit" }))
        .await
}
