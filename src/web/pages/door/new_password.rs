//! A new password for somebody who has forgotten theirs. Whether there is an account, no page says.
use serde_json::json;

use crate::casework::reset::NewPassword;
use crate::web::api::Answer;
use crate::web::api::account::{BeginReset, Reset};
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn show(visit: Visit) -> Answer {
    visit.page("sign_in/forgotten", json!({}))
}

/// Sends the six digits, if there is somebody to send them to; the address that was typed stays typed.
pub async fn take(visit: Visit) -> Answer {
    match asked(&visit).await {
        Ok(()) => visit.page("sign_in/new_password", json!({ "sent": true })),
        Err(problem) => show(visit.troubled(problem)?).await,
    }
}

async fn asked(visit: &Visit) -> Result<(), Problem> {
    let said: BeginReset = visit.body()?;
    Ok(visit
        .desk
        .ask_for_reset(said.email, visit.ask.browser()?)
        .await?)
}

pub async fn show_code(visit: Visit) -> Answer {
    visit.page("sign_in/new_password", json!({ "sent": false }))
}

pub async fn take_code(visit: Visit) -> Answer {
    match chosen(&visit).await {
        Ok(()) => visit.on("/sign-in?done=password_new"),
        Err(problem) => show_code(visit.troubled(problem)?).await,
    }
}

async fn chosen(visit: &Visit) -> Result<(), Problem> {
    let said: Reset = visit.body()?;
    let new = NewPassword {
        email: said.email,
        code: said.code.as_str().to_owned(),
        recovery_code: said.recovery_code.map(|code| code.as_str().to_owned()),
        password: said.new_password,
    };
    Ok(visit.desk.reset_password(new, visit.ask.browser()?).await?)
}
