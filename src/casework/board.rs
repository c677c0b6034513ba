//! The coordinators' board: everything that is running, by what CLERO must do next, and how much there is of it. It reads
//! the open cases under the headings of their stages; there are tens or hundreds of them, however many have closed.
use std::sync::Arc;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::read::names_for;
use super::signin::{self, Credential};
use super::{Desk, Error};
use crate::domain::access::{Capacity, capacity};
use crate::domain::case::{Case, Stage};
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::neutral::AppointmentState;
use crate::domain::people::{Actor, Role};
use crate::domain::sight::{Brief, Names, Next, PersonName, Turn, brief, next_for_clero};
use crate::domain::time::Moment;
use crate::store::cases::{self, Heading};
use crate::store::db::Conn;

/// The most cases of one stage that a board looks through: far more than are ever open.
const IN_A_STAGE: usize = 500;
/// How soon something is due that a board counts as soon, in days.
const SOON_DAYS: i64 = 7;

/// A case on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    pub brief: Brief,
    pub next: Next,
    /// Who is facilitator, or is asked to be.
    pub facilitator: Option<PersonName>,
    /// Whether they have said yes.
    pub accepted: bool,
    /// The date that has passed longest ago, with what it was for.
    pub late: Option<Due>,
    /// The next date to come.
    pub due: Option<Due>,
}

/// A date, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Due {
    pub kind: DeadlineKind,
    pub at: Moment,
}

/// What a board counts, and can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pile {
    /// Sent in, and not looked at.
    New,
    /// Without anybody neutral.
    NoFacilitator,
    /// Waiting for CLERO.
    Clero,
    /// With a date that has passed.
    Late,
    /// Due within a week.
    Soon,
    Paused,
}

impl Pile {
    /// Every pile, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::NoFacilitator,
        Self::Clero,
        Self::Late,
        Self::Soon,
        Self::Paused,
    ];

    fn holds(self, card: &Card, now: Moment) -> bool {
        match self {
            Self::New => card.next == Next::Screen,
            Self::NoFacilitator => card.next == Next::FindFacilitator,
            Self::Clero => card.next.is_work(),
            Self::Late => card.late.is_some(),
            Self::Soon => card
                .due
                .is_some_and(|due| due.at <= now.plus(Duration::days(SOON_DAYS))),
            Self::Paused => card.next == Next::Paused,
        }
    }
}

/// What a board is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    pub pile: Option<Pile>,
    pub stage: Option<Stage>,
    pub waiting_for: Option<Turn>,
    /// A reference, or words in an organisation's name.
    pub text: Option<String>,
}

/// The board.
#[derive(Debug, Clone, Serialize)]
pub struct Board {
    /// How much there is of everything, whatever it is narrowed to.
    pub counts: Vec<(Pile, usize)>,
    pub running: usize,
    /// What CLERO must do first, and of that what is most overdue.
    pub cards: Vec<Card>,
}

impl Desk {
    /// Everything that is running, for a coordinator; without the cases they have a connection to.
    pub async fn board(&self, caller: Credential, narrowed: Narrowed) -> Result<Board, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let mut cards = running(conn, &actor, now)?;
                let counts = Pile::ALL
                    .map(|pile| (pile, cards.iter().filter(|c| pile.holds(c, now)).count()))
                    .to_vec();
                let running = cards.len();
                cards.retain(|card| narrowed.shows(card, now));
                Ok(Board {
                    counts,
                    running,
                    cards,
                })
            })
            .await
    }
}

impl Narrowed {
    fn shows(&self, card: &Card, now: Moment) -> bool {
        let text = self.text.as_deref().map(str::trim).unwrap_or_default();
        let sides = card.brief.sides.iter();
        let mut names = sides.flat_map(|s| s.initiating.iter().chain(&s.invited));
        let named = |name: &str| name.to_lowercase().contains(&text.to_lowercase());
        self.pile.is_none_or(|pile| pile.holds(card, now))
            && self.stage.is_none_or(|stage| card.brief.stage == stage)
            && self
                .waiting_for
                .is_none_or(|turn| card.brief.waiting_for.contains(&turn))
            && (text.is_empty()
                || card.brief.reference.is_meant_by(text)
                || names.any(|o| named(&o.name)))
    }
}

/// Every case that is running or wants something of CLERO, as `actor` runs it: what is to be done first, first.
pub(super) fn running(conn: &mut Conn, actor: &Actor, now: Moment) -> Result<Vec<Card>, Error> {
    if !actor.is(Role::Coordinator) {
        return Err(Error::NotAllowed);
    }
    let mut found: Vec<Arc<Case>> = Vec::new();
    for stage in Stage::OPEN {
        let under = [Heading::Stage(stage)];
        found.extend(cases::page(conn, &under, &[], None, IN_A_STAGE)?);
    }
    // What is closed and waits for CLERO is asked to be opened again.
    let (waits, closed) = (
        [Heading::Turn(Turn::Coordinator)],
        [vec![Heading::Stage(Stage::Closed)]],
    );
    found.extend(cases::page(conn, &waits, &closed, None, IN_A_STAGE)?);
    found.retain(|case| capacity(case, actor, now) == Some(Capacity::Coordinator));
    let names = names_for(conn, found.iter().map(|case| &**case))?;
    let mut cards: Vec<Card> = found.iter().map(|case| card(case, &names)).collect();
    cards.sort_by_key(|card| {
        let due = |of: Option<Due>| (of.is_none(), of.map(|due| due.at));
        (
            card.next,
            due(card.late),
            due(card.due),
            card.brief.opened_at,
        )
    });
    Ok(cards)
}

fn card(case: &Case, names: &Names) -> Card {
    let appointment = case.neutrals.facilitator.as_ref();
    let first = |of: &mut dyn Iterator<Item = &Deadline>| {
        let earliest = of.min_by_key(|deadline| deadline.due);
        earliest.map(|deadline| Due {
            kind: deadline.kind,
            at: deadline.due,
        })
    };
    let open = || case.clocks.open.iter();
    let paused = case.hold.is_some();
    Card {
        brief: brief(case, Capacity::Coordinator, names),
        next: next_for_clero(case),
        facilitator: appointment.map(|a| PersonName {
            id: a.person,
            name: names.people.get(&a.person).cloned().unwrap_or_default(),
        }),
        accepted: appointment.is_some_and(|a| a.state == AppointmentState::Accepted),
        late: first(&mut open().filter(|d| d.passed.is_some() && !paused && is_owed(d.kind))),
        due: first(&mut open().filter(|d| {
            d.passed.is_none() && is_owed(d.kind) && (!paused || d.kind == DeadlineKind::HoldEnds)
        })),
    }
}

/// Whether somebody is to do something by then. Nobody owes a concern about the facilitator: its time only ends.
fn is_owed(kind: DeadlineKind) -> bool {
    kind != DeadlineKind::Objection
}
