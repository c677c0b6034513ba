//! The golden matrix: who reads which part of a case, at which stage, decided by `access` on real cases. A reviewer
//! sees a change of policy as a difference of this file.
use std::collections::BTreeSet;
use std::fmt::Write;

use common_ground::domain::access::{Audience, Capacity, Section, reads, reads_room, writes_room};
use common_ground::domain::case::{Case, Party, Reference, Side, Stage};
use common_ground::domain::document::may_lay_down;
use common_ground::domain::id::{CaseId, OrganisationId, PersonId};
use common_ground::domain::meeting::{View, is_for_meetings, takes_part, view};
use common_ground::domain::neutral::{Acceptance, Appointment, AppointmentState, Observer};
use common_ground::domain::people::{Actor, Role, Tie};
use common_ground::domain::register::Nation;
use common_ground::domain::room::{Put, Room, may_release, may_strike};
use common_ground::domain::time::Moment;

fn now() -> Moment {
    Moment::new("2026-09-08T09:00:00Z".parse().expect("a time"))
}

/// A case with one LERO on each side and a facilitator, at a stage.
pub fn case_at(stage: Stage) -> Case {
    let party = |nation| Party {
        organisation: OrganisationId::random(),
        nation,
        constituted: true,
    };
    let mut case = Case::draft(
        CaseId::random(),
        Reference("CG-2026-TEST".to_owned()),
        party(Nation::England),
        now(),
    );
    case.sides.invited = vec![party(Nation::England)];
    case.stage = stage;
    if stage >= Stage::EarlyConversation {
        case.invited_at = Some(now());
        case.intake.accepted = Some(now());
        let person = PersonId::random();
        case.neutrals.facilitator = Some(Appointment {
            person,
            state: AppointmentState::Accepted,
            asked_at: now(),
            answered_at: Some(now()),
            acceptance: Some(Acceptance {
                available: true,
                impartial: true,
                will_disclose_changes: true,
                disclosures: None,
            }),
        });
        case.neutrals.excluded.insert(PersonId::random());
        case.neutrals.observers.push(Observer {
            person: PersonId::random(),
            consents: Default::default(),
            admitted: Some(now()),
        });
    }
    case
}

fn somebody(roles: &[Role]) -> Actor {
    Actor {
        person: Some(PersonId::random()),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        ..Actor::default()
    }
}

fn member(organisation: OrganisationId) -> Actor {
    Actor {
        member_of: vec![(organisation, true)],
        ties: vec![Tie {
            organisation,
            since: "2020-01-01".parse().expect("a day"),
            until: None,
        }],
        ..somebody(&[])
    }
}

fn cast(case: &Case) -> Vec<(&'static str, Actor)> {
    let (one, other) = (
        case.sides.initiating[0].organisation,
        case.sides.invited[0].organisation,
    );
    let conflicted = |roles: &[Role]| Actor {
        ties: vec![Tie {
            organisation: other,
            since: "2020-01-01".parse().expect("a day"),
            until: Some("2025-01-01".parse().expect("a day")),
        }],
        ..somebody(roles)
    };
    let mut neutral = somebody(&[Role::Facilitator]);
    neutral.person = case.neutrals.in_place().or(neutral.person);
    let mut conflicted_neutral = conflicted(&[Role::Facilitator]);
    conflicted_neutral.person = case.neutrals.in_place().or(conflicted_neutral.person);
    let mut observer = somebody(&[]);
    observer.person = case
        .neutrals
        .observers
        .first()
        .map(|o| o.person)
        .or(observer.person);
    let mut both = member(one);
    both.member_of.push((other, false));
    let mut neutral_and_member = member(one);
    neutral_and_member.person = neutral.person;
    let mut excluded = somebody(&[Role::Coordinator]);
    excluded.person = case.neutrals.excluded.first().copied().or(excluded.person);
    let mut excluded_member = member(other);
    excluded_member.person = excluded.person;
    let mut asked = somebody(&[Role::Facilitator]);
    asked.person = case.neutrals.asked().or(asked.person);
    vec![
        ("A", member(one)),
        ("B", member(other)),
        ("member of both", both),
        ("OB", observer),
        ("F", neutral),
        ("F conflicted", conflicted_neutral),
        ("F member", neutral_and_member),
        ("asked", asked),
        ("excluded CO", excluded),
        ("excluded B", excluded_member),
        ("FN", somebody(&[Role::Facilitator])),
        ("CO", somebody(&[Role::Coordinator])),
        ("CO conflicted", conflicted(&[Role::Coordinator])),
        ("AD", somebody(&[Role::Administrator])),
        ("AU", somebody(&[Role::Auditor])),
        ("AU conflicted", conflicted(&[Role::Auditor])),
        ("AN", Actor::default()),
    ]
}

/// What each of the cast may, one beside the other.
fn cells(case: &Case, people: &[(&str, Actor)], cell: impl Fn(Capacity) -> &'static str) -> String {
    let all = people.iter().map(|(name, actor)| {
        let capacity = common_ground::domain::access::capacity(case, actor, now());
        format!("{name} {}", capacity.map_or("404", &cell))
    });
    all.collect::<Vec<_>>().join(" · ")
}

const AUDIENCES: [Audience; 6] = [
    Audience::Case,
    Audience::Initiating,
    Audience::Invited,
    Audience::Table,
    Audience::Process,
    Audience::Intake,
];

#[test]
fn an_event_of_a_side_is_that_sides() {
    assert_eq!(
        Side::BOTH.map(Audience::of),
        [Audience::Initiating, Audience::Invited]
    );
}

#[test]
fn the_matrix_is_what_it_was() {
    let mut page = String::from(
        "Who reads which part of a case and which of its events, and who reads and writes in which room. R reads, W writes too, s sees the state only, - does not, 404 may not know that the case exists.\n",
    );
    for stage in Stage::ALL {
        for invited in [true, false]
            .into_iter()
            .filter(|i| *i || stage == Stage::Intake)
        {
            let mut case = case_at(stage);
            if stage == Stage::Intake && invited {
                case.invited_at = Some(now());
            }
            if stage == Stage::Intake && !invited {
                // Somebody has been asked to be the facilitator, and has not answered.
                case.neutrals.facilitator = Some(Appointment {
                    person: PersonId::random(),
                    state: AppointmentState::Asked,
                    asked_at: now(),
                    answered_at: None,
                    acceptance: None,
                });
            }
            for revealed in [false, true]
                .into_iter()
                .filter(|r| !r || stage == Stage::StandardsReview)
            {
                if revealed {
                    case.review.revealed = Some(now());
                    case.review.shared.initiating = Some("x".into());
                    case.review.shared.invited = Some("y".into());
                }
                let people = cast(&case);
                writeln!(
                    page,
                    "\n{stage:?}, {}{}",
                    if case.invited_at.is_some() {
                        "invited"
                    } else {
                        "not invited"
                    },
                    if revealed { ", readings revealed" } else { "" }
                )
                .expect("text");
                for part in Section::ALL {
                    let cells: Vec<String> = people
                        .iter()
                        .map(|(name, actor)| {
                            let cell = match common_ground::domain::access::capacity(
                                &case,
                                actor,
                                now(),
                            ) {
                                None => "404",
                                Some(capacity) if reads(&case, capacity, part) => "R",
                                Some(_) => "-",
                            };
                            format!("{name} {cell}")
                        })
                        .collect();
                    writeln!(page, "  {:<26} {}", format!("{part:?}"), cells.join(" · "))
                        .expect("text");
                }
                for audience in AUDIENCES {
                    let cells: Vec<String> = people
                        .iter()
                        .map(|(name, actor)| {
                            let cell = match common_ground::domain::access::capacity(
                                &case,
                                actor,
                                now(),
                            ) {
                                None => "404",
                                Some(capacity) if audience.includes(capacity, revealed) => "R",
                                Some(_) => "-",
                            };
                            format!("{name} {cell}")
                        })
                        .collect();
                    writeln!(
                        page,
                        "  event {:<20} {}",
                        format!("{audience:?}"),
                        cells.join(" · ")
                    )
                    .expect("text");
                }
                for room in Room::ALL.into_iter().filter(|_| !revealed) {
                    let cells: Vec<String> = people
                        .iter()
                        .map(|(name, actor)| {
                            let cell = match common_ground::domain::access::capacity(
                                &case,
                                actor,
                                now(),
                            ) {
                                None => "404",
                                Some(capacity) if writes_room(&case, capacity, room) => "W",
                                Some(capacity) if reads_room(&case, capacity, room) => "R",
                                Some(_) => "-",
                            };
                            format!("{name} {cell}")
                        })
                        .collect();
                    writeln!(page, "  room {:<21} {}", room.word(), cells.join(" · "))
                        .expect("text");
                }
                for room in Room::ALL.into_iter().filter(|_| !revealed) {
                    let row = |capacity| match room {
                        _ if may_lay_down(&case, capacity, room) => "W",
                        _ if reads_room(&case, capacity, room) => "R",
                        _ => "-",
                    };
                    writeln!(
                        page,
                        "  documents {:<16} {}",
                        room.word(),
                        cells(&case, &people, row)
                    )
                    .expect("text");
                }
                for room in Room::ALL
                    .into_iter()
                    .filter(|room| is_for_meetings(*room) && !revealed)
                {
                    let row = |capacity| match view(&case, capacity, room) {
                        Some(View::Whole) if takes_part(&case, capacity, room) => "W",
                        Some(View::Whole) => "R",
                        Some(View::StateAndStart) => "s",
                        None => "-",
                    };
                    writeln!(
                        page,
                        "  meetings {:<17} {}",
                        room.word(),
                        cells(&case, &people, row)
                    )
                    .expect("text");
                }
            }
        }
    }
    super::golden("tests/golden/access.txt", &page);
}

#[test]
fn exclusion_beats_every_grant_at_every_stage() {
    for stage in Stage::ALL {
        let case = case_at(stage);
        for (name, mut actor) in cast(&case) {
            let before = common_ground::domain::access::capacity(&case, &actor, now());
            actor.ties.push(Tie {
                organisation: case.sides.initiating[0].organisation,
                since: "2020-01-01".parse().expect("a day"),
                until: None,
            });
            let after = common_ground::domain::access::capacity(&case, &actor, now());
            assert!(
                after.is_none() || after == before,
                "{name} at {stage:?} gained by a tie"
            );
            if before.is_some_and(|c| c.side().is_none()) {
                assert_eq!(after, None, "{name} at {stage:?} has a conflict");
            }
        }
    }
}

#[test]
fn both_sides_read_the_same_of_each_other_once_both_are_there() {
    for stage in [
        Stage::Intake,
        Stage::EarlyConversation,
        Stage::StandardsReview,
        Stage::AgreedActions,
        Stage::Closed,
    ] {
        let mut case = case_at(stage);
        case.invited_at = Some(now());
        let as_side = |side| Capacity::Party {
            side,
            organisation: OrganisationId::random(),
            lead: true,
        };
        let mirrored = |part| match part {
            Section::Account(side) => Section::Account(side.other()),
            Section::Needs(side) => Section::Needs(side.other()),
            Section::Reading(side) => Section::Reading(side.other()),
            Section::ReadingStatus(side) => Section::ReadingStatus(side.other()),
            Section::PauseReason(side) => Section::PauseReason(side.other()),
            same => same,
        };
        for part in Section::ALL {
            assert_eq!(
                reads(&case, as_side(Side::Initiating), part),
                reads(&case, as_side(Side::Invited), mirrored(part)),
                "{part:?} at {stage:?}"
            );
        }
        for room in Room::ALL {
            let (one, other) = (as_side(Side::Initiating), as_side(Side::Invited));
            assert_eq!(
                (reads_room(&case, one, room), writes_room(&case, one, room)),
                (
                    reads_room(&case, other, room.mirrored()),
                    writes_room(&case, other, room.mirrored())
                ),
                "{room:?} at {stage:?}"
            );
        }
    }
}

#[test]
fn only_the_owner_releases_and_only_into_a_wider_room() {
    let mut case = case_at(Stage::EarlyConversation);
    let rep = |side| Capacity::Party {
        side,
        organisation: OrganisationId::random(),
        lead: false,
    };
    let everybody = [
        rep(Side::Initiating),
        rep(Side::Invited),
        Capacity::Neutral,
        Capacity::Asked,
        Capacity::Observer,
        Capacity::Coordinator,
        Capacity::Auditor,
        Capacity::System,
    ];
    for open in [false, true] {
        case.conversation.open_since = open.then(now);
        for (who, by) in everybody
            .iter()
            .flat_map(|who| everybody.map(|by| (*who, by)))
        {
            for (from, to) in Room::ALL
                .into_iter()
                .flat_map(|a| Room::ALL.map(|b| (a, b)))
            {
                let put = Put {
                    room: from,
                    by: by.name(),
                    at: now(),
                };
                let own = match who {
                    Capacity::Party { side, .. } => by.side() == Some(side),
                    Capacity::Neutral if matches!(from, Room::Private(_)) => open,
                    Capacity::Neutral => by == Capacity::Neutral,
                    _other => false,
                };
                let wider = match from {
                    Room::Private(_) | Room::Neutrals => to == Room::Joint,
                    Room::Own(side) => to == Room::Joint || to == Room::Private(side),
                    Room::Joint | Room::Process | Room::Notes => false,
                };
                assert_eq!(
                    may_release(&case, who, put, to),
                    own && wider,
                    "{who:?} what {by:?} put into {from:?}, into {to:?}, open {open}"
                );
                let earlier = Put {
                    at: now().plus(-chrono::Duration::minutes(1)),
                    ..put
                };
                if who == Capacity::Neutral && matches!(from, Room::Private(_)) {
                    assert!(
                        !may_release(&case, who, earlier, to),
                        "said before it was agreed"
                    );
                }
            }
            assert_eq!(
                may_strike(who, Room::Joint, false),
                who == Capacity::Neutral
            );
            assert!(may_strike(who, Room::Process, true) && !may_strike(who, Room::Process, false));
        }
    }
}

/// The columns of the tables in docs/ACCESS.md: what a reader calls them, and what the cast does.
const READERS: [(&str, &str); 9] = [
    ("a side", "A"),
    ("the other side", "B"),
    ("observer", "OB"),
    ("facilitator", "F"),
    ("facilitator not on the case", "FN"),
    ("coordinator", "CO"),
    ("administrator", "AD"),
    ("auditor", "AU"),
    ("anybody", "AN"),
];

/// What a row is called, and what somebody in a capacity may.
type Row<'a> = (String, Box<dyn Fn(Capacity) -> &'static str + 'a>);

/// A table whose cells say what each reader may; somebody who may not know of the case may nothing.
fn table(first: &str, case: &Case, rows: &[Row]) -> String {
    let people = cast(case);
    let heads: Vec<&str> = READERS.iter().map(|(head, _)| *head).collect();
    let mut page = format!(
        "\n| {first} | {} |\n{}|\n",
        heads.join(" | "),
        "|---".repeat(READERS.len() + 1)
    );
    for (label, cell) in rows {
        let cells: Vec<&str> = READERS
            .iter()
            .map(|(_, name)| {
                let (_, actor) = people
                    .iter()
                    .find(|(who, _)| who == name)
                    .expect("one of the cast");
                common_ground::domain::access::capacity(case, actor, now()).map_or("–", cell)
            })
            .collect();
        writeln!(page, "| {label} | {} |", cells.join(" | ")).expect("text");
    }
    page
}

fn called(room: Room) -> String {
    let name = match room {
        Room::Joint => "the joint room",
        Room::Private(_) => return "a side's private room (`initiating`, `invited`)".to_owned(),
        Room::Own(_) => return "a side's own shelf (`initiating_own`, `invited_own`)".to_owned(),
        Room::Neutrals => "the neutrals' room",
        Room::Process => "the process room",
        Room::Notes => "a neutral's own notes",
    };
    format!("{name} (`{}`)", room.word())
}

fn named(part: Section) -> &'static str {
    match part {
        Section::Skeleton => "reference, stage, dates",
        Section::Names => "names of the organisations and the places",
        Section::Summary => "what it is about in short, the good outcome, what is due",
        Section::Account(_) => "a side's own account",
        Section::Needs(_) => "a side's needs: access, language, how to be reached",
        Section::Screening => "screening and its reasons",
        Section::Conversation => "answers to the invitation, ground rules, sessions",
        Section::Declarations => "the facilitator's disclosures, objections",
        Section::Reading(_) => "a side's reading of the standards",
        Section::ReadingStatus(_) => "whether a side has shared its reading",
        Section::JointReading => "the joint reading",
        Section::Agreement => "actions on the table, the agreement",
        Section::AgreementStatus => "how far the agreement is",
        Section::Acceptances => "who accepted the draft",
        Section::PauseReason(_) => "why a side asked for a pause, or left",
        Section::Closure => "the summary at the end, signposting",
        Section::Outcome => "how the case ended",
    }
}

fn is_the_others(part: Section) -> bool {
    match part {
        Section::Account(side)
        | Section::Needs(side)
        | Section::Reading(side)
        | Section::ReadingStatus(side)
        | Section::PauseReason(side) => side == Side::Invited,
        Section::Skeleton
        | Section::Names
        | Section::Summary
        | Section::Screening
        | Section::Conversation
        | Section::Declarations
        | Section::JointReading
        | Section::Agreement
        | Section::AgreementStatus
        | Section::Acceptances
        | Section::Closure
        | Section::Outcome => false,
    }
}

#[test]
fn the_docs_say_who_sees_what() {
    let case = case_at(Stage::AgreedActions);
    let mut shared = case.clone();
    shared.intake.statement_shared = true;
    shared.review.shared = common_ground::domain::case::BySide {
        initiating: Some("x".into()),
        invited: Some("y".into()),
    };
    shared.review.revealed = Some(now());
    let rooms: Vec<Row> = Room::ALL
        .into_iter()
        .filter(|room| room.side() != Some(Side::Invited))
        .map(|room| {
            let case = &case;
            let cell = move |capacity| match room {
                _ if writes_room(case, capacity, room) => "W",
                _ if reads_room(case, capacity, room) => "R",
                _ => "–",
            };
            (
                called(room),
                Box::new(cell) as Box<dyn Fn(Capacity) -> &'static str>,
            )
        })
        .collect();
    let parts: Vec<Row> = Section::ALL
        .into_iter()
        .filter(|part| !is_the_others(*part))
        .map(|part| {
            let (case, shared) = (&case, &shared);
            let cell = move |capacity| match part {
                _ if reads(case, capacity, part) => "R",
                _ if reads(shared, capacity, part) => "S",
                _ => "–",
            };
            (
                named(part).to_owned(),
                Box::new(cell) as Box<dyn Fn(Capacity) -> &'static str>,
            )
        })
        .collect();
    let mut page = super::read("docs/ACCESS.md");
    for (name, made) in [
        ("rooms", table("room", &case, &rooms)),
        ("parts", table("part", &case, &parts)),
    ] {
        let mark = format!("<!-- generated: {name} -->");
        let begin = page.find(&mark).expect("the mark") + mark.len();
        let end = begin + page[begin..].find("<!-- end -->").expect("its end");
        page.replace_range(begin..end, &made);
    }
    super::golden("docs/ACCESS.md", &page);
}

#[test]
fn a_capacity_has_its_name_and_its_side() {
    use common_ground::domain::access::CapacityName as Name;
    let organisation = OrganisationId::random();
    let party = |side, lead| Capacity::Party {
        side,
        organisation,
        lead,
    };
    let (one, other) = (Some(Side::Initiating), Some(Side::Invited));
    for (capacity, name, side) in [
        (party(Side::Initiating, true), Name::InitiatingLead, one),
        (party(Side::Initiating, false), Name::InitiatingMember, one),
        (party(Side::Invited, true), Name::InvitedLead, other),
        (party(Side::Invited, false), Name::InvitedMember, other),
        (Capacity::Neutral, Name::Facilitator, None),
        (Capacity::Asked, Name::AskedFacilitator, None),
        (Capacity::Observer, Name::Observer, None),
        (Capacity::Coordinator, Name::Coordinator, None),
        (Capacity::Auditor, Name::Auditor, None),
        (Capacity::System, Name::System, None),
    ] {
        assert_eq!(
            (capacity.name(), capacity.side(), name.side()),
            (name, side, side)
        );
        assert_eq!(capacity.party(), side.map(|side| (side, organisation)));
    }
}

#[test]
fn a_lead_acts_as_one_and_a_draft_typed_for_others_is_its_writers() {
    let mut case = case_at(Stage::EarlyConversation);
    let own = case.sides.initiating[0].organisation;
    let second = OrganisationId::random();
    case.sides.initiating.push(Party {
        organisation: second,
        nation: Nation::Wales,
        constituted: false,
    });
    let mut leads_the_second = member(second);
    leads_the_second.member_of.insert(0, (own, false));
    let capacity =
        |case: &Case, actor: &Actor| common_ground::domain::access::capacity(case, actor, now());
    let lead_of = |organisation| Capacity::Party {
        side: Side::Initiating,
        organisation,
        lead: true,
    };
    assert_eq!(capacity(&case, &leads_the_second), Some(lead_of(second)));
    let mut draft = case_at(Stage::Draft);
    let (writer, owner) = (
        somebody(&[Role::Coordinator]),
        draft.sides.initiating[0].organisation,
    );
    draft.intake.entered_by = writer.person;
    assert!(
        matches!(capacity(&draft, &writer), Some(Capacity::Party { side: Side::Initiating, lead: false, organisation }) if organisation == owner)
    );
    assert_eq!(capacity(&draft, &somebody(&[Role::Coordinator])), None);
    // Together with others, a draft is still of whoever began it.
    draft.sides.initiating.push(Party {
        organisation: second,
        nation: Nation::Wales,
        constituted: false,
    });
    assert_eq!(
        (
            capacity(&draft, &member(second)),
            capacity(&draft, &member(owner))
        ),
        (None, Some(lead_of(owner)))
    );
}

#[test]
fn clero_reads_what_was_sent_until_somebody_neutral_has_taken_it_on() {
    let coordinator = Capacity::Coordinator;
    let account = Section::Account(Side::Initiating);
    let mut case = case_at(Stage::Intake);
    assert!(reads(&case, coordinator, account));
    let later = case_at(Stage::EarlyConversation);
    case.neutrals.facilitator = later.neutrals.facilitator;
    assert!(
        !reads(&case, coordinator, account),
        "a facilitator has accepted"
    );
    let mut case = case_at(Stage::Intake);
    case.intake.accepted = Some(now());
    assert!(
        !reads(&case, coordinator, account),
        "the case has been taken on"
    );
}
