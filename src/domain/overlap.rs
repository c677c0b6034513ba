//! What it means that several organisations are in one place (SPEC §2): computed when somebody looks, never stored, and
//! named without taking anybody's side.
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::PresenceKind;
use super::time::Day;

/// How organisations in the same place stand to each other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// One supports for a time, until an agreed end.
    TemporarySupport,
    /// Both have their roots here: partnership is encouraged.
    LocallyGrownTogether,
    /// One has its roots here, another serves people here too.
    EnteringEstablishedArea,
    /// Both serve people here, and both are at home elsewhere.
    BothAlsoServe,
    /// Nobody is at home here yet: a local group can emerge.
    NoLocalLero,
}

/// How much of a home somebody has in a place.
#[derive(Clone, Copy)]
enum Root {
    Rooted,
    Visiting,
    Supporting,
    Gone,
}

fn root(kind: PresenceKind) -> Root {
    match kind {
        PresenceKind::Home | PresenceKind::EmergingHere => Root::Rooted,
        PresenceKind::AlsoServes => Root::Visiting,
        PresenceKind::SupportingTemporarily => Root::Supporting,
        PresenceKind::Former => Root::Gone,
    }
}

/// How two organisations in one place stand to each other; the same from both sides.
#[must_use]
pub fn between(one: PresenceKind, other: PresenceKind) -> Option<Overlap> {
    match (root(one), root(other)) {
        (Root::Gone, Root::Rooted | Root::Visiting | Root::Supporting | Root::Gone)
        | (Root::Rooted | Root::Visiting | Root::Supporting, Root::Gone) => None,
        (Root::Supporting, Root::Rooted | Root::Visiting | Root::Supporting)
        | (Root::Rooted | Root::Visiting, Root::Supporting) => Some(Overlap::TemporarySupport),
        (Root::Rooted, Root::Rooted) => Some(Overlap::LocallyGrownTogether),
        (Root::Rooted, Root::Visiting) | (Root::Visiting, Root::Rooted) => {
            Some(Overlap::EnteringEstablishedArea)
        }
        (Root::Visiting, Root::Visiting) => Some(Overlap::BothAlsoServe),
    }
}

/// How everybody who is in a place stands to everybody else there. Each organisation is named by what it is here.
#[must_use]
pub fn among(kinds: &[PresenceKind]) -> BTreeSet<Overlap> {
    let mut all: BTreeSet<Overlap> = BTreeSet::new();
    for (at, one) in kinds.iter().enumerate() {
        all.extend(
            kinds[at + 1..]
                .iter()
                .filter_map(|other| between(*one, *other)),
        );
    }
    if !kinds.contains(&PresenceKind::Home) {
        all.insert(Overlap::NoLocalLero);
    }
    all
}

/// Whether something that began and may have ended is still there on a day, or still to come.
#[must_use]
pub fn not_over(until: Option<Day>, today: Day) -> bool {
    until.is_none_or(|until| today <= until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    const ALL: [PresenceKind; 5] = [
        PresenceKind::Home,
        PresenceKind::AlsoServes,
        PresenceKind::SupportingTemporarily,
        PresenceKind::EmergingHere,
        PresenceKind::Former,
    ];

    #[test]
    fn each_class_has_its_example() {
        use PresenceKind::{AlsoServes, EmergingHere, Former, Home, SupportingTemporarily};
        for (one, other, named) in [
            (Home, Home, Some(Overlap::LocallyGrownTogether)),
            (Home, EmergingHere, Some(Overlap::LocallyGrownTogether)),
            (Home, AlsoServes, Some(Overlap::EnteringEstablishedArea)),
            (
                SupportingTemporarily,
                EmergingHere,
                Some(Overlap::TemporarySupport),
            ),
            (AlsoServes, AlsoServes, Some(Overlap::BothAlsoServe)),
            (Home, Former, None),
        ] {
            assert_eq!(between(one, other), named);
        }
        assert_eq!(among(&[]), BTreeSet::from([Overlap::NoLocalLero]));
        assert!(among(&[Home]).is_empty());
    }

    proptest! {
        #[test]
        fn it_is_the_same_from_both_sides(one in select(&ALL[..]), other in select(&ALL[..]), kinds in proptest::collection::vec(select(&ALL[..]), 0..6)) {
            prop_assert_eq!(between(one, other), between(other, one));
            let mut turned = kinds.clone();
            turned.reverse();
            prop_assert_eq!(among(&kinds), among(&turned));
        }
    }
}
