//! What one's own programs may do: tokens for the API, and the address of one's calendar. Both are shown once.
use serde_json::json;

use super::after;
use crate::casework::tokens::{NewToken, WantToken};
use crate::domain::id::TokenId;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn tokens(visit: Visit) -> Answer {
    let all = visit.desk.tokens(visit.caller()).await?.items;
    visit.page(
        "account/tokens",
        json!({ "tokens": all, "usual_days": visit.desk.settings.token_days }),
    )
}

pub async fn make_token(visit: Visit) -> Answer {
    match made(&visit).await {
        Ok(made) => visit.fresh_page("account/token_made", json!({ "made": made })),
        Err(problem) => tokens(visit.troubled(problem)?).await,
    }
}

async fn made(visit: &Visit) -> Result<NewToken, Problem> {
    let want: WantToken = visit.body()?;
    Ok(visit.desk.make_token(visit.caller(), want).await?)
}

pub async fn revoke_token(visit: Visit) -> Answer {
    let id = visit.id("token", TokenId::parse)?;
    let done = visit
        .desk
        .revoke_token(visit.caller(), id)
        .await
        .map_err(Problem::from);
    after(&visit, done, "/account/tokens", "token_revoked")
}

pub async fn calendar(visit: Visit) -> Answer {
    let feed = visit.desk.feed(visit.caller()).await?;
    visit.page(
        "account/calendar",
        json!({ "active": feed.active, "since": feed.since }),
    )
}

pub async fn make_feed(visit: Visit) -> Answer {
    match visit
        .desk
        .make_feed(visit.caller())
        .await
        .map_err(Problem::from)
    {
        Ok(made) => visit.fresh_page("account/calendar_made", json!({ "url": made.url })),
        Err(problem) => calendar(visit.troubled(problem)?).await,
    }
}

pub async fn revoke_feed(visit: Visit) -> Answer {
    let done = visit
        .desk
        .revoke_feed(visit.caller())
        .await
        .map_err(Problem::from);
    after(&visit, done, "/account/calendar", "calendar_revoked")
}
