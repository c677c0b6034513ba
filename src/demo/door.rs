//! Who is behind the demo's front door, in the order a visitor meets them, and what is worth a look as each of them.
use super::{DemoPerson, PASSWORD};
use crate::config::Config;
use crate::web::pages::demo::{Door, Group, Somebody};

/// The door to a world.
#[must_use]
pub fn door(config: &Config, people: &[DemoPerson]) -> Door {
    let group = |id, name, about, roles: &[&str]| Group {
        id,
        name,
        about,
        people: people
            .iter()
            .filter(|p| p.roles.iter().any(|role| roles.contains(&role.as_str())))
            .map(somebody)
            .collect(),
    };
    Door {
        password: PASSWORD,
        groups: vec![
            group(
                "leros",
                "People of LEROs",
                "They bring a disagreement, or are invited to talk about one.",
                &["lead", "member"],
            ),
            group(
                "facilitators",
                "Facilitators",
                "They listen to both organisations and help them through each step. They decide nothing.",
                &["facilitator"],
            ),
            group(
                "coordinators",
                "Coordinators at CLERO",
                "They read what arrives, find a facilitator, and see that nothing is left waiting.",
                &["coordinator"],
            ),
            group(
                "others",
                "Administrator and auditor",
                "They look after accounts and letters, and check the log. They read no case.",
                &["administrator", "auditor"],
            ),
        ],
        letters: config.data.join("mail"),
    }
}

fn somebody(person: &DemoPerson) -> Somebody {
    let is = |role: &str| person.roles.iter().any(|r| r == role);
    let post = match &person.organisation {
        Some(organisation) if is("lead") => format!("Lead of {organisation}"),
        Some(organisation) => format!("Member of {organisation}"),
        None => person
            .roles
            .first()
            .map(|role| capital(role))
            .unwrap_or_default(),
    };
    let begins_at = match () {
        () if is("coordinator") => "/board",
        () if is("administrator") => "/people",
        () if is("auditor") => "/log",
        () => "/cases",
    };
    Somebody {
        name: person.name.clone(),
        email: person.email.clone(),
        post,
        see: worth_a_look(&person.name),
        begins_at,
        browser: person.browser.clone(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// What the stories have led each of them to.
fn worth_a_look(name: &str) -> &'static str {
    match name {
        "Asha Marlow" => {
            "Two cases: one that ended with an agreement, and one where her organisation's reading of the standards is due."
        }
        "Ben Tarrow" => {
            "A case that ended with an agreement, and something new that has just gone to CLERO."
        }
        "Carys Penn" => {
            "Has shared her organisation's reading of the standards and waits for the other one."
        }
        "Dev Hollin" => "A case that one good conversation settled.",
        "Elsie Roe" => {
            "The same conversation, seen from the other side; and something she sent in that still needs a facilitator."
        }
        "Femi Strand" => "Has accepted what was agreed, and waits for the other organisation.",
        "Grace Lowther" => "It is her turn: read the agreed actions, speak about them, and accept.",
        "Hamish Orr" => "Asked for a pause. Only he and the facilitator know why.",
        "Ines Prosser" => "Her case is paused: see what the other organisation is shown of that.",
        "Jude McCrea" => "CLERO has asked him a question about what he sent in.",
        "Kit Sallow" => "Has sent an invitation to talk and waits for the answer.",
        "Lena Brook" => {
            "Has been invited to talk, and has a draft of her own that nobody else can see."
        }
        "Milo Dace" | "Nour Ashby" | "Orla Finch" => {
            "Not a lead: see what a member can do, and what belongs to the lead."
        }
        "Denise Adair" => "Two cases: one that has ended, and one that is paused.",
        "Callum Frith" => {
            "Two cases: a standards review in the middle, and one that ended in conversation."
        }
        "Yusra Banning" => {
            "Two cases: actions that go round to be accepted, and an invitation that waits."
        }
        "Gwen Maddox" => "Is a trustee of Tyne Hearth, has said so, and is kept from its cases.",
        "Morag Ellery" => {
            "The board: something new to read, a facilitator to find, and everything else that is running."
        }
        "Idris Quayle" => "The second coordinator: some things need two people.",
        "Petra Hale" => "People and their roles, letters, settings. She reads no case.",
        "Tomos Wren" => "The log, and whether it still holds. He reads no case either.",
        _other => "Look around.",
    }
}
