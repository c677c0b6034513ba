//! Who is where (SPEC §2): who is at home in a place, who is beginning there, who supports for a time, and how they
//! stand to each other. Computed from the register whenever somebody looks, and never stored.
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::{Page, Slice};
use super::register::{OrganisationView, keeper, shown_to};
use super::signin::{self, Credential};
use super::{Desk, Error};
use crate::domain::id::OrganisationId;
use crate::domain::overlap::{self, Overlap};
use crate::domain::people::Actor;
use crate::domain::place;
use crate::domain::register::{
    Locality, LocalityCode, OrganisationKind, Presence, PresenceKind, PresenceState, Profile,
    Strength,
};
use crate::domain::text::{Line, folded};
use crate::domain::time::Day;
use crate::store::db::Conn;
use crate::store::register;

/// Somebody who is in a place now, or will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HereView {
    pub organisation: OrganisationId,
    pub working_name: Line,
    pub organisation_kind: OrganisationKind,
    pub strengths: BTreeSet<Strength>,
    pub presence: Presence,
}

/// A place, and who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocalityPresences {
    pub locality: Locality,
    /// Those at home first, then those who begin here, support for a time, and serve here too.
    pub items: Vec<HereView>,
    /// How those whom CLERO has confirmed stand to each other.
    pub overlaps: BTreeSet<Overlap>,
}

/// A LERO in a list, with where it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub organisation: OrganisationView,
    pub presences: Vec<Presence>,
}

/// A presence that waits for a coordinator to look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub working_name: String,
    pub presence: Presence,
}

/// The register at a glance, for coordinators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterBoard {
    pub counts: BTreeMap<OrganisationKind, i64>,
    pub waiting: Vec<Waiting>,
    pub homes: BTreeSet<LocalityCode>,
}

/// How many waiting presences are shown at once.
const WAITING: i64 = 20;

/// Who comes first in a place.
fn rank(kind: PresenceKind) -> u8 {
    match kind {
        PresenceKind::Home => 0,
        PresenceKind::EmergingHere => 1,
        PresenceKind::SupportingTemporarily => 2,
        PresenceKind::AlsoServes => 3,
        PresenceKind::Former => 4,
    }
}

/// What an organisation is in one place, when it is several things there: what says most about its roots.
fn foremost(here: &[HereView]) -> Vec<PresenceKind> {
    let mut kinds: BTreeMap<OrganisationId, PresenceKind> = BTreeMap::new();
    let confirmed = |h: &&HereView| {
        h.presence.state == PresenceState::Confirmed && h.organisation_kind.is_lero()
    };
    for one in here.iter().filter(confirmed) {
        let kind = kinds.entry(one.organisation).or_insert(one.presence.kind);
        if rank(one.presence.kind) < rank(*kind) {
            *kind = one.presence.kind;
        }
    }
    kinds.into_values().collect()
}

fn now_here(presence: &Presence, today: Day) -> bool {
    presence.kind != PresenceKind::Former && overlap::not_over(presence.until, today)
}

fn here(
    conn: &mut Conn,
    code: &LocalityCode,
    reader: &Actor,
    today: Day,
) -> Result<Vec<HereView>, Error> {
    let mut profiles: BTreeMap<OrganisationId, Profile> = BTreeMap::new();
    let mut all = Vec::new();
    for presence in register::presences_in(conn, &place::kin(code))? {
        if !now_here(&presence, today) || !shown_to(&presence, reader) {
            continue;
        }
        let organisation = presence.organisation;
        if let std::collections::btree_map::Entry::Vacant(empty) = profiles.entry(organisation) {
            empty.insert(register::find(conn, organisation)?.ok_or(Error::Missing)?);
        }
        let profile = &profiles[&organisation];
        all.push(HereView {
            organisation,
            working_name: profile.working_name.clone(),
            organisation_kind: profile.kind,
            strengths: profile.strengths.clone(),
            presence,
        });
    }
    all.sort_by_cached_key(|h| {
        (
            rank(h.presence.kind),
            folded(h.working_name.as_str()),
            h.presence.since,
        )
    });
    Ok(all)
}

impl Desk {
    /// Who is in a place: what CLERO has confirmed, and for staff and its own people what an organisation has declared.
    pub async fn organisations_in(
        &self,
        caller: Credential,
        code: LocalityCode,
    ) -> Result<LocalityPresences, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let reader = signin::anyone(conn, &caller, now)?;
                let items = here(conn, &code, &reader, now.london_day())?;
                Ok(LocalityPresences {
                    locality: code.locality().clone(),
                    overlaps: overlap::among(&foremost(&items)),
                    items,
                })
            })
            .await
    }

    /// The places where a LERO is at home today.
    pub async fn homes(&self) -> Result<BTreeSet<LocalityCode>, Error> {
        let today = self.clock.now().london_day();
        self.db
            .read(move |conn| Ok(register::homes(conn, today)?))
            .await
    }

    /// The LEROs, or every organisation, by name, with where each of them is.
    pub async fn listed(
        &self,
        caller: Credential,
        text: Option<String>,
        only_leros: bool,
        slice: Slice,
    ) -> Result<Page<Listed>, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let reader = signin::anyone(conn, &caller, now)?;
                let list = ("listed", &text, only_leros);
                let after: Option<(String, OrganisationId)> = slice.place(&list)?;
                let most = slice.most() as i64 + 1;
                let found = register::page(conn, text.as_deref(), only_leros, after, most)?;
                let page = slice.page(found, &list, |(id, profile)| {
                    (folded(profile.working_name.as_str()), *id)
                });
                let today = now.london_day();
                let mut items = Vec::new();
                for (id, profile) in page.items {
                    let mut presences = register::presences_of(conn, id)?;
                    presences.retain(|p| now_here(p, today) && shown_to(p, &reader));
                    presences.sort_by_key(|p| rank(p.kind));
                    let organisation = OrganisationView::of(id, profile, &reader);
                    items.push(Listed {
                        organisation,
                        presences,
                    });
                }
                Ok(Page {
                    items,
                    next: page.next,
                })
            })
            .await
    }

    /// The register at a glance: what there is, what waits to be looked at, and where somebody is at home.
    pub async fn register_board(&self, caller: Credential) -> Result<RegisterBoard, Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                keeper(conn, &actor)?;
                let waiting = register::presences_waiting(conn, WAITING)?;
                let names =
                    register::names(conn, &waiting.iter().map(|p| p.organisation).collect())?;
                let named = |presence: Presence| Waiting {
                    working_name: names
                        .get(&presence.organisation)
                        .cloned()
                        .unwrap_or_default(),
                    presence,
                };
                Ok(RegisterBoard {
                    counts: register::counts(conn)?,
                    waiting: waiting.into_iter().map(named).collect(),
                    homes: register::homes(conn, now.london_day())?,
                })
            })
            .await
    }
}
