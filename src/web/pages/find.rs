//! "Find your local LERO" (SPEC §2): by postcode or council, for anybody; a page for each place and for each LERO.
//! Nothing here says anything about disagreements.
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::map::{self, Kind, MapPlace};
use super::visit::Visit;
use crate::casework::places::LocalityPresences;
use crate::domain::id::OrganisationId;
use crate::domain::overlap::not_over;
use crate::domain::place::{self, Found};
use crate::domain::register::{LocalityCode, Presence, PresenceKind, counties};
use crate::web::api::Answer;
use crate::web::problem::{Kind as Trouble, Problem};

/// How many LEROs are on a page of the list.
const A_PAGE: u16 = 30;

/// The search, and what it found.
pub async fn find(visit: Visit) -> Answer {
    let said = searched(&visit).unwrap_or_default();
    let region = visit.asked_for("region").and_then(|name| region_of(&name));
    let homes = visit.desk.homes().await.map_err(Problem::from)?;
    let mut data = json!({
        "q": said, "answer": "", "written": "", "places": [], "county": null, "former": [], "here": null,
        "place": null, "others": [], "region": region, "councils": [], "map": null, "regions": regions(&homes),
    });
    if !said.is_empty() {
        answer(&visit, &said, &homes, &mut data).await?;
    }
    if let Some(region) = region_of(data["region"].as_str().unwrap_or_default()) {
        data["region"] = region.into();
        data["councils"] = place::in_region(region)
            .into_iter()
            .map(|l| json!({ "code": l.code, "name": l.name, "home": homes.iter().any(|h| h.as_str() == l.code) }))
            .collect();
    }
    if data["map"].is_null() && data["place"].is_null() {
        data["uk"] = map::country(&homes, data["region"].as_str());
    } else {
        data["uk"] = Value::Null;
    }
    visit.page("public/find", data)
}

fn region_of(name: &str) -> Option<&'static str> {
    place::regions()
        .map(|(region, _)| region)
        .find(|region| *region == name)
}

/// The nations and regions, each with how many of its councils have a LERO at home.
fn regions(homes: &BTreeSet<LocalityCode>) -> Vec<Value> {
    place::regional_counts()
        .into_iter()
        .map(|(region, councils)| {
            let home = homes.iter().filter(|h| h.locality().region == region).count();
            json!({ "name": region, "to": format!("/find?{}", query("region", region)), "councils": councils, "homes": home })
        })
        .collect()
}

/// Fills in what was found.
async fn answer(
    visit: &Visit,
    said: &str,
    homes: &BTreeSet<LocalityCode>,
    data: &mut Value,
) -> Result<(), Problem> {
    let (answer, places) = match place::find(said) {
        Found::Postcode(code, places) => {
            data["written"] = code.to_string().into();
            ("postcode", places)
        }
        Found::NoSuchPostcode(code) => {
            data["written"] = code.to_string().into();
            ("no_such_postcode", Vec::new())
        }
        Found::NorthernIreland(code) => {
            data["written"] = code.to_string().into();
            data["region"] = "Northern Ireland".into();
            ("northern_ireland", Vec::new())
        }
        Found::Region(region) => {
            data["region"] = region.into();
            ("region", Vec::new())
        }
        Found::Named(named) => {
            data["former"] = named
                .former
                .iter()
                .map(|f| json!({ "name": f.name, "ended": f.ended, "places": linked(&f.successors) }))
                .collect();
            data["county"] = named
                .county
                .map(|c| json!({ "name": c.name, "places": linked(&c.districts.iter().filter_map(|d| LocalityCode::parse(d)).collect::<Vec<_>>()) }))
                .into();
            let mut places = named.places;
            if named.county.is_some() || places.is_empty() {
                let more = named.former.iter().flat_map(|f| f.successors.clone());
                places.extend(more.collect::<BTreeSet<_>>());
            }
            // One that is called exactly so is the one; others are named beside it.
            if let Some(exact) = named.exact.filter(|_| named.county.is_none()) {
                places.retain(|code| *code != exact);
                data["others"] = linked(&places);
                places = vec![exact];
            }
            ("named", places)
        }
        Found::Nothing(near) => {
            data["places"] = linked(&near);
            data["answer"] = "nothing".into();
            return Ok(());
        }
    };
    data["answer"] = answer.into();
    data["places"] = linked(&places);
    if let [only] = places.as_slice() {
        let here = visit
            .desk
            .organisations_in(visit.caller(), only.clone())
            .await
            .map_err(Problem::from)?;
        data["map"] = around(visit, only, homes);
        data["place"] = described(only, &here, homes);
    } else if !places.is_empty() {
        data["places"] = each(visit, &places).await?;
        data["map"] = map::of(&places.iter().map(asked).collect::<Vec<_>>());
    }
    Ok(())
}

fn linked(places: &[LocalityCode]) -> Value {
    places
        .iter()
        .map(|code| json!({ "code": code, "name": code.locality().name, "here": [] }))
        .collect()
}

/// Several places, each with who is at home there.
async fn each(visit: &Visit, places: &[LocalityCode]) -> Result<Value, Problem> {
    let mut all = Vec::new();
    for code in places {
        let here = visit
            .desk
            .organisations_in(visit.caller(), code.clone())
            .await
            .map_err(Problem::from)?;
        let names: Vec<Value> = leros(&here)
            .filter(|h| h["presence"]["kind"] == "home")
            .map(|h| h["working_name"].clone())
            .collect();
        all.push(json!({ "code": code, "name": code.locality().name, "here": names }));
    }
    Ok(all.into())
}

fn asked(code: &LocalityCode) -> MapPlace {
    MapPlace {
        code: code.clone(),
        kind: Kind::Asked,
        says: String::new(),
    }
}

/// A map of a place, with the places next to it where a LERO is at home.
fn around(visit: &Visit, code: &LocalityCode, homes: &BTreeSet<LocalityCode>) -> Value {
    let (here, next) = (
        visit.language.said("The place you asked about"),
        visit.language.said("Next to it, with a LERO at home"),
    );
    let near = place::neighbours(code)
        .into_iter()
        .filter(|n| homes.contains(n));
    let near = near.map(|code| MapPlace {
        code,
        kind: Kind::One,
        says: next.clone(),
    });
    map::of(
        &std::iter::once(MapPlace {
            says: here,
            ..asked(code)
        })
        .chain(near)
        .collect::<Vec<_>>(),
    )
}

/// The LEROs of a place, for anybody.
fn leros(here: &LocalityPresences) -> impl Iterator<Item = Value> + '_ {
    here.items
        .iter()
        .filter(|h| h.organisation_kind.is_lero())
        .filter(|h| h.presence.state == crate::domain::register::PresenceState::Confirmed)
        .filter_map(|h| serde_json::to_value(h).ok())
}

/// What a page says of a place.
fn described(
    code: &LocalityCode,
    here: &LocalityPresences,
    homes: &BTreeSet<LocalityCode>,
) -> Value {
    let locality = code.locality();
    let of = |kind: &str| {
        leros(here)
            .filter(|h| h["presence"]["kind"] == kind)
            .collect::<Vec<_>>()
    };
    let above = counties()
        .iter()
        .find(|c| Some(&c.code) == locality.county.as_ref());
    let near: Vec<Value> = place::neighbours(code)
        .into_iter()
        .map(|n| json!({ "code": n, "name": n.locality().name, "home": homes.contains(&n) }))
        .collect();
    json!({
        "code": code, "name": locality.name, "kind": locality.kind, "region": locality.region,
        "home": of("home"), "emerging": of("emerging_here"), "supporting": of("supporting_temporarily"),
        "also": of("also_serves"), "overlaps": here.overlaps, "county": above.map(|c| c.name.as_str()),
        "before": place::kin(code).iter().filter_map(|c| place::former(c)).filter(|f| !f.renumbered).map(|f| f.name.as_str()).collect::<Vec<_>>(),
        "near": near,
    })
}

/// A council. One that is no more leads to what took its place.
pub async fn place(visit: Visit) -> Answer {
    let code = match visit.id("code", LocalityCode::parse) {
        Ok(code) => code,
        Err(unknown) => {
            let former = visit.id("code", place::former)?;
            return match former.successors.as_slice() {
                [only] => visit.on(&format!("/places/{}", only.as_str())),
                [_, ..] => visit.on(&format!("/find?{}", query("q", &former.name))),
                [] => Err(unknown),
            };
        }
    };
    let here = visit
        .desk
        .organisations_in(visit.caller(), code.clone())
        .await
        .map_err(Problem::from)?;
    let homes = visit.desk.homes().await.map_err(Problem::from)?;
    visit.page(
        "public/place",
        json!({ "place": described(&code, &here, &homes), "map": around(&visit, &code, &homes) }),
    )
}

/// What was typed to search for: one line, without anything that nobody can type.
pub(super) fn searched(visit: &Visit) -> Option<String> {
    let said = visit.asked_for("q")?;
    let shown: String = said.chars().filter(|c| !c.is_control()).take(100).collect();
    Some(shown.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A query that holds whatever was typed.
pub(super) fn query(key: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair(key, value)
        .finish()
}

/// The LEROs from A to Z.
pub async fn leros_by_name(visit: Visit) -> Answer {
    let text = searched(&visit);
    let page = visit
        .desk
        .listed(visit.caller(), text.clone(), true, visit.slice(A_PAGE)?)
        .await
        .map_err(Problem::from)?;
    let homes = visit.desk.homes().await.map_err(Problem::from)?;
    let first = visit.asked_for("cursor").is_none();
    let next = page.next.as_deref().map(|cursor| {
        let narrowed = text
            .as_deref()
            .map(|q| format!("{}&", query("q", q)))
            .unwrap_or_default();
        format!("/leros?{narrowed}{}", query("cursor", cursor))
    });
    let items = public(serde_json::to_value(&page.items).unwrap_or_default());
    visit.page(
        "public/leros",
        json!({
            "q": text.unwrap_or_default(), "items": items, "next": next, "first": first,
            "uk": map::country(&homes, None), "homes": homes.len(), "regions": regions(&homes),
        }),
    )
}

/// What a list says to anybody, whoever reads it.
fn public(mut items: Value) -> Value {
    for item in items.as_array_mut().into_iter().flatten() {
        if let Some(presences) = item["presences"].as_array_mut() {
            presences.retain(|p| p["state"] == "confirmed");
        }
    }
    items
}

/// A LERO, as it describes itself.
pub async fn lero(visit: Visit) -> Answer {
    let id = visit.id("organisation", OrganisationId::parse)?;
    let organisation = visit
        .desk
        .organisation(visit.caller(), id)
        .await
        .map_err(Problem::from)?;
    if !organisation.kind.is_lero() {
        return Err(Problem::new(Trouble::NotFound));
    }
    let today = visit.desk.clock.now().london_day();
    let mut presences = visit
        .desk
        .presences(visit.caller(), id)
        .await
        .map_err(Problem::from)?
        .items;
    presences.retain(|p| {
        p.state == crate::domain::register::PresenceState::Confirmed
            && p.kind != PresenceKind::Former
            && not_over(p.until, today)
    });
    visit.page("public/lero", json!({
        "organisation": organisation, "presences": presences, "map": whereabouts(&visit, &presences),
    }))
}

/// A map of where an organisation is: what it is at home in, and what else it does elsewhere.
pub(super) fn whereabouts(visit: &Visit, presences: &[Presence]) -> Value {
    let places: Vec<MapPlace> = presences
        .iter()
        .filter_map(|p| {
            let (kind, says) = match p.kind {
                PresenceKind::Home => (Kind::One, "At home"),
                PresenceKind::EmergingHere => (Kind::One, "Beginning here"),
                PresenceKind::SupportingTemporarily => (Kind::Two, "Supporting for a time"),
                PresenceKind::AlsoServes => (Kind::Two, "Also serves people in"),
                PresenceKind::Former => return None,
            };
            Some(MapPlace {
                code: p.locality.clone(),
                kind,
                says: visit.language.said(says),
            })
        })
        .collect();
    map::of(&places)
}
