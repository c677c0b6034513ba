//! Another password, and another address.
use super::{fresh, nothing};
use crate::domain::people::Person;
use crate::web::api::Answer;
use crate::web::api::account::{BeginAddress, ChangePassword, ConfirmAddress};
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn password(visit: Visit) -> Answer {
    fresh(&visit).await?;
    visit.page("account/password", nothing())
}

pub async fn change_password(visit: Visit) -> Answer {
    let done = match visit.body::<ChangePassword>() {
        Ok(said) => {
            let changed = visit
                .desk
                .change_password(visit.caller(), said.new_password)
                .await;
            changed.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => visit.on("/account?done=password_changed"),
        Err(problem) => password(visit.troubled(problem)?).await,
    }
}

pub async fn address(visit: Visit) -> Answer {
    fresh(&visit).await?;
    let email = visit.me()?.person.email.clone();
    visit.page("account/address", serde_json::json!({ "now": email }))
}

/// Sends a code to the new address, unless it is somebody's; no page says which.
pub async fn ask_for_address(visit: Visit) -> Answer {
    let done = match visit.body::<BeginAddress>() {
        Ok(said) => {
            let asked = visit.desk.ask_for_address(visit.caller(), said.email).await;
            asked.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on("/account/address/code"),
        Err(problem) => address(visit.troubled(problem)?).await,
    }
}

pub async fn address_code(visit: Visit) -> Answer {
    visit.page("account/address_code", nothing())
}

pub async fn change_address(visit: Visit) -> Answer {
    match changed(&visit).await {
        Ok(_) => visit.on("/account?done=address_changed"),
        Err(problem) => address_code(visit.troubled(problem)?).await,
    }
}

async fn changed(visit: &Visit) -> Result<Person, Problem> {
    let said: ConfirmAddress = visit.body()?;
    let (code, browser) = (said.code.as_str().to_owned(), visit.ask.browser()?);
    Ok(visit
        .desk
        .change_address(visit.caller(), code, browser)
        .await?)
}
