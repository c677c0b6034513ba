//! Showing once more that it is you: before something that counts as a signature, or changes how one gets in.
use super::Onward;
use crate::casework::sessions::NewSession;
use crate::web::api::Answer;
use crate::web::api::door::{StepAnswer, given};
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

pub async fn show(visit: Visit) -> Answer {
    visit.page("sign_in/step", Onward::of(&visit).shown())
}

/// Sends the letter with the six digits.
pub async fn take(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    match visit
        .desk
        .ask_for_step(visit.caller())
        .await
        .map_err(Problem::from)
    {
        Ok(_) if onward.brings_something() => visit.fresh_page("sign_in/step_code", onward.shown()),
        Ok(_) => visit.on(&onward.by("/step/code")),
        Err(problem) => visit
            .troubled(problem)?
            .page("sign_in/step", onward.shown()),
    }
}

pub async fn show_code(visit: Visit) -> Answer {
    visit.page("sign_in/step_code", Onward::of(&visit).shown())
}

pub async fn take_code(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    match renewed(&visit).await {
        Ok(new) => onward.enter(&visit, &new).await,
        Err(problem) => visit
            .troubled(problem)?
            .page("sign_in/step_code", onward.shown()),
    }
}

async fn renewed(visit: &Visit) -> Result<NewSession, Problem> {
    let said: StepAnswer = visit.body()?;
    let (answer, browser) = (given(said.code, said.recovery_code)?, visit.ask.browser()?);
    Ok(visit
        .desk
        .step_with_code(visit.caller(), answer, browser)
        .await?)
}
