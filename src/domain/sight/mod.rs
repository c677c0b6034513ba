//! What somebody sees of a case: the one shape that the API answers, pages show and the ETag is made of, so
//! that mirror and non-interference can be tested on it (SPEC §1). Every field is filtered by `access::reads`;
//! a field somebody may not read is absent, not empty.
mod next;
mod shape;
mod turn;

use std::collections::BTreeSet;

use crate::domain::access::{Capacity, Section, reads};
use crate::domain::answers::invitation_hash;
use crate::domain::case::{BySide, Case, FirstContact, Side, Stage};
use crate::domain::conversation::{Needs, ground_rules};
use crate::domain::deadline::{DeadlineKind, Timetable};
use crate::domain::id::{OrganisationId, PersonId};
use crate::domain::neutral::{AppointmentState, Observer};
use crate::domain::review::{Reading, beside, scope};

pub use next::{Next, next_for_clero};
pub use shape::*;
use turn::deadlines_seen;
pub use turn::{waiting_for, waiting_seen};

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
        joint_room_closed: room.joint_room_closed,
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
