//! Where one is signed in, and the browsers one trusts.
use serde_json::json;

use super::after;
use crate::domain::id::{BrowserId, SessionId};
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

const HERE: &str = "/account/sessions";

pub async fn show(visit: Visit) -> Answer {
    let sessions = visit.desk.sessions(visit.caller()).await?.items;
    let browsers = visit.desk.trusted_browsers(visit.caller()).await?.items;
    let others = sessions.iter().any(|s| !s.current);
    visit.page(
        "account/sessions",
        json!({ "sessions": sessions, "browsers": browsers, "others": others }),
    )
}

pub async fn end(visit: Visit) -> Answer {
    let id = visit.id("session", SessionId::parse)?;
    let done = visit
        .desk
        .end_session(visit.caller(), id)
        .await
        .map_err(Problem::from);
    after(&visit, done, HERE, "session_ended")
}

pub async fn end_others(visit: Visit) -> Answer {
    let done = visit
        .desk
        .end_other_sessions(visit.caller())
        .await
        .map_err(Problem::from);
    after(&visit, done, HERE, "others_ended")
}

pub async fn end_trust(visit: Visit) -> Answer {
    let id = visit.id("browser", BrowserId::parse)?;
    let done = visit
        .desk
        .end_trust(visit.caller(), id)
        .await
        .map_err(Problem::from);
    after(&visit, done, HERE, "trust_ended")
}
