//! Letters on their way (SAFETY §2): written with their cause, claimed with a lease by compare-and-set, and kept
//! until the relay has taken them. What is said to the relay is `mail`'s business.
use diesel::prelude::*;

use super::columns::{At, Key};
use super::db::{AnyBackend, Conn, DbError, on_each};
use super::schema::letters;
use crate::domain::id::{CaseId, LeaseId, LetterId, PersonId};
use crate::domain::notice::Letter;
use crate::domain::text::EmailAddress;
use crate::domain::time::Moment;

/// A letter to be sent, complete to the last octet.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub id: LetterId,
    /// Two letters with the same key are one letter.
    pub dedupe: String,
    pub person: PersonId,
    pub case: Option<CaseId>,
    pub letter: Letter,
    pub address: EmailAddress,
    pub message_id: String,
    pub bytes: Vec<u8>,
    /// From when it may be sent; the longer ago, the sooner it is taken.
    pub next_at: Moment,
}

/// Puts a letter in the outbox.
pub fn enqueue(conn: &mut Conn, letter: &Outgoing, now: Moment) -> Result<(), DbError> {
    let insert = diesel::insert_into(letters::table).values((
        letters::id.eq(Key::from(letter.id)),
        letters::dedupe.eq(&letter.dedupe),
        letters::person_id.eq(Key::from(letter.person)),
        letters::case_id.eq(letter.case.map(Key::from)),
        letters::letter.eq(letter.letter.word()),
        letters::address.eq(letter.address.as_str()),
        letters::message_id.eq(&letter.message_id),
        letters::bytes.eq(Some(letter.bytes.clone())),
        letters::state.eq("waiting"),
        letters::attempts.eq(0),
        letters::created_at.eq(At(now)),
        letters::next_at.eq(At(letter.next_at)),
    ));
    on_each!(conn, |c| insert.execute(c))?;
    Ok(())
}

/// A letter somebody holds the lease of.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: LetterId,
    pub lease: LeaseId,
    pub person: PersonId,
    pub case: Option<CaseId>,
    pub letter: String,
    pub address: String,
    pub bytes: Vec<u8>,
    pub attempts: i32,
    pub created_at: Moment,
}

type ClaimRow = (Key, Option<Key>, String, String, Option<Vec<u8>>, i32, At);

/// Claims at most `most` due letters until `until`; whoever changes the state first has it.
pub fn claim(
    conn: &mut Conn,
    now: Moment,
    until: Moment,
    most: i64,
) -> Result<Vec<Claimed>, DbError> {
    let due: Vec<Key> = letters::table
        .filter(letters::state.eq_any(["waiting", "uncertain"]))
        .filter(letters::next_at.le(At(now)))
        .order(letters::next_at)
        .limit(most)
        .select(letters::id)
        .load(conn)?;
    let mut claimed = Vec::new();
    for id in due {
        let lease = LeaseId::random();
        let row: Option<ClaimRow> = diesel::update(
            letters::table
                .filter(letters::id.eq(id))
                .filter(letters::state.eq_any(["waiting", "uncertain"])),
        )
        .set((
            letters::state.eq("claimed"),
            letters::lease.eq(Some(Key::from(lease))),
            letters::lease_until.eq(Some(At(until))),
            letters::attempts.eq(letters::attempts + 1),
        ))
        .returning((
            letters::person_id,
            letters::case_id,
            letters::letter,
            letters::address,
            letters::bytes,
            letters::attempts,
            letters::created_at,
        ))
        .get_result(conn)
        .optional()?;
        if let Some((person, case, letter, address, bytes, attempts, created_at)) = row {
            claimed.push(Claimed {
                id: id.into(),
                lease,
                person: person.into(),
                case: case.map(CaseId::from),
                letter,
                address,
                bytes: bytes.unwrap_or_default(),
                attempts,
                created_at: created_at.0,
            });
        }
    }
    Ok(claimed)
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Sent,
    /// Try again at this time; `counted` is false where the link failed, which costs the letter nothing.
    Again {
        at: Moment,
        counted: bool,
        uncertain: bool,
    },
    /// A person must reach them another way.
    Dead,
    /// The recipient may no longer know.
    Cancelled,
}

/// Marks that the octets are about to go to the relay; `false` if the lease is no longer ours.
pub fn mark_in_flight(conn: &mut Conn, id: LetterId, lease: LeaseId) -> Result<bool, DbError> {
    Ok(diesel::update(
        letters::table
            .filter(letters::id.eq(Key::from(id)))
            .filter(letters::lease.eq(Some(Key::from(lease))))
            .filter(letters::state.eq("claimed")),
    )
    .set(letters::state.eq("in_flight"))
    .execute(conn)?
        == 1)
}

/// Writes how an attempt ended, if the lease is still ours. `answer` is the relay's, without addresses.
///
/// A letter with a code keeps no octets once it has ended.
pub fn end(
    conn: &mut Conn,
    id: LetterId,
    lease: LeaseId,
    ending: &Ending,
    answer: Option<&str>,
    now: Moment,
) -> Result<bool, DbError> {
    let ours = letters::table
        .filter(letters::id.eq(Key::from(id)))
        .filter(letters::lease.eq(Some(Key::from(lease))));
    let free = (
        letters::lease.eq(None::<Key>),
        letters::lease_until.eq(None::<At>),
        letters::answer.eq(answer),
    );
    let changed = match ending {
        Ending::Sent => diesel::update(ours)
            .set((
                letters::state.eq("sent"),
                letters::ended_at.eq(Some(At(now))),
                free,
            ))
            .execute(conn)?,
        Ending::Dead => diesel::update(ours)
            .set((
                letters::state.eq("dead"),
                letters::ended_at.eq(Some(At(now))),
                free,
            ))
            .execute(conn)?,
        Ending::Cancelled => diesel::update(ours)
            .set((
                letters::state.eq("cancelled"),
                letters::ended_at.eq(Some(At(now))),
                free,
            ))
            .execute(conn)?,
        Ending::Again {
            at,
            counted,
            uncertain,
        } => {
            let state = if *uncertain { "uncertain" } else { "waiting" };
            let back = i32::from(!counted);
            diesel::update(ours)
                .set((
                    letters::state.eq(state),
                    letters::next_at.eq(At(*at)),
                    letters::attempts.eq(letters::attempts - back),
                    free,
                ))
                .execute(conn)?
        }
    };
    let with_codes = Letter::ALL.iter().filter(|letter| letter.holds_a_code());
    let spent = letters::table
        .filter(letters::id.eq(Key::from(id)))
        .filter(letters::ended_at.is_not_null())
        .filter(letters::letter.eq_any(with_codes.map(|letter| letter.word())));
    diesel::update(spent)
        .set(letters::bytes.eq(None::<Vec<u8>>))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Frees letters whose lease ran out: not yet handed over, they wait again; perhaps handed over, they are uncertain.
pub fn sweep(conn: &mut Conn, now: Moment, resend_uncertain_at: Moment) -> Result<usize, DbError> {
    let overdue = |state: &'static str| {
        letters::table
            .filter(letters::state.eq(state))
            .filter(letters::lease_until.lt(At(now)))
    };
    let free = (
        letters::lease.eq(None::<Key>),
        letters::lease_until.eq(None::<At>),
    );
    let waiting = diesel::update(overdue("claimed"))
        .set((
            letters::state.eq("waiting"),
            letters::next_at.eq(At(now)),
            free,
        ))
        .execute(conn)?;
    let uncertain = diesel::update(overdue("in_flight"))
        .set((
            letters::state.eq("uncertain"),
            letters::next_at.eq(At(resend_uncertain_at)),
            free,
        ))
        .execute(conn)?;
    Ok(waiting + uncertain)
}

/// Erases the octets of letters that ended before `before` (SAFETY §5).
pub fn erase_bytes(conn: &mut Conn, before: Moment) -> Result<usize, DbError> {
    Ok(diesel::update(
        letters::table
            .filter(letters::ended_at.lt(At(before)))
            .filter(letters::bytes.is_not_null()),
    )
    .set(letters::bytes.eq(None::<Vec<u8>>))
    .execute(conn)?)
}

/// A letter's status, without its words.
#[derive(Debug, Clone)]
pub struct Status {
    pub id: LetterId,
    pub person: PersonId,
    pub case: Option<CaseId>,
    pub letter: String,
    pub state: String,
    pub attempts: i32,
    pub created_at: Moment,
    pub next_at: Moment,
    pub ended_at: Option<Moment>,
    /// The relay's last answer, without its words.
    pub answer: Option<String>,
}

type StatusRow = (
    Key,
    Key,
    Option<Key>,
    String,
    String,
    i32,
    At,
    At,
    Option<At>,
    Option<String>,
);

/// The statuses of letters, the newest first, older than `before`; of one person, or in some states.
pub fn page(
    conn: &mut Conn,
    person: Option<PersonId>,
    states: Option<&[&str]>,
    before: Option<(Moment, LetterId)>,
    most: i64,
) -> Result<Vec<Status>, DbError> {
    let mut query = letters::table
        .select((
            letters::id,
            letters::person_id,
            letters::case_id,
            letters::letter,
            letters::state,
            letters::attempts,
            letters::created_at,
            letters::next_at,
            letters::ended_at,
            letters::answer,
        ))
        .order((letters::created_at.desc(), letters::id.desc()))
        .limit(most)
        .into_boxed::<AnyBackend>();
    if let Some(person) = person {
        query = query.filter(letters::person_id.eq(Key::from(person)));
    }
    if let Some(states) = states {
        query = query.filter(
            letters::state.eq_any(states.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()),
        );
    }
    if let Some((at, id)) = before {
        query = query.filter(
            letters::created_at.lt(At(at)).or(letters::created_at
                .eq(At(at))
                .and(letters::id.lt(Key::from(id)))),
        );
    }
    let rows: Vec<StatusRow> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(id, person, case, letter, state, attempts, created_at, next_at, ended_at, answer)| {
                Status {
                    id: id.into(),
                    person: person.into(),
                    case: case.map(CaseId::from),
                    letter,
                    state,
                    attempts,
                    created_at: created_at.0,
                    next_at: next_at.0,
                    ended_at: ended_at.map(|e| e.0),
                    answer,
                }
            },
        )
        .collect())
}

/// How many letters have neither arrived at the relay nor ended.
pub fn on_the_way(conn: &mut Conn) -> Result<i64, DbError> {
    Ok(letters::table
        .filter(letters::state.eq_any(["waiting", "claimed", "in_flight", "uncertain"]))
        .count()
        .get_result(conn)?)
}
