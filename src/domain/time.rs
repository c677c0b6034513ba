//! Time as the domain sees it: an instant (`Moment`), a civil day in London (`Day`), and the clock, the
//! only door to the machine's own time. Deadlines and working days are in `deadline`.
use std::sync::Mutex;

use chrono::{DateTime, Duration, NaiveDate, SecondsFormat, SubsecRound, Utc};
use chrono_tz::Europe::London;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A civil date. Which instants belong to it is decided in Europe/London (SPEC §3.4).
pub type Day = NaiveDate;

/// An instant in UTC, in whole microseconds, so that what was written is what is read back from either
/// database. On the wire it is RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
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
        self.0.with_timezone(&London).date_naive()
    }

    /// RFC 3339 of fixed width, which sorts as text.
    #[must_use]
    pub fn written(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
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
    day.format("%A %-d %B %Y").to_string()
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
