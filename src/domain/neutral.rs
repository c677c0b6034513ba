//! Neutrals (SPEC §4): who is asked, what they declare, what excludes them, and objections. Connection is
//! normal here; it is declared, shown and decided by rule, and a conflicted person sees nothing.
use std::collections::BTreeSet;

use chrono::Months;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{BySide, Side};
use super::id::{ObjectionId, OrganisationId, PersonId};
use super::people::Tie;
use super::text::Prose;
use super::time::{Day, Moment};

/// For how long a past role at a party still excludes a person: three years.
pub const FIXED_CONFLICT_MONTHS: u32 = 36;

/// The rule that nobody's decision can lift (`red_fixed`): any role at one of `parties`, now or in the last
/// three years. Answers the organisations that exclude the person; empty is no fixed conflict.
#[must_use]
pub fn fixed_conflicts(
    ties: &[Tie],
    parties: &[OrganisationId],
    today: Day,
) -> BTreeSet<OrganisationId> {
    let recent = |until: Option<Day>| {
        until.is_none_or(|day| {
            day.0
                .checked_add_months(Months::new(FIXED_CONFLICT_MONTHS))
                .is_none_or(|over| over > today.0)
        })
    };
    ties.iter()
        .filter(|tie| {
            parties.contains(&tie.organisation) && tie.since <= today && recent(tie.until)
        })
        .map(|tie| tie.organisation)
        .collect()
}

/// How far an appointment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    Asked,
    Accepted,
    Declined,
    SteppedBack,
    Replaced,
    Removed,
}

/// What a neutral says on accepting (SPEC §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// "I have the time for this."
    pub available: bool,
    /// "I can be even-handed to both."
    pub impartial: bool,
    /// "I will say at once if that changes."
    pub will_disclose_changes: bool,
    /// What both sides should know about connections; absent means "none".
    #[serde(default)]
    pub disclosures: Option<Prose>,
}

/// One neutral's place in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    pub person: PersonId,
    pub state: AppointmentState,
    pub asked_at: Moment,
    pub answered_at: Option<Moment>,
    pub acceptance: Option<Acceptance>,
}

/// A run of the conflict check, with the facts it used (SPEC §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub person: PersonId,
    pub at: Moment,
    /// How many ties were weighed.
    pub ties: usize,
    pub parties: Vec<OrganisationId>,
    pub excluded_by: BTreeSet<OrganisationId>,
}

/// What came of an objection. An upheld one ends the appointment and says nothing about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionResult {
    Upheld,
    NotUpheld,
    Withdrawn,
    /// The neutral has left for another reason, so nothing needs deciding.
    NoLongerNeeded,
}

/// A side's objection to a neutral, and its answer in writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    pub id: ObjectionId,
    pub by: Side,
    pub person: PersonId,
    pub reasons: Prose,
    pub at: Moment,
    pub decided: Option<ObjectionDecision>,
}

/// How an objection was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectionDecision {
    pub result: ObjectionResult,
    pub reasons: Prose,
    pub at: Moment,
}

/// Somebody both sides may admit to read what is joint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observer {
    pub person: PersonId,
    /// Which organisations have consented so far.
    pub consents: BySide<BTreeSet<OrganisationId>>,
    pub admitted: Option<Moment>,
}

/// The neutrals' room of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Neutrals {
    pub facilitator: Option<Appointment>,
    pub past: Vec<Appointment>,
    /// People who may see nothing of this case any more: an upheld objection.
    pub excluded: BTreeSet<PersonId>,
    pub objections: Vec<Objection>,
    pub checks: Vec<Check>,
    pub observers: Vec<Observer>,
}

impl Neutrals {
    /// The facilitator who has accepted.
    #[must_use]
    pub fn in_place(&self) -> Option<PersonId> {
        self.facilitator
            .as_ref()
            .filter(|a| a.state == AppointmentState::Accepted)
            .map(|a| a.person)
    }

    /// Whether somebody is, or has been, in place.
    #[must_use]
    pub fn ever_in_place(&self) -> bool {
        self.facilitator
            .iter()
            .chain(&self.past)
            .any(|a| a.acceptance.is_some())
    }

    /// Whether `person` is, or has been, in place.
    #[must_use]
    pub fn has_taken(&self, person: PersonId) -> bool {
        self.facilitator
            .iter()
            .chain(&self.past)
            .any(|a| a.person == person && a.acceptance.is_some())
    }

    /// The person who has been asked and has not answered yet.
    #[must_use]
    pub fn asked(&self) -> Option<PersonId> {
        self.facilitator
            .as_ref()
            .filter(|a| a.state == AppointmentState::Asked)
            .map(|a| a.person)
    }

    /// The objection still to be decided.
    #[must_use]
    pub fn open_objection(&self) -> Option<&Objection> {
        self.objections.iter().find(|o| o.decided.is_none())
    }

    /// Ends the present appointment as `state`.
    pub fn end_appointment(&mut self, state: AppointmentState) {
        if let Some(mut appointment) = self.facilitator.take() {
            appointment.state = state;
            self.past.push(appointment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn a_role_at_a_party_excludes_for_three_years() {
        let (party, elsewhere, today) = (
            OrganisationId::random(),
            OrganisationId::random(),
            day("2026-11-21"),
        );
        let tie = |organisation, until: Option<&str>| {
            vec![Tie {
                organisation,
                since: day("2000-01-01"),
                until: until.map(day),
            }]
        };
        assert_eq!(
            fixed_conflicts(&tie(party, None), &[party], today).len(),
            1,
            "now"
        );
        assert_eq!(
            fixed_conflicts(&tie(party, Some("2023-11-22")), &[party], today).len(),
            1,
            "a day short of three years"
        );
        assert!(
            fixed_conflicts(&tie(party, Some("2023-11-21")), &[party], today).is_empty(),
            "three years"
        );
        assert!(
            fixed_conflicts(&tie(elsewhere, None), &[party], today).is_empty(),
            "elsewhere"
        );
    }

    proptest! {
        #[test]
        fn one_more_tie_never_lifts_a_conflict(ends in proptest::collection::vec(proptest::option::of(0i64..5000), 0..6), extra in proptest::option::of(0i64..5000)) {
            let (party, today) = (OrganisationId::random(), day("2026-11-21"));
            let tie = |ago: Option<i64>| Tie {
                organisation: party,
                since: day("2000-01-01"), until: ago.map(|d| today + chrono::Duration::days(-d)) };
            let mut ties: Vec<Tie> = ends.into_iter().map(tie).collect();
            let before = fixed_conflicts(&ties, &[party], today).len();
            ties.push(tie(extra));
            prop_assert!(fixed_conflicts(&ties, &[party], today).len() >= before);
        }
    }
}
