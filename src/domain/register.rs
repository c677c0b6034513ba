//! The register (SPEC §2): organisations, the 361 localities and the counties above them, and who is where.
//! History is never overwritten: a presence gets an end, and a new one begins.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::id::{OrganisationId, PresenceId};
use super::text::{Line, Prose, Unfit, folded};
use super::time::Day;

/// One of the four nations.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Nation {
    England,
    Scotland,
    Wales,
    NorthernIreland,
}

impl Nation {
    /// Which of the three lists of bank holidays is kept there.
    #[must_use]
    pub fn bank_holiday_division(self) -> &'static str {
        match self {
            Self::England | Self::Wales => "england-and-wales",
            Self::Scotland => "scotland",
            Self::NorthernIreland => "northern-ireland",
        }
    }

    fn read(word: &str) -> Option<Self> {
        match word {
            "England" => Some(Self::England),
            "Scotland" => Some(Self::Scotland),
            "Wales" => Some(Self::Wales),
            "Northern Ireland" => Some(Self::NorthernIreland),
            _ => None,
        }
    }
}

/// The ONS code of a current local authority, such as `E07000128`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct LocalityCode(#[schemars(regex(pattern = r"^[ENSW][0-9]{8}$"))] String);

impl LocalityCode {
    /// Reads the code of one of the 361 localities.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        LOCALITIES.contains_key(code).then(|| Self(code.to_owned()))
    }
    /// The code itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The facts about the place.
    #[must_use]
    pub fn locality(&self) -> &'static Locality {
        &LOCALITIES[&self.0]
    }
}

impl<'de> Deserialize<'de> for LocalityCode {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = String::deserialize(from)?;
        Self::parse(&code).ok_or_else(|| {
            serde::de::Error::custom(
                "this is not the code of a current council; GET /api/v1/localities lists them",
            )
        })
    }
}

/// A local authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Locality {
    pub code: String,
    pub name: String,
    pub kind: String,
    pub nation: Nation,
    pub region: String,
    /// Codes of the councils it took the place of.
    pub predecessors: Vec<String>,
    /// The county council above it, which commissions most of this work there.
    pub county: Option<String>,
}

/// An English county council and the districts beneath it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct County {
    pub code: String,
    pub name: String,
    pub districts: Vec<String>,
}

static COUNTIES: LazyLock<Vec<County>> = LazyLock::new(|| {
    rows(include_str!("data/counties.csv"))
        .map(|row| County {
            code: row[0].to_owned(),
            name: row[1].to_owned(),
            districts: codes(&row[2]),
        })
        .collect()
});

static LOCALITIES: LazyLock<BTreeMap<String, Locality>> = LazyLock::new(|| {
    let above: BTreeMap<&str, &str> = COUNTIES
        .iter()
        .flat_map(|c| c.districts.iter().map(|d| (d.as_str(), c.code.as_str())))
        .collect();
    rows(include_str!("data/localities.csv"))
        .map(|row| {
            let nation = Nation::read(&row[3]).expect("every locality lies in a nation");
            let county = above.get(&row[0]).map(|c| (*c).to_owned());
            let place = Locality {
                code: row[0].to_owned(),
                name: row[1].to_owned(),
                kind: row[2].to_owned(),
                nation,
                region: row[4].to_owned(),
                predecessors: codes(&row[6]),
                county,
            };
            (place.code.clone(), place)
        })
        .collect()
});

/// The rows of a table that is part of the program.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = csv::StringRecord> {
    csv::Reader::from_reader(table.as_bytes())
        .into_records()
        .map(|row| row.expect("the tables are part of the program"))
}

pub(super) fn codes(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// The county councils of England.
#[must_use]
pub fn counties() -> &'static [County] {
    &COUNTIES
}

/// The localities in order of their codes, of one nation or all, whose name holds `text`.
pub fn localities<'a>(
    nation: Option<Nation>,
    text: Option<&'a str>,
) -> impl Iterator<Item = &'static Locality> + 'a {
    let wanted = text.map(folded);
    LOCALITIES
        .values()
        .filter(move |l| nation.is_none_or(|n| l.nation == n))
        .filter(move |l| {
            wanted
                .as_ref()
                .is_none_or(|w| folded(&l.name).contains(w.as_str()))
        })
}

/// What an organisation is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    Lero,
    EmergingLero,
    Provider,
    Commissioner,
}

impl OrganisationKind {
    /// Whether it may be a side of a case.
    #[must_use]
    pub fn is_lero(self) -> bool {
        matches!(self, Self::Lero | Self::EmergingLero)
    }
}

/// Its legal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalForm {
    CharitableIncorporatedOrganisation,
    CharitableCompany,
    CommunityInterestCompany,
    CommunityBenefitSociety,
    UnincorporatedAssociation,
    PublicBody,
    Other,
}

/// Its standing with CLERO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Member,
    Applying,
    NotAMember,
    Former,
}

/// What it is good at: the words we know, and any of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Strength(String);

impl JsonSchema for Strength {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Strength".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 60 })
    }
}

impl TryFrom<String> for Strength {
    type Error = Unfit;
    fn try_from(word: String) -> Result<Self, Unfit> {
        let line = Line::parse(&word)?;
        if line.as_str().chars().count() > 60 {
            return Err(Unfit::TooLong(60));
        }
        Ok(Self(line.as_str().to_lowercase()))
    }
}

impl From<Strength> for String {
    fn from(strength: Strength) -> Self {
        strength.0
    }
}

/// An organisation as its members and CLERO describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name in law.
    pub legal_name: Line,
    /// The name people know it by.
    pub working_name: Line,
    pub kind: OrganisationKind,
    pub legal_form: LegalForm,
    pub nation: Nation,
    /// Sections C and D of the standards, and standard 28, are for constituted organisations.
    pub constituted: bool,
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub strengths: BTreeSet<Strength>,
    #[serde(default)]
    pub own_words: Option<Prose>,
    pub standing: Standing,
}

/// How an organisation is in a place (SPEC §2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PresenceKind {
    Home,
    AlsoServes,
    SupportingTemporarily,
    EmergingHere,
    Former,
}

/// Whether CLERO has looked at a presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    Declared,
    Confirmed,
    Questioned,
}

/// What an organisation says about being in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceDeclaration {
    pub locality: LocalityCode,
    pub kind: PresenceKind,
    pub since: Day,
    #[serde(default)]
    pub until: Option<Day>,
    /// What has to be true for temporary support to end.
    #[serde(default)]
    pub end_condition: Option<Line>,
    /// What shows its roots here.
    #[serde(default)]
    pub evidence_of_roots: Option<Prose>,
}

impl PresenceDeclaration {
    /// Temporary support needs an end date *and* an end condition (SPEC §2), and an end comes after its beginning.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.kind == PresenceKind::SupportingTemporarily && self.until.is_none() {
            return Err((
                "/until",
                "temporary support has an end date; please give one",
            ));
        }
        if self.kind == PresenceKind::SupportingTemporarily && self.end_condition.is_none() {
            return Err((
                "/end_condition",
                "please say what has to be true for the temporary support to end",
            ));
        }
        if self.until.is_some_and(|until| until <= self.since) {
            return Err(("/until", "please choose a day after the beginning"));
        }
        Ok(())
    }
}

/// One organisation in one locality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presence {
    pub id: PresenceId,
    pub organisation: OrganisationId,
    pub locality: LocalityCode,
    pub locality_name: String,
    pub kind: PresenceKind,
    pub since: Day,
    pub until: Option<Day>,
    pub end_condition: Option<Line>,
    pub state: PresenceState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_hold_together() {
        assert_eq!(localities(None, None).count(), 361);
        assert_eq!(counties().len(), 21);
        for county in counties() {
            for code in &county.districts {
                assert_eq!(
                    LocalityCode::parse(code)
                        .expect("a current district")
                        .locality()
                        .county
                        .as_ref(),
                    Some(&county.code)
                );
            }
        }
        assert_eq!(
            localities(Some(Nation::Wales), Some("ynys")).count()
                + localities(Some(Nation::Wales), Some("cardiff")).count(),
            1
        );
        assert!(
            LocalityCode::parse("E06000028").is_none(),
            "Bournemouth is a former council"
        );
    }
}
