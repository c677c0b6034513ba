//! Clocks (SPEC §3.4): what a working day is, when something is due, and the deadlines a case carries.
//! Lateness is recorded as a fact; nothing here ever moves a case.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{Datelike, Duration, NaiveTime, TimeZone, Weekday};
use chrono_tz::Europe::London;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::BySide;
use super::register::Nation;
use super::time::{Day, Moment};

static BANK_HOLIDAYS: LazyLock<BTreeMap<String, BTreeSet<Day>>> = LazyLock::new(|| {
    let mut by_division: BTreeMap<String, BTreeSet<Day>> = BTreeMap::new();
    let mut table = csv::Reader::from_reader(include_str!("data/bank_holidays.csv").as_bytes());
    for row in table.records() {
        let row = row.expect("the table of bank holidays is part of the program");
        let day = row[1]
            .parse::<Day>()
            .expect("every bank holiday has a date");
        by_division
            .entry(row[0].to_owned())
            .or_default()
            .insert(day);
    }
    by_division
});

/// The last bank holiday that is known, by division: after it every weekday counts as a working day.
#[must_use]
pub fn holidays_known() -> BTreeMap<String, Day> {
    BANK_HOLIDAYS
        .iter()
        .filter_map(|(division, days)| Some((division.clone(), *days.last()?)))
        .collect()
}

/// Whether people work on `day` in `nation`.
#[must_use]
pub fn works(day: Day, nation: Nation) -> bool {
    let weekend = matches!(day.0.weekday(), Weekday::Sat | Weekday::Sun);
    !weekend
        && !BANK_HOLIDAYS
            .get(nation.bank_holiday_division())
            .is_some_and(|days| days.contains(&day))
}

/// Whether `day` is a working day of a case: it must be one in every nation of its sides.
#[must_use]
pub fn case_works(day: Day, nations: &BTreeSet<Nation>) -> bool {
    nations.iter().all(|nation| works(day, *nation))
        && (!nations.is_empty() || works(day, Nation::England))
}

fn rolled(mut day: Day, nations: &BTreeSet<Nation>) -> Day {
    while !case_works(day, nations) {
        day = day + Duration::days(1);
    }
    day
}

fn at(day: Day, hour: u32) -> Moment {
    let time = NaiveTime::from_hms_opt(hour, 0, 0).expect("a whole hour exists");
    let local = London
        .from_local_datetime(&day.0.and_time(time))
        .earliest()
        .expect("no clock changes in the daytime");
    Moment::new(local.to_utc())
}

fn at_five(day: Day) -> Moment {
    at(day, 17)
}

/// A length of time as the procedure gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Calendar days, weekends included.
    Days(u16),
    /// Working days of the case.
    WorkingDays(u16),
}

/// When something begun at `from` is due: 17:00 in London at the end of `span`, counted from the London date
/// of `from` as day 0 and rolled forward to a working day (SPEC §3.4).
#[must_use]
pub fn due(from: Moment, span: Span, nations: &BTreeSet<Nation>) -> Moment {
    let mut day = from.london_day();
    match span {
        Span::Days(n) => day = day + Duration::days(i64::from(n)),
        Span::WorkingDays(n) => {
            for _ in 0..n {
                day = rolled(day + Duration::days(1), nations);
            }
        }
    }
    at_five(rolled(day, nations))
}

/// The length of each clock; the defaults are those of SPEC §3.4 and the configuration may change them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spans {
    pub triage: Span,
    pub response: Span,
    pub more_time: Span,
    pub acceptance: Span,
    pub objection: Span,
    pub objection_decision: Span,
    pub early_conversation: Span,
    pub early_conversation_review: Span,
    pub standards_review: Span,
    pub agreed_actions: Span,
    pub signing: Span,
    /// The longest a hold may last, in days.
    pub hold_days: u16,
    /// How long after closure either side may ask to reopen, in days.
    pub reopen_days: u16,
    /// How long a rep's ask for a break lasts until somebody sets another length, in days.
    pub first_hold_days: u16,
}

impl Default for Spans {
    fn default() -> Self {
        Self {
            triage: Span::WorkingDays(5),
            response: Span::Days(14),
            more_time: Span::WorkingDays(10),
            acceptance: Span::WorkingDays(3),
            objection: Span::WorkingDays(5),
            objection_decision: Span::WorkingDays(20),
            early_conversation: Span::Days(42),
            early_conversation_review: Span::Days(21),
            standards_review: Span::Days(28),
            agreed_actions: Span::Days(28),
            signing: Span::WorkingDays(10),
            hold_days: 30,
            reopen_days: 90,
            first_hold_days: 14,
        }
    }
}

/// What is due.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// CLERO answers a submission.
    Triage,
    /// The invited side answers the invitation.
    Response,
    /// A neutral who was asked answers.
    Acceptance,
    /// Either side may object to a neutral until then.
    Objection,
    /// An objection is decided.
    ObjectionDecision,
    /// Half way through early conversation: is it helping?
    EarlyConversationReview,
    /// The end of early conversation.
    EarlyConversation,
    /// The end of the standards review.
    StandardsReview,
    /// The end of writing agreed actions.
    AgreedActions,
    /// The circulated agreement is answered.
    Signing,
    /// A pause ends and the clocks go on.
    HoldEnds,
}

/// One deadline of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    pub kind: DeadlineKind,
    pub due: Moment,
    /// When the clock noticed that it had passed: a fact, not a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Moment>,
}

impl Deadline {
    /// Something is late from the next working morning, 08:00 in London (SPEC §3.4); a pause ends when it ends.
    #[must_use]
    pub fn noticed_from(&self, nations: &BTreeSet<Nation>) -> Moment {
        if self.kind == DeadlineKind::HoldEnds {
            return self.due;
        }
        let morning = rolled(self.due.london_day() + Duration::days(1), nations);
        at(morning, 8)
    }
}

/// A change of a deadline: old, new, who and why are never forgotten (SPEC §3.4); who is in the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineChange {
    pub kind: DeadlineKind,
    pub old: Moment,
    pub new: Moment,
    pub why: String,
    pub at: Moment,
}

/// A timetable both sides may agree in place of the defaults (SPEC §3.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timetable {
    pub until: BTreeMap<DeadlineKind, Day>,
    /// What each side agrees to: the hash of `until`.
    pub hash: String,
    pub agreed: BySide<BTreeSet<super::id::OrganisationId>>,
}

/// The clocks of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// The open deadlines, one a kind.
    pub open: Vec<Deadline>,
    pub changes: Vec<DeadlineChange>,
    /// What both sides have agreed.
    #[serde(default)]
    pub timetable: Option<Timetable>,
    /// What somebody proposed in its place.
    #[serde(default)]
    pub proposed: Option<Timetable>,
}

impl Clocks {
    /// Starts the clock `kind`, in place of one of the same kind. An agreed timetable in force decides the
    /// day where it names one that is still to come.
    pub fn start(
        &mut self,
        kind: DeadlineKind,
        span: Span,
        now: Moment,
        nations: &BTreeSet<Nation>,
    ) {
        let agreed = self
            .timetable
            .as_ref()
            .and_then(|t| t.until.get(&kind))
            .copied();
        let due = match agreed {
            Some(day) if day >= now.london_day() => at_five(rolled(day, nations)),
            Some(_) | None => due(now, span, nations),
        };
        self.stop(kind);
        self.open.push(Deadline {
            kind,
            due,
            passed: None,
        });
    }

    /// Sets the clock `kind` to a day people chose, keeping what it was and why it changed.
    pub fn set(
        &mut self,
        kind: DeadlineKind,
        day: Day,
        why: &str,
        now: Moment,
        nations: &BTreeSet<Nation>,
    ) {
        let new = at_five(rolled(day, nations));
        match self.open.iter_mut().find(|d| d.kind == kind) {
            Some(deadline) => {
                self.changes.push(DeadlineChange {
                    kind,
                    old: deadline.due,
                    new,
                    why: why.to_owned(),
                    at: now,
                });
                *deadline = Deadline {
                    kind,
                    due: new,
                    passed: None,
                };
            }
            None => self.open.push(Deadline {
                kind,
                due: new,
                passed: None,
            }),
        }
    }

    /// Adds `span` to the clock `kind`, if it runs.
    pub fn extend(
        &mut self,
        kind: DeadlineKind,
        span: Span,
        why: &str,
        now: Moment,
        nations: &BTreeSet<Nation>,
    ) {
        if let Some(old) = self.open.iter().find(|d| d.kind == kind).map(|d| d.due) {
            self.set(
                kind,
                due(old.max(now), span, nations).london_day(),
                why,
                now,
                nations,
            );
        }
    }

    /// Stops the clock `kind`: what it waited for has happened or is no longer needed.
    pub fn stop(&mut self, kind: DeadlineKind) {
        self.open.retain(|d| d.kind != kind);
    }

    /// Stops every clock.
    pub fn stop_all(&mut self) {
        self.open.clear();
    }

    /// After a pause that began at `held`, gives every clock what was left of it (SPEC §3.4).
    pub fn restart(&mut self, held: Moment, now: Moment, nations: &BTreeSet<Nation>) {
        for deadline in &mut self.open {
            if deadline.kind == DeadlineKind::HoldEnds || deadline.due <= held {
                continue;
            }
            let left = deadline.due.0 - held.0;
            let new = at_five(rolled(now.plus(left).london_day(), nations));
            self.changes.push(DeadlineChange {
                kind: deadline.kind,
                old: deadline.due,
                new,
                why: "paused".to_owned(),
                at: now,
            });
            deadline.due = new;
        }
    }

    /// The soonest deadline that has not passed.
    #[must_use]
    pub fn next_due(&self, on_hold: bool) -> Option<Moment> {
        self.running(on_hold).map(|d| d.due).min()
    }

    /// When the clock must look at this case again: at the end of a pause, or when something becomes late.
    #[must_use]
    pub fn next_look(&self, on_hold: bool, nations: &BTreeSet<Nation>) -> Option<Moment> {
        self.running(on_hold).map(|d| d.noticed_from(nations)).min()
    }

    /// What the clock has to notice at `now`.
    #[must_use]
    pub fn to_notice(
        &self,
        on_hold: bool,
        now: Moment,
        nations: &BTreeSet<Nation>,
    ) -> Vec<DeadlineKind> {
        self.running(on_hold)
            .filter(|d| d.noticed_from(nations) <= now)
            .map(|d| d.kind)
            .collect()
    }

    fn running(&self, on_hold: bool) -> impl Iterator<Item = &Deadline> {
        self.open
            .iter()
            .filter(|d| d.passed.is_none())
            .filter(move |d| !on_hold || d.kind == DeadlineKind::HoldEnds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(text: &str) -> Moment {
        Moment::new(text.parse().expect("a time"))
    }
    fn nations(list: &[Nation]) -> BTreeSet<Nation> {
        list.iter().copied().collect()
    }

    #[test]
    fn due_dates_skip_weekends_and_the_holidays_of_both_nations() {
        // Thursday 26 November 2026; St Andrew's Day is Monday 30 November, in Scotland only.
        let start = moment("2026-11-26T10:00:00Z");
        assert_eq!(
            due(start, Span::WorkingDays(2), &nations(&[Nation::England]))
                .london_day()
                .to_string(),
            "2026-11-30"
        );
        assert_eq!(
            due(
                start,
                Span::WorkingDays(2),
                &nations(&[Nation::England, Nation::Scotland])
            )
            .london_day()
            .to_string(),
            "2026-12-01"
        );
        // Fourteen days from 12 December is Boxing Day, a Saturday, and Monday is its substitute.
        assert_eq!(
            due(
                moment("2026-12-12T10:00:00Z"),
                Span::Days(14),
                &nations(&[Nation::Wales])
            )
            .london_day()
            .to_string(),
            "2026-12-29"
        );
    }

    #[test]
    fn five_in_the_afternoon_is_london_time_all_year() {
        let england = nations(&[Nation::England]);
        assert_eq!(
            due(moment("2027-03-25T12:00:00Z"), Span::Days(1), &england),
            moment("2027-03-30T16:00:00Z"),
            "Good Friday to Tuesday, in summer time"
        );
        assert_eq!(
            due(moment("2026-11-23T12:00:00Z"), Span::Days(1), &england),
            moment("2026-11-24T17:00:00Z")
        );
        assert_eq!(
            due(moment("2026-06-30T23:30:00Z"), Span::Days(1), &england)
                .london_day()
                .to_string(),
            "2026-07-02",
            "day 0 is the London date"
        );
    }

    #[test]
    fn a_pause_gives_back_what_was_left() {
        let england = nations(&[Nation::England]);
        let start = moment("2026-09-01T09:00:00Z");
        let mut clocks = Clocks::default();
        clocks.start(DeadlineKind::Response, Span::Days(14), start, &england);
        clocks.restart(
            start.plus(Duration::days(4)),
            start.plus(Duration::days(24)),
            &england,
        );
        assert_eq!(clocks.open[0].due.london_day().to_string(), "2026-10-05");
        assert_eq!(clocks.changes.len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_is_due_at_night_or_on_a_day_off(days in 0i64..2000, span in 0u16..60, working: bool, scots: bool) {
            let start = moment("2024-01-01T03:00:00Z").plus(Duration::days(days));
            let places = nations(if scots { &[Nation::England, Nation::Scotland] } else { &[Nation::NorthernIreland] });
            let at = due(start, if working { Span::WorkingDays(span) } else { Span::Days(span) }, &places);
            prop_assert!(case_works(at.london_day(), &places));
            prop_assert!(at >= start || span == 0);
            prop_assert_eq!(at.0.with_timezone(&London).format("%H:%M").to_string(), "17:00");
        }
    }
}
