//! Time as the domain sees it: an instant (`Moment`), a civil day in London (`Day`), and the clock, the
//! only door to the machine's own time. Deadlines and working days are in `deadline`.
use std::sync::Mutex;

use chrono::{
    DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat,
    SubsecRound, TimeZone, Utc,
};
use chrono_tz::Europe::London;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A civil date from 1900 to 2199, written `2026-11-27` and in no other way. Which instants belong to it is decided in
/// Europe/London (SPEC §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Day(pub NaiveDate);

impl std::str::FromStr for Day {
    type Err = &'static str;
    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let date = NaiveDate::parse_from_str(written, "%Y-%m-%d")
            .ok()
            .filter(|d| (1900..2200).contains(&d.year()) && d.to_string() == written);
        date.map(Self)
            .ok_or("please write a date like 2026-11-27, from 1900 to 2199")
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$" })
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::ops::Add<Duration> for Day {
    type Output = Self;
    fn add(self, later: Duration) -> Self {
        Self(self.0 + later)
    }
}

/// An instant in UTC, in whole microseconds, so that what was written is what is read back from either
/// database. On the wire it is RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[serde(transparent)]
pub struct Moment(pub DateTime<Utc>);

impl Moment {
    /// Cuts an instant to whole microseconds.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }

    /// The instant that is `later` after this one.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0 + later)
    }

    /// The date in London at this instant: day 0 of every clock (SPEC §3.4).
    #[must_use]
    pub fn london_day(self) -> Day {
        Day(self.0.with_timezone(&London).date_naive())
    }

    /// RFC 3339 of fixed width, which sorts as text.
    #[must_use]
    pub fn written(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let at = DateTime::<Utc>::deserialize(from)?;
        if (1900..2200).contains(&at.year()) {
            Ok(Self::new(at))
        } else {
            Err(serde::de::Error::custom(
                "this time is not within 1900 to 2199",
            ))
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.written())
    }
}

/// When something is to begin, as somebody says it: RFC 3339 with its offset, or a local time like `2027-03-28T10:30`,
/// which is one of Europe/London. A local time that does not exist, or exists twice, is refused with both readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhenSaid(pub Moment);

impl std::str::FromStr for WhenSaid {
    type Err = String;
    fn from_str(written: &str) -> Result<Self, String> {
        let within = |at: DateTime<Utc>| {
            (1900..2200)
                .contains(&at.year())
                .then_some(Self(Moment::new(at)))
                .ok_or_else(|| "this time is not within 1900 to 2199".to_owned())
        };
        if let Ok(at) = DateTime::parse_from_rfc3339(written) {
            return within(at.to_utc());
        }
        let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(written, form).ok())
            .ok_or(
                "please write a time like 2027-01-12T10:00 (in London) or 2027-01-12T10:00:00Z",
            )?;
        let zulu = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        match London.from_local_datetime(&local) {
            LocalResult::Single(at) => within(at.to_utc()),
            LocalResult::Ambiguous(first, second) => Err(format!(
                "the clocks go back that night, and this time comes twice: please say {} or {}",
                zulu(first.to_utc()),
                zulu(second.to_utc())
            )),
            LocalResult::None => {
                let hour = Duration::hours(1);
                let around = |at: NaiveDateTime| London.from_local_datetime(&at).earliest();
                let readings: Vec<String> = [local - hour, local + hour]
                    .into_iter()
                    .filter_map(around)
                    .map(|at| zulu(at.to_utc()))
                    .collect();
                Err(format!(
                    "the clocks go forward that night, and this time does not come: please say {}",
                    readings.join(" or ")
                ))
            }
        }
    }
}

impl<'de> Deserialize<'de> for WhenSaid {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for WhenSaid {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WhenSaid".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 16, "maxLength": 40, "description": "RFC 3339 with an offset, or a local time in London like 2027-01-12T10:00." })
    }
}

/// A date as letters and pages write it: "Friday 27 November 2026".
#[must_use]
pub fn in_words(day: Day) -> String {
    day.0.format("%A %-d %B %Y").to_string()
}

/// Where the present comes from. Handed in once per use case and passed down; the domain never asks twice.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Moment;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that may ask the machine for the time"
    )]
    fn now(&self) -> Moment {
        Moment::new(Utc::now())
    }
}

/// A clock turned by hand: for tests, and for the demo that lives through some months in a second.
#[derive(Debug)]
pub struct HandClock(Mutex<Moment>);

impl HandClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: Moment) -> Self {
        Self(Mutex::new(start))
    }

    /// Turns the hands forward by `step`.
    pub fn advance(&self, step: Duration) {
        let mut now = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.plus(step);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(written: &str) -> Result<String, String> {
        written.parse::<WhenSaid>().map(|when| when.0.written())
    }

    #[test]
    fn a_time_is_said_with_its_offset_or_as_it_is_in_london() {
        let at = |hour: &str, day: &str| Ok(format!("{day}T{hour}:00.000000Z"));
        assert_eq!(said("2027-03-27T10:30"), at("10:30", "2027-03-27"));
        assert_eq!(said("2027-03-28T10:30"), at("09:30", "2027-03-28"));
        assert_eq!(said("2027-10-30T10:30"), at("09:30", "2027-10-30"));
        assert_eq!(said("2027-10-31T10:30"), at("10:30", "2027-10-31"));
        assert_eq!(said("2027-10-31T01:30:00+01:00"), at("00:30", "2027-10-31"));
    }

    #[test]
    fn a_time_that_comes_twice_or_never_is_refused_with_both_readings() {
        let twice = said("2027-10-31T01:30").expect_err("it comes twice");
        assert!(
            twice.contains("2027-10-31T00:30:00Z or 2027-10-31T01:30:00Z"),
            "{twice}"
        );
        let never = said("2027-03-28T01:30").expect_err("it does not come");
        assert!(
            never.contains("2027-03-28T00:30:00Z or 2027-03-28T01:30:00Z"),
            "{never}"
        );
        for nonsense in [
            "tomorrow",
            "2027-13-01T10:00",
            "0000-01-01T00:00",
            "9999-01-01T00:00:00Z",
            "2027-01-01",
            "",
        ] {
            assert!(said(nonsense).is_err(), "{nonsense}");
        }
    }
}
