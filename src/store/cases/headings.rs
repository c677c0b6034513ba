//! What cases are listed under, each heading in the order of lists: so that a page costs the same however many cases
//! there are. Headings are made from the case alone, and rewritten with it.
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::at_version;
use crate::domain::case::{Case, Stage};
use crate::domain::id::{CaseId, OrganisationId, PersonId};
use crate::domain::register::LocalityCode;
use crate::domain::sight::{Turn, waiting_for};
use crate::domain::time::Moment;
use crate::store::columns::{At, Key};
use crate::store::db::{AnyBackend, Conn, DbError, on_each};
use crate::store::schema::{case_headings, cases};

/// Something a case is listed under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// Every case but drafts.
    Everything,
    Stage(Stage),
    Turn(Turn),
    /// An organisation of either side.
    Party(OrganisationId),
    /// Somebody who is asked, in place, observing, or who typed a draft for others.
    Seat(PersonId),
    Locality(LocalityCode),
    /// The letters of a reference.
    Reference(String),
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Stage(stage) => write!(f, "stage:{}", stage.word()),
            Self::Turn(turn) => write!(f, "turn:{}", turn.word()),
            Self::Party(organisation) => write!(f, "party:{}", organisation.0.simple()),
            Self::Seat(person) => write!(f, "seat:{}", person.0.simple()),
            Self::Locality(code) => write!(f, "locality:{}", code.as_str()),
            Self::Reference(letters) => write!(f, "reference:{letters}"),
        }
    }
}

/// The headings of a case.
fn headings(case: &Case) -> BTreeSet<Heading> {
    let draft = case.stage == Stage::Draft;
    let neutrals = &case.neutrals;
    let observing = neutrals
        .observers
        .iter()
        .filter(|o| o.admitted.is_some())
        .map(|o| o.person);
    let seats = neutrals
        .asked()
        .into_iter()
        .chain(neutrals.in_place())
        .chain(observing)
        .chain(case.intake.entered_by.filter(|_| draft));
    let mut all = BTreeSet::from([
        Heading::Stage(case.stage),
        Heading::Reference(case.reference.letters().to_owned()),
    ]);
    all.extend((!draft).then_some(Heading::Everything));
    all.extend(waiting_for(case).into_iter().map(Heading::Turn));
    all.extend(case.organisations().map(Heading::Party));
    all.extend(seats.map(Heading::Seat));
    all.extend(
        case.intake
            .statement
            .localities
            .iter()
            .cloned()
            .map(Heading::Locality),
    );
    all
}

/// Lists a case under its headings, and no longer under those it had before and has no more.
pub(super) fn list(
    conn: &mut Conn,
    before: Option<&Case>,
    after: Option<&Case>,
) -> Result<(), DbError> {
    let (had, has) = (
        before.map(headings).unwrap_or_default(),
        after.map(headings).unwrap_or_default(),
    );
    let Some(case) = after.or(before) else {
        return Ok(());
    };
    let (at, id) = (At(case.opened_at), Key::from(case.id));
    for gone in had.difference(&has) {
        diesel::delete(case_headings::table.find((gone.to_string(), at, id))).execute(conn)?;
    }
    for new in has.difference(&had) {
        let insert = diesel::insert_into(case_headings::table).values((
            case_headings::heading.eq(new.to_string()),
            case_headings::opened_at.eq(at),
            case_headings::case_id.eq(id),
        ));
        // It may be there already, where the rule for headings has changed since.
        on_each!(conn, |c| insert.on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

/// A page of the cases under any heading of `under`, and for each of `also` under any heading of that too; the newest
/// first, beginning after `after`.
pub fn page(
    conn: &mut Conn,
    under: &[Heading],
    also: &[Vec<Heading>],
    after: Option<(Moment, CaseId)>,
    most: usize,
) -> Result<Vec<Arc<Case>>, DbError> {
    let mut found: BTreeSet<Place> = BTreeSet::new();
    for heading in under {
        found.extend(under_one(conn, heading, also, after, most)?);
        // What is older than a whole page is not on it, whatever it is found under.
        while found.len() > most {
            found.pop_first();
        }
    }
    found
        .into_iter()
        .rev()
        .filter_map(|(_, id, version)| at_version(conn, id.into(), version).transpose())
        .collect()
}

/// Where a case stands in lists, and the version it has.
type Place = (At, Key, i64);

fn under_one(
    conn: &mut Conn,
    heading: &Heading,
    also: &[Vec<Heading>],
    after: Option<(Moment, CaseId)>,
    most: usize,
) -> Result<Vec<Place>, DbError> {
    let other = diesel::alias!(case_headings as other);
    let mut query = case_headings::table
        .inner_join(cases::table.on(cases::id.eq(case_headings::case_id)))
        .filter(case_headings::heading.eq(heading.to_string()))
        .into_boxed::<AnyBackend>();
    for any in also {
        let words: Vec<String> = any.iter().map(ToString::to_string).collect();
        query = query.filter(exists(
            other
                .filter(other.field(case_headings::heading).eq_any(words))
                .filter(
                    other
                        .field(case_headings::opened_at)
                        .eq(case_headings::opened_at),
                )
                .filter(
                    other
                        .field(case_headings::case_id)
                        .eq(case_headings::case_id),
                ),
        ));
    }
    if let Some((at, id)) = after {
        // The first half says nothing new; it is what the index can be entered by.
        let (at, id) = (At(at), Key::from(id));
        query = query.filter(case_headings::opened_at.le(at)).filter(
            case_headings::opened_at
                .lt(at)
                .or(case_headings::case_id.lt(id)),
        );
    }
    Ok(query
        .order((
            case_headings::opened_at.desc(),
            case_headings::case_id.desc(),
        ))
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select((
            case_headings::opened_at,
            case_headings::case_id,
            cases::version,
        ))
        .load(conn)?)
}
