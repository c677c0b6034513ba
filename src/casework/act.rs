//! The transition: the one way a case changes. In one transaction: the key of the request, the lock, who may see it
//! (404), what they saw (412), the decision (403, 409), the case, its event, the notices and the letters; all of it is
//! kept or none of it.
use serde_json::json;
use uuid::Uuid;

use super::members::{Joining, invite_into};
use super::people::{NewPerson, add};
use super::signin::{self, Credential};
use super::tell::{Cause, tell};
use super::{Desk, Error, OnceKey, facts, once, read};
use crate::domain::access::{Capacity, capacity};
use crate::domain::action::{Action, Asked, EventName, FirstAccount};
use crate::domain::case::{Case, OnBehalf, Side, Stage};
use crate::domain::decide::{Asking, Decision, Refusal, decide};
use crate::domain::hash::tag_of;
use crate::domain::id::{CaseId, EventId, PersonId};
use crate::domain::people::{Actor, Person};
use crate::domain::sight::Sight;
use crate::domain::time::Moment;
use crate::store::db::Conn;
use crate::store::keys::Keeper;
use crate::store::{cases, events, people};

/// What somebody asks of a case.
#[derive(Debug, Clone)]
pub struct Request {
    pub caller: Credential,
    pub case: CaseId,
    pub asked: Asked,
    /// The tag of what they saw; needed unless the event names the hash it answers.
    pub if_match: Option<Tags>,
    pub key: Option<OnceKey>,
}

/// The tags of an `If-Match` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    Any,
    These(Vec<String>),
}

impl Tags {
    /// Whether what the caller saw is what would be shown now; a change without saying so is refused.
    pub fn check(sent: Option<&Self>, shown: &impl serde::Serialize) -> Result<(), Error> {
        match sent {
            None => Err(Error::NeedsTag),
            Some(tags) if tags.fit(&tag_of(shown)) => Ok(()),
            Some(_) => Err(Error::Stale),
        }
    }

    /// Whether `tag` is among them.
    #[must_use]
    pub fn fit(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|t| t == tag),
        }
    }
}

impl Desk {
    /// Does what is asked, and answers the case as the caller sees it afterwards; `None` if a draft is gone or the
    /// caller may no longer see it.
    pub async fn act(&self, request: Request) -> Result<Option<Sight>, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let actor = signin::actor(conn, &request.caller, now)?;
                if request.key.is_some() {
                    still_in_sight(conn, &request, &actor, now)?;
                }
                once(conn, actor.person, request.key.as_ref(), now, |conn| {
                    let case = cases::lock(conn, request.case)?.ok_or(Error::Missing)?;
                    let as_what = capacity(&case, &actor, now).ok_or(Error::Missing)?;
                    same_as_seen(conn, &case, as_what, &actor, &request, now)?;
                    step(conn, &desk, &case, &actor, as_what, &request.asked, now).map(|_| ())
                })?;
                // What is answered is what may be seen now, also when the step was taken before and is only asked for again.
                let Some(after) = cases::find(conn, request.case)? else {
                    return Ok(None);
                };
                capacity(&after, &actor, now)
                    .map(|as_what| read::seen(conn, &after, as_what, &actor, now))
                    .transpose()
            })
            .await
    }

    /// Lets the clock notice what has passed in a case. Answers how many things it noticed.
    pub async fn notice_time(&self, id: CaseId) -> Result<usize, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .write(move |conn| {
                let Some(mut case) = cases::lock(conn, id)? else {
                    return Ok(0);
                };
                if !case.is_open() {
                    return Ok(0);
                }
                let passed = case
                    .clocks
                    .to_notice(case.hold.is_some(), now, &case.nations());
                for kind in &passed {
                    let action = match kind {
                        crate::domain::deadline::DeadlineKind::HoldEnds => {
                            Action::Resume(crate::domain::action::Resume {})
                        }
                        other => Action::DeadlinePassed(crate::domain::action::DeadlinePassed {
                            deadline: *other,
                        }),
                    };
                    let asked = Asked {
                        action,
                        on_behalf_of: None,
                    };
                    if let Some(after) = step(
                        conn,
                        &desk,
                        &case,
                        &Actor::default(),
                        Capacity::System,
                        &asked,
                        now,
                    )? {
                        case = after.into();
                    }
                }
                Ok(passed.len())
            })
            .await
    }
}

/// Before an answer is given a second time: the person must still be allowed to see the case.
fn still_in_sight(
    conn: &mut Conn,
    request: &Request,
    actor: &Actor,
    now: Moment,
) -> Result<(), Error> {
    match cases::find(conn, request.case)? {
        Some(case) => capacity(&case, actor, now)
            .map(|_| ())
            .ok_or(Error::Missing),
        None if matches!(request.asked.action, Action::DiscardDraft(_)) => Ok(()),
        None => Err(Error::Missing),
    }
}

/// Compares the tag the caller sent with what they would see now.
fn same_as_seen(
    conn: &mut Conn,
    case: &Case,
    as_what: Capacity,
    actor: &Actor,
    request: &Request,
    now: Moment,
) -> Result<(), Error> {
    if request.if_match.is_none() && request.asked.action.name().names_a_hash() {
        return Ok(());
    }
    Tags::check(
        request.if_match.as_ref(),
        &read::seen(conn, case, as_what, actor, now)?,
    )
}

/// One step of a case that is locked: decide, save, append, tell.
fn step(
    conn: &mut Conn,
    desk: &Desk,
    case: &Case,
    actor: &Actor,
    as_what: Capacity,
    asked: &Asked,
    now: Moment,
) -> Result<Option<Case>, Error> {
    let acting = stand_in(case, actor, as_what, asked)?;
    let facts = facts::gather(
        conn,
        &desk.settings.spans,
        case,
        actor,
        acting,
        Some(&asked.action),
        now,
    )?;
    let asking = Asking {
        person: actor.person,
        capacity: acting,
        on_behalf_of: asked.on_behalf_of.as_ref(),
        now,
        fresh: Uuid::new_v4(),
        facts: &facts,
    };
    let decision = decide(case, &asking, &asked.action)?;
    // Asked last, so that it tells nobody more than the decision would.
    let signs = asked.action.name() == EventName::AcceptAgreement && asked.on_behalf_of.is_none();
    if signs && actor.person.is_some() {
        signin::may_sign(actor, now)?;
    }
    match &decision.after {
        Some(after) => cases::save(conn, case, after)?,
        None => {
            cases::remove(conn, case)?;
            events::erase_bodies(conn, &format!("case:{}", case.id))?;
        }
    }
    let event = append(conn, case.id, actor.person, as_what, asked, &decision, now)?;
    if let Some(after) = &decision.after {
        let cause = Cause {
            event,
            actor: actor.person,
            actor_side: acting.side(),
            on_behalf_of: asked.on_behalf_of.as_ref().map(|b| b.organisation),
            now,
        };
        tell(
            conn,
            &desk.letters,
            &desk.settings,
            after,
            &decision.told,
            cause,
        )?;
        if let Action::Invite(body) = &asked.action {
            first_accounts(conn, desk, after, &body.first_accounts, actor.person, now)?;
        }
    }
    Ok(decision.after)
}

/// As what a step is taken: for somebody offline, a neutral or (until the case is taken on) a coordinator enters what
/// they said (SPEC §3.3).
fn stand_in(
    case: &Case,
    actor: &Actor,
    as_what: Capacity,
    asked: &Asked,
) -> Result<Capacity, Error> {
    let typed_for_others = case.stage == Stage::Draft
        && case
            .organisations()
            .next()
            .is_some_and(|owner| !actor.belongs_to(owner));
    let Some(behalf) = &asked.on_behalf_of else {
        if typed_for_others {
            return Err(Error::flaw(
                "/on_behalf_of",
                "please say for whom, and that you read it back to them",
            ));
        }
        return Ok(as_what);
    };
    let screening = as_what == Capacity::Coordinator
        && case.stage == Stage::Intake
        && !case.neutrals.ever_in_place();
    let may = as_what == Capacity::Neutral || screening || typed_for_others;
    if !may || !may_be_entered(asked.action.name()) {
        return Err(Refusal::NotYourPart(asked.action.name()).into());
    }
    if !behalf.read_back_and_confirmed {
        return Err(Error::flaw(
            "/on_behalf_of/read_back_and_confirmed",
            "please read it back to them first",
        ));
    }
    // A side that has not been invited knows nothing, and so can have said nothing.
    let side = case
        .side_of(behalf.organisation)
        .filter(|side| *side == Side::Initiating || case.invited_at.is_some());
    let side = side.ok_or_else(|| {
        Error::flaw(
            "/on_behalf_of/organisation",
            "this organisation is not in the case",
        )
    })?;
    Ok(Capacity::Party {
        side,
        organisation: behalf.organisation,
        lead: true,
    })
}

/// What can be entered for somebody offline: everything a representative says, but their reading of the standards,
/// which stays sealed from everybody else.
pub fn may_be_entered(event: EventName) -> bool {
    use EventName as E;
    matches!(
        event,
        E::SaveDraft
            | E::Submit
            | E::GiveMore
            | E::Respond
            | E::ShareStatement
            | E::AgreeToTalk
            | E::ConfirmJointReading
            | E::ProposeAction
            | E::AcceptAgreement
            | E::DeclineAgreement
            | E::AgreeSummary
            | E::AgreeTimetable
            | E::Object
            | E::Hold
            | E::Resume
            | E::Withdraw
            | E::RequestReopen
    )
}

/// What goes into the log: everything that was asked, but the name and address of whoever is invited to a first account.
fn written(action: &Action) -> serde_json::Value {
    match action {
        Action::Invite(body) => {
            json!({ "first_accounts": body.first_accounts.iter().map(|a| a.organisation).collect::<Vec<_>>() })
        }
        other => other.written(),
    }
}

fn append(
    conn: &mut Conn,
    case: CaseId,
    actor: Option<PersonId>,
    as_what: Capacity,
    asked: &Asked,
    decision: &Decision,
    now: Moment,
) -> Result<EventId, Error> {
    let behalf: Option<&OnBehalf> = asked.on_behalf_of.as_ref();
    Ok(events::append(
        conn,
        events::Entry {
            chain: format!("case:{case}"),
            at: now,
            actor,
            capacity: as_what.name(),
            on_behalf_of: behalf.map(|b| b.organisation),
            event: decision.event.word(),
            audience: decision.audience,
            keeper: Keeper::Case(case),
            body: json!({ "asked": written(&asked.action), "on_behalf_of": behalf, "stage": decision.after.as_ref().map(|c| c.stage) }),
        },
    )?)
}

/// Makes a first account for somebody of an invited LERO, and invites them to it (SPEC §3.2, `invite`).
fn first_accounts(
    conn: &mut Conn,
    desk: &Desk,
    case: &Case,
    accounts: &[FirstAccount],
    by: Option<PersonId>,
    now: Moment,
) -> Result<(), Error> {
    for (i, account) in accounts.iter().enumerate() {
        let person = match people::by_email(conn, &account.email)? {
            Some(person) if !may_join_invited_side(conn, case, &person, by)? => {
                return Err(Error::flaw(
                    &format!("/first_accounts/{i}/email"),
                    "this person cannot speak for the invited organisation here",
                ));
            }
            Some(person) => person,
            None => add(
                conn,
                &NewPerson {
                    name: account.name.clone(),
                    email: account.email.clone(),
                    roles: Default::default(),
                },
                now,
            )?,
        };
        let joining = Joining {
            person: &person,
            organisation: account.organisation,
            lead: true,
            invited_by: by,
            now,
        };
        invite_into(conn, &desk.letters, &desk.settings, joining)?;
    }
    Ok(())
}

/// Nobody who staffs a case, or belongs to the side that brought it, becomes the other side's voice.
fn may_join_invited_side(
    conn: &mut Conn,
    case: &Case,
    person: &Person,
    by: Option<PersonId>,
) -> Result<bool, Error> {
    let named = case.neutrals.facilitator.as_ref().map(|a| a.person);
    let brought_it = people::actor(conn, person.id)?.is_some_and(|actor| {
        case.sides
            .initiating
            .iter()
            .any(|p| actor.belongs_to(p.organisation))
    });
    Ok(person.active
        && person.roles.is_empty()
        && by != Some(person.id)
        && named != Some(person.id)
        && !brought_it)
}
