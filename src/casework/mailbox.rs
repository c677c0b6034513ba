//! What people were told: each person's own notifications, and how letters fare, without their words.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::people::only_staff;
use super::read::{Page, Slice};
use super::signin::{self, Credential};
use super::{Desk, Error, OnceKey};
use crate::domain::access::{Capacity, capacity};
use crate::domain::id::{CaseId, LetterId, NoticeId, PersonId};
use crate::domain::notice::{Letter, Notice};
use crate::domain::people::{Actor, Role};
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::{cases, notices, outbox, people};

/// How a letter fares. Its words are readable by nobody but the person it went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterStatus {
    pub id: LetterId,
    /// Which letter, where it is your own; staff see only how it fares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<String>,
    pub state: LetterState,
    pub attempts: i32,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
    /// Whom it goes to; for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// When it is tried again, while it is being sent; for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Moment>,
    /// The code the relay answered with when it did not take it, such as `450 4.2.0`; for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// The words people read for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    Sending,
    Sent,
    CouldNotBeDelivered,
    Cancelled,
}

impl LetterState {
    fn of(state: &str) -> Self {
        match state {
            "sent" => Self::Sent,
            "dead" => Self::CouldNotBeDelivered,
            "cancelled" => Self::Cancelled,
            _sending => Self::Sending,
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Sending => &["waiting", "claimed", "in_flight", "uncertain"],
            Self::Sent => &["sent"],
            Self::CouldNotBeDelivered => &["dead"],
            Self::Cancelled => &["cancelled"],
        }
    }
}

impl Desk {
    /// The caller's own notifications, the newest first.
    pub async fn notifications(
        &self,
        caller: Credential,
        slice: Slice,
    ) -> Result<Page<Notice>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let person = signin::actor(conn, &caller, now)?
                    .person
                    .ok_or(Error::SignIn)?;
                let list = ("notifications", person);
                let mut before = slice.place::<(Moment, NoticeId)>(&list)?;
                let mut found = Vec::new();
                // What somebody was told of a case they may no longer know of is not shown to them.
                while found.len() <= slice.most() {
                    let batch = notices::page(conn, person, before, 100)?;
                    let Some(last) = batch.last() else { break };
                    before = Some((last.at, last.id));
                    for notice in batch {
                        if may_still_know(
                            conn,
                            person,
                            notice.case,
                            notice.letter == Letter::LeavingReceipt,
                            now,
                        )? {
                            found.push(notice);
                        }
                    }
                }
                Ok(slice.page(found, &list, |notice| (notice.at, notice.id)))
            })
            .await
    }

    /// Marks one of the caller's notifications as read.
    pub async fn mark_read(
        &self,
        caller: Credential,
        id: NoticeId,
        key: Option<OnceKey>,
    ) -> Result<(), Error> {
        self.write_once(
            caller,
            key,
            |_, _| Ok(()),
            move |conn, actor, now| {
                let person = actor.person.ok_or(Error::SignIn)?;
                if notices::mark_read(conn, person, id, now)? {
                    Ok(())
                } else {
                    Err(Error::Missing)
                }
            },
        )
        .await
    }

    /// Whether the caller may see how everybody's letters fare.
    pub async fn may_see_outbox(&self, caller: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                only_staff(conn, &actor)
            })
            .await
    }

    /// How letters fare: one's own; for coordinators and administrators everybody's.
    pub async fn letters(
        &self,
        caller: Credential,
        state: Option<LetterState>,
        slice: Slice,
    ) -> Result<Page<LetterStatus>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                let person = actor.person.ok_or(Error::SignIn)?;
                let all = actor.is(Role::Coordinator) || actor.is(Role::Administrator);
                let list = ("letters", person, state);
                let mut before = slice.place::<(Moment, LetterId)>(&list)?;
                let mut found = Vec::new();
                while found.len() <= slice.most() {
                    let batch = outbox::page(
                        conn,
                        (!all).then_some(person),
                        state.map(LetterState::words),
                        before,
                        200,
                    )?;
                    let Some(last) = batch.last() else { break };
                    before = Some((last.created_at, last.id));
                    for letter in batch {
                        if letter.person == person
                            || !all
                            || may_oversee(conn, &actor, &letter, now)?
                        {
                            found.push(letter);
                        }
                    }
                }
                let names_it = |owner: PersonId| owner == person;
                let page = slice.page(found, &list, |letter| (letter.created_at, letter.id));
                let items = page
                    .items
                    .into_iter()
                    .map(|l| LetterStatus {
                        id: l.id,
                        letter: names_it(l.person).then_some(l.letter),
                        state: LetterState::of(&l.state),
                        attempts: l.attempts,
                        created_at: l.created_at,
                        ended_at: l.ended_at,
                        person: all.then_some(l.person),
                        next_at: Some(l.next_at).filter(|_| all && l.ended_at.is_none()),
                        answer: l.answer.filter(|_| all),
                    })
                    .collect();
                Ok(Page {
                    items,
                    next: page.next,
                })
            })
            .await
    }
}

/// Whether staff may know that a letter went out: administrators that one did, coordinators unless a conflict hides
/// the case it is about.
pub(super) fn may_oversee(
    conn: &mut Conn,
    actor: &Actor,
    letter: &outbox::Status,
    now: Moment,
) -> Result<bool, Error> {
    let Some(id) = letter.case.filter(|_| actor.is(Role::Coordinator)) else {
        return Ok(true);
    };
    Ok(cases::find(conn, id)?
        .is_some_and(|case| capacity(&case, actor, now) == Some(Capacity::Coordinator)))
}

/// Whether the person a letter goes to may still know of its case; asked again before it is sent (SAFETY §2). A
/// receipt for leaving still goes out: it says nothing but that.
pub fn may_still_know(
    conn: &mut Conn,
    person: PersonId,
    case: Option<CaseId>,
    receipt: bool,
    now: Moment,
) -> Result<bool, Error> {
    let Some(actor) = people::actor(conn, person)? else {
        return Ok(false);
    };
    match case {
        None => Ok(true),
        Some(_) if receipt => Ok(true),
        Some(id) => {
            Ok(cases::find(conn, id)?.is_some_and(|case| capacity(&case, &actor, now).is_some()))
        }
    }
}
