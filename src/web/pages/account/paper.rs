//! The ways back in: codes kept on paper, and help that CLERO vouched for, which its person can stop.
use serde_json::{Value, json};

use super::after;
use crate::casework::recovery::Recovery;
use crate::domain::id::RecoveryId;
use crate::domain::time::Moment;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn show(visit: Visit) -> Answer {
    let left = visit.desk.recovery_codes_left(visit.caller()).await?.left;
    visit.page("account/codes", json!({ "left": left }))
}

/// Shows ten new ones, this once.
pub async fn renew(visit: Visit) -> Answer {
    let made = visit
        .desk
        .renew_recovery_codes(visit.caller())
        .await
        .map_err(Problem::from);
    match made {
        Ok(made) => visit.fresh_page(
            "account/codes_made",
            json!({ "codes": made.recovery_codes }),
        ),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

pub async fn recoveries(visit: Visit) -> Answer {
    let (now, me) = (visit.desk.clock.now(), visit.me()?.person.id);
    let all = visit.desk.recoveries(visit.caller(), me).await?.items;
    let shown: Vec<Value> = all.iter().map(|r| one(r, now)).collect();
    visit.page("account/recoveries", json!({ "recoveries": shown }))
}

fn one(help: &Recovery, now: Moment) -> Value {
    let state = match (help.used_at, help.stopped_at) {
        (Some(_), _) => "used",
        (None, Some(_)) => "stopped",
        (None, None) if help.expires_at <= now => "over",
        (None, None) if help.effective_at <= now => "open",
        (None, None) => "waiting",
    };
    json!({
        "id": help.id, "state": state, "created_at": help.created_at, "effective_at": help.effective_at,
        "expires_at": help.expires_at, "can_stop": matches!(state, "open" | "waiting"),
    })
}

pub async fn stop(visit: Visit) -> Answer {
    let id = visit.id("recovery", RecoveryId::parse)?;
    let done = visit
        .desk
        .stop_recovery(visit.caller(), id, visit.once())
        .await;
    after(
        &visit,
        done.map(|_| ()).map_err(Problem::from),
        "/account/recoveries",
        "help_stopped",
    )
}
