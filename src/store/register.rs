//! The register of organisations, and which of them is where.
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;

use super::columns::{At, Json, Key};
use super::db::{AnyBackend, Conn, DbError, on_each};
use super::schema::{organisations, presences};
use crate::domain::id::{OrganisationId, PresenceId};
use crate::domain::register::{
    LocalityCode, Nation, OrganisationKind, Presence, PresenceDeclaration, PresenceKind,
    PresenceState, Profile,
};
use crate::domain::text::{Line, folded, look};
use crate::domain::time::{Day, Moment};

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|w| w.as_str().map(str::to_owned))
        .expect("words of the domain are written as text")
}

fn read_word<T: serde::de::DeserializeOwned>(
    table: &'static str,
    id: &impl ToString,
    word: String,
) -> Result<T, DbError> {
    serde_json::from_value(word.into()).map_err(|why| DbError::Unreadable {
        table,
        id: id.to_string(),
        why: why.to_string(),
    })
}

/// Writes a new organisation.
pub fn add(
    conn: &mut Conn,
    id: OrganisationId,
    profile: &Profile,
    now: Moment,
) -> Result<(), DbError> {
    diesel::insert_into(organisations::table)
        .values((
            organisations::id.eq(Key::from(id)),
            organisations::working_name.eq(profile.working_name.as_str()),
            organisations::folded.eq(folded(profile.working_name.as_str())),
            organisations::look.eq(look(profile.working_name.as_str())),
            organisations::kind.eq(word(&profile.kind)),
            organisations::nation.eq(word(&profile.nation)),
            organisations::constituted.eq(profile.constituted),
            organisations::profile.eq(Json(profile.clone())),
            organisations::created_at.eq(At(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes an organisation's description.
pub fn save(conn: &mut Conn, id: OrganisationId, profile: &Profile) -> Result<(), DbError> {
    diesel::update(organisations::table.find(Key::from(id)))
        .set((
            organisations::working_name.eq(profile.working_name.as_str()),
            organisations::folded.eq(folded(profile.working_name.as_str())),
            organisations::look.eq(look(profile.working_name.as_str())),
            organisations::kind.eq(word(&profile.kind)),
            organisations::nation.eq(word(&profile.nation)),
            organisations::constituted.eq(profile.constituted),
            organisations::profile.eq(Json(profile.clone())),
        ))
        .execute(conn)?;
    Ok(())
}

/// An organisation by id.
pub fn find(conn: &mut Conn, id: OrganisationId) -> Result<Option<Profile>, DbError> {
    let found: Option<Json<Profile>> = organisations::table
        .find(Key::from(id))
        .select(organisations::profile)
        .first(conn)
        .optional()?;
    Ok(found.map(|profile| profile.0))
}

/// Takes an organisation's row for this transaction, so that what is read of it stays true until it ends.
pub fn lock(conn: &mut Conn, id: OrganisationId) -> Result<Option<Profile>, DbError> {
    let found: Option<Json<Profile>> = diesel::update(organisations::table.find(Key::from(id)))
        .set(organisations::constituted.eq(organisations::constituted))
        .returning(organisations::profile)
        .get_result(conn)
        .optional()?;
    Ok(found.map(|profile| profile.0))
}

/// Whether another organisation has a name that looks the same.
pub fn looks_like_another(
    conn: &mut Conn,
    name: &Line,
    but: Option<OrganisationId>,
) -> Result<bool, DbError> {
    let found: Vec<Key> = organisations::table
        .filter(organisations::look.eq(look(name.as_str())))
        .select(organisations::id)
        .limit(2)
        .load(conn)?;
    Ok(found.into_iter().any(|id| but.map(Key::from) != Some(id)))
}

/// Working names by id.
pub fn names(
    conn: &mut Conn,
    ids: &BTreeSet<OrganisationId>,
) -> Result<BTreeMap<OrganisationId, String>, DbError> {
    let mut names = BTreeMap::new();
    for id in ids {
        let query = organisations::table
            .find(Key::from(*id))
            .select(organisations::working_name);
        let name = on_each!(conn, |c| query.get_result(c)).optional()?;
        names.extend(name.map(|name| (*id, name)));
    }
    Ok(names)
}

/// What the procedure needs to know of an organisation.
#[derive(Debug, Clone)]
pub struct Essentials {
    pub kind: OrganisationKind,
    pub nation: Nation,
    pub constituted: bool,
    pub merged_into: Option<OrganisationId>,
}

/// The essentials by id.
pub fn essentials(
    conn: &mut Conn,
    ids: &BTreeSet<OrganisationId>,
) -> Result<BTreeMap<OrganisationId, Essentials>, DbError> {
    let mut found = BTreeMap::new();
    for id in ids {
        let query = organisations::table.find(Key::from(*id)).select((
            organisations::kind,
            organisations::nation,
            organisations::constituted,
            organisations::merged_into,
        ));
        let row: Option<(String, String, bool, Option<Key>)> =
            on_each!(conn, |c| query.get_result(c)).optional()?;
        if let Some((kind, nation, constituted, merged)) = row {
            let essentials = Essentials {
                kind: read_word("organisations", id, kind)?,
                nation: read_word("organisations", id, nation)?,
                constituted,
                merged_into: merged.map(OrganisationId::from),
            };
            found.insert(*id, essentials);
        }
    }
    Ok(found)
}

/// Every organisation whose name holds `text`.
pub fn named(conn: &mut Conn, text: &str) -> Result<BTreeSet<OrganisationId>, DbError> {
    let found: Vec<Key> = organisations::table
        .filter(organisations::folded.like(holding(text)).escape('!'))
        .select(organisations::id)
        .load(conn)?;
    Ok(found.into_iter().map(OrganisationId::from).collect())
}

/// What LIKE takes for "holds this text, to the letter".
fn holding(text: &str) -> String {
    literally(&folded(text))
}

/// The same for a text that is folded already, or need not be.
pub(super) fn literally(text: &str) -> String {
    let literal = text
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    format!("%{literal}%")
}

/// Organisations by name, after `after`; `text` narrows to names that hold it, `only_leros` to LEROs.
pub fn page(
    conn: &mut Conn,
    text: Option<&str>,
    only_leros: bool,
    after: Option<(String, OrganisationId)>,
    most: i64,
) -> Result<Vec<(OrganisationId, Profile)>, DbError> {
    let mut query = organisations::table
        .select((organisations::id, organisations::profile))
        .order((organisations::folded, organisations::id))
        .limit(most)
        .into_boxed::<AnyBackend>();
    if let Some(text) = text {
        query = query.filter(organisations::folded.like(holding(text)).escape('!'));
    }
    if only_leros {
        let (lero, emerging) = (OrganisationKind::Lero, OrganisationKind::EmergingLero);
        let either = organisations::kind
            .eq(word(&lero))
            .or(organisations::kind.eq(word(&emerging)));
        query = query.filter(either);
    }
    if let Some((name, id)) = after {
        query = query.filter(
            organisations::folded
                .gt(name.clone())
                .or(organisations::folded
                    .eq(name)
                    .and(organisations::id.gt(Key::from(id)))),
        );
    }
    let rows: Vec<(Key, Json<Profile>)> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, profile)| (id.into(), profile.0))
        .collect())
}

/// Writes down that an organisation is somewhere.
pub fn add_presence(
    conn: &mut Conn,
    id: PresenceId,
    organisation: OrganisationId,
    said: &PresenceDeclaration,
    state: PresenceState,
    now: Moment,
) -> Result<(), DbError> {
    diesel::insert_into(presences::table)
        .values((
            presences::id.eq(Key::from(id)),
            presences::organisation_id.eq(Key::from(organisation)),
            presences::locality.eq(said.locality.as_str()),
            presences::kind.eq(word(&said.kind)),
            presences::since.eq(said.since.0),
            presences::until.eq(said.until.map(|d| d.0)),
            presences::end_condition.eq(said.end_condition.as_ref().map(|c| c.as_str().to_owned())),
            presences::evidence.eq(said
                .evidence_of_roots
                .as_ref()
                .map(|e| e.as_str().to_owned())),
            presences::state.eq(word(&state)),
            presences::declared_at.eq(At(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Says how CLERO sees a presence now; `false` where there is none.
pub fn set_presence_state(
    conn: &mut Conn,
    organisation: OrganisationId,
    id: PresenceId,
    state: PresenceState,
) -> Result<bool, DbError> {
    Ok(diesel::update(
        presences::table
            .filter(presences::id.eq(Key::from(id)))
            .filter(presences::organisation_id.eq(Key::from(organisation))),
    )
    .set(presences::state.eq(word(&state)))
    .execute(conn)?
        == 1)
}

type PresenceRow = (
    Key,
    Key,
    String,
    String,
    NaiveDate,
    Option<NaiveDate>,
    Option<String>,
    String,
);

fn read_presence(row: PresenceRow) -> Result<Presence, DbError> {
    let (id, organisation, locality, kind, since, until, end_condition, state) = row;
    let id = PresenceId::from(id);
    let unreadable = |why: &str| DbError::Unreadable {
        table: "presences",
        id: id.to_string(),
        why: why.to_owned(),
    };
    let locality = LocalityCode::parse(&locality).ok_or_else(|| unreadable("unknown locality"))?;
    let end_condition = end_condition
        .map(|c| Line::parse(&c))
        .transpose()
        .map_err(|_| unreadable("end_condition"))?;
    Ok(Presence {
        id,
        organisation: organisation.into(),
        locality_name: locality.locality().name.clone(),
        locality,
        kind: read_word("presences", &id, kind)?,
        since: Day(since),
        until: until.map(Day),
        end_condition,
        state: read_word("presences", &id, state)?,
    })
}

/// What is read of a presence, in the order of `PresenceRow`.
const PRESENCE: (
    presences::id,
    presences::organisation_id,
    presences::locality,
    presences::kind,
    presences::since,
    presences::until,
    presences::end_condition,
    presences::state,
) = (
    presences::id,
    presences::organisation_id,
    presences::locality,
    presences::kind,
    presences::since,
    presences::until,
    presences::end_condition,
    presences::state,
);

/// Where an organisation is and was.
pub fn presences_of(
    conn: &mut Conn,
    organisation: OrganisationId,
) -> Result<Vec<Presence>, DbError> {
    let rows: Vec<PresenceRow> = presences::table
        .filter(presences::organisation_id.eq(Key::from(organisation)))
        .order((presences::since, presences::id))
        .select(PRESENCE)
        .load(conn)?;
    rows.into_iter().map(read_presence).collect()
}

/// Who is and was in a place, given by all the codes it has or had.
pub fn presences_in(conn: &mut Conn, codes: &BTreeSet<String>) -> Result<Vec<Presence>, DbError> {
    let mut all = Vec::new();
    for code in codes {
        let rows: Vec<PresenceRow> = presences::table
            .filter(presences::locality.eq(code.as_str()))
            .order((presences::since, presences::id))
            .select(PRESENCE)
            .load(conn)?;
        for row in rows {
            all.push(read_presence(row)?);
        }
    }
    Ok(all)
}

/// The presences nobody at CLERO has looked at, the longest waiting first.
pub fn presences_waiting(conn: &mut Conn, most: i64) -> Result<Vec<Presence>, DbError> {
    let rows: Vec<PresenceRow> = presences::table
        .filter(presences::state.eq(word(&PresenceState::Declared)))
        .order((presences::declared_at, presences::id))
        .limit(most)
        .select(PRESENCE)
        .load(conn)?;
    rows.into_iter().map(read_presence).collect()
}

/// The places where a LERO is at home on a day.
pub fn homes(conn: &mut Conn, today: Day) -> Result<BTreeSet<LocalityCode>, DbError> {
    let codes: Vec<String> = presences::table
        .inner_join(organisations::table.on(organisations::id.eq(presences::organisation_id)))
        .filter(organisations::kind.eq(word(&OrganisationKind::Lero)))
        .filter(presences::kind.eq(word(&PresenceKind::Home)))
        .filter(presences::state.eq(word(&PresenceState::Confirmed)))
        .filter(presences::since.le(today.0))
        .filter(presences::until.is_null().or(presences::until.ge(today.0)))
        .select(presences::locality)
        .distinct()
        .load(conn)?;
    Ok(codes
        .iter()
        .filter_map(|code| LocalityCode::parse(code))
        .collect())
}

/// How many organisations of each kind there are.
pub fn counts(conn: &mut Conn) -> Result<BTreeMap<OrganisationKind, i64>, DbError> {
    let rows: Vec<(String, i64)> = organisations::table
        .group_by(organisations::kind)
        .select((organisations::kind, diesel::dsl::count_star()))
        .load(conn)?;
    rows.into_iter()
        .map(|(kind, count)| Ok((read_word("organisations", &"kinds", kind)?, count)))
        .collect()
}
