//! Reading cases: one, a list of them, what may be done now, and what has happened; each as this reader may see it.
use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signin::{self, Credential};
use super::{Desk, Error, facts};
use crate::domain::access::{Capacity, CapacityName, Section, capacity, reads};
use crate::domain::case::{BySide, Case, Reference, Side, Stage};
use crate::domain::event::Happened;
use crate::domain::hash::hash_of;
use crate::domain::id::{CaseId, EventId, OrganisationId, PersonId};
use crate::domain::people::{Actor, Role};
use crate::domain::procedure::{Available, available};
use crate::domain::register::LocalityCode;
use crate::domain::sight::{Brief, Names, Sight, Turn, brief, sight, waiting_seen};
use crate::domain::time::Moment;
use crate::store::cases::Heading;
use crate::store::db::Conn;
use crate::store::{cases, events, people, readings, register};

/// A page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null at the end.
    pub next: Option<String>,
}

impl<T> From<Vec<T>> for Page<T> {
    /// A list that comes whole.
    fn from(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// How much of a list is wanted, from where.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    pub limit: Option<u16>,
    pub cursor: Option<String>,
}

/// How many items a page has, unless fewer or more are asked for.
pub const PAGE: u16 = 20;
/// The most items a page has.
pub const LONGEST_PAGE: u16 = 100;

impl Slice {
    /// The place a cursor names, if it was made for this list, these filters and this person.
    pub fn place<P: serde::de::DeserializeOwned>(
        &self,
        list: &impl Serialize,
    ) -> Result<Option<P>, Error> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let (place, seal) = cursor.rsplit_once('.').ok_or(Error::BadCursor)?;
        if seal != sealed(list, place) {
            return Err(Error::BadCursor);
        }
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, place)
                .map_err(|_| Error::BadCursor)?;
        // No place of ours holds control characters; neither database is asked about one that does.
        if bytes
            .windows(6)
            .any(|w| w.starts_with(b"\\u00") && w[4] < b'2')
        {
            return Err(Error::BadCursor);
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| Error::BadCursor)
    }

    /// How many items are wanted.
    #[must_use]
    pub fn most(&self) -> usize {
        usize::from(self.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE))
    }

    /// Makes a page of `found`, which holds one item more than wanted where there is a next page.
    pub fn page<T, P: Serialize>(
        &self,
        mut found: Vec<T>,
        list: &impl Serialize,
        place_of: impl Fn(&T) -> P,
    ) -> Page<T> {
        let more = found.len() > self.most();
        found.truncate(self.most());
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| cursor(list, &place_of(last)));
        Page { items: found, next }
    }
}

fn cursor(list: &impl Serialize, place: &impl Serialize) -> String {
    let place = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        serde_json::to_vec(place).expect("places can always be written as JSON"),
    );
    format!("{place}.{}", sealed(list, &place))
}

/// Binds a place to a list, so that a cursor is not used elsewhere by mistake. It is no secret and grants nothing:
/// whoever may read a list may begin anywhere in it.
fn sealed(list: &impl Serialize, place: &str) -> String {
    hash_of(&(list, place))[..16].to_owned()
}

/// The case as `actor` sees it, who meets it as `as_what`.
pub fn seen(
    conn: &mut Conn,
    case: &Case,
    as_what: Capacity,
    actor: &Actor,
    now: Moment,
) -> Result<Sight, Error> {
    let names = names_for(conn, std::iter::once(case))?;
    let shown = |side| {
        case.review.shared.of(side).is_some() && reads(case, as_what, Section::Reading(side))
    };
    let both = if shown(Side::Initiating) || shown(Side::Invited) {
        readings::both(conn, case.id)?
    } else {
        BySide::default()
    };
    let mut sight = sight(case, as_what, &names, &both);
    if let Some(intake) = &mut sight.intake {
        // Another case is named only to those who may see it too.
        for other in std::mem::take(&mut intake.linked) {
            if cases::find(conn, other)?.is_some_and(|other| capacity(&other, actor, now).is_some())
            {
                intake.linked.insert(other);
            }
        }
    }
    Ok(sight)
}

pub(super) fn names_for<'a>(
    conn: &mut Conn,
    those: impl Iterator<Item = &'a Case> + Clone,
) -> Result<Names, Error> {
    let organisations: BTreeSet<OrganisationId> =
        those.clone().flat_map(Case::organisations).collect();
    let people_ids = those
        .flat_map(|c| {
            c.neutrals
                .facilitator
                .iter()
                .map(|a| a.person)
                .chain(c.neutrals.observers.iter().map(|o| o.person))
        })
        .collect();
    Ok(Names {
        organisations: register::names(conn, &organisations)?,
        people: people::names(conn, &people_ids)?,
    })
}

/// Whether a list may be narrowed to this case by what this reader does not see of it: if not, it is not in the list.
fn may_be_found(case: &Case, as_what: Capacity, filter: &Filter, places: &Places) -> bool {
    let meant = filter
        .text
        .as_ref()
        .is_none_or(|text| case.reference.is_meant_by(text));
    if !meant && !case.organisations().any(|o| places.named.contains(&o)) {
        return false;
    }
    let by_names = filter.party.is_some()
        || filter.locality.is_some()
        || filter
            .text
            .as_ref()
            .is_some_and(|text| !case.reference.is_meant_by(text));
    let names = !by_names || reads(case, as_what, Section::Names);
    let neutral = filter.neutral.is_none_or(|person| {
        case.neutrals.in_place() == Some(person) && reads(case, as_what, Section::Summary)
    });
    let turn = filter
        .waiting_for
        .is_none_or(|turn| waiting_seen(case, as_what).contains(&turn));
    names && neutral && turn
}

/// Finds a case for `actor`, or nothing.
pub fn find(
    conn: &mut Conn,
    id: CaseId,
    actor: &Actor,
    now: Moment,
) -> Result<(Arc<Case>, Capacity), Error> {
    let case = cases::find(conn, id)?.ok_or(Error::Missing)?;
    let as_what = capacity(&case, actor, now).ok_or(Error::Missing)?;
    Ok((case, as_what))
}

/// The most cases that are looked through for one person at once.
const ALL: usize = 500;

/// Every case somebody takes part in, with as what, the newest first; for staff not those they only oversee.
pub fn all_for(
    conn: &mut Conn,
    actor: &Actor,
    now: Moment,
) -> Result<Vec<(Arc<Case>, Capacity)>, Error> {
    let person = actor.person.ok_or(Error::SignIn)?;
    let mut own = vec![Heading::Seat(person)];
    own.extend(actor.member_of.iter().map(|(o, _)| Heading::Party(*o)));
    let found = cases::page(conn, &own, &[], None, ALL)?;
    Ok(found
        .into_iter()
        .filter_map(|case| capacity(&case, actor, now).map(|as_what| (case, as_what)))
        .collect())
}

/// What a list of cases is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    pub stage: Option<Stage>,
    pub party: Option<OrganisationId>,
    /// The facilitator in place.
    pub neutral: Option<PersonId>,
    pub locality: Option<String>,
    pub waiting_for: Option<Turn>,
    /// A reference, or words in an organisation's name.
    pub text: Option<String>,
}

/// How many cases are read at a time once some on a page were hidden.
const HIDDEN_STRIDE: usize = 100;

/// Where a list looks for its cases.
struct Places {
    /// Under any of these headings.
    under: Vec<Heading>,
    /// And for each of these, under any of those too.
    also: Vec<Vec<Heading>>,
    /// The organisations a searched text names.
    named: BTreeSet<OrganisationId>,
}

/// What is asked of the list of cases.
#[derive(Debug, Clone, Default)]
pub struct Search {
    pub filter: Filter,
    pub slice: Slice,
}

impl Desk {
    /// Whether the database answers.
    pub async fn is_ready(&self) -> Result<(), Error> {
        self.db
            .read(|conn| Ok(people::page(conn, None, 1).map(|_| ())?))
            .await
    }

    /// A case as the caller sees it.
    pub async fn case(&self, caller: Credential, id: CaseId) -> Result<Sight, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = find(conn, id, &actor, now)?;
                seen(conn, &case, as_what, &actor, now)
            })
            .await
    }

    /// The cases the caller may see, the newest first.
    pub async fn cases(&self, caller: Credential, search: Search) -> Result<Page<Brief>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let person = actor.person.ok_or(Error::SignIn)?;
                let list = ("cases", person, &search.filter);
                let mut after: Option<(Moment, CaseId)> = search.slice.place(&list)?;
                let places = places(conn, &actor, person, &search.filter)?;
                let (mut found, mut most) = (Vec::new(), search.slice.most() + 1);
                while found.len() <= search.slice.most() {
                    let batch = cases::page(conn, &places.under, &places.also, after, most)?;
                    let Some(last) = batch.last() else { break };
                    after = Some((last.opened_at, last.id));
                    let whole = batch.len() == most;
                    // Where much is hidden, it is passed by in longer strides.
                    most = most.max(HIDDEN_STRIDE);
                    found.extend(batch.into_iter().filter_map(|case| {
                        let as_what = capacity(&case, &actor, now)?;
                        may_be_found(&case, as_what, &search.filter, &places)
                            .then_some((case, as_what))
                    }));
                    if !whole {
                        break;
                    }
                }
                let page = search
                    .slice
                    .page(found, &list, |(case, _)| (case.opened_at, case.id));
                let names = names_for(conn, page.items.iter().map(|(case, _)| &**case))?;
                let items = page
                    .items
                    .iter()
                    .map(|(case, as_what)| brief(case, *as_what, &names))
                    .collect();
                Ok(Page {
                    items,
                    next: page.next,
                })
            })
            .await
    }

    /// The whole table as it stands for the caller now (SPEC §3.2).
    pub async fn available_events(
        &self,
        caller: Credential,
        id: CaseId,
    ) -> Result<Page<Available>, Error> {
        let (now, spans) = (self.clock.now(), self.settings.spans.clone());
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = find(conn, id, &actor, now)?;
                let facts = facts::gather(conn, &spans, &case, &actor, as_what, None, now)?;
                Ok(available(&case, as_what, &facts, now).into())
            })
            .await
    }

    /// What has happened in a case, the newest first, as far as the caller may know it.
    pub async fn history(
        &self,
        caller: Credential,
        id: CaseId,
        slice: Slice,
    ) -> Result<Page<Happened>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let (case, as_what) = find(conn, id, &actor, now)?;
                let revealed = case.review.revealed.is_some();
                let chain = format!("case:{id}");
                let list = ("events", actor.person, id);
                let before = match slice.place::<EventId>(&list)? {
                    Some(event) => {
                        Some(events::place(conn, &chain, event)?.ok_or(Error::BadCursor)?)
                    }
                    None => None,
                };
                let found = visible(conn, &chain, before, (as_what, revealed), slice.most() + 1)?;
                Ok(slice.page(found, &list, |event| event.id))
            })
            .await
    }
}

/// Reads on until `wanted` visible events are found, so that a hidden one never shortens a page.
fn visible(
    conn: &mut Conn,
    chain: &str,
    mut before: Option<i64>,
    (as_what, revealed): (Capacity, bool),
    wanted: usize,
) -> Result<Vec<Happened>, Error> {
    let mut found = Vec::new();
    loop {
        let batch = events::page(conn, chain, before, 200)?;
        let Some(last) = batch.last() else {
            return Ok(found);
        };
        before = Some(last.seq);
        found.extend(
            batch
                .iter()
                .filter(|e| e.audience.includes(as_what, revealed))
                .map(|e| Happened {
                    id: e.id,
                    event: e.event.clone(),
                    at: e.at,
                    capacity: shown_capacity(e.capacity, as_what),
                    // Which organisation it was for is a name.
                    on_behalf_of: e.on_behalf_of.filter(|_| as_what != Capacity::Auditor),
                }),
        );
        if found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
    }
}

/// The auditor reads metadata: what happened, not who of a side did it.
fn shown_capacity(acted: CapacityName, as_what: Capacity) -> CapacityName {
    match (as_what, acted) {
        (Capacity::Auditor, CapacityName::InitiatingLead) => CapacityName::InitiatingMember,
        (Capacity::Auditor, CapacityName::InvitedLead) => CapacityName::InvitedMember,
        (_, acted) => acted,
    }
}

/// Under which headings to look for the cases a person may find, and which other headings they must be under. It may be
/// too many: `access::capacity` and `may_be_found` decide on each one that is found there.
fn places(
    conn: &mut Conn,
    actor: &Actor,
    person: PersonId,
    filter: &Filter,
) -> Result<Places, Error> {
    let everything = actor.is(Role::Coordinator) || actor.is(Role::Auditor);
    let mut own = vec![Heading::Seat(person)];
    own.extend(actor.member_of.iter().map(|(o, _)| Heading::Party(*o)));
    own.extend(everything.then_some(Heading::Everything));

    let (mut wanted, mut named): (Vec<Vec<Heading>>, _) = (Vec::new(), BTreeSet::new());
    if let Some(text) = &filter.text {
        named = register::named(conn, text)?;
        let letters = Reference::letters_in(text).trim().to_ascii_uppercase();
        let parties = named.iter().map(|o| Heading::Party(*o));
        wanted.push(parties.chain([Heading::Reference(letters)]).collect());
    }
    wanted.extend(filter.party.map(|o| vec![Heading::Party(o)]));
    wanted.extend(filter.neutral.map(|p| vec![Heading::Seat(p)]));
    let locality = filter.locality.as_deref().map(LocalityCode::parse);
    wanted.extend(locality.map(|code| code.map(Heading::Locality).into_iter().collect()));
    wanted.extend(filter.waiting_for.map(|turn| match turn {
        // To the sides it is the coordinator's turn while a facilitator is asked.
        Turn::Coordinator => vec![Heading::Turn(turn), Heading::Turn(Turn::Facilitator)],
        Turn::Initiating | Turn::Invited | Turn::Facilitator => vec![Heading::Turn(turn)],
    }));
    wanted.extend(filter.stage.map(|stage| vec![Heading::Stage(stage)]));
    // Whoever may find everything looks where there is least first.
    let under = if everything && !wanted.is_empty() {
        wanted.remove(0)
    } else {
        own
    };
    Ok(Places {
        under,
        also: wanted,
        named,
    })
}
