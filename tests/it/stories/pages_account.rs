//! Getting in and looking after one's account, on the pages.
use chrono::Duration;
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::pages::Page;
use crate::support::{App, PASSWORD, Person, Reader};

const OTHER: &str = "seven quiet herons walking";

/// Signs somebody in on the pages, from wherever they are asked to.
fn sign_in(reader: &Reader, who: &Person) -> Page {
    let typed = [("email!", who.email.as_str()), ("password!", PASSWORD)];
    reader.submit("/sign-in", &typed).expect(200);
    reader.submit("/sign-in/code", &[("code", &who.app.code_for(who))])
}

fn arrived<'a>(app: &'a App, who: &Person) -> Reader<'a> {
    let reader = Reader::new(app);
    reader.page("/sign-in?next=/account");
    sign_in(&reader, who).expect(200).at("/account");
    reader
}

fn codes_on(page: &Page) -> Vec<String> {
    let codes = page.text.split("<li><code>").skip(1);
    codes
        .map(|rest| rest.split('<').next().unwrap_or_default().to_owned())
        .collect()
}

/// A page without what is new each time it is shown, and without what was typed.
fn bare(page: &Page, typed: &str) -> String {
    let mut text = page.text.replace(typed, "");
    for value in page
        .actions()
        .iter()
        .filter_map(|action| page.field(action, "_once"))
    {
        text = text.replace(&value, "");
    }
    text
}

fn ties(who: &Person) -> usize {
    let all = who
        .get(&format!("/api/v1/people/{}/affiliations", who.id))
        .expect(200)
        .body;
    all["items"].as_array().expect("a list").len()
}

on_both! {
    fn a_password_and_six_digits_lead_to_where_one_was_going(app: &App) {
        let cast = Cast::new(app);
        let (lead, reader) = (&cast.initiating_lead, Reader::new(app));
        let door = reader.page("/account/sessions").expect(200).at("/sign-in?next=%2Faccount%2Fsessions");
        assert_eq!(door.title(), "Sign in – Common Ground");
        assert_eq!((door.header("cache-control"), door.header("referrer-policy")), (Some("no-store"), Some("same-origin")));
        assert!(door.says("No link signs you in here") && door.says("Nobody from CLERO will ever ask"));
        let wrong = reader.submit("/sign-in", &[("email!", &lead.email), ("password!", "quite another thing")]).expect(422);
        assert!(wrong.title().starts_with("Error: ") && wrong.says("do not belong together") && !wrong.text.contains("quite another thing"));
        let code = reader.submit("/sign-in", &[("email!", &lead.email), ("password!", PASSWORD)]).expect(200);
        let code = code.at("/sign-in/code?next=%2Faccount%2Fsessions");
        assert!(!code.text.contains(PASSWORD) && !code.text.contains(&lead.email));
        let digits = app.code_for(lead);
        let other = if digits == "000000" { "000001" } else { "000000" };
        let wrong = reader.submit("/sign-in/code", &[("code", other)]).expect(422);
        assert!(wrong.title().starts_with("Error: ") && wrong.says("This code is not right"));
        let spaced = format!(" {} {} ", &digits[..3], &digits[3..]);
        let inside = reader.submit("/sign-in/code", &[("code", &spaced)]).expect(200).at("/account/sessions");
        assert!(inside.says(&lead.name) && inside.says("This browser"));
        reader.page("/sign-in?next=/account").expect(200).at("/account");
        reader.page("/sign-in/code?next=/account").expect(200).at("/account");
    }

    fn nobody_is_led_to_another_house(app: &App) {
        let cast = Cast::new(app);
        for elsewhere in ["//elsewhere.example", "https://elsewhere.example", "/%5Celsewhere.example", ""] {
            let reader = Reader::new(app);
            reader.page(&format!("/sign-in?next={elsewhere}")).expect(200);
            let typed = [("email!", cast.initiating_lead.email.as_str()), ("password!", PASSWORD), ("_next", "//elsewhere.example")];
            reader.submit("/sign-in", &typed).at("/sign-in/code");
            let code = app.code_for(&cast.initiating_lead);
            reader.submit("/sign-in/code", &[("code", &code), ("_next", "//elsewhere.example")]).at("/cases");
            reader.page(&format!("/sign-in?next={elsewhere}")).at("/cases");
            app.clock.advance(Duration::minutes(20));
        }
    }

    fn what_was_written_comes_back_when_the_session_was_over(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let reader = arrived(app, lead);
        reader.page("/account/connections").expect(200);
        app.clock.advance(Duration::hours(3));
        let typed = [("organisation!", cast.invited.as_str()), ("role!", "Trustee & \"friend\" <b>"), ("since!@day", "3"), ("since!@month", "may"), ("since!@year", "2025")];
        let door = reader.submit("/account/connections", &typed).expect(401);
        assert!(door.says("What you wrote is not gone"), "{}", door.text);
        reader.submit("/sign-in", &[("email!", &lead.email), ("password!", "quite another thing")]).expect(422);
        reader.submit("/sign-in", &[("email!", &lead.email), ("password!", PASSWORD)]).expect(200);
        reader.submit("/sign-in/again", &[]).expect(200);
        reader.submit("/sign-in", &[("email!", &lead.email), ("password!", PASSWORD)]).expect(200);
        reader.submit("/sign-in/code", &[("code", "12")]).expect(422);
        let back = reader.submit("/sign-in/code", &[("code", &app.code_for(lead))]).expect(200);
        assert!(back.says("what you wrote is still here") && back.says(&lead.name));
        let form = reader.submit("/account/connections", &[]).expect(200);
        assert_eq!(ties(lead), 0, "it is looked at first");
        for (name, value) in typed {
            assert_eq!(form.field("/account/connections", name).as_deref(), Some(value));
        }
        let done = reader.submit("/account/connections", &[]).expect(200).at("/account/connections?done=connection_declared");
        assert!(done.says("Trustee & \"friend\" <b>") && ties(lead) == 1);
    }

    fn what_needs_a_fresh_step_goes_on_after_it(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let (reader, old) = (arrived(app, lead), arrived(app, lead));
        reader.page("/account/codes").expect(200);
        old.browser.cookies.replace(reader.browser.cookies.borrow().clone());
        old.page("/account/connections").expect(200);
        app.clock.advance(Duration::minutes(20));
        let step = reader.submit("/account/codes", &[]).expect(403);
        assert!(step.says("Please show that it is you") && step.says("What you asked for waits"));
        reader.submit("/step", &[]).expect(200);
        reader.submit("/step/code", &[("code", "000")]).expect(422);
        let on = reader.submit("/step/code", &[("code", &app.code_for(lead))]).expect(200);
        assert!(on.says("One more press"));
        let made = codes_on(&reader.submit("/account/codes", &[]).expect(200));
        assert_eq!(made.len(), 10);

        // A page of the session before it had a new secret: nothing is done, and nothing is gone.
        assert!(old.page("/account").path.starts_with("/sign-in"), "the old secret opens nothing");
        old.browser.cookies.replace(reader.browser.cookies.borrow().clone());
        let kept = [("_csrf".to_owned(), "old".to_owned()), ("role!".to_owned(), "Trustee".to_owned())];
        let asked = old.post("/account/connections", &kept).expect(403);
        assert!(asked.says("what you wrote is still here") && ties(lead) == 0);
        let form = old.submit("/account/connections", &[]).expect(200);
        assert_eq!(form.field("/account/connections", "role!").as_deref(), Some("Trustee"));

        // Before a password is typed, it is asked for; a password is never carried along.
        reader.page("/account/password").expect(200);
        app.clock.advance(Duration::minutes(20));
        let step = reader.submit("/account/password", &[("new_password!", OTHER)]).expect(403);
        assert!(!step.text.contains("herons"), "{}", step.text);
        reader.page("/account/password").at("/step?next=%2Faccount%2Fpassword");
        let paper = reader.submit("/step/code", &[("recovery_code", &made[3].to_lowercase())]).expect(200);
        paper.at("/account/password");
        reader.submit("/account/password", &[("new_password!", "short")]).expect(422);
        let done = reader.submit("/account/password", &[("new_password!", OTHER)]).expect(200);
        assert!(done.at("/account?done=password_changed").says("Your password is changed"));
    }

    fn signing_out_leaves_nothing_behind(app: &App) {
        let cast = Cast::new(app);
        let reader = arrived(app, &cast.initiating_lead);
        let secret = reader.browser.cookies.borrow()["__Host-session"].clone();
        let out = reader.submit("/sign-out", &[]).expect(200).at("/signed-out");
        assert!(out.trail[0].header("clear-site-data").is_some_and(|h| h.contains("storage") && h.contains("cache")));
        assert!(reader.browser.cookies.borrow().is_empty());
        reader.browser.cookies.borrow_mut().insert("__Host-session".to_owned(), secret);
        reader.page("/account").at("/sign-in?next=%2Faccount");
        // Signing out of a session that is over is as good.
        reader.post("/sign-out", &[]).expect(200).at("/signed-out");
    }

    fn a_session_that_is_ended_elsewhere_ends_at_once(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let (one, two) = (arrived(app, lead), arrived(app, lead));
        let all = one.page("/account/sessions").expect(200);
        let end = all.actions().into_iter().find(|a| a.ends_with("/end")).expect("another session");
        one.submit(&end, &[]).expect(200).at("/account/sessions?done=session_ended");
        two.page("/account").at("/sign-in?next=%2Faccount");
        let three = arrived(app, lead);
        one.page("/account/sessions");
        one.submit("/account/sessions/end-others", &[]).expect(200);
        three.page("/account").at("/sign-in?next=%2Faccount");
        one.page("/account").expect(200).at("/account");
    }

    fn a_trusted_browser_needs_the_password_only_until_it_is_trusted_no_more(app: &App) {
        let cast = Cast::new(app);
        let (lead, reader) = (&cast.initiating_lead, Reader::new(app));
        let password = [("email!", lead.email.as_str()), ("password!", PASSWORD)];
        reader.page("/sign-in");
        reader.submit("/sign-in", &password).expect(200);
        reader.submit("/sign-in/code", &[("code", &app.code_for(lead)), ("trust_this_browser?", "yes")]);
        reader.page("/account").expect(200);
        reader.submit("/sign-out", &[]).expect(200);
        assert_eq!(reader.browser.cookies.borrow().keys().collect::<Vec<_>>(), ["__Host-browser"]);
        reader.page("/sign-in?next=/account/sessions");
        let all = reader.submit("/sign-in", &password).expect(200).at("/account/sessions");
        let end = all.actions().into_iter().find(|a| a.starts_with("/account/browsers/")).expect("a browser");
        assert!(reader.submit(&end, &[]).expect(200).says("You trust none"));
        reader.submit("/sign-out", &[]).expect(200);
        reader.page("/sign-in");
        reader.submit("/sign-in", &password).expect(200).at("/sign-in/code");
    }

    fn pages_tell_nobody_who_has_an_account(app: &App) {
        let cast = Cast::new(app);
        let known = cast.initiating_lead.email.as_str();
        let asked = |page: &str, action: &str, more: &[(&str, &str)], email: &str| {
            let reader = Reader::new(app);
            reader.page(page).expect(200);
            let typed = [more, &[("email!", email)]].concat();
            let shown = reader.submit(action, &typed);
            (shown.status, shown.path.clone(), bare(&shown, email))
        };
        for (page, action, more) in [
            ("/sign-in", "/sign-in", &[("password!", "quite another thing")][..]),
            ("/new-password", "/new-password", &[]),
            ("/new-password/code", "/new-password/code", &[("code!", "123456"), ("recovery_code", "AAAAA-AAAAA"), ("new_password!", OTHER)]),
            ("/invitation", "/invitation", &[("code!", "AAAAA-AAAAA"), ("password!", OTHER)]),
        ] {
            assert_eq!(asked(page, action, more, known), asked(page, action, more, "nobody@lero.example"), "{action}");
        }
    }

    fn too_many_tries_are_answered_with_a_way_on(app: &App) {
        let cast = Cast::new(app);
        let (lead, reader) = (&cast.initiating_lead, Reader::new(app));
        reader.page("/sign-in?next=/account");
        let typed = [("email!", lead.email.as_str()), ("password!", "quite another thing")];
        for _ in 0..10 { reader.submit("/sign-in", &typed).expect(422); }
        let wait = reader.submit("/sign-in", &typed).expect(429);
        assert!(wait.says("Please wait a few minutes") && wait.header("retry-after").is_some(), "{}", wait.text);
        app.clock.advance(Duration::minutes(20));
        sign_in(&reader, lead).expect(200).at("/account");
    }

    fn other_pages_change_nothing_here(app: &App) {
        let cast = Cast::new(app);
        let reader = arrived(app, &cast.initiating_lead);
        let bare = reader.post("/account/sessions/end-others", &[]).expect(403);
        assert!(bare.says("This did not come from our own page"));
        let forged = [("_csrf".to_owned(), "0".repeat(64)), ("new_password!".to_owned(), OTHER.to_owned())];
        assert!(!reader.post("/account/password", &forged).expect(403).text.contains("herons"));
        reader.page("/account").expect(200).at("/account");
    }

    fn an_invitation_leads_to_an_account_with_codes_on_paper(app: &App) {
        let cast = Cast::new(app);
        let path = format!("/api/v1/organisations/{}/members", cast.initiating);
        let new = json!({ "name": "Nia New", "email": "nia.new@lero.example", "lead": false });
        let id = cast.initiating_lead.post(&path, &new).expect(201).body["person"].as_str().expect("an id").to_owned();
        let nia = Person { app, id, name: "Nia New".to_owned(), email: "nia.new@lero.example".to_owned(), token: String::new() };
        let code = app.code_for(&nia);
        let reader = Reader::new(app);
        reader.page("/invitation").expect(200);
        let typed = |password| [("email!", nia.email.as_str()), ("code!", code.as_str()), ("password!", password)];
        assert!(reader.submit("/invitation", &typed("short")).expect(422).says("12 characters"));
        let codes = codes_on(&reader.submit("/invitation", &typed(OTHER)).expect(200));
        assert_eq!(codes.len(), 10);
        reader.page("/sign-in?next=/account");
        reader.submit("/sign-in", &[("email!", &nia.email), ("password!", OTHER)]).expect(200);
        let inside = reader.submit("/sign-in/code", &[("recovery_code", &codes[0])]).expect(200).at("/account");
        assert!(inside.says("Alder Room") && inside.says("9 left"));

        // Later the password is forgotten: six digits and another of the codes.
        let reader = Reader::new(app);
        reader.page("/new-password");
        reader.submit("/new-password", &[("email!", &nia.email)]).expect(200);
        let new = [("code!", app.code_for(&nia)), ("recovery_code", codes[1].clone()), ("new_password!", PASSWORD.to_owned())];
        let typed: Vec<(&str, &str)> = new.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert!(reader.submit("/new-password/code", &typed).expect(200).at("/sign-in?done=password_new").says("in place"));
        sign_in(&reader, &nia).at("/cases");
    }

    fn everything_about_ones_account_has_its_page(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        cast.submitted("share_all");
        app.work();
        let reader = arrived(app, lead);
        for path in ["/account", "/account/password", "/account/address", "/account/address/code", "/account/passkeys", "/account/passkeys/add", "/account/sessions",
            "/account/codes", "/account/recoveries", "/account/tokens", "/account/calendar", "/account/connections", "/notifications", "/step", "/step/code"] {
            let page = reader.page(path).expect(200).at(path);
            assert_eq!(page.text.matches("<h1>").count(), 1, "{path}");
            assert!(!page.text.contains("[may") && !page.text.contains(".done]"), "{path} lacks a word");
        }

        reader.page("/account/tokens");
        assert!(reader.submit("/account/tokens", &[("name!", "Our rota")]).expect(422).says("Please fill this in"));
        let made = reader.submit("/account/tokens", &[("scopes[]", "read"), ("days#", "30")]).expect(200);
        assert!(made.text.contains(">cg_"));
        let all = reader.page("/account/tokens").expect(200);
        assert!(!all.text.contains("cg_"), "shown once");
        let end = all.actions().into_iter().find(|a| a.ends_with("/revoke")).expect("a token");
        reader.submit(&end, &[]).expect(200).at("/account/tokens?done=token_revoked");

        reader.page("/account/calendar");
        assert!(reader.submit("/account/calendar", &[]).expect(200).text.contains(".ics"));
        reader.page("/account/calendar");
        reader.submit("/account/calendar/revoke", &[]).expect(200).at("/account/calendar?done=calendar_revoked");

        let told = reader.page("/notifications").expect(200);
        assert!(told.says("We have what you sent") && told.says("Mark all"));
        let read = reader.submit("/notifications/read", &[]).expect(200).at("/notifications?done=notices_read");
        assert!(!read.says("Mark all"));

        reader.page("/account/address");
        reader.submit("/account/address", &[("email!", "ada.elsewhere@lero.example")]).expect(200).at("/account/address/code");
        let moved = Person { email: "ada.elsewhere@lero.example".to_owned(), ..lead.clone() };
        let done = reader.submit("/account/address/code", &[("code!", &app.code_for(&moved))]).expect(200).at("/account?done=address_changed");
        assert!(done.says("ada.elsewhere@lero.example"));
    }

    fn help_that_was_vouched_for_is_stopped_by_its_person(app: &App) {
        let cast = Cast::new(app);
        let lead = &cast.initiating_lead;
        let path = format!("/api/v1/people/{}/recoveries", lead.id);
        cast.coordinator.fresh().post(&path, &json!({})).expect(201);
        let reader = arrived(app, lead);
        assert!(reader.page("/account").says("Somebody from CLERO vouched for you"));
        let shown = reader.page("/account/recoveries").expect(200);
        let stop = shown.actions().into_iter().find(|a| a.ends_with("/stop")).expect("a way to stop it");
        assert!(reader.submit(&stop, &[]).expect(200).says("It is stopped"));
        assert!(!reader.page("/account").says("vouched for you"));
    }
}
