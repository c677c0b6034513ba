//! Signing in with a password and six digits, or with a passkey, and signing out.
use serde_json::json;

use super::Onward;
use crate::casework::door::Entry;
use crate::casework::sessions::NewSession;
use crate::web::api::Answer;
use crate::web::api::door::{CodeAnswer, SignIn, given};
use crate::web::cookies;
use crate::web::pages::visit::Visit;
use crate::web::problem::Problem;

/// Address and password. Whoever is in already goes on.
pub async fn show(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    if visit.me.is_some() {
        return onward.go_on(&visit);
    }
    visit.page("sign_in/begin", onward.shown())
}

pub async fn take(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    if visit.me.is_some() {
        return onward.go_on(&visit);
    }
    let said = visit.body::<SignIn>();
    let entry = match said {
        Ok(said) => {
            let browser = visit.ask.browser()?;
            visit
                .desk
                .sign_in(said.email, said.password, browser)
                .await
                .map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match entry {
        Ok(Entry::In(new)) => onward.enter(&visit, &new).await,
        Ok(Entry::Code { cookie, .. }) => {
            let mut answer = if onward.brings_something() {
                visit.fresh_page("sign_in/code", onward.shown())?
            } else {
                visit.on(&onward.by("/sign-in/code"))?
            };
            cookies::lay(&mut answer, &cookies::asked(&cookie));
            Ok(answer)
        }
        Err(problem) => visit
            .troubled(problem)?
            .page("sign_in/begin", onward.shown()),
    }
}

/// The six digits, or a code kept on paper. Without a question there is nothing to answer.
pub async fn show_code(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    if visit.me.is_some() {
        return onward.go_on(&visit);
    }
    if visit.ask.browser()?.challenge.is_none() {
        return visit.on(&onward.by("/sign-in"));
    }
    visit.page("sign_in/code", onward.shown())
}

pub async fn take_code(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    if visit.me.is_some() {
        return onward.go_on(&visit);
    }
    match entered(&visit).await {
        Ok(new) => onward.enter(&visit, &new).await,
        Err(problem) => visit
            .troubled(problem)?
            .page("sign_in/code", onward.shown()),
    }
}

async fn entered(visit: &Visit) -> Result<NewSession, Problem> {
    let said: CodeAnswer = visit.body()?;
    let (trust, answer) = (
        said.trust_this_browser,
        given(said.code, said.recovery_code)?,
    );
    let browser = visit.ask.browser()?;
    Ok(visit.desk.sign_in_with_code(answer, trust, browser).await?)
}

/// From the beginning, with everything that was brought along.
pub async fn again(visit: Visit) -> Answer {
    let onward = Onward::of(&visit);
    if visit.me.is_some() {
        return onward.go_on(&visit);
    }
    visit.fresh_page("sign_in/begin", onward.shown())
}

/// On from a passkey: the script has opened the door, and sends on what its page brought along.
pub async fn on(visit: Visit) -> Answer {
    Onward::of(&visit).go_on(&visit)
}

/// Signing out. Somebody whose session is over already has nothing to end.
pub async fn out(visit: Visit) -> Answer {
    if visit.me.is_some() {
        visit.desk.sign_out(visit.caller()).await?;
    }
    let mut answer = visit.on("/signed-out")?;
    cookies::forget(&mut answer);
    Ok(answer)
}

pub async fn signed_out(visit: Visit) -> Answer {
    visit.page("sign_in/out", json!({}))
}
