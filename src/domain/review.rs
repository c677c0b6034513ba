//! The standards review (SPEC §6): a mirror held up together. Readings are sealed until every side has shared
//! and then shown side by side; there are no scores, totals or rankings, and blank is "not read".
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{BySide, Party};
use super::id::OrganisationId;
use super::text::{Line, Prose};
use super::time::Moment;

/// The version of the standards that a review opening now is pinned to.
pub const CURRENT_FRAME: &str = "2026-1";

/// The standards of the light review (SPEC §6); 28 only for constituted organisations.
pub const CORE: [u8; 5] = [1, 2, 5, 13, 28];
const ONLY_CONSTITUTED: u8 = 28;

/// What a standard is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    Authenticity,
    Independence,
    LivedExperienceLeadership,
    CoProduction,
    Governance,
    CommunityBenefit,
    Cooperation,
}

/// The three principles a joint reading always covers (SPEC §3.2).
pub const PRINCIPLES: [Theme; 3] = [
    Theme::Authenticity,
    Theme::Independence,
    Theme::LivedExperienceLeadership,
];

/// One of the 33 National LERO Standards, in our own short words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standard {
    pub number: u8,
    pub section: String,
    pub section_title: String,
    pub constituted_only: bool,
    pub theme: Theme,
    pub label: String,
}

static STANDARDS: LazyLock<Vec<Standard>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("data/standards.csv").as_bytes())
        .records()
        .map(|row| {
            let row = row.expect("the table of standards is part of the program");
            let theme = match &row[4] {
                "authenticity" => Theme::Authenticity,
                "independence" => Theme::Independence,
                "lived experience leadership" => Theme::LivedExperienceLeadership,
                "co-production" => Theme::CoProduction,
                "governance" => Theme::Governance,
                "community benefit" => Theme::CommunityBenefit,
                "cooperation" => Theme::Cooperation,
                other => unreachable!("{other} is not a theme of the standards"),
            };
            Standard {
                number: row[0].parse().expect("standards are numbered"),
                section: row[1].to_owned(),
                section_title: row[2].to_owned(),
                constituted_only: &row[3] == "constituted",
                theme,
                label: row[5].to_owned(),
            }
        })
        .collect()
});

/// The standards of the current frame.
#[must_use]
pub fn standards() -> &'static [Standard] {
    &STANDARDS
}

/// What a side reads in the light review: the core set, without 28 where none of its LEROs is constituted.
#[must_use]
pub fn scope(side: &[Party]) -> BTreeSet<u8> {
    let constituted = side.iter().any(|party| party.constituted);
    CORE.into_iter()
        .filter(|n| *n != ONLY_CONSTITUTED || constituted)
        .collect()
}

/// How a side sees itself against a standard. `left_open` is an answer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    InPlace,
    Partly,
    NotYet,
    LeftOpen,
}

/// One standard as one side reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub view: View,
    #[serde(default)]
    pub in_place: Option<Prose>,
    #[serde(default)]
    pub missing: Option<Prose>,
    #[serde(default)]
    pub would_show_it: Option<Prose>,
}

/// Whether a post is held by somebody with lived experience, as the organisation says it of the post. Never
/// stored on a person (SPEC §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attested {
    Yes,
    No,
    PreferNotToSay,
    Vacant,
}

/// The office-level attestation of a side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offices {
    pub chair: Attested,
    pub chief_executive: Attested,
}

/// A side's own reading. It is an aggregate of its own, so that work on it never moves anything the other side sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// By number of the standard.
    pub entries: BTreeMap<u8, Entry>,
    pub offices: Option<Offices>,
}

impl Reading {
    /// The standards of `scope` that are neither answered nor left open on purpose.
    #[must_use]
    pub fn unread(&self, scope: &BTreeSet<u8>) -> BTreeSet<u8> {
        scope
            .iter()
            .filter(|n| !self.entries.contains_key(n))
            .copied()
            .collect()
    }
}

/// One row of the two readings side by side: same, differing or not read; differences stay differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    Same,
    Differing,
    NotRead,
}

/// Lays two entries side by side.
#[must_use]
pub fn beside(one: Option<&Entry>, other: Option<&Entry>) -> Beside {
    match (one.map(|e| e.view), other.map(|e| e.view)) {
        (None | Some(View::LeftOpen), _) | (_, None | Some(View::LeftOpen)) => Beside::NotRead,
        (Some(a), Some(b)) => {
            if a == b {
                Beside::Same
            } else {
                Beside::Differing
            }
        }
    }
}

/// What the two sides found together about one principle or standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Minute {
    pub theme: Theme,
    #[serde(default)]
    #[schemars(range(min = 1, max = 33))]
    pub standard: Option<u8>,
    pub held_in_common: Prose,
    #[serde(default)]
    pub where_we_differ: Option<Prose>,
    #[serde(default)]
    pub what_would_move_it: Option<Prose>,
    #[serde(default)]
    pub who_could_help: Option<Line>,
}

/// The joint reading: minutes the neutral records and every side confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointReading {
    pub minutes: Vec<Minute>,
    pub hash: String,
    pub at: Moment,
    pub confirmed: BySide<BTreeSet<OrganisationId>>,
}

/// The review room of a case; the readings themselves are kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Review {
    /// The version of the standards it is pinned to.
    pub frame: Option<String>,
    /// The hash each side shared; sealed until both have.
    pub shared: BySide<Option<String>>,
    pub revealed: Option<Moment>,
    /// Why the case went back to the review, or from it, the last time.
    pub returned_because: Option<Prose>,
    pub joint: Option<JointReading>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_holds_the_33_standards() {
        assert_eq!(standards().len(), 33);
        assert!(
            standards()
                .iter()
                .enumerate()
                .all(|(i, s)| usize::from(s.number) == i + 1)
        );
        for theme in PRINCIPLES {
            assert!(
                CORE.iter()
                    .any(|n| standards()[usize::from(*n) - 1].theme == theme),
                "{theme:?}"
            );
        }
    }
}
