//! What somebody sees of a case: the one shape that the API answers, pages show and the ETag is made of, so
//! that mirror and non-interference can be tested on it (SPEC §1). Every field is filtered by `access::reads`;
//! a field somebody may not read is absent, not empty.
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Capacity, CapacityName, Section, reads};
use super::agreement::{AgreedAction, SigningChannel};
use super::answers::invitation_hash;
use super::case::{
    BySide, Case, CaseKind, FirstContact, Ground, NotSuitable, Question, Reference, Screening,
    Side, Stage, Statement, Topic,
};
use super::closure::{ActionAtClosure, NotAgreedBecause, Outcome, ReopenRequest, WordsOf};
use super::conversation::{
    Answer, ConfidentialityModel, GroundRules, Needs, Session, ground_rules,
};
use super::deadline::{Deadline, DeadlineKind, Timetable};
use super::id::{CaseId, ObjectionId, OrganisationId, PersonId};
use super::neutral::{AppointmentState, ObjectionResult, Observer};
use super::review::{Beside, Entry, Minute, Offices, Reading, beside, scope};
use super::text::Prose;
use super::time::{Day, Moment};

/// The names a reader may need, as the register and the people have them now.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub organisations: BTreeMap<OrganisationId, String>,
    pub people: BTreeMap<PersonId, String>,
}

/// Whose turn it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    Initiating,
    Invited,
    Facilitator,
    Coordinator,
}

/// An organisation by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganisationName {
    pub id: OrganisationId,
    pub name: String,
}

/// A place by code and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceName {
    pub code: String,
    pub name: String,
}

/// A person by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonName {
    pub id: PersonId,
    pub name: String,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brief {
    pub id: CaseId,
    pub reference: Reference,
    pub stage: Stage,
    pub on_hold: bool,
    pub opened_at: Moment,
    pub you_are: CapacityName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<BySide<Vec<OrganisationName>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub localities: Option<Vec<PlaceName>>,
    pub waiting_for: BTreeSet<Turn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Moment>,
}

/// A case as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sight {
    #[serde(flatten)]
    pub brief: Brief,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummarySight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<IntakeSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BySide<Option<AccountSight>>>,
    /// What would make it easier to take part; each side's own, the neutral's, and CLERO's until a neutral is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<BySide<Option<Vec<Needs>>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<FacilitatorSight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<ObjectionSight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<ObserverSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldSight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<DeadlineSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timetable: Option<TimetableSight>,
    /// Other dates somebody proposed; what was agreed before stands until every side has agreed to these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_timetable: Option<TimetableSight>,
}

/// What everybody in the case may know it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummarySight {
    pub kind: CaseKind,
    pub grounds: BTreeSet<Ground>,
    pub topics: BTreeSet<Topic>,
    /// What a good outcome would look like for people in or seeking recovery.
    pub good_outcome: Option<Prose>,
    /// What the submitter wrote for the other side to read first.
    pub in_short: Option<Prose>,
    pub invited_at: Option<Moment>,
    /// What an answer to the invitation names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_hash: Option<String>,
}

/// How CLERO received it; for the initiating side and CLERO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntakeSight {
    /// The whole draft, for the side that writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    pub questions: Vec<Question>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub linked: BTreeSet<CaseId>,
}

/// A side's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountSight {
    /// What each organisation of the side wrote.
    pub texts: Vec<AccountText>,
}

/// One text of an account, under the question it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountText {
    pub about: AccountTopic,
    pub text: Prose,
    pub shared_with_the_other: bool,
}

/// The question a text answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountTopic {
    WhatItIsAbout,
    ValuedInTheOther,
    Tried,
    OwnAccount,
}

/// The facilitator, asked or in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacilitatorSight {
    pub person: PersonName,
    pub state: AppointmentState,
    /// What both sides should know about connections; absent is "none".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosures: Option<Prose>,
}

/// Somebody who listens in, or whom a side would like to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObserverSight {
    pub person: PersonName,
    pub admitted: bool,
    pub consents: BySide<BTreeSet<OrganisationId>>,
}

/// An objection and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectionSight {
    pub id: ObjectionId,
    pub by: Side,
    pub reasons: Prose,
    pub at: Moment,
    pub result: Option<ObjectionResult>,
    pub result_reasons: Option<Prose>,
}

/// Answers, ground rules and sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversationSight {
    pub responses: BTreeMap<OrganisationId, Answer>,
    pub ground_rules: GroundRules,
    pub agreed_to_talk: BySide<BTreeSet<OrganisationId>>,
    pub confidentiality: ConfidentialityModel,
    pub sessions: Vec<Session>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_session_because: Option<Prose>,
}

/// The standards review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewSight {
    pub frame: String,
    pub scope: BySide<BTreeSet<u8>>,
    /// Whether each side has shared; a side sees only its own until both have.
    pub shared: BySide<Option<bool>>,
    pub revealed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_by_side: Vec<BesideSight>,
    pub offices: BySide<Option<Offices>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_reading: Option<JointReadingSight>,
    /// Why the case went back to this stage, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_because: Option<Prose>,
}

/// One standard with both readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BesideSight {
    pub standard: u8,
    pub beside: Beside,
    pub readings: BySide<Option<Entry>>,
}

/// The joint reading and who has confirmed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JointReadingSight {
    pub minutes: Vec<Minute>,
    pub hash: String,
    pub confirmed: BySide<BTreeSet<OrganisationId>>,
}

/// How far an agreement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementState {
    Drafting,
    Circulated,
    InForce,
}

/// Actions on the table and what is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgreementSight {
    pub state: AgreementState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafting: Option<Vec<AgreedAction>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circulated: Option<CirculatedSight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<InForceSight>,
}

/// The draft that goes round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CirculatedSight {
    pub hash: String,
    pub still_open: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<BTreeSet<OrganisationId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<BTreeMap<OrganisationId, Option<Prose>>>,
}

/// The agreement in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InForceSight {
    pub hash: String,
    pub since: Moment,
    pub actions: Vec<AgreedAction>,
    pub still_open: Option<Prose>,
    pub signed: BTreeMap<OrganisationId, SignatureSight>,
    /// An agreement here is an understanding between organisations, unless they make it more elsewhere.
    pub legally_binding: bool,
}

/// When and how an organisation accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureSight {
    pub at: Moment,
    pub channel: SigningChannel,
}

/// How the case ended, or how it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosureSight {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_summary: Option<ProposedSummarySight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words_of: Option<WordsOf>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_agreed_because: BTreeSet<NotAgreedBecause>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub declined_because: BTreeSet<NotSuitable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signposting: Option<Prose>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionAtClosure>,
    /// Somebody's wish to come back, with why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopening_asked: Option<ReopenRequest>,
    /// Why a side left, where it said so: for that side and the neutral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_because: Option<Prose>,
}

/// A summary both sides may agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedSummarySight {
    pub text: Prose,
    pub hash: String,
    pub agreed: BySide<BTreeSet<OrganisationId>>,
}

/// A pause; why is for the side that asked and the neutral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldSight {
    pub since: Moment,
    pub until: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Prose>,
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadlineSight {
    pub kind: DeadlineKind,
    pub due: Moment,
    pub passed: bool,
}

/// A timetable the sides may agree, or have agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimetableSight {
    pub until: BTreeMap<DeadlineKind, Day>,
    pub hash: String,
    pub agreed: BySide<BTreeSet<OrganisationId>>,
}

/// Whose turn it is in a case, recomputed at every event (LOOK: *waiting for*). Empty is nobody.
#[must_use]
pub fn waiting_for(case: &Case) -> BTreeSet<Turn> {
    let turn_of = |side: Side| match side {
        Side::Initiating => Turn::Initiating,
        Side::Invited => Turn::Invited,
    };
    let sides_where = |waits: &dyn Fn(Side) -> bool| {
        Side::BOTH
            .into_iter()
            .filter(|side| waits(*side))
            .map(turn_of)
            .collect::<BTreeSet<_>>()
    };
    if case.hold.is_some() {
        return BTreeSet::new();
    }
    let else_neutral = |those: BTreeSet<Turn>| {
        if those.is_empty() {
            BTreeSet::from([Turn::Facilitator])
        } else {
            those
        }
    };
    match case.stage {
        Stage::Draft => BTreeSet::from([Turn::Initiating]),
        Stage::Intake if case.intake.questions.iter().any(|q| q.answer.is_none()) => {
            BTreeSet::from([Turn::Initiating])
        }
        Stage::Intake if case.neutrals.asked().is_some() => BTreeSet::from([Turn::Facilitator]),
        Stage::Intake => BTreeSet::from([Turn::Coordinator]),
        Stage::EarlyConversation | Stage::StandardsReview | Stage::AgreedActions
            if case.neutrals.open_objection().is_some() || case.neutrals.facilitator.is_none() =>
        {
            BTreeSet::from([Turn::Coordinator])
        }
        Stage::EarlyConversation if case.invited_at.is_none() => {
            BTreeSet::from([Turn::Coordinator])
        }
        Stage::EarlyConversation => else_neutral(sides_where(&|side| {
            let answered = side == Side::Initiating
                || case.sides.invited.iter().all(|p| {
                    case.conversation
                        .responses
                        .get(&p.organisation)
                        .is_some_and(|r| r.answer.takes_part())
                });
            !answered || !case.all_of(side, case.conversation.agreed_to_talk.of(side))
        })),
        Stage::StandardsReview => match &case.review.joint {
            None => else_neutral(sides_where(&|side| case.review.shared.of(side).is_none())),
            Some(joint) => else_neutral(sides_where(&|side| {
                !case.all_of(side, joint.confirmed.of(side))
            })),
        },
        Stage::AgreedActions => match &case.agreements.circulated {
            Some(draft) => else_neutral(sides_where(&|side| {
                case.sides
                    .of(side)
                    .iter()
                    .any(|p| !draft.accepted.contains_key(&p.organisation))
            })),
            None if case.agreements.in_force.is_some() && case.agreements.drafting.is_empty() => {
                BTreeSet::from([Turn::Facilitator])
            }
            None => BTreeSet::from([Turn::Initiating, Turn::Invited, Turn::Facilitator]),
        },
        Stage::Closed if case.closing.reopen_request.is_some() => {
            BTreeSet::from([Turn::Coordinator])
        }
        Stage::Closed => BTreeSet::new(),
    }
}

/// Whose turn it is, as somebody in `capacity` may know it. While readings are sealed, a side that has not shared
/// sees only its own turn; and whether a neutral has been asked is not for the sides before somebody has accepted.
#[must_use]
pub fn waiting_seen(case: &Case, capacity: Capacity) -> BTreeSet<Turn> {
    let all = waiting_for(case);
    let insider = matches!(
        capacity,
        Capacity::Neutral | Capacity::Coordinator | Capacity::System
    );
    if insider || case.stage == Stage::Draft {
        return all;
    }
    let own = capacity.side().map(|side| match side {
        Side::Initiating => Turn::Initiating,
        Side::Invited => Turn::Invited,
    });
    if case.stage == Stage::StandardsReview && case.review.revealed.is_none() {
        return match own {
            Some(own) if all.contains(&own) => BTreeSet::from([own]),
            Some(_) => all,
            None => BTreeSet::new(),
        };
    }
    if case.stage == Stage::Intake
        && all.contains(&Turn::Facilitator)
        && capacity != Capacity::Asked
    {
        return BTreeSet::from([Turn::Coordinator]);
    }
    all
}

/// The deadlines somebody in `capacity` may know of: CLERO's own clocks are not the sides' business.
fn deadlines_seen(case: &Case, capacity: Capacity) -> impl Iterator<Item = &Deadline> {
    case.clocks.open.iter().filter(move |d| match d.kind {
        DeadlineKind::Triage => {
            capacity == Capacity::Coordinator
                || (capacity.side() == Some(Side::Initiating) && case.invited_at.is_none())
        }
        DeadlineKind::Acceptance => matches!(capacity, Capacity::Coordinator | Capacity::Asked),
        DeadlineKind::Response
        | DeadlineKind::Objection
        | DeadlineKind::ObjectionDecision
        | DeadlineKind::EarlyConversationReview
        | DeadlineKind::EarlyConversation
        | DeadlineKind::StandardsReview
        | DeadlineKind::AgreedActions
        | DeadlineKind::Signing
        | DeadlineKind::HoldEnds => reads(case, capacity, Section::Summary),
    })
}

/// A case in a list, as somebody in `capacity` sees it.
#[must_use]
pub fn brief(case: &Case, capacity: Capacity, names: &Names) -> Brief {
    let may = |part| reads(case, capacity, part);
    let organisation = |id: OrganisationId| OrganisationName {
        id,
        name: names.organisations.get(&id).cloned().unwrap_or_default(),
    };
    Brief {
        id: case.id,
        reference: case.reference.clone(),
        stage: case.stage,
        on_hold: case.hold.is_some(),
        opened_at: case.opened_at,
        you_are: capacity.name(),
        sides: may(Section::Names).then(|| {
            case.sides.map(|_, parties| {
                parties
                    .iter()
                    .map(|p| organisation(p.organisation))
                    .collect()
            })
        }),
        localities: may(Section::Names).then(|| {
            case.intake
                .statement
                .localities
                .iter()
                .map(|c| PlaceName {
                    code: c.as_str().to_owned(),
                    name: c.locality().name.clone(),
                })
                .collect()
        }),
        waiting_for: waiting_seen(case, capacity),
        next_due: deadlines_seen(case, capacity)
            .filter(|d| {
                d.passed.is_none() && (case.hold.is_none() || d.kind == DeadlineKind::HoldEnds)
            })
            .map(|d| d.due)
            .min(),
    }
}

/// A case as somebody in `capacity` sees it; `readings` are those of each side, as far as they were loaded.
#[must_use]
pub fn sight(
    case: &Case,
    capacity: Capacity,
    names: &Names,
    readings: &BySide<Option<Reading>>,
) -> Sight {
    let may = |part| reads(case, capacity, part);
    let person = |id: PersonId| PersonName {
        id,
        name: names.people.get(&id).cloned().unwrap_or_default(),
    };
    let summary = may(Section::Summary);
    Sight {
        brief: brief(case, capacity, names),
        summary: summary.then(|| SummarySight {
            kind: case.intake.statement.kind,
            grounds: case.intake.statement.grounds.clone(),
            topics: case.intake.statement.topics.clone(),
            good_outcome: case.intake.statement.good_outcome.clone(),
            in_short: case
                .intake
                .statement
                .summary_for_the_other
                .clone()
                .filter(|_| {
                    capacity.side() != Some(Side::Invited)
                        || case.intake.statement_shared
                        || case.intake.statement.first_contact == Some(FirstContact::ShareSummary)
                }),
            invited_at: case.invited_at,
            invitation_hash: invitation_hash(case),
        }),
        intake: (may(Section::Screening) || capacity.side() == Some(Side::Initiating)).then(|| {
            IntakeSight {
                statement: may(Section::Needs(Side::Initiating))
                    .then(|| case.intake.statement.clone()),
                questions: if may(Section::Needs(Side::Initiating)) {
                    case.intake.questions.clone()
                } else {
                    Vec::new()
                },
                screening: case
                    .intake
                    .screening
                    .clone()
                    .filter(|_| may(Section::Screening)),
                linked: if may(Section::Screening) {
                    case.intake.linked.clone()
                } else {
                    BTreeSet::new()
                },
            }
        }),
        accounts: summary.then(|| {
            BySide {
                initiating: Side::Initiating,
                invited: Side::Invited,
            }
            .map(|_, side| may(Section::Account(*side)).then(|| account(case, *side, capacity)))
        }),
        needs: summary.then(|| {
            BySide {
                initiating: Side::Initiating,
                invited: Side::Invited,
            }
            .map(|_, side| may(Section::Needs(*side)).then(|| needs(case, *side)))
        }),
        facilitator: case
            .neutrals
            .facilitator
            .as_ref()
            .filter(|a| {
                summary
                    && (a.state == AppointmentState::Accepted || capacity == Capacity::Coordinator)
                    || capacity == Capacity::Asked && capacity_is_asked(a.state)
            })
            .map(|a| FacilitatorSight {
                person: person(a.person),
                state: a.state,
                disclosures: a
                    .acceptance
                    .as_ref()
                    .and_then(|s| s.disclosures.clone())
                    .filter(|_| may(Section::Declarations)),
            }),
        objections: if may(Section::Declarations) {
            case.neutrals
                .objections
                .iter()
                .map(|o| ObjectionSight {
                    id: o.id,
                    by: o.by,
                    reasons: o.reasons.clone(),
                    at: o.at,
                    result: o.decided.as_ref().map(|d| d.result),
                    result_reasons: o.decided.as_ref().map(|d| d.reasons.clone()),
                })
                .collect()
        } else {
            Vec::new()
        },
        observers: if summary {
            let settled = |o: &&Observer| o.admitted.is_some() || capacity != Capacity::Observer;
            case.neutrals
                .observers
                .iter()
                .filter(settled)
                .map(|o| ObserverSight {
                    person: person(o.person),
                    admitted: o.admitted.is_some(),
                    consents: o.consents.clone(),
                })
                .collect()
        } else {
            Vec::new()
        },
        conversation: (may(Section::Conversation) && case.stage >= Stage::EarlyConversation)
            .then(|| conversation(case)),
        review: (summary && case.review.frame.is_some()).then(|| review(case, capacity, readings)),
        agreement: (may(Section::AgreementStatus)
            && case.closing.reached.contains(&Stage::AgreedActions))
        .then(|| agreement(case, capacity)),
        closure: closure(case, capacity),
        hold: case
            .hold
            .as_ref()
            .filter(|_| summary)
            .map(|hold| HoldSight {
                since: hold.since,
                until: hold.until,
                reason: hold.reason.clone().filter(|_| {
                    hold.asked_by
                        .is_none_or(|side| may(Section::PauseReason(side)))
                }),
            }),
        deadlines: deadlines_seen(case, capacity)
            .map(|d| DeadlineSight {
                kind: d.kind,
                due: d.due,
                passed: d.passed.is_some(),
            })
            .collect(),
        timetable: case
            .clocks
            .timetable
            .as_ref()
            .filter(|_| summary)
            .map(timetable),
        proposed_timetable: case
            .clocks
            .proposed
            .as_ref()
            .filter(|_| summary)
            .map(timetable),
    }
}

fn timetable(t: &Timetable) -> TimetableSight {
    TimetableSight {
        until: t.until.clone(),
        hash: t.hash.clone(),
        agreed: t.agreed.clone(),
    }
}

fn capacity_is_asked(state: AppointmentState) -> bool {
    state == AppointmentState::Asked
}

/// What `side` wrote, as far as somebody in `capacity` may read it: of the other side, what it has shared.
fn account(case: &Case, side: Side, capacity: Capacity) -> AccountSight {
    let statement = &case.intake.statement;
    let all: Vec<AccountText> = match side {
        Side::Initiating => {
            let texts = [
                (AccountTopic::WhatItIsAbout, &statement.about),
                (
                    AccountTopic::ValuedInTheOther,
                    &statement.valued_in_the_other,
                ),
                (AccountTopic::Tried, &statement.tried),
            ];
            let shared_with_the_other = case.intake.statement_shared;
            texts
                .into_iter()
                .filter_map(|(about, text)| {
                    Some(AccountText {
                        about,
                        text: text.clone()?,
                        shared_with_the_other,
                    })
                })
                .collect()
        }
        Side::Invited => {
            let responses = case
                .sides
                .invited
                .iter()
                .filter_map(|p| case.conversation.responses.get(&p.organisation));
            responses
                .filter_map(|r| {
                    Some(AccountText {
                        about: AccountTopic::OwnAccount,
                        text: r.account.clone()?,
                        shared_with_the_other: r.shared,
                    })
                })
                .collect()
        }
    };
    let across = capacity.side().is_some_and(|own| own != side);
    AccountSight {
        texts: all
            .into_iter()
            .filter(|text| !across || text.shared_with_the_other)
            .collect(),
    }
}

fn needs(case: &Case, side: Side) -> Vec<Needs> {
    let statement = &case.intake.statement;
    match side {
        Side::Initiating => vec![Needs {
            contact: statement.contact,
            access_needs: statement.access_needs.clone(),
            language: statement.language.clone(),
        }],
        Side::Invited => case
            .sides
            .invited
            .iter()
            .filter_map(|p| {
                Some(
                    case.conversation
                        .responses
                        .get(&p.organisation)?
                        .needs
                        .clone(),
                )
            })
            .collect(),
    }
}

fn conversation(case: &Case) -> ConversationSight {
    let room = &case.conversation;
    ConversationSight {
        responses: room
            .responses
            .iter()
            .map(|(organisation, response)| (*organisation, response.answer))
            .collect(),
        ground_rules: ground_rules(room.confidentiality),
        agreed_to_talk: room.agreed_to_talk.clone(),
        confidentiality: room.confidentiality,
        sessions: room.sessions.clone(),
        no_session_because: room.no_session_because.clone(),
    }
}

fn review(case: &Case, capacity: Capacity, readings: &BySide<Option<Reading>>) -> ReviewSight {
    let may = |part| reads(case, capacity, part);
    let room = &case.review;
    let shown = readings.map(|side, reading| {
        reading
            .as_ref()
            .filter(|_| may(Section::Reading(side)) && room.shared.of(side).is_some())
    });
    let scopes = case.sides.map(|_, parties| scope(parties));
    let numbers: BTreeSet<u8> = scopes.initiating.union(&scopes.invited).copied().collect();
    let revealed = room.revealed.is_some();
    ReviewSight {
        frame: room.frame.clone().unwrap_or_default(),
        shared: room.shared.map(|side, hash| {
            (revealed || may(Section::ReadingStatus(side))).then_some(hash.is_some())
        }),
        revealed,
        side_by_side: if revealed || capacity == Capacity::Neutral {
            numbers
                .iter()
                .map(|n| {
                    let entry = |side| shown.of(side).and_then(|r| r.entries.get(n));
                    BesideSight {
                        standard: *n,
                        beside: beside(entry(Side::Initiating), entry(Side::Invited)),
                        readings: BySide {
                            initiating: entry(Side::Initiating).cloned(),
                            invited: entry(Side::Invited).cloned(),
                        },
                    }
                })
                .filter(|_| {
                    may(Section::Reading(Side::Initiating)) && may(Section::Reading(Side::Invited))
                })
                .collect()
        } else {
            Vec::new()
        },
        offices: shown.map(|_, reading| {
            reading
                .filter(|_| revealed || capacity == Capacity::Neutral)
                .and_then(|r| r.offices.clone())
        }),
        scope: scopes,
        returned_because: room.returned_because.clone(),
        joint_reading: room
            .joint
            .as_ref()
            .filter(|_| may(Section::JointReading))
            .map(|j| JointReadingSight {
                minutes: j.minutes.clone(),
                hash: j.hash.clone(),
                confirmed: j.confirmed.clone(),
            }),
    }
}

fn agreement(case: &Case, capacity: Capacity) -> AgreementSight {
    let (room, may) = (&case.agreements, |part| reads(case, capacity, part));
    let open = may(Section::Agreement);
    AgreementSight {
        state: if room.circulated.is_some() {
            AgreementState::Circulated
        } else if room.in_force.is_some() && room.drafting.is_empty() {
            AgreementState::InForce
        } else {
            AgreementState::Drafting
        },
        drafting: open.then(|| room.drafting.clone()),
        circulated: room
            .circulated
            .as_ref()
            .filter(|_| open)
            .map(|c| CirculatedSight {
                hash: c.hash.clone(),
                still_open: room.still_open.clone(),
                accepted: may(Section::Acceptances).then(|| c.accepted.keys().copied().collect()),
                declined: may(Section::Acceptances).then(|| c.declined.clone()),
            }),
        in_force: room
            .in_force
            .as_ref()
            .filter(|_| open)
            .map(|a| InForceSight {
                hash: a.hash.clone(),
                since: a.in_force_since,
                actions: a.actions.clone(),
                still_open: a.still_open.clone(),
                signed: a
                    .signed
                    .iter()
                    .map(|(o, s)| {
                        (
                            *o,
                            SignatureSight {
                                at: s.at,
                                channel: s.channel,
                            },
                        )
                    })
                    .collect(),
                legally_binding: false,
            }),
    }
}

fn closure(case: &Case, capacity: Capacity) -> Option<ClosureSight> {
    let may = |part| reads(case, capacity, part);
    let (room, full) = (&case.closing, may(Section::Closure));
    if !may(Section::Outcome) || (room.closed.is_none() && (room.summary.is_none() || !full)) {
        return None;
    }
    let closed = room.closed.as_ref();
    let told = closed.filter(|_| full);
    Some(ClosureSight {
        proposed_summary: room
            .summary
            .as_ref()
            .filter(|_| full)
            .map(|s| ProposedSummarySight {
                text: s.text.clone(),
                hash: s.hash.clone(),
                agreed: s.agreed.clone(),
            }),
        outcome: closed.map(|c| c.outcome),
        closed_at: closed.map(|c| c.at),
        summary: told.and_then(|c| c.summary.clone()),
        words_of: told.and_then(|c| c.words_of),
        not_agreed_because: told
            .map(|c| c.not_agreed_because.clone())
            .unwrap_or_default(),
        declined_because: told.map(|c| c.declined_because.clone()).unwrap_or_default(),
        signposting: told.and_then(|c| c.signposting.clone()),
        actions: told
            .filter(|_| may(Section::Agreement))
            .map(|c| c.actions.clone())
            .unwrap_or_default(),
        reopening_asked: room.reopen_request.clone().filter(|_| full),
        left_because: told.and_then(|c| {
            c.left_because
                .clone()
                .filter(|_| c.left.is_some_and(|side| may(Section::PauseReason(side))))
        }),
    })
}
