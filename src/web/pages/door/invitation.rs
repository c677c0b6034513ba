//! Arriving with an invitation: the address, the code from the letter, and a password.
use serde_json::json;

use crate::casework::invitations::Accepted;
use crate::web::api::Answer;
use crate::web::api::invitations::Accept;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn show(visit: Visit) -> Answer {
    visit.page("sign_in/invitation", json!({}))
}

/// Shows the codes on paper, this once.
pub async fn take(visit: Visit) -> Answer {
    match arrived(&visit).await {
        Ok(accepted) => visit.fresh_page(
            "sign_in/arrived",
            json!({ "codes": accepted.recovery_codes }),
        ),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

async fn arrived(visit: &Visit) -> Result<Accepted, Problem> {
    let said: Accept = visit.body()?;
    let (code, browser) = (said.code.as_str().to_owned(), visit.ask.browser()?);
    Ok(visit
        .desk
        .take_up_invitation(said.email, code, said.password, browser)
        .await?)
}
