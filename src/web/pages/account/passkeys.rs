//! One's passkeys: which there are, making one with the script of the page, and removing one.
use serde_json::json;

use super::{after, fresh, nothing};
use crate::domain::id::PasskeyId;
use crate::web::api::Answer;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn show(visit: Visit) -> Answer {
    let all = visit.desk.passkeys(visit.caller()).await?.items;
    visit.page("account/passkeys", json!({ "passkeys": all }))
}

/// A browser makes a passkey, and the page's script hands it to the API.
pub async fn add(visit: Visit) -> Answer {
    fresh(&visit).await?;
    visit.page("account/passkey_add", nothing())
}

pub async fn remove(visit: Visit) -> Answer {
    let id = visit.id("passkey", PasskeyId::parse)?;
    let done = visit
        .desk
        .remove_passkey(visit.caller(), id)
        .await
        .map_err(Problem::from);
    after(&visit, done, "/account/passkeys", "passkey_removed")
}
