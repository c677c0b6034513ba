//! Who and what is in the demo: a dozen invented organisations in real councils, and their people.
use serde_json::json;

use super::DemoError;
use super::walk::Walk;
use crate::casework::people::NewAffiliation;
use crate::casework::register::WriteOrganisation;
use crate::domain::people::Role;
use crate::domain::register::PresenceDeclaration;

pub const COORDINATOR: &str = "Morag Ellery";
pub const SECOND_COORDINATOR: &str = "Idris Quayle";

/// Name, kind, nation, constituted, home, strengths, own words.
type Sketch = (
    &'static str,
    &'static str,
    &'static str,
    bool,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const ORGANISATIONS: [Sketch; 12] = [
    (
        "Lantern Wyre",
        "lero",
        "england",
        true,
        "E07000128",
        &["peer support", "housing"],
        "A front room with the kettle on, six days a week.",
    ),
    (
        "Estuary Voices",
        "lero",
        "england",
        true,
        "E07000119",
        &["peer support", "advocacy"],
        "We walk the shore path together on Thursdays.",
    ),
    (
        "Northgate Together",
        "lero",
        "england",
        true,
        "E07000121",
        &["training", "peer support"],
        "Everybody who teaches here once sat in the back row.",
    ),
    (
        "Calder Footbridge",
        "lero",
        "england",
        true,
        "E08000033",
        &["housing", "family and friends"],
        "A small bridge is still a bridge.",
    ),
    (
        "Aire Kin",
        "lero",
        "england",
        true,
        "E08000032",
        &["peer support", "creative arts"],
        "Drums on Mondays, dinner on Fridays.",
    ),
    (
        "Tyne Hearth",
        "lero",
        "england",
        true,
        "E08000037",
        &["advocacy", "training"],
        "Come as you are; stay as long as you like.",
    ),
    (
        "Quayside Circle",
        "lero",
        "england",
        false,
        "E08000021",
        &["peer support", "walking"],
        "Chairs in a circle, nobody at the front.",
    ),
    (
        "Clyde Open Door",
        "lero",
        "scotland",
        true,
        "S12000049",
        &["harm reduction", "advocacy"],
        "The door is open because we hold it.",
    ),
    (
        "Hearth y Fro",
        "lero",
        "wales",
        true,
        "W06000014",
        &["peer support", "gardening"],
        "Paned, sgwrs, a digon o amser.",
    ),
    (
        "Lagan Steps",
        "lero",
        "northern_ireland",
        true,
        "N09000003",
        &["peer support", "training"],
        "One step is a step.",
    ),
    (
        "Severn Kindling",
        "emerging_lero",
        "england",
        false,
        "E07000081",
        &["peer support"],
        "We are nine people and a borrowed hall.",
    ),
    (
        "Fenland Compass",
        "lero",
        "england",
        true,
        "E07000010",
        &["housing", "advocacy"],
        "Flat land, wide sky, good company.",
    ),
];

/// Everybody and everywhere the stories need.
pub async fn people_and_places(walk: &mut Walk) -> Result<(), DemoError> {
    walk.staff("Petra Hale", Role::Administrator).await?;
    walk.staff(COORDINATOR, Role::Coordinator).await?;
    walk.staff(SECOND_COORDINATOR, Role::Coordinator).await?;
    walk.staff("Tomos Wren", Role::Auditor).await?;
    for name in [
        "Denise Adair",
        "Callum Frith",
        "Yusra Banning",
        "Gwen Maddox",
    ] {
        walk.staff(name, Role::Facilitator).await?;
    }
    for (name, kind, nation, constituted, home, strengths, words) in ORGANISATIONS {
        let form = if constituted {
            "charitable_incorporated_organisation"
        } else {
            "unincorporated_association"
        };
        let asked: WriteOrganisation = serde_json::from_value(
            json!({ "profile": { "legal_name": format!("{name} (demo)"), "working_name": name, "kind": kind, "legal_form": form, "nation": nation, "constituted": constituted, "strengths": strengths, "own_words": words, "standing": "member" } }),
        )?;
        let keeper = walk.caller(COORDINATOR)?;
        let added = walk
            .desk
            .add_organisation(keeper.clone(), asked, None)
            .await
            .map_err(|e| DemoError::Step(name.to_owned(), e.to_string()))?;
        walk.remember(name, added.id);
        let place = if kind == "emerging_lero" {
            "emerging_here"
        } else {
            "home"
        };
        let said: PresenceDeclaration = serde_json::from_value(
            json!({ "locality": home, "kind": place, "since": "2019-04-01" }),
        )?;
        walk.desk
            .declare_presence(keeper, added.id, said, None)
            .await
            .map_err(|e| DemoError::Step(name.to_owned(), e.to_string()))?;
    }
    let first = [
        ("Asha Marlow", "Lantern Wyre"),
        ("Ben Tarrow", "Estuary Voices"),
        ("Carys Penn", "Northgate Together"),
        ("Dev Hollin", "Calder Footbridge"),
        ("Elsie Roe", "Aire Kin"),
        ("Femi Strand", "Tyne Hearth"),
        ("Grace Lowther", "Quayside Circle"),
        ("Hamish Orr", "Clyde Open Door"),
        ("Ines Prosser", "Hearth y Fro"),
        ("Jude McCrea", "Lagan Steps"),
        ("Kit Sallow", "Severn Kindling"),
        ("Lena Brook", "Fenland Compass"),
    ];
    for (name, organisation) in first {
        walk.member(name, organisation, true, COORDINATOR).await?;
    }
    for (name, organisation, lead) in [
        ("Milo Dace", "Lantern Wyre", "Asha Marlow"),
        ("Nour Ashby", "Estuary Voices", "Ben Tarrow"),
        ("Orla Finch", "Tyne Hearth", "Femi Strand"),
    ] {
        walk.member(name, organisation, false, lead).await?;
    }
    elsewhere(walk).await?;
    // Gwen is a trustee of Tyne Hearth: the rule keeps her from its cases, and she says so herself.
    let tie = NewAffiliation {
        organisation: walk.organisation("Tyne Hearth")?,
        role: serde_json::from_value(json!("trustee"))?,
        since: serde_json::from_value(json!("2020-01-01"))?,
        until: None,
    };
    let (gwen, caller) = (walk.person("Gwen Maddox")?, walk.caller("Gwen Maddox")?);
    walk.desk
        .declare_affiliation(caller, gwen, tie, None)
        .await
        .map_err(|e| DemoError::Step("Gwen Maddox".to_owned(), e.to_string()))?;
    walk.days(2).await
}

/// Where some of them are besides: what a coordinator knows already, and what leads have said and nobody has looked at.
async fn elsewhere(walk: &mut Walk) -> Result<(), DemoError> {
    for (who, organisation, said) in [
        (
            COORDINATOR,
            "Lantern Wyre",
            json!({ "locality": "E06000009", "kind": "supporting_temporarily", "since": "2026-03-01", "until": "2027-06-30", "end_condition": "A group of people from Blackpool meets every week by itself." }),
        ),
        (
            COORDINATOR,
            "Estuary Voices",
            json!({ "locality": "E07000128", "kind": "also_serves", "since": "2022-09-01" }),
        ),
        (
            "Elsie Roe",
            "Aire Kin",
            json!({ "locality": "E08000033", "kind": "also_serves", "since": "2025-01-01" }),
        ),
        (
            "Grace Lowther",
            "Quayside Circle",
            json!({ "locality": "E08000022", "kind": "also_serves", "since": "2026-05-01" }),
        ),
    ] {
        let (caller, id) = (walk.caller(who)?, walk.organisation(organisation)?);
        let said: PresenceDeclaration = serde_json::from_value(said)?;
        walk.desk
            .declare_presence(caller, id, said, None)
            .await
            .map_err(|e| DemoError::Step(organisation.to_owned(), e.to_string()))?;
    }
    Ok(())
}
