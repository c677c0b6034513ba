//! Finding a place (SPEC §2): by postcode as people type it, by the name of a council of today or of yesterday, and who
//! borders on whom, and what it looks like on a map. The tables are text inside the program, sorted by their keys, and
//! are searched where they lie: nothing is read into memory, neither at the start nor later.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::register::{County, Locality, LocalityCode, codes, counties, localities, rows};
use super::text::folded;

mod postcode;
pub use postcode::Postcode;

static NEIGHBOURS: &str = include_str!("data/neighbours.csv");
static SHAPES: &str = include_str!("data/shapes.csv");
static REGIONS: &str = include_str!("data/regions.csv");

/// The rest of the line that begins with `key`, in a table sorted by the octets of its keys.
fn line_of(table: &'static str, key: &str) -> Option<&'static str> {
    let (mut from, mut to) = (table.find('\n')? + 1, table.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let begin = table[from..middle]
            .rfind('\n')
            .map_or(from, |at| from + at + 1);
        let end = table[middle..]
            .find('\n')
            .map_or(table.len(), |at| middle + at);
        let (here, rest) = table[begin..end].split_once(',')?;
        match here.as_bytes().cmp(key.as_bytes()) {
            std::cmp::Ordering::Equal => return Some(rest.trim_end()),
            std::cmp::Ordering::Less => from = (end + 1).min(to),
            std::cmp::Ordering::Greater => to = begin,
        }
    }
    None
}

fn known(list: &str) -> Vec<LocalityCode> {
    list.split_whitespace()
        .filter_map(LocalityCode::parse)
        .collect()
}

/// A council that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    pub code: String,
    pub name: String,
    /// The councils of today that took its place.
    pub successors: Vec<LocalityCode>,
    pub ended: Option<u16>,
    /// Whether only its number changed.
    pub renumbered: bool,
}

static FORMER: LazyLock<Vec<Former>> = LazyLock::new(|| {
    rows(include_str!("data/former_localities.csv"))
        .map(|row| Former {
            code: row[0].to_owned(),
            name: row[1].to_owned(),
            successors: codes(&row[2])
                .iter()
                .filter_map(|c| LocalityCode::parse(c))
                .collect(),
            ended: row[3].parse().ok(),
            renumbered: &row[4] == "recode",
        })
        .collect()
});

/// The council that had this code.
#[must_use]
pub fn former(code: &str) -> Option<&'static Former> {
    FORMER.iter().find(|f| f.code == code)
}

/// A council with everything it took the place of, and everything that took its place: whoever was in one of them is
/// here now (SPEC §2). Never a sister of the same family.
#[must_use]
pub fn kin(code: &LocalityCode) -> BTreeSet<String> {
    let mut family = BTreeSet::from([code.as_str().to_owned()]);
    let mut before = vec![code.as_str().to_owned()];
    while let Some(at) = before.pop() {
        let mut earlier: Vec<String> = LocalityCode::parse(&at)
            .map(|c| c.locality().predecessors.clone())
            .unwrap_or_default();
        let here = |f: &&Former| f.successors.iter().any(|s| s.as_str() == at);
        earlier.extend(FORMER.iter().filter(here).map(|f| f.code.clone()));
        before.extend(earlier.into_iter().filter(|c| family.insert(c.clone())));
    }
    let mut after = vec![code.as_str().to_owned()];
    while let Some(at) = after.pop() {
        let mut later: Vec<String> = localities(None, None)
            .filter(|l| l.predecessors.contains(&at))
            .map(|l| l.code.clone())
            .collect();
        later.extend(
            former(&at)
                .into_iter()
                .flat_map(|f| &f.successors)
                .map(|c| c.as_str().to_owned()),
        );
        after.extend(later.into_iter().filter(|c| family.insert(c.clone())));
    }
    family
}

/// What somebody may have meant by what they typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A postcode, and the councils it lies in.
    Postcode(Postcode, Vec<LocalityCode>),
    /// It looks like a postcode, and there is none like it.
    NoSuchPostcode(Postcode),
    /// A postcode of Northern Ireland, where people choose their council themselves.
    NorthernIreland(Postcode),
    /// A whole nation or region.
    Region(&'static str),
    Named(Named),
    /// Nothing fits; perhaps one of these was meant.
    Nothing(Vec<LocalityCode>),
}

/// What has a name like the one asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Councils of today, the closest first.
    pub places: Vec<LocalityCode>,
    /// The one that is called exactly so, if there is one.
    pub exact: Option<LocalityCode>,
    /// A county council with all its districts.
    pub county: Option<&'static County>,
    /// Councils that are no more.
    pub former: Vec<&'static Former>,
}

/// A name as people type it: no accents, no apostrophes, no ampersand, and without the words that all councils share.
fn plain(name: &str) -> String {
    let letters: String = folded(name)
        .replace('&', " and ")
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '.'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let shared = [
        "council",
        "borough",
        "district",
        "county",
        "city",
        "of",
        "the",
        "london",
        "metropolitan",
        "royal",
    ];
    let words: Vec<&str> = letters.split_whitespace().collect();
    let telling: Vec<&str> = words
        .iter()
        .copied()
        .filter(|w| !shared.contains(w))
        .collect();
    if telling.is_empty() {
        words.join(" ")
    } else {
        telling.join(" ")
    }
}

/// How well a name fits: the less the better.
fn fit(name: &str, wanted: &str) -> Option<u8> {
    let name = plain(name);
    if name == wanted {
        Some(0)
    } else if name.starts_with(wanted) {
        Some(1)
    } else if format!(" {name}").contains(&format!(" {wanted}")) {
        Some(2)
    } else {
        None
    }
}

fn code_of(locality: &Locality) -> Option<LocalityCode> {
    LocalityCode::parse(&locality.code)
}

/// Finds what somebody typed: a postcode, or a name.
#[must_use]
pub fn find(said: &str) -> Found {
    let said: String = said.chars().take(100).collect();
    if let Some(code) = Postcode::read(&said) {
        let places = code.places();
        return match (places.is_empty(), code.in_northern_ireland()) {
            (_, true) => Found::NorthernIreland(code),
            (true, false) => Found::NoSuchPostcode(code),
            (false, false) => Found::Postcode(code, places),
        };
    }
    let wanted = plain(&said);
    if wanted.chars().count() < 2 {
        return Found::Nothing(Vec::new());
    }
    if let Some((name, _)) = regions().find(|(name, _)| plain(name) == wanted) {
        return Found::Region(name);
    }
    let mut close: Vec<(u8, &Locality)> = localities(None, None)
        .filter_map(|l| Some((fit(&l.name, &wanted)?, l)))
        .collect();
    close.sort_by(|(a, x), (b, y)| (a, &x.name).cmp(&(b, &y.name)));
    let exact = match close.as_slice() {
        [(0, only)] | [(0, only), (1.., _), ..] => code_of(only),
        _otherwise => None,
    };
    let named = Named {
        exact,
        places: close
            .into_iter()
            .filter_map(|(_, l)| code_of(l))
            .take(12)
            .collect(),
        county: counties().iter().find(|c| plain(&c.name) == wanted),
        former: FORMER
            .iter()
            .filter(|f| !f.renumbered && fit(&f.name, &wanted).is_some())
            .take(6)
            .collect(),
    };
    if named == Named::default() {
        Found::Nothing(almost(&wanted))
    } else {
        Found::Named(named)
    }
}

/// Councils whose name is a letter or two away.
fn almost(wanted: &str) -> Vec<LocalityCode> {
    let mut close: Vec<(usize, &Locality)> = localities(None, None)
        .map(|l| (steps(&plain(&l.name), wanted), l))
        .filter(|(far, _)| *far <= 2 && *far * 3 <= wanted.chars().count())
        .collect();
    close.sort_by_key(|(far, l)| (*far, &l.name));
    close
        .into_iter()
        .filter_map(|(_, l)| code_of(l))
        .take(4)
        .collect()
}

/// How many letters have to change to make one word of the other.
fn steps(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = corner + usize::from(letter != *other);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

/// The councils that touch this one on land.
#[must_use]
pub fn neighbours(code: &LocalityCode) -> Vec<LocalityCode> {
    NEIGHBOURS
        .lines()
        .filter_map(|line| line.split_once(','))
        .filter_map(|(a, b)| match code.as_str() {
            own if own == a => LocalityCode::parse(b),
            own if own == b => LocalityCode::parse(a),
            _other => None,
        })
        .collect()
}

/// A point of the map: 50 m a step, to the east and to the south.
pub type Point = (i32, i32);

/// What a council looks like on a map, roughly. Never to be used to decide where an address belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// Left, top, right, bottom.
    pub edges: [i32; 4],
    /// A point well inside.
    pub middle: Point,
    path: &'static str,
}

impl Outline {
    /// Its rings: islands and holes are rings of their own.
    #[must_use]
    pub fn rings(&self) -> Vec<Vec<Point>> {
        rings(self.path)
    }
}

/// Reads a path: `M` and a point, `l` and steps from there, `Z`, as often as there are rings.
#[must_use]
pub fn rings(path: &str) -> Vec<Vec<Point>> {
    path.split('Z')
        .map(ring)
        .filter(|points| points.len() > 2)
        .collect()
}

fn ring(path: &str) -> Vec<Point> {
    let mut numbers = Vec::new();
    let mut begin = 0;
    for (at, letter) in path.char_indices().chain([(path.len(), ' ')]) {
        if !letter.is_ascii_digit() {
            numbers.extend(path[begin..at].parse::<i32>());
            begin = if letter == '-' {
                at
            } else {
                at + letter.len_utf8()
            };
        }
    }
    let (mut x, mut y) = (0i32, 0i32);
    numbers
        .chunks_exact(2)
        .map(|step| {
            (x, y) = (x.saturating_add(step[0]), y.saturating_add(step[1]));
            (x, y)
        })
        .collect()
}

fn outline_in(line: &'static str) -> Option<Outline> {
    let fields: Vec<&str> = line.split(',').collect();
    let [left, top, right, bottom, x, y, path] = fields.as_slice() else {
        return None;
    };
    Some(Outline {
        edges: [
            left.parse().ok()?,
            top.parse().ok()?,
            right.parse().ok()?,
            bottom.parse().ok()?,
        ],
        middle: (x.parse().ok()?, y.parse().ok()?),
        path,
    })
}

/// The outline of a council.
#[must_use]
pub fn outline(code: &LocalityCode) -> Option<Outline> {
    line_of(SHAPES, code.as_str()).and_then(outline_in)
}

/// Every outline that comes into a part of the map.
pub fn outlines_within(edges: [i32; 4]) -> impl Iterator<Item = (LocalityCode, Outline)> {
    let [left, top, right, bottom] = edges;
    SHAPES
        .lines()
        .filter_map(|line| line.split_once(','))
        .filter_map(|(code, rest)| Some((LocalityCode::parse(code)?, outline_in(rest)?)))
        .filter(move |(_, o)| {
            o.edges[0] < right && left < o.edges[2] && o.edges[1] < bottom && top < o.edges[3]
        })
}

/// How many steps of the map are one step of the overview.
pub const OVERVIEW: i32 = 20;

/// The nations and the regions of England, each with its outline in the overview.
pub fn regions() -> impl Iterator<Item = (&'static str, &'static str)> {
    REGIONS
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
}

/// The councils of a region, by name.
#[must_use]
pub fn in_region(region: &str) -> Vec<&'static Locality> {
    let mut all: Vec<&Locality> = localities(None, None)
        .filter(|l| l.region == region)
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// How many councils each region has.
#[must_use]
pub fn regional_counts() -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for locality in localities(None, None) {
        *counts.entry(locality.region.as_str()).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
