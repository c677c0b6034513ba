//! Keeping the register, as pages: for coordinators all of it, for the people of an organisation their own. The same
//! page serves both; what somebody may do there is decided by the use cases, and its buttons follow that.
use serde_json::{Value, json};

use super::fields::Fields;
use super::find::{query, searched, whereabouts};
use super::map;
use super::public::capital;
use super::visit::{Visit, tag};
use crate::casework::places::RegisterBoard;
use crate::casework::register::{OrganisationView, WriteOrganisation};
use crate::domain::id::OrganisationId;
use crate::domain::overlap::not_over;
use crate::domain::people::{MembershipState, Role};
use crate::domain::place;
use crate::domain::register::{Presence, PresenceKind};
use crate::web::api::Answer;
use crate::web::json;
use crate::web::problem::{Kind, Problem};

/// How many organisations are on a page of the list.
const A_PAGE: u16 = 30;
/// The strengths that are offered to be ticked; any other can be written.
const STRENGTHS: [&str; 8] = [
    "peer support",
    "harm reduction",
    "housing",
    "advocacy",
    "training",
    "family and friends",
    "creative arts",
    "employment",
];

/// The register: what waits, where nobody is at home, and every organisation by name.
pub async fn list(visit: Visit) -> Answer {
    let board = visit
        .desk
        .register_board(visit.caller())
        .await
        .map_err(Problem::from)?;
    let text = searched(&visit);
    let page = visit
        .desk
        .listed(visit.caller(), text.clone(), false, visit.slice(A_PAGE)?)
        .await
        .map_err(Problem::from)?;
    let next = page.next.as_deref().map(|cursor| {
        let narrowed = text
            .as_deref()
            .map(|q| format!("{}&", query("q", q)))
            .unwrap_or_default();
        format!("/register?{narrowed}{}", query("cursor", cursor))
    });
    let first = visit.asked_for("cursor").is_none();
    visit.page("register/list", json!({
        "q": text.unwrap_or_default(), "items": page.items, "next": next, "first": first,
        "counts": board.counts.iter().map(|(kind, count)| json!({ "kind": kind, "count": count })).collect::<Vec<_>>(),
        "waiting": board.waiting, "gaps": gaps(&board), "uk": map::country(&board.homes, None),
        "homes": board.homes.len(),
    }))
}

/// Where nobody is at home, region by region.
fn gaps(board: &RegisterBoard) -> Vec<Value> {
    place::regional_counts()
        .into_iter()
        .map(|(region, councils)| {
            let home = board.homes.iter().filter(|h| h.locality().region == region).count();
            json!({ "name": region, "to": format!("/find?{}", query("region", region)), "councils": councils, "empty": councils - home })
        })
        .collect()
}

pub(super) fn organisation_of(visit: &Visit) -> Result<OrganisationId, Problem> {
    visit.id("organisation", OrganisationId::parse)
}

/// Where the pages of this organisation are, for whoever is looking: the register's, or their own.
pub(super) fn base(visit: &Visit, id: OrganisationId) -> String {
    let room = if visit.path().starts_with("/register") {
        "register"
    } else {
        "organisation"
    };
    format!("/{room}/{id}")
}

/// What every page of an organisation says: what it is, who looks, and what they may do.
pub(super) struct Looked {
    pub(super) id: OrganisationId,
    organisation: OrganisationView,
    base: String,
    pub(super) keeper: bool,
    pub(super) lead: bool,
}

impl Looked {
    pub(super) async fn at(visit: &Visit) -> Result<Self, Problem> {
        let id = organisation_of(visit)?;
        let me = visit.me()?;
        let lead = me
            .memberships
            .iter()
            .any(|m| m.organisation == id && m.lead && m.state == MembershipState::Active);
        let organisation = visit
            .desk
            .organisation(visit.caller(), id)
            .await
            .map_err(Problem::from)?;
        Ok(Self {
            id,
            organisation,
            base: base(visit, id),
            keeper: visit.is(Role::Coordinator),
            lead,
        })
    }

    pub(super) fn data(&self) -> Value {
        json!({
            "organisation": self.organisation, "base": self.base, "keeper": self.keeper, "lead": self.lead,
            "may": self.keeper || self.lead, "in_register": self.base.starts_with("/register"),
        })
    }
}

pub(super) fn with(mut data: Value, more: Value) -> Value {
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}

/// The organisations of whoever looks: straight on, where there is one.
pub async fn own(visit: Visit) -> Answer {
    let mut all = Vec::new();
    for membership in visit
        .me()?
        .memberships
        .iter()
        .filter(|m| m.state == MembershipState::Active)
    {
        let id = membership.organisation;
        all.push(
            visit
                .desk
                .organisation(visit.caller(), id)
                .await
                .map_err(Problem::from)?,
        );
    }
    if let [only] = all.as_slice() {
        return visit.on(&format!("/organisation/{}", only.id));
    }
    visit.page("register/own", json!({ "organisations": all }))
}

/// An organisation: what it is, where it is, and who belongs to it.
pub async fn organisation(visit: Visit) -> Answer {
    let looked = Looked::at(&visit).await?;
    let members = visit
        .desk
        .colleagues(visit.caller(), looked.id)
        .await
        .map_err(Problem::from)?;
    let presences = visit
        .desk
        .presences(visit.caller(), looked.id)
        .await
        .map_err(Problem::from)?
        .items;
    let today = visit.desk.clock.now().london_day();
    let (now, before): (Vec<Presence>, Vec<Presence>) = presences
        .into_iter()
        .partition(|p| p.kind != PresenceKind::Former && not_over(p.until, today));
    let me = visit.me()?.person.id;
    let shown: Vec<Value> = members
        .iter()
        .map(|m| json!({ "name": m.name, "email": m.email, "membership": m.membership, "self": m.membership.person == me }))
        .collect();
    let of = |state: &str| {
        shown
            .iter()
            .filter(|m| m["membership"]["state"] == state)
            .cloned()
            .collect::<Vec<_>>()
    };
    let (active, invited, ended) = (of("active"), of("invited"), of("ended"));
    let map = whereabouts(&visit, &now);
    let data = json!({
        "can_hand_over": active.len() > 1,
        "active": active, "invited": invited, "ended": ended, "now": now, "before": before, "map": map,
    });
    visit.page("register/organisation", with(looked.data(), data))
}

/// The form for an organisation that is new in the register.
pub async fn new(visit: Visit) -> Answer {
    visit
        .desk
        .register_board(visit.caller())
        .await
        .map_err(Problem::from)?;
    let mut stands = Fields::default();
    stands.add("profile.kind", "lero");
    stands.add("profile.standing", "member");
    stands.add("profile.constituted?", "yes");
    describe(
        &visit,
        "register/new",
        json!({}),
        stands,
        String::new(),
        false,
    )
}

/// Adds it.
pub async fn add(visit: Visit) -> Answer {
    let asked = written(&visit)?;
    match keep(&visit, asked, None).await {
        Ok(added) => visit.on(&format!("/register/{}?done=organisation_added", added.id)),
        Err(problem) => {
            let alike = is_alike(&problem);
            let visit = visit.troubled(problem)?;
            describe(
                &visit,
                "register/new",
                json!({}),
                Fields::default(),
                String::new(),
                alike,
            )
        }
    }
}

/// The form that changes an organisation's description.
pub async fn edit(visit: Visit) -> Answer {
    editing(&visit, false).await
}

async fn editing(visit: &Visit, alike: bool) -> Answer {
    let id = organisation_of(visit)?;
    let shown = visit
        .desk
        .organisation_to_change(visit.caller(), id)
        .await
        .map_err(Problem::from)?;
    let data = json!({ "organisation": shown, "base": format!("/register/{id}") });
    describe(
        visit,
        "register/edit",
        data,
        standing(&shown),
        tag(&shown),
        alike,
    )
}

/// Changes it.
pub async fn change(visit: Visit) -> Answer {
    let id = organisation_of(&visit)?;
    let asked = written(&visit)?;
    match keep(&visit, asked, Some(id)).await {
        Ok(_) => visit.on(&format!("/register/{id}?done=saved")),
        Err(problem) => {
            let alike = is_alike(&problem);
            editing(&visit.troubled(problem)?, alike).await
        }
    }
}

/// What was written, as the API takes it: the strengths that were ticked, and those written beside them.
fn written(visit: &Visit) -> Result<Value, Problem> {
    let mut body = visit.fields();
    let more: Vec<Value> = visit
        .said("_strengths")
        .unwrap_or_default()
        .split([',', '\n'])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().into())
        .collect();
    if let Some(profile) = body["profile"].as_object_mut() {
        let strengths = profile.entry("strengths").or_insert_with(|| json!([]));
        if let Some(list) = strengths.as_array_mut() {
            for word in more {
                if !list.contains(&word) {
                    list.push(word);
                }
            }
        }
    }
    Ok(body)
}

async fn keep(
    visit: &Visit,
    body: Value,
    id: Option<OrganisationId>,
) -> Result<OrganisationView, Problem> {
    let asked: WriteOrganisation = json::shape(body)?;
    let (caller, key) = (visit.caller(), visit.once());
    let done = match id {
        Some(id) => {
            visit
                .desk
                .change_organisation(caller, id, asked, visit.seen(), key)
                .await
        }
        None => visit.desk.add_organisation(caller, asked, key).await,
    };
    done.map_err(Problem::from)
}

/// Whether a name looks like another's, so that somebody has to say that they are different.
fn is_alike(problem: &Problem) -> bool {
    problem.kind() == Kind::Conflict
        && problem
            .flaws()
            .iter()
            .any(|f| f.pointer == "#name-looks-like-another")
}

/// Shows the form of a description.
fn describe(
    visit: &Visit,
    name: &str,
    data: Value,
    stands: Fields,
    seen: String,
    alike: bool,
) -> Answer {
    let alike = alike || visit.said("name_checked?").is_some();
    let known: Vec<Value> = STRENGTHS
        .iter()
        .map(|word| json!({ "value": word, "label": capital(word) }))
        .collect();
    visit.form(
        name,
        with(data, json!({ "alike": alike, "strengths": known })),
        stands,
        seen,
    )
}

/// What stands in the register, as the fields of its form.
fn standing(shown: &OrganisationView) -> Fields {
    let mut fields = Fields::default();
    let profile = serde_json::to_value(shown).unwrap_or_default();
    let registered = &profile["registered"];
    for (name, value) in [
        ("profile.working_name!", &profile["working_name"]),
        ("profile.legal_name!", &registered["legal_name"]),
        ("profile.kind", &profile["kind"]),
        ("profile.legal_form", &registered["legal_form"]),
        ("profile.nation", &profile["nation"]),
        ("profile.standing", &registered["standing"]),
        ("profile.own_words", &profile["own_words"]),
    ] {
        fields.add_some(name, value.as_str());
    }
    let constituted = registered["constituted"].as_bool().unwrap_or_default();
    fields.add(
        "profile.constituted?",
        if constituted { "yes" } else { "no" },
    );
    let (known, others): (Vec<String>, Vec<String>) = shown
        .strengths
        .iter()
        .map(|s| String::from(s.clone()))
        .partition(|s| STRENGTHS.contains(&s.as_str()));
    for word in known {
        fields.add("profile.strengths[]", word);
    }
    if !others.is_empty() {
        fields.add("_strengths", others.join(", "));
    }
    fields
}
