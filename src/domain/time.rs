//! Time as the domain sees it: an instant (`Moment`), a civil day in London (`Day`), and the clock, the
//! only door to the machine's own time. Deadlines and working days are in `deadline`.
use std::sync::Mutex;

use chrono::{DateTime, Datelike, Duration, NaiveDate, SecondsFormat, SubsecRound, Utc};
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
