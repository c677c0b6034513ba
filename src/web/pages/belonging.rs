//! Who belongs to an organisation, as pages: inviting somebody, ending a membership, handing over the lead. The same for
//! coordinators in the register and for the organisation's own leads.
use serde_json::{Value, json};

use super::register::{base, organisation_of};
use super::visit::Visit;
use crate::domain::id::{MembershipId, OrganisationId};
use crate::domain::people::{MembershipState, Role};
use crate::web::api::Answer;
use crate::web::problem::{Kind, Problem};

/// What the forms here say around themselves; only for those who may use them.
async fn around(visit: &Visit, id: OrganisationId) -> Result<Value, Problem> {
    let keeper = visit.is(Role::Coordinator);
    let own = visit
        .me()?
        .memberships
        .iter()
        .find(|m| m.organisation == id && m.lead && m.state == MembershipState::Active);
    if !keeper && own.is_none() {
        return Err(Problem::new(Kind::NotAllowed));
    }
    let organisation = visit
        .desk
        .organisation(visit.caller(), id)
        .await
        .map_err(Problem::from)?;
    let all = visit
        .desk
        .colleagues(visit.caller(), id)
        .await
        .map_err(Problem::from)?;
    let active = || {
        all.iter()
            .filter(|c| c.membership.state == MembershipState::Active)
    };
    let choice = |c: &crate::casework::members::Colleague| json!({ "value": c.membership.id, "label": c.name, "hint": null });
    let own = own.map(|m| m.id);
    let others: Vec<Value> = active()
        .filter(|c| !c.membership.lead && Some(c.membership.id) != own)
        .map(choice)
        .collect();
    let leads: Vec<Value> = active().filter(|c| c.membership.lead).map(choice).collect();
    Ok(json!({
        "organisation": organisation, "base": base(visit, id), "own": own, "others": others, "leads": leads,
        "from_outside": own.is_none() && !leads.is_empty(), "invitation_days": visit.desk.settings.invitation_days,
    }))
}

/// The form that invites somebody.
pub async fn inviting(visit: Visit) -> Answer {
    let data = around(&visit, organisation_of(&visit)?).await?;
    visit.page("register/invite", data)
}

/// Invites them.
pub async fn invite(visit: Visit) -> Answer {
    let id = organisation_of(&visit)?;
    let done = match visit.body() {
        Ok(new) => visit
            .desk
            .invite_member(visit.caller(), id, new, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!("{}?done=member_invited", base(&visit, id))),
        Err(problem) => inviting(visit.troubled(problem)?).await,
    }
}

/// What ending a membership means, before it is done.
pub async fn ending(visit: Visit) -> Answer {
    let (id, membership) = (
        organisation_of(&visit)?,
        visit.id("membership", MembershipId::parse)?,
    );
    let organisation = visit
        .desk
        .organisation(visit.caller(), id)
        .await
        .map_err(Problem::from)?;
    let all = visit
        .desk
        .colleagues(visit.caller(), id)
        .await
        .map_err(Problem::from)?;
    let missing = || Problem::new(Kind::NotFound);
    let colleague = all
        .iter()
        .find(|c| c.membership.id == membership)
        .ok_or_else(missing)?;
    let me = visit.me()?.person.id;
    let leads = all
        .iter()
        .filter(|c| c.membership.lead && c.membership.state == MembershipState::Active)
        .count();
    visit.page("register/end", json!({
        "organisation": organisation, "base": base(&visit, id), "name": colleague.name, "membership": colleague.membership,
        "self": colleague.membership.person == me, "only_lead": colleague.membership.lead && leads == 1,
    }))
}

/// Ends it.
pub async fn end(visit: Visit) -> Answer {
    let (id, membership) = (
        organisation_of(&visit)?,
        visit.id("membership", MembershipId::parse)?,
    );
    let ended = visit
        .desk
        .end_membership(visit.caller(), membership, visit.once())
        .await
        .map_err(Problem::from)?;
    if visit.me()?.person.id == ended.person && !visit.is(Role::Coordinator) {
        return visit.on("/cases?done=membership_ended");
    }
    visit.on(&format!("{}?done=membership_ended", base(&visit, id)))
}

/// The form that hands over the lead.
pub async fn handing_over(visit: Visit) -> Answer {
    let data = around(&visit, organisation_of(&visit)?).await?;
    visit.page("register/lead", data)
}

/// Hands it over.
pub async fn hand_over(visit: Visit) -> Answer {
    let id = organisation_of(&visit)?;
    let done = match visit.body() {
        Ok(asked) => visit
            .desk
            .hand_over_lead(visit.caller(), id, asked, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!("{}?done=lead_handed_over", base(&visit, id))),
        Err(problem) => handing_over(visit.troubled(problem)?).await,
    }
}
