//! People, their memberships and their declared ties.
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::columns::{At, Json, Key};
use super::db::{AnyBackend, Conn, DbError, on_each};
use super::register::literally;
use super::schema::{affiliations, memberships, people};
use crate::domain::id::{AffiliationId, MembershipId, OrganisationId, PersonId};
use crate::domain::people::{Actor, Membership, MembershipState, Person, Role, Tie};
use crate::domain::text::{EmailAddress, Line};
use crate::domain::time::{Day, Moment};

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = people)]
struct Row {
    id: Key,
    name: String,
    email: String,
    roles: Json<BTreeSet<Role>>,
    active: bool,
    created_at: At,
}

fn person(row: Row) -> Result<Person, DbError> {
    let id = PersonId::from(row.id);
    let unreadable = |why: crate::domain::text::Unfit| DbError::Unreadable {
        table: "people",
        id: id.to_string(),
        why: why.to_string(),
    };
    Ok(Person {
        id,
        name: Line::parse(&row.name).map_err(unreadable)?,
        email: Some(EmailAddress::parse(&row.email).map_err(unreadable)?),
        roles: row.roles.0,
        active: row.active,
    })
}

/// Writes a new person; `false` where the address already belongs to somebody.
pub fn add(
    conn: &mut Conn,
    person: &Person,
    email: &EmailAddress,
    now: Moment,
) -> Result<bool, DbError> {
    if by_email(conn, email)?.is_some() {
        return Ok(false);
    }
    let row = Row {
        id: person.id.into(),
        name: person.name.as_str().to_owned(),
        email: email.as_str().to_owned(),
        roles: Json(person.roles.clone()),
        active: person.active,
        created_at: At(now),
    };
    diesel::insert_into(people::table)
        .values(row)
        .execute(conn)?;
    Ok(true)
}

/// Writes a person's name, roles and whether the account is open.
pub fn save(conn: &mut Conn, person: &Person) -> Result<(), DbError> {
    diesel::update(people::table.find(Key::from(person.id)))
        .set((
            people::name.eq(person.name.as_str()),
            people::roles.eq(Json(person.roles.clone())),
            people::active.eq(person.active),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes a person's new address; one that belongs to somebody is an error of uniqueness.
pub fn set_email(conn: &mut Conn, id: PersonId, email: &EmailAddress) -> Result<(), DbError> {
    diesel::update(people::table.find(Key::from(id)))
        .set(people::email.eq(email.as_str()))
        .execute(conn)?;
    Ok(())
}

/// A person by id.
pub fn find(conn: &mut Conn, id: PersonId) -> Result<Option<Person>, DbError> {
    let query = people::table.find(Key::from(id));
    let row: Option<Row> = on_each!(conn, |c| query.get_result(c)).optional()?;
    row.map(person).transpose()
}

/// A person by address.
pub fn by_email(conn: &mut Conn, email: &EmailAddress) -> Result<Option<Person>, DbError> {
    people::table
        .filter(people::email.eq(email.as_str()))
        .first::<Row>(conn)
        .optional()?
        .map(person)
        .transpose()
}

/// People by id.
pub fn all_of(conn: &mut Conn, ids: &BTreeSet<PersonId>) -> Result<Vec<Person>, DbError> {
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.extend(find(conn, *id)?);
    }
    Ok(all)
}

/// Names by id.
pub fn names(
    conn: &mut Conn,
    ids: &BTreeSet<PersonId>,
) -> Result<BTreeMap<PersonId, String>, DbError> {
    let mut names = BTreeMap::new();
    for id in ids {
        let query = people::table.find(Key::from(*id)).select(people::name);
        let name = on_each!(conn, |c| query.get_result(c)).optional()?;
        names.extend(name.map(|name| (*id, name)));
    }
    Ok(names)
}

/// Everybody, in the order of their ids, after `after`.
pub fn page(conn: &mut Conn, after: Option<PersonId>, most: i64) -> Result<Vec<Person>, DbError> {
    let mut query = people::table.order(people::id).limit(most).into_boxed();
    if let Some(after) = after {
        query = query.filter(people::id.gt(Key::from(after)));
    }
    query.load::<Row>(conn)?.into_iter().map(person).collect()
}

diesel::define_sql_function! {
    /// A text in small letters, as far as the database knows them.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// Everybody in the order of their names, after `after`; `text` narrows to names and addresses that hold it.
pub fn by_name(
    conn: &mut Conn,
    text: Option<&str>,
    after: Option<(String, PersonId)>,
    most: i64,
) -> Result<Vec<Person>, DbError> {
    let mut query = people::table
        .order((people::name, people::id))
        .limit(most)
        .into_boxed::<AnyBackend>();
    if let Some(text) = text {
        let like = literally(&text.trim().to_lowercase());
        query = query.filter(
            lower(people::name)
                .like(like.clone())
                .escape('!')
                .or(lower(people::email).like(like).escape('!')),
        );
    }
    if let Some((name, id)) = after {
        query = query.filter(
            people::name
                .gt(name.clone())
                .or(people::name.eq(name).and(people::id.gt(Key::from(id)))),
        );
    }
    query.load::<Row>(conn)?.into_iter().map(person).collect()
}

/// Who holds a role; tens of people, not thousands, hold any, and an index knows them.
pub fn with_role(conn: &mut Conn, role: Role) -> Result<Vec<PersonId>, DbError> {
    let all: Vec<(Key, Json<BTreeSet<Role>>)> = people::table
        .filter(people::active.eq(true))
        .filter(sql::<Bool>("roles <> '[]'"))
        .select((people::id, people::roles))
        .order(people::id)
        .load(conn)?;
    Ok(all
        .into_iter()
        .filter(|(_, roles)| roles.0.contains(&role))
        .map(|(id, _)| id.into())
        .collect())
}

type MembershipRow = (Key, Key, Key, bool, String, NaiveDate, Option<NaiveDate>);

fn membership(
    (id, person, organisation, lead, state, since, until): MembershipRow,
) -> Result<Membership, DbError> {
    let state = match state.as_str() {
        "invited" => MembershipState::Invited,
        "active" => MembershipState::Active,
        "ended" => MembershipState::Ended,
        "withdrawn" => MembershipState::Withdrawn,
        other => {
            return Err(DbError::Unreadable {
                table: "memberships",
                id: MembershipId::from(id).to_string(),
                why: format!("{other} is not a state"),
            });
        }
    };
    Ok(Membership {
        id: id.into(),
        person: person.into(),
        organisation: organisation.into(),
        lead,
        state,
        since: Day(since),
        until: until.map(Day),
    })
}

fn state_word(state: MembershipState) -> &'static str {
    match state {
        MembershipState::Invited => "invited",
        MembershipState::Active => "active",
        MembershipState::Ended => "ended",
        MembershipState::Withdrawn => "withdrawn",
    }
}

/// Writes a new membership.
pub fn add_membership(conn: &mut Conn, m: &Membership) -> Result<(), DbError> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(Key::from(m.id)),
            memberships::person_id.eq(Key::from(m.person)),
            memberships::organisation_id.eq(Key::from(m.organisation)),
            memberships::lead.eq(m.lead),
            memberships::state.eq(state_word(m.state)),
            memberships::since.eq(m.since.0),
            memberships::until.eq(m.until.map(|d| d.0)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes a membership's lead, state and end.
pub fn save_membership(conn: &mut Conn, m: &Membership) -> Result<(), DbError> {
    diesel::update(memberships::table.find(Key::from(m.id)))
        .set((
            memberships::lead.eq(m.lead),
            memberships::state.eq(state_word(m.state)),
            memberships::until.eq(m.until.map(|d| d.0)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Says whether an active membership is a lead's; `false` where it is not active.
pub fn set_lead(conn: &mut Conn, id: MembershipId, lead: bool) -> Result<bool, DbError> {
    let active = memberships::table
        .filter(memberships::id.eq(Key::from(id)))
        .filter(memberships::state.eq("active"));
    Ok(diesel::update(active)
        .set(memberships::lead.eq(lead))
        .execute(conn)?
        == 1)
}

/// Takes a person's row for this transaction, so that what is read of them stays true until it ends.
pub fn lock(conn: &mut Conn, id: PersonId) -> Result<Option<Person>, DbError> {
    diesel::update(people::table.find(Key::from(id)))
        .set(people::active.eq(people::active))
        .returning(people::all_columns)
        .get_result::<Row>(conn)
        .optional()?
        .map(person)
        .transpose()
}

/// A membership by id.
pub fn find_membership(conn: &mut Conn, id: MembershipId) -> Result<Option<Membership>, DbError> {
    memberships::table
        .find(Key::from(id))
        .first::<MembershipRow>(conn)
        .optional()?
        .map(membership)
        .transpose()
}

/// The memberships of a person.
pub fn memberships_of(conn: &mut Conn, person: PersonId) -> Result<Vec<Membership>, DbError> {
    memberships::table
        .filter(memberships::person_id.eq(Key::from(person)))
        .order((memberships::since, memberships::id))
        .load::<MembershipRow>(conn)?
        .into_iter()
        .map(membership)
        .collect()
}

/// The memberships of an organisation.
pub fn memberships_in(
    conn: &mut Conn,
    organisation: OrganisationId,
) -> Result<Vec<Membership>, DbError> {
    memberships::table
        .filter(memberships::organisation_id.eq(Key::from(organisation)))
        .order((memberships::since, memberships::id))
        .load::<MembershipRow>(conn)?
        .into_iter()
        .map(membership)
        .collect()
}

/// The active members of some organisations.
pub fn active_members(
    conn: &mut Conn,
    organisations: &[OrganisationId],
) -> Result<BTreeSet<PersonId>, DbError> {
    let mut members = BTreeSet::new();
    for organisation in organisations {
        let query = memberships::table
            .filter(memberships::organisation_id.eq(Key::from(*organisation)))
            .filter(memberships::state.eq("active"))
            .select(memberships::person_id);
        let found: Vec<Key> = on_each!(conn, |c| query.load(c))?;
        members.extend(found.into_iter().map(PersonId::from));
    }
    Ok(members)
}

/// A tie somebody has declared, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub id: AffiliationId,
    pub organisation: OrganisationId,
    pub role: String,
    pub since: Day,
    pub until: Option<Day>,
}

/// Writes down a declared tie; it is never changed.
pub fn add_affiliation(
    conn: &mut Conn,
    person: PersonId,
    tie: &Declared,
    now: Moment,
) -> Result<(), DbError> {
    diesel::insert_into(affiliations::table)
        .values((
            affiliations::id.eq(Key::from(tie.id)),
            affiliations::person_id.eq(Key::from(person)),
            affiliations::organisation_id.eq(Key::from(tie.organisation)),
            affiliations::role.eq(&tie.role),
            affiliations::since.eq(tie.since.0),
            affiliations::until.eq(tie.until.map(|d| d.0)),
            affiliations::declared_at.eq(At(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The declared ties of a person.
pub fn affiliations_of(conn: &mut Conn, person: PersonId) -> Result<Vec<Declared>, DbError> {
    let rows: Vec<(Key, Key, String, NaiveDate, Option<NaiveDate>)> = affiliations::table
        .filter(affiliations::person_id.eq(Key::from(person)))
        .order((affiliations::since, affiliations::id))
        .select((
            affiliations::id,
            affiliations::organisation_id,
            affiliations::role,
            affiliations::since,
            affiliations::until,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, organisation, role, since, until)| Declared {
            id: id.into(),
            organisation: organisation.into(),
            role,
            since: Day(since),
            until: until.map(Day),
        })
        .collect())
}

/// People as they are now, with everything that decides what they may do. A closed account is nobody.
pub fn actors(
    conn: &mut Conn,
    ids: &BTreeSet<PersonId>,
) -> Result<BTreeMap<PersonId, Actor>, DbError> {
    let mut found: BTreeMap<PersonId, Actor> = all_of(conn, ids)?
        .into_iter()
        .filter(|p| p.active)
        .map(|p| {
            (
                p.id,
                Actor {
                    person: Some(p.id),
                    roles: p.roles,
                    ..Actor::default()
                },
            )
        })
        .collect();
    for actor in found.values_mut() {
        add_ties(conn, actor)?;
    }
    Ok(found)
}

/// Fills in memberships and ties of somebody whose roles are known.
pub fn add_ties(conn: &mut Conn, actor: &mut Actor) -> Result<(), DbError> {
    let Some(person) = actor.person.map(Key::from) else {
        return Ok(());
    };
    let theirs = memberships::table.filter(memberships::person_id.eq(person));
    let rows: Vec<MembershipRow> = on_each!(conn, |c| theirs.load(c))?;
    for m in rows {
        let m = membership(m)?;
        if m.state == MembershipState::Active {
            actor.member_of.push((m.organisation, m.lead));
        }
        // An invitation nobody has taken up is not a role at the organisation yet.
        if matches!(m.state, MembershipState::Active | MembershipState::Ended) {
            actor.ties.push(Tie {
                organisation: m.organisation,
                since: m.since,
                until: m.until,
            });
        }
    }
    let theirs = affiliations::table
        .filter(affiliations::person_id.eq(person))
        .select((
            affiliations::organisation_id,
            affiliations::since,
            affiliations::until,
        ));
    let declared: Vec<(Key, NaiveDate, Option<NaiveDate>)> = on_each!(conn, |c| theirs.load(c))?;
    for (organisation, since, until) in declared {
        actor.ties.push(Tie {
            organisation: organisation.into(),
            since: Day(since),
            until: until.map(Day),
        });
    }
    Ok(())
}

/// One person as they are now.
pub fn actor(conn: &mut Conn, id: PersonId) -> Result<Option<Actor>, DbError> {
    Ok(actors(conn, &BTreeSet::from([id]))?.remove(&id))
}
