//! Maps of places: the outlines of councils and of what lies around them, cut to what is of interest, with names where
//! they fit and a key that says the same in words. What it gives is for `parts/map`, which draws it; a map never
//! decides anything, least of all where an address belongs.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::place::{self, OVERVIEW, Point};
use crate::domain::register::LocalityCode;

mod drawing;
use drawing::{Frame, Name};

/// As what a place is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody's: the one side of a case, or where an organisation is at home.
    One,
    /// Somebody else's: the other side, or where an organisation is besides.
    Two,
    /// Both sides'. A place given as one and as two becomes this.
    Both,
    /// The place that is spoken of.
    Asked,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::One => "m-one",
            Self::Two => "m-two",
            Self::Both => "m-both",
            Self::Asked => "m-place",
        }
    }
}

/// A place on a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapPlace {
    pub code: LocalityCode,
    pub kind: Kind,
    /// What the key says of it, such as the name of the organisation: places that say the same share a line.
    pub says: String,
}

/// How wide a map is, in units of its own: about the pixels of a phone.
const WIDTH: f64 = 480.0;
/// The largest map, in octets of its paths.
const MOST: usize = 11_000;
/// With more outlines than this in sight, those of the regions do.
const MANY: usize = 60;

/// A map of `places` and their surroundings, for `{{> parts/map map=map}}`; `null` where there is nothing to draw.
#[must_use]
pub fn of(places: &[MapPlace]) -> Value {
    let mut kinds: BTreeMap<LocalityCode, BTreeSet<Kind>> = BTreeMap::new();
    for place in places {
        kinds
            .entry(place.code.clone())
            .or_default()
            .insert(place.kind);
    }
    let outlines: BTreeMap<_, _> = kinds
        .iter()
        .filter_map(|(code, all)| Some((code.clone(), (place::outline(code)?, shown_as(all)))))
        .collect();
    let Some(frame) = Frame::around(outlines.values().map(|(o, _)| o.edges), WIDTH) else {
        return Value::Null;
    };
    let mut around: Vec<_> = place::outlines_within(frame.edges())
        .filter(|(code, _)| !outlines.contains_key(code))
        .map(|(code, o)| (code.locality().name.clone(), o.rings()))
        .collect();
    if around.len() > MANY {
        around = place::regions()
            .map(|(_, path)| (String::new(), stretched(path)))
            .collect();
    }
    // Smaller ones on top, so that a town inside its district is seen.
    let mut mine: Vec<_> = outlines
        .iter()
        .map(|(code, (o, kind))| (code.locality().name.clone(), o.rings(), kind.class()))
        .collect();
    mine.sort_by_key(|(_, rings, _)| std::cmp::Reverse(drawing::size_of(rings)));
    let background = around
        .into_iter()
        .map(|(name, rings)| (name, rings, "m-other"));
    let all: Vec<_> = background.chain(mine).collect();
    let (shapes, names) = drawn(&frame, &all);
    json!({
        "width": WIDTH, "height": frame.height(), "shapes": shapes, "labels": names,
        "hatched": outlines.values().any(|(_, kind)| *kind == Kind::Both), "key": key(places, &kinds),
        "names": outlines.keys().map(|code| code.locality().name.as_str()).collect::<Vec<_>>(),
    })
}

fn shown_as(kinds: &BTreeSet<Kind>) -> Kind {
    if kinds.contains(&Kind::One) && kinds.contains(&Kind::Two) {
        return Kind::Both;
    }
    [Kind::Both, Kind::One, Kind::Two]
        .into_iter()
        .find(|kind| kinds.contains(kind))
        .unwrap_or(Kind::Asked)
}

fn stretched(path: &str) -> Vec<Vec<Point>> {
    let larger = |points: Vec<Point>| {
        points
            .into_iter()
            .map(|(x, y)| (x * OVERVIEW, y * OVERVIEW))
            .collect()
    };
    place::rings(path).into_iter().map(larger).collect()
}

/// Draws outlines as finely as there is room for.
fn drawn(frame: &Frame, all: &[(String, Vec<Vec<Point>>, &str)]) -> (Vec<Value>, Vec<Name>) {
    let mut grain = 1.0;
    loop {
        let shapes: Vec<_> = all
            .iter()
            .filter_map(|(_, rings, class)| Some((frame.path(rings, grain)?, *class)))
            .collect();
        let octets: usize = shapes.iter().map(|(d, _)| d.len()).sum();
        if octets > MOST && grain < 8.0 {
            grain *= 1.5;
            continue;
        }
        let shapes = shapes
            .into_iter()
            .map(|(d, class)| json!({ "d": d, "class": class }))
            .collect();
        // What the map is about is named first, and whatever fits beside it after.
        let named = all.iter().rev().filter(|(name, ..)| !name.is_empty());
        return (
            shapes,
            frame.names(named.map(|(name, rings, class)| {
                (name.as_str(), rings.as_slice(), *class != "m-other")
            })),
        );
    }
}

/// The same facts in words: who is where.
fn key(places: &[MapPlace], kinds: &BTreeMap<LocalityCode, BTreeSet<Kind>>) -> Vec<Value> {
    let mut lines: Vec<(Kind, &str, Vec<&LocalityCode>)> = Vec::new();
    for place in places {
        match lines
            .iter_mut()
            .find(|(kind, says, _)| *kind == place.kind && *says == place.says)
        {
            Some((_, _, codes)) if codes.contains(&&place.code) => {}
            Some((_, _, codes)) => codes.push(&place.code),
            None => lines.push((place.kind, &place.says, vec![&place.code])),
        }
    }
    let shared: Vec<&LocalityCode> = kinds
        .iter()
        .filter(|(_, all)| shown_as(all) == Kind::Both && !all.contains(&Kind::Both))
        .map(|(code, _)| code)
        .collect();
    let both = (!shared.is_empty()).then_some((Kind::Both, "", shared));
    lines
        .into_iter()
        .chain(both)
        .map(|(kind, says, codes)| {
            let places: Vec<Value> = codes
                .iter()
                .map(|code| json!({ "code": code, "name": code.locality().name }))
                .collect();
            json!({ "class": kind.class(), "says": says, "places": places })
        })
        .collect()
}

/// A map of the whole country with a dot at each place, for `{{> parts/map_uk map=map}}`. The regions are counted in
/// words beside it by whoever asks.
#[must_use]
pub fn country<'a>(
    spots: impl IntoIterator<Item = &'a LocalityCode>,
    chosen: Option<&str>,
) -> Value {
    let regions: Vec<Value> = place::regions()
        .map(|(name, d)| json!({ "d": d, "class": if chosen == Some(name) { "m-place" } else { "m-other" } }))
        .collect();
    let dots: BTreeSet<Point> = spots
        .into_iter()
        .filter_map(place::outline)
        .map(|o| (o.middle.0 / OVERVIEW, o.middle.1 / OVERVIEW))
        .collect();
    json!({ "width": 660, "height": 1220, "shapes": regions, "dots": dots.into_iter().map(|(x, y)| json!({ "x": x, "y": y })).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register::localities;

    fn at(code: &str, kind: Kind, says: &str) -> MapPlace {
        MapPlace {
            code: LocalityCode::parse(code).expect("a council"),
            kind,
            says: says.to_owned(),
        }
    }

    #[test]
    fn a_map_says_in_words_what_it_shows() {
        let map = of(&[
            at("E06000009", Kind::One, "Lantern"),
            at("E07000128", Kind::One, "Lantern"),
            at("E07000119", Kind::Two, "Voices"),
            at("E07000128", Kind::Two, "Voices"),
        ]);
        assert_eq!(
            (
                map["hatched"].as_bool(),
                map["key"].as_array().map(Vec::len)
            ),
            (Some(true), Some(3))
        );
        assert_eq!(map["key"][0]["places"][1]["name"], "Wyre");
        assert_eq!(map["key"][2]["class"], "m-both");
        let labels = map["labels"].as_array().expect("labels");
        for name in ["Wyre", "Fylde", "Blackpool"] {
            assert!(
                labels
                    .iter()
                    .any(|l| l["lines"][0] == name && l["main"] == true),
                "{name}: {labels:?}"
            );
        }
        assert_eq!(of(&[]), Value::Null);
    }

    #[test]
    fn every_map_stays_small_and_its_names_inside() {
        let codes: Vec<LocalityCode> = localities(None, None)
            .filter_map(|l| LocalityCode::parse(&l.code))
            .collect();
        let far = vec![
            at("S12000027", Kind::One, "North"),
            at("E06000053", Kind::Two, "South"),
        ];
        let one = |code: &LocalityCode| {
            vec![MapPlace {
                code: code.clone(),
                kind: Kind::Asked,
                says: String::new(),
            }]
        };
        for places in codes.iter().step_by(5).map(one).chain([far]) {
            let (map, name) = (of(&places), &places[0].code.locality().name);
            let octets = map.to_string().len();
            assert!(octets < 15_000, "{name}: {octets}");
            let height = map["height"].as_f64().expect("a height");
            assert!((200.0..=620.0).contains(&height), "{name}: {height}");
            for label in map["labels"].as_array().expect("labels") {
                let (x, y) = (
                    label["x"].as_f64().expect("x"),
                    label["y"].as_f64().expect("y"),
                );
                assert!(
                    (0.0..=WIDTH).contains(&x) && (0.0..=height).contains(&y),
                    "{name}: {label}"
                );
            }
            assert!(
                map["labels"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|l| l["main"] == true)),
                "{name}"
            );
        }
        assert!(country(&codes, Some("Wales")).to_string().len() < 25_000);
    }
}
