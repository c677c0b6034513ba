//! Telling people: who of the audiences the procedure names may know of a case today, the notice for each of them,
//! and the letter, rendered here, inside the transaction of its cause (SPEC §10, SAFETY §2).
use std::collections::BTreeSet;

use chrono::Duration;

use super::{Error, Settings};
use crate::domain::access::{Capacity, capacity, reads_room};
use crate::domain::case::{Case, Side};
use crate::domain::id::{CaseId, EventId, LetterId, NoticeId, OrganisationId, PersonId};
use crate::domain::notice::{Letter, Notice, Told};
use crate::domain::people::{Actor, Person, Role};
use crate::domain::room::Room;
use crate::domain::text::Line;
use crate::domain::time::{Moment, in_words};
use crate::mail::calendar::{self, Between, Entry, Method};
use crate::mail::letter::{Letters, Words, assemble};
use crate::store::db::Conn;
use crate::store::{notices, outbox, people};

/// What made it necessary to tell somebody.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    pub event: EventId,
    pub actor: Option<PersonId>,
    pub actor_side: Option<Side>,
    /// For whom it was entered: they get the receipt.
    pub on_behalf_of: Option<OrganisationId>,
    pub now: Moment,
}

/// Tells everybody whom `told` names and who may know of `case`.
pub fn tell(
    conn: &mut Conn,
    letters: &Letters,
    settings: &Settings,
    case: &Case,
    told: &[(Told, Letter)],
    cause: Cause,
) -> Result<(), Error> {
    let mut going = BTreeSet::new();
    for (audience, letter) in told {
        for person in audience_of(conn, case, *audience, cause)? {
            going.insert((person, *letter));
        }
    }
    for person in people::all_of(conn, &going.iter().map(|(person, _)| *person).collect())? {
        for (_, letter) in going.iter().filter(|(who, _)| *who == person.id) {
            let due = letter
                .clock()
                .and_then(|kind| case.clocks.open.iter().find(|d| d.kind == kind))
                .map(|d| d.due);
            send(
                conn,
                letters,
                settings,
                &person,
                *letter,
                About {
                    case: Some((case.id, &case.reference.0)),
                    due,
                    ..About::default()
                },
                &format!("{}:{}", cause.event, letter.word()),
                cause.now,
            )?;
        }
    }
    Ok(())
}

/// The people an audience means today. The one who acted hears of it only where it is a receipt.
fn audience_of(
    conn: &mut Conn,
    case: &Case,
    audience: Told,
    cause: Cause,
) -> Result<BTreeSet<PersonId>, Error> {
    if audience == Told::Actor {
        return match cause.on_behalf_of {
            Some(organisation) => Ok(people::active_members(conn, &[organisation])?),
            None => Ok(cause.actor.into_iter().collect()),
        };
    }
    let organisations: Vec<OrganisationId> = audience
        .sides(cause.actor_side)
        .iter()
        .flat_map(|side| case.sides.of(*side))
        .map(|p| p.organisation)
        .collect();
    let mut candidates = people::active_members(conn, &organisations)?;
    let neutral = case.neutrals.in_place();
    let wants_staff = audience == Told::Coordinators
        || (audience == Told::NeutralElseCoordinators && neutral.is_none());
    if wants_staff {
        candidates.extend(people::with_role(conn, Role::Coordinator)?);
    }
    match audience {
        Told::Neutral | Told::NeutralElseCoordinators => candidates.extend(neutral),
        Told::AskedNeutral => candidates.extend(case.neutrals.asked()),
        Told::Everyone => {
            candidates.extend(neutral);
            candidates.extend(
                case.neutrals
                    .observers
                    .iter()
                    .filter(|o| o.admitted.is_some())
                    .map(|o| o.person),
            );
        }
        Told::Actor
        | Told::InitiatingSide
        | Told::InvitedLeads
        | Told::BothSides
        | Told::OtherSide
        | Told::Coordinators => {}
    }
    let actors = people::actors(conn, &candidates)?;
    let may_know = actors
        .into_iter()
        .filter(|(_, actor)| capacity(case, actor, cause.now).is_some());
    let leads_only = audience == Told::InvitedLeads;
    Ok(may_know
        .filter(|(id, actor)| {
            Some(*id) != cause.actor
                && (!leads_only
                    || case
                        .sides
                        .invited
                        .iter()
                        .any(|p| actor.leads(p.organisation)))
        })
        .map(|(id, _)| id)
        .collect())
}

/// Who reads what is in a room today: those of its audience who may know of the case, and enter.
pub fn people_of_room(
    conn: &mut Conn,
    case: &Case,
    room: Room,
    now: Moment,
) -> Result<BTreeSet<PersonId>, Error> {
    let sides: &[Side] = match room.side() {
        Some(Side::Initiating) => &[Side::Initiating],
        Some(Side::Invited) => &[Side::Invited],
        None => &Side::BOTH,
    };
    let organisations: Vec<OrganisationId> = sides
        .iter()
        .flat_map(|side| case.sides.of(*side))
        .map(|p| p.organisation)
        .collect();
    let mut candidates = people::active_members(conn, &organisations)?;
    candidates.extend(case.neutrals.in_place());
    candidates.extend(case.neutrals.observers.iter().map(|o| o.person));
    if room == Room::Process {
        candidates.extend(people::with_role(conn, Role::Coordinator)?);
    }
    let reads =
        |actor: &Actor| capacity(case, actor, now).is_some_and(|c| reads_room(case, c, room));
    let actors = people::actors(conn, &candidates)?;
    Ok(actors
        .into_iter()
        .filter(|(_, actor)| reads(actor))
        .map(|(id, _)| id)
        .collect())
}

/// Those of CLERO who run this case: coordinators without a connection to a party.
pub fn coordinators_of(
    conn: &mut Conn,
    case: &Case,
    now: Moment,
) -> Result<BTreeSet<PersonId>, Error> {
    let all = people::with_role(conn, Role::Coordinator)?;
    let actors = people::actors(conn, &all.into_iter().collect())?;
    Ok(actors
        .into_iter()
        .filter(|(_, actor)| capacity(case, actor, now) == Some(Capacity::Coordinator))
        .map(|(id, _)| id)
        .collect())
}

/// What a letter is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub case: Option<(CaseId, &'a str)>,
    pub due: Option<Moment>,
    pub code: Option<&'a str>,
    /// What the reader's calendar is to do.
    pub calendar: Option<(Method, &'a Entry)>,
}

/// Writes one notice and its letter. `cause` names what it comes from: the same cause makes one letter a person.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one word of the sentence: who is told what, about what, because of what, when"
)]
pub fn send(
    conn: &mut Conn,
    letters: &Letters,
    settings: &Settings,
    person: &Person,
    letter: Letter,
    about: About<'_>,
    cause: &str,
    now: Moment,
) -> Result<(), Error> {
    let case = about.case.map(|(id, _)| id);
    // A code is for now; in a list of what happened it would be of no use.
    if !letter.is_code() {
        notices::add(
            conn,
            person.id,
            &Notice {
                id: NoticeId::random(),
                letter,
                what: letter.what().to_owned(),
                case,
                at: now,
                due: about.due,
                read_at: None,
            },
        )?;
    }
    if let Some(written) = write(letters, settings, person, letter, about, cause, now)? {
        outbox::enqueue(conn, &written, now)?;
    }
    Ok(())
}

/// How long before now a code letter is said to be due, in hours: it goes before all others.
const CODES_FIRST_HOURS: i64 = 1;

/// Writes a letter, ready to be put in the outbox; `None` for somebody without an address.
pub fn write(
    letters: &Letters,
    settings: &Settings,
    person: &Person,
    letter: Letter,
    about: About<'_>,
    cause: &str,
    now: Moment,
) -> Result<Option<outbox::Outgoing>, Error> {
    let Some(address) = &person.email else {
        return Ok(None);
    };
    let id = LetterId::random();
    let message_id = format!("<{id}@{}>", settings.sender.host());
    let link = format!("{}/sign-in", settings.public_url);
    let words = Words {
        name: person.name.as_str(),
        reference: about.case.map(|(_, reference)| reference),
        what: letter.what(),
        by_when: about.due.map(|d| in_words(d.london_day())),
        link: &link,
        phone: &settings.phone,
        code: about.code,
    };
    let mut rendered = letters.render(letter, &words)?;
    rendered.calendar = about.calendar.map(|(method, entry)| {
        let between = Between {
            organiser: &settings.sender.from,
            attendee: address,
        };
        (method, calendar::letter(method, entry, between, &link))
    });
    let name: &Line = &person.name;
    let bytes = assemble(&settings.sender, name, address, &message_id, now, &rendered)?;
    let next_at = if letter.is_code() {
        now.plus(-Duration::hours(CODES_FIRST_HOURS))
    } else {
        now
    };
    Ok(Some(outbox::Outgoing {
        id,
        dedupe: format!("{cause}:{}", person.id),
        person: person.id,
        case: about.case.map(|(id, _)| id),
        letter,
        address: address.clone(),
        message_id,
        bytes,
        next_at,
    }))
}
