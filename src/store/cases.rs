//! Cases: a row with a column for each room, and three narrow tables that lists are found by. What a list may
//! show to whom comes in as a `Scope`; the rule behind it is `domain::access`.
use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{At, Json, Key};
use super::db::{AnyBackend, Conn, DbError};
use super::schema::{case_localities, case_parties, case_seats, cases};
use crate::domain::agreement::Agreements;
use crate::domain::case::{BySide, Case, Hold, Intake, Party, Reference, Side, Stage};
use crate::domain::closure::Closing;
use crate::domain::conversation::Conversation;
use crate::domain::deadline::Clocks;
use crate::domain::id::{CaseId, OrganisationId, PersonId};
use crate::domain::neutral::Neutrals;
use crate::domain::review::Review;
use crate::domain::sight::{Turn, waiting_for};
use crate::domain::text::folded;
use crate::domain::time::Moment;

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = cases, treat_none_as_null = true)]
struct Row {
    id: Key,
    reference: String,
    stage: String,
    version: i32,
    opened_at: At,
    invited_at: Option<At>,
    on_hold: bool,
    waits_initiating: bool,
    waits_invited: bool,
    waits_facilitator: bool,
    waits_coordinator: bool,
    next_look: Option<At>,
    search: String,
    sides: Json<BySide<Vec<Party>>>,
    hold: Option<Json<Hold>>,
    intake: Json<Intake>,
    neutrals: Json<Neutrals>,
    conversation: Json<Conversation>,
    review: Json<Review>,
    agreements: Json<Agreements>,
    closing: Json<Closing>,
    clocks: Json<Clocks>,
}

impl Row {
    fn of(case: &Case, search: String) -> Self {
        let waits = waiting_for(case);
        Self {
            id: case.id.into(),
            reference: case.reference.0.clone(),
            stage: case.stage.word().to_owned(),
            version: case.version,
            opened_at: At(case.opened_at),
            invited_at: case.invited_at.map(At),
            on_hold: case.hold.is_some(),
            waits_initiating: waits.contains(&Turn::Initiating),
            waits_invited: waits.contains(&Turn::Invited),
            waits_facilitator: waits.contains(&Turn::Facilitator),
            waits_coordinator: waits.contains(&Turn::Coordinator),
            next_look: if case.is_open() {
                case.clocks
                    .next_look(case.hold.is_some(), &case.nations())
                    .map(At)
            } else {
                None
            },
            search,
            sides: Json(case.sides.clone()),
            hold: case.hold.clone().map(Json),
            intake: Json(case.intake.clone()),
            neutrals: Json(case.neutrals.clone()),
            conversation: Json(case.conversation.clone()),
            review: Json(case.review.clone()),
            agreements: Json(case.agreements.clone()),
            closing: Json(case.closing.clone()),
            clocks: Json(case.clocks.clone()),
        }
    }

    fn case(self) -> Result<Case, DbError> {
        let id = CaseId::from(self.id);
        let stage: Stage = self.stage.parse().map_err(|why| DbError::Unreadable {
            table: "cases",
            id: id.to_string(),
            why,
        })?;
        Ok(Case {
            id,
            reference: Reference(self.reference),
            stage,
            version: self.version,
            opened_at: self.opened_at.0,
            sides: self.sides.0,
            invited_at: self.invited_at.map(|at| at.0),
            hold: self.hold.map(|hold| hold.0),
            intake: self.intake.0,
            neutrals: self.neutrals.0,
            conversation: self.conversation.0,
            review: self.review.0,
            agreements: self.agreements.0,
            closing: self.closing.0,
            clocks: self.clocks.0,
        })
    }
}

/// Reads a case.
pub fn find(conn: &mut Conn, id: CaseId) -> Result<Option<Case>, DbError> {
    cases::table
        .find(Key::from(id))
        .first::<Row>(conn)
        .optional()?
        .map(Row::case)
        .transpose()
}

/// Takes a case for this transaction and counts the write: a portable row lock. Whoever comes second sees what the
/// first one did.
pub fn lock(conn: &mut Conn, id: CaseId) -> Result<Option<Case>, DbError> {
    diesel::update(cases::table.find(Key::from(id)))
        .set(cases::version.eq(cases::version + 1))
        .returning(cases::all_columns)
        .get_result::<Row>(conn)
        .optional()?
        .map(Row::case)
        .transpose()
}

/// Whether a reference is already given to a case.
pub fn reference_taken(conn: &mut Conn, reference: &Reference) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(
        cases::table.filter(cases::reference.eq(&reference.0)),
    ))
    .get_result(conn)?)
}

/// Writes a new case; `names` are those of its organisations, to search by.
pub fn add(conn: &mut Conn, case: &Case, names: &[String]) -> Result<(), DbError> {
    diesel::insert_into(cases::table)
        .values(Row::of(case, search_text(case, names)))
        .execute(conn)?;
    index(conn, case)
}

/// Writes a case that `lock` took.
pub fn save(conn: &mut Conn, before: &Case, case: &Case, names: &[String]) -> Result<(), DbError> {
    diesel::update(cases::table.find(Key::from(case.id)))
        .set(Row::of(case, search_text(case, names)))
        .execute(conn)?;
    let moved = before.sides != case.sides
        || before.intake.statement.localities != case.intake.statement.localities
        || seats(before) != seats(case);
    if moved {
        forget_index(conn, case.id)?;
        index(conn, case)?;
    }
    Ok(())
}

/// Brings what cases are found by up to date after an organisation has a new name.
pub fn refresh_search(conn: &mut Conn, organisation: OrganisationId) -> Result<(), DbError> {
    let ids: Vec<Key> = case_parties::table
        .filter(case_parties::organisation_id.eq(Key::from(organisation)))
        .select(case_parties::case_id)
        .load(conn)?;
    for id in ids {
        let Some(case) = find(conn, id.into())? else {
            continue;
        };
        let names: Vec<String> = super::register::names(conn, &case.organisations().collect())?
            .into_values()
            .collect();
        diesel::update(cases::table.find(id))
            .set(cases::search.eq(search_text(&case, &names)))
            .execute(conn)?;
    }
    Ok(())
}

/// Removes a draft that was thrown away.
pub fn remove(conn: &mut Conn, id: CaseId) -> Result<(), DbError> {
    forget_index(conn, id)?;
    diesel::delete(cases::table.find(Key::from(id))).execute(conn)?;
    Ok(())
}

fn search_text(case: &Case, names: &[String]) -> String {
    folded(&format!("{} {}", case.reference.0, names.join(" ")))
}

/// Why a person may find a case in a list, or may not.
fn seats(case: &Case) -> BTreeSet<(PersonId, &'static str)> {
    let neutrals = &case.neutrals;
    let mut seats = BTreeSet::new();
    seats.extend(
        case.intake
            .entered_by
            .filter(|_| case.stage == Stage::Draft)
            .map(|p| (p, "entered")),
    );
    seats.extend(neutrals.asked().map(|p| (p, "asked")));
    seats.extend(neutrals.in_place().map(|p| (p, "facilitator")));
    seats.extend(
        neutrals
            .observers
            .iter()
            .filter(|o| o.admitted.is_some())
            .map(|o| (o.person, "observer")),
    );
    seats.extend(neutrals.excluded.iter().map(|p| (*p, "excluded")));
    seats
}

fn forget_index(conn: &mut Conn, id: CaseId) -> Result<(), DbError> {
    diesel::delete(case_parties::table.filter(case_parties::case_id.eq(Key::from(id))))
        .execute(conn)?;
    diesel::delete(case_localities::table.filter(case_localities::case_id.eq(Key::from(id))))
        .execute(conn)?;
    diesel::delete(case_seats::table.filter(case_seats::case_id.eq(Key::from(id))))
        .execute(conn)?;
    Ok(())
}

fn index(conn: &mut Conn, case: &Case) -> Result<(), DbError> {
    let case_id = Key::from(case.id);
    for side in Side::BOTH {
        let word = side_word(side);
        for party in case.sides.of(side) {
            diesel::insert_into(case_parties::table)
                .values((
                    case_parties::case_id.eq(case_id),
                    case_parties::organisation_id.eq(Key::from(party.organisation)),
                    case_parties::side.eq(word),
                ))
                .execute(conn)?;
        }
    }
    for code in &case.intake.statement.localities {
        diesel::insert_into(case_localities::table)
            .values((
                case_localities::case_id.eq(case_id),
                case_localities::locality.eq(code.as_str()),
            ))
            .execute(conn)?;
    }
    for (person, seat) in seats(case) {
        diesel::insert_into(case_seats::table)
            .values((
                case_seats::case_id.eq(case_id),
                case_seats::person_id.eq(Key::from(person)),
                case_seats::seat.eq(seat),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The word for a side in the tables.
#[must_use]
pub fn side_word(side: Side) -> &'static str {
    match side {
        Side::Initiating => "initiating",
        Side::Invited => "invited",
    }
}

/// Which cases a person may find at all; `domain::access` decides again on each one.
#[derive(Debug, Clone)]
pub struct Scope {
    pub person: PersonId,
    pub member_of: Vec<OrganisationId>,
    /// Organisations whose cases a conflict hides from this person as staff or neutral.
    pub conflicted: Vec<OrganisationId>,
    /// Whether the person reads every case that is no longer a draft: coordinators and auditors.
    pub everything: bool,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    pub stage: Option<Stage>,
    pub party: Option<OrganisationId>,
    pub neutral: Option<PersonId>,
    pub locality: Option<String>,
    pub waiting_for: Option<Turn>,
    /// Words in the reference or in an organisation's name.
    pub text: Option<String>,
}

/// A page of a list, newest first, beginning after `after`.
pub fn page(
    conn: &mut Conn,
    scope: &Scope,
    filter: &Filter,
    after: Option<(Moment, CaseId)>,
    most: i64,
) -> Result<Vec<Case>, DbError> {
    let keys = |those: &[OrganisationId]| those.iter().map(|o| Key::from(*o)).collect::<Vec<_>>();
    let (own, conflicted, person) = (
        keys(&scope.member_of),
        keys(&scope.conflicted),
        Key::from(scope.person),
    );
    let mut query = cases::table.into_boxed::<AnyBackend>();

    let by_side = |side: Side| {
        case_parties::table
            .filter(case_parties::side.eq(side_word(side)))
            .select(case_parties::case_id)
    };
    let initiated =
        by_side(Side::Initiating).filter(case_parties::organisation_id.eq_any(own.clone()));
    let invited = by_side(Side::Invited).filter(case_parties::organisation_id.eq_any(own));
    let seated = case_seats::table
        .filter(case_seats::person_id.eq(person))
        .select(case_seats::case_id);
    let is_party = cases::id.eq_any(initiated).or(cases::id
        .eq_any(invited)
        .and(cases::invited_at.is_not_null()));
    let free = diesel::dsl::not(
        cases::id.eq_any(
            case_parties::table
                .filter(case_parties::organisation_id.eq_any(conflicted))
                .select(case_parties::case_id),
        ),
    )
    .and(diesel::dsl::not(
        cases::id.eq_any(seated.filter(case_seats::seat.eq("excluded"))),
    ));
    if scope.everything {
        query = query.filter(
            is_party.or(free.and(
                cases::stage
                    .ne(Stage::Draft.word())
                    .or(cases::id.eq_any(seated.filter(case_seats::seat.eq("entered")))),
            )),
        );
    } else {
        query = query.filter(is_party.or(free.and(cases::id.eq_any(seated))));
    }

    if let Some(stage) = filter.stage {
        query = query.filter(cases::stage.eq(stage.word()));
    }
    if let Some(party) = filter.party {
        query = query.filter(
            cases::id.eq_any(
                case_parties::table
                    .filter(case_parties::organisation_id.eq(Key::from(party)))
                    .select(case_parties::case_id),
            ),
        );
    }
    if let Some(neutral) = filter.neutral {
        query = query.filter(
            cases::id.eq_any(
                case_seats::table
                    .filter(case_seats::person_id.eq(Key::from(neutral)))
                    .filter(case_seats::seat.eq("facilitator"))
                    .select(case_seats::case_id),
            ),
        );
    }
    if let Some(locality) = &filter.locality {
        query = query.filter(
            cases::id.eq_any(
                case_localities::table
                    .filter(case_localities::locality.eq(locality.clone()))
                    .select(case_localities::case_id),
            ),
        );
    }
    match filter.waiting_for {
        Some(Turn::Initiating) => query = query.filter(cases::waits_initiating.eq(true)),
        Some(Turn::Invited) => query = query.filter(cases::waits_invited.eq(true)),
        Some(Turn::Facilitator) => query = query.filter(cases::waits_facilitator.eq(true)),
        Some(Turn::Coordinator) => query = query.filter(cases::waits_coordinator.eq(true)),
        None => {}
    }
    if let Some(text) = &filter.text {
        query = query.filter(
            cases::search
                .like(format!("%{}%", literal(&folded(text))))
                .escape('!'),
        );
    }
    if let Some((at, id)) = after {
        query = query.filter(
            cases::opened_at
                .lt(At(at))
                .or(cases::opened_at.eq(At(at)).and(cases::id.lt(Key::from(id)))),
        );
    }
    query
        .order((cases::opened_at.desc(), cases::id.desc()))
        .limit(most)
        .load::<Row>(conn)?
        .into_iter()
        .map(Row::case)
        .collect()
}

/// A text as LIKE takes it to the letter.
fn literal(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

/// Open cases between exactly these organisations; for noticing that a matter is already open.
pub fn open_between(
    conn: &mut Conn,
    organisations: &BTreeSet<OrganisationId>,
    but: CaseId,
) -> Result<Vec<Case>, DbError> {
    let Some(first) = organisations.first() else {
        return Ok(Vec::new());
    };
    let open: Vec<&str> = Stage::OPEN.iter().map(|s| s.word()).collect();
    let found: Vec<Row> = cases::table
        .filter(
            cases::id.eq_any(
                case_parties::table
                    .filter(case_parties::organisation_id.eq(Key::from(*first)))
                    .select(case_parties::case_id),
            ),
        )
        .filter(cases::stage.eq_any(open))
        .filter(cases::id.ne(Key::from(but)))
        .limit(100)
        .load(conn)?;
    let all: Vec<Case> = found.into_iter().map(Row::case).collect::<Result<_, _>>()?;
    Ok(all
        .into_iter()
        .filter(|case| case.organisations().collect::<BTreeSet<_>>() == *organisations)
        .collect())
}

/// Cases the clock has to look at.
pub fn to_look_at(conn: &mut Conn, now: Moment, most: i64) -> Result<Vec<CaseId>, DbError> {
    let found: Vec<Key> = cases::table
        .filter(cases::next_look.is_not_null())
        .filter(cases::next_look.le(At(now)))
        .order(cases::next_look)
        .limit(most)
        .select(cases::id)
        .load(conn)?;
    Ok(found.into_iter().map(CaseId::from).collect())
}
