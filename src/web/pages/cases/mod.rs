//! The pages of a case: what all of them share is here. Each page is made of what its reader sees of the case (`Sight`)
//! and of what they can do now (the table of the procedure); no page decides anything by itself.
pub mod agreement;
pub mod documents;
pub mod history;
pub mod list;
pub mod looks;
pub mod meetings;
pub mod messages;
pub mod overview;
pub mod standards;
pub mod start;
pub mod steps;
mod steps_about;
mod turn;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::visit::{Visit, tag};
use crate::casework::rooms::RoomSight;
use crate::domain::access::CapacityName;
use crate::domain::action::EventName;
use crate::domain::case::{BySide, Side, Stage};
use crate::domain::id::{CaseId, OrganisationId};
use crate::domain::procedure::Available;
use crate::domain::reason::Reason;
use crate::domain::room::Room;
use crate::domain::sight::{Brief, OrganisationName, Sight};
use crate::web::problem::Problem;

/// A case that somebody has opened.
pub struct Open {
    pub sight: Sight,
    /// The tag of what they see.
    pub seen: String,
    may: Vec<Available>,
    pub rooms: Vec<RoomSight>,
}

/// Opens the case of the address for whoever visits.
pub async fn open(visit: &Visit) -> Result<Open, Problem> {
    let id = visit.id("case", CaseId::parse)?;
    let sight = visit.desk.case(visit.caller(), id).await?;
    Ok(Open {
        seen: tag(&sight),
        may: visit.desk.available_events(visit.caller(), id).await?.items,
        rooms: visit.desk.rooms(visit.caller(), id).await?.items,
        sight,
    })
}

impl Open {
    pub fn id(&self) -> CaseId {
        self.sight.brief.id
    }

    /// As what whoever opened it meets the case.
    pub fn you_are(&self) -> CapacityName {
        self.sight.brief.you_are
    }

    /// The side of whoever opened it.
    pub fn side(&self) -> Option<Side> {
        self.you_are().side()
    }

    /// Whether they may sign for their organisation.
    pub fn leads(&self) -> bool {
        matches!(
            self.you_are(),
            CapacityName::InitiatingLead | CapacityName::InvitedLead
        )
    }

    pub fn is_neutral(&self) -> bool {
        self.you_are() == CapacityName::Facilitator
    }

    /// Whether they can do this now.
    pub fn can(&self, event: EventName) -> bool {
        self.line(event).is_some_and(|line| line.allowed)
    }

    /// The line of an event, as it stands for them.
    pub fn line(&self, event: EventName) -> Option<&Available> {
        self.may.iter().find(|line| line.event == event)
    }

    /// Whether it is theirs to do at this stage, be it possible now or not.
    pub fn is_theirs(&self, event: EventName) -> bool {
        self.line(event).is_some_and(|line| {
            !line
                .reasons
                .iter()
                .any(|r| matches!(r.code, Reason::NotYourPart | Reason::NotAtThisStage))
        })
    }

    /// Every event they can do now.
    pub fn possible(&self) -> impl Iterator<Item = EventName> + '_ {
        self.may
            .iter()
            .filter(|line| line.allowed)
            .map(|line| line.event)
    }

    /// The room, if they may enter it.
    pub fn room(&self, room: Room) -> Option<&RoomSight> {
        self.rooms.iter().find(|r| r.room == room)
    }

    /// Every organisation of the case, the initiating side's first; empty where names are not theirs to read.
    pub fn organisations(&self) -> Vec<(Side, &OrganisationName)> {
        let sides = self.sight.brief.sides.as_ref();
        sides
            .into_iter()
            .flat_map(|sides| {
                Side::BOTH
                    .into_iter()
                    .flat_map(|side| sides.of(side).iter().map(move |o| (side, o)))
            })
            .collect()
    }

    /// The name of an organisation of the case.
    pub fn name_of(&self, id: OrganisationId) -> String {
        self.organisations()
            .into_iter()
            .find(|(_, o)| o.id == id)
            .map(|(_, o)| o.name.clone())
            .unwrap_or_default()
    }

    /// The names of the organisations, for choosing one.
    pub fn organisation_options(&self) -> Value {
        self.organisations()
            .iter()
            .map(|(_, o)| json!({ "value": o.id, "label": o.name, "hint": null }))
            .collect()
    }

    /// What every page of the case shows at its top; `tab` is where it is.
    pub fn head(&self, tab: &str) -> Value {
        let brief = &self.sight.brief;
        json!({
            "id": brief.id, "at": format!("/cases/{}", brief.id), "reference": brief.reference,
            "title": title(brief), "between": between(brief), "stage": brief.stage, "closed": brief.stage == Stage::Closed,
            "on_hold": brief.on_hold, "you_are": brief.you_are, "party": self.side().is_some(), "neutral": self.is_neutral(),
            "draft": brief.stage == Stage::Draft, "lead": self.leads(), "tab": tab, "tabs": self.tabs(tab),
        })
    }

    fn tabs(&self, tab: &str) -> Value {
        let brief = &self.sight.brief;
        if brief.stage == Stage::Draft {
            return json!([]);
        }
        let unread: u32 = self
            .rooms
            .iter()
            .filter(|r| r.room != Room::Notes)
            .map(|r| u32::from(r.unread))
            .sum();
        let talks = self.rooms.iter().any(|r| r.room.is_for_talk());
        let summary = self.sight.summary.is_some();
        [
            ("overview", "", true, 0),
            ("messages", "/messages", talks, unread),
            ("documents", "/documents", !self.rooms.is_empty(), 0),
            ("meetings", "/meetings", summary, 0),
            ("standards", "/standards", self.sight.review.is_some(), 0),
            ("agreement", "/agreement", self.sight.agreement.is_some(), 0),
            ("history", "/history", true, 0),
        ]
        .into_iter()
        .filter(|(_, _, there, _)| *there)
        .map(|(name, path, _, new)| {
            json!({ "name": name, "to": format!("/cases/{}{path}", brief.id), "here": name == tab, "new": new })
        })
        .collect()
    }
}

/// "Working together in Wyre": the place, never what anybody says of anybody.
pub fn title(brief: &Brief) -> String {
    let places: Vec<&str> = brief
        .localities
        .iter()
        .flatten()
        .map(|place| place.name.as_str())
        .collect();
    match places.as_slice() {
        [] if brief.sides.is_none() => format!("Case {}", brief.reference.0),
        [] => "Working together".to_owned(),
        all => format!("Working together in {}", listed(all)),
    }
}

/// The names of a side, or of both.
pub fn between(brief: &Brief) -> Value {
    let names = |side: &[OrganisationName]| {
        let all: Vec<&str> = side.iter().map(|o| o.name.as_str()).collect();
        listed(&all)
    };
    brief.sides.as_ref().map_or(
        Value::Null,
        |sides| json!({ "one": names(&sides.initiating), "other": names(&sides.invited) }),
    )
}

/// "one, two and three".
pub fn listed(all: &[&str]) -> String {
    match all {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// One list of both sides' things, each with its side's names.
pub fn by_side<T>(open: &Open, of: &BySide<T>, show: impl Fn(Side, &T) -> Value) -> Value {
    let names: BTreeMap<Side, Vec<&str>> = open.organisations().into_iter().fold(
        BTreeMap::new(),
        |mut all: BTreeMap<Side, Vec<&str>>, (side, o)| {
            all.entry(side).or_default().push(&o.name);
            all
        },
    );
    Side::BOTH
        .into_iter()
        .map(|side| {
            let name = names.get(&side).map(|n| listed(n)).unwrap_or_default();
            json!({ "side": side, "name": name, "own": open.side() == Some(side), "what": show(side, of.of(side)) })
        })
        .collect()
}
