//! A whole case on the pages, by forms alone: what people see, press and come back to.
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::pages::{Page, Reader};
use crate::support::{App, CANARY};

/// Takes a step of the procedure on its page.
#[track_caller]
fn step(who: &Reader, case: &str, event: &str, typed: &[(&str, &str)]) -> Page {
    let path = format!("/cases/{case}/steps/{event}");
    let page = who.page(&path).expect(200);
    assert!(page.form(&path).is_some(), "{event}: {}", page.text);
    let done = who.submit(&path, typed).expect(200);
    assert!(
        done.path.ends_with(&format!("done={event}")),
        "{event} led to {}: {}",
        done.path,
        done.text
    );
    done
}

/// Answers every question of the intake and sends it.
#[track_caller]
fn start(who: &Reader, own: &str, other: &str) -> String {
    who.page("/start").expect(200);
    let first = who.submit("/start", &[("organisation!", own)]).expect(200);
    let case = first.path.split('/').nth(2).expect("a case").to_owned();
    let answers: [(&str, &[(&str, &str)]); 9] = [
        ("what", &[("grounds[]", "boundaries")]),
        ("where", &[("localities[]", "E07000128")]),
        ("with", &[("with[]", other)]),
        (
            "value",
            &[("valued_in_the_other", "They know every village hall.")],
        ),
        (
            "tried",
            &[("about", "We were both asked to start a group.")],
        ),
        (
            "outcome",
            &[("good_outcome", "People find one group that lasts.")],
        ),
        ("contact", &[("contact", "phone")]),
        ("first", &[("first_contact", "share_all")]),
        (
            "authority",
            &[
                ("authority.stated?", "yes"),
                ("personal_data_notice_read?", "yes"),
            ],
        ),
    ];
    for (question, typed) in answers {
        let path = format!("/cases/{case}/start/{question}");
        who.page(&path).expect(200);
        who.submit(&path, typed).expect(200);
    }
    let check = format!("/cases/{case}/start/check");
    let page = who.page(&check).expect(200);
    assert!(
        page.says("People find one group that lasts."),
        "{}",
        page.text
    );
    assert!(!page.says("Before you can send it"), "{}", page.text);
    who.submit(&check, &[])
        .expect(200)
        .at(&format!("/cases/{case}?done=submitted"));
    case
}

/// Reads the core standards for one side, and shares.
#[track_caller]
fn read_and_share(who: &Reader, case: &str) {
    for number in ["1", "2", "5", "13", "28"] {
        let path = format!("/cases/{case}/standards/{number}");
        who.page(&path).expect(200);
        who.submit(&path, &[("view!", "partly")]).expect(200);
    }
    let path = format!("/cases/{case}/standards/posts");
    who.page(&path).expect(200);
    who.submit(
        &path,
        &[("chair!", "yes"), ("chief_executive!", "prefer_not_to_say")],
    )
    .expect(200);
    step(who, case, "share_reading", &[]);
}

on_both! {
    fn a_whole_case_walks_through_the_pages(app: &App) {
        let cast = Cast::new(app);
        let (asking, invited) = (Reader::with(cast.initiating_lead.fresh()), Reader::with(cast.invited_lead.fresh()));
        let (clero, neutral) = (Reader::with(cast.coordinator.fresh()), Reader::with(cast.facilitator.fresh()));
        let case = start(&asking, &cast.initiating, &cast.invited);
        let at = format!("/cases/{case}");
        invited.page(&at).expect(404);
        step(&clero, &case, "screen", &[("result!", "suitable")]);
        step(&clero, &case, "assign_facilitator", &[("person!", &cast.facilitator.id)]);
        let names = neutral.page(&at).expect(200);
        assert!(names.says("Could you be the facilitator here?") && !names.says("one group that lasts"));
        step(&neutral, &case, "accept_appointment", &[("acceptance.available?", "yes"), ("acceptance.impartial?", "yes"), ("acceptance.will_disclose_changes?", "yes")]);
        step(&clero, &case, "invite", &[]);
        let next = clero.page(&format!("{at}/steps/accept_intake")).expect(200);
        assert!(next.says("What must be true first") && next.says("To both organisations"), "{}", next.text);
        step(&clero, &case, "accept_intake", &[]);

        assert!(invited.page(&at).expect(200).says("Read the invitation and answer"));
        step(&invited, &case, "respond", &[("answer!", "take_part")]);
        step(&invited, &case, "agree_to_talk", &[]);
        step(&asking, &case, "agree_to_talk", &[]);
        let room = format!("{at}/rooms/joint");
        asking.page(&room).expect(200);
        asking.submit(&room, &[("text!", "<script>alert(1)</script> {{7*7}}")]).expect(200);
        let said = invited.page(&room).expect(200);
        assert!(said.says("<script>alert(1)</script> {{7*7}}") && !said.text.contains("<script>alert"), "{}", said.text);
        let private = format!("{at}/rooms/invited");
        invited.page(&private).expect(200);
        invited.submit(&private, &[("text!", CANARY)]).expect(200);
        asking.page(&private).expect(404);
        for page in ["", "/messages", "/history", "/documents", "/meetings"] {
            assert!(!asking.page(&format!("{at}{page}")).expect(200).text.contains(CANARY));
        }
        let (year, month, day) = { let today = cast.today(); let mut p = today.split('-').map(str::to_owned); (p.next().expect("a year"), p.next().expect("a month"), p.next().expect("a day")) };
        step(&neutral, &case, "log_session", &[("session.on!@day", &day), ("session.on!@month", &month), ("session.on!@year", &year), ("session.minutes#", "60"), ("session.way!", "video"), ("session.who_came!", "both")]);
        step(&neutral, &case, "begin_standards_review", &[]);

        read_and_share(&asking, &case);
        assert!(!invited.page(&format!("{at}/standards")).expect(200).says("Side by side"));
        read_and_share(&invited, &case);
        assert!(asking.page(&format!("{at}/standards")).expect(200).says("Side by side"));
        step(&neutral, &case, "record_joint_reading", &[("minutes.+0.held_in_common!", "Both grew out of their place."), ("minutes.+1.held_in_common!", "Both decide for themselves."), ("minutes.+2.held_in_common!", "Both are led by people who have been there.")]);
        step(&asking, &case, "confirm_joint_reading", &[]);
        step(&invited, &case, "confirm_joint_reading", &[]);
        step(&neutral, &case, "begin_agreed_actions", &[]);

        for (who, owner, priority) in [(&asking, &cast.initiating, "cooperation"), (&invited, &cast.invited, "community_benefit")] {
            step(who, &case, "propose_action", &[("terms.owner!", owner), ("terms.what!", "Open the hall on Wednesdays."), ("terms.when.until", "the summer"), ("terms.priorities[]", priority), ("terms.benefit!", "There is a warm room every week.")]);
        }
        step(&neutral, &case, "circulate", &[]);
        step(&asking, &case, "accept_agreement", &[]);
        step(&invited, &case, "accept_agreement", &[]);
        step(&neutral, &case, "conclude_agreement", &[]);
        assert!(asking.page(&format!("{at}/agreement")).expect(200).says("In force since"));
        let close = neutral.page(&format!("{at}/steps/close")).expect(200);
        let actions = close.form(&format!("{at}/steps/close")).expect("a form").into_iter().filter(|(n, _)| n.ends_with(".action")).count();
        assert_eq!(actions, 2);
        step(&neutral, &case, "close", &[("outcome!", "agreed_full"), ("summary", "They begin together."), ("actions.+0.becomes!", "moved_to_follow_up"), ("actions.+1.becomes!", "done"), ("sessions_logged?", "yes")]);
        let closed = asking.page(&at).expect(200);
        assert!(closed.says("Agreed in full.") && closed.says("This case is closed"), "{}", closed.text);
    }

    fn what_is_wrong_with_a_form_is_said_beside_its_field_and_nothing_typed_is_gone(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_actions();
        let asking = Reader::with(cast.initiating_lead.fresh());
        let path = format!("/cases/{case}/steps/propose_action");
        asking.page(&path).expect(200);
        let back = asking.submit(&path, &[("terms.what!", ""), ("terms.benefit!", "A warm room."), ("terms.when.by@day", "31"), ("terms.when.by@month", "2"), ("terms.when.by@year", "2027"), ("terms.priorities[]", "cooperation")]).expect(422);
        assert!(back.title().starts_with("Error: "), "{}", back.title());
        assert!(back.text.contains("href=\"#f-terms-"), "{}", back.text);
        assert_eq!(back.field(&path, "terms.benefit!").as_deref(), Some("A warm room."));
        assert_eq!(back.field(&path, "terms.when.by@day").as_deref(), Some("31"));
        let long = "x".repeat(4001);
        let back = asking.submit(&path, &[("terms.what!", &long), ("terms.when.until", "it is so")]);
        assert_eq!(back.status, 422);
        assert_eq!(back.field(&path, "terms.what!").map(|t| t.len()), Some(4001));
    }

    fn a_double_press_has_one_effect_and_a_stale_page_asks_again(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        let (asking, neutral) = (Reader::with(cast.initiating_lead.fresh()), Reader::with(cast.facilitator.fresh()));
        let room = format!("/cases/{case}/rooms/initiating");
        let form = asking.page(&room).expect(200).form(&room).expect("a form");
        let mut sent = form.clone();
        sent.retain(|(name, _)| name != "text!");
        sent.push(("text!".to_owned(), "Only once, please.".to_owned()));
        for _ in 0..3 {
            asking.post(&room, &sent).expect(200);
        }
        let shown = asking.page(&room).expect(200).text.matches("Only once, please.").count();
        assert_eq!(shown, 1);

        let hold = format!("/cases/{case}/steps/hold");
        neutral.page(&hold).expect(200);
        cast.initiating_lead.does(&case, json!({ "event": "share_statement" }));
        cast.facilitator.does(&case, json!({ "event": "log_session", "session": { "on": cast.today(), "way": "phone", "who_came": "both", "minutes": 30 } })).expect(200);
        let again = neutral.submit(&hold, &[("reason", "Everybody is tired.")]);
        assert_eq!(again.status, 412, "{}", again.text);
        assert!(again.says("Somebody else changed this"));
        assert_eq!(again.field(&hold, "reason").as_deref(), Some("Everybody is tired."));
        neutral.submit(&hold, &[]).expect(200);
        assert!(asking.page(&format!("/cases/{case}")).expect(200).says("This case is paused"));
    }

    fn nobody_posts_from_elsewhere_and_hidden_cases_look_like_unknown_ones(app: &App) {
        let cast = Cast::new(app);
        let case = cast.drafted("share_all");
        let unknown = "00000000-0000-4000-8000-000000000000";
        let invited = Reader::with(cast.invited_lead.fresh());
        for rest in ["", "/messages", "/history", "/rooms/joint", "/steps/withdraw", "/standards", "/start/check"] {
            let (hidden, none) = (invited.page(&format!("/cases/{case}{rest}")).expect(404), invited.page(&format!("/cases/{unknown}{rest}")).expect(404));
            let same = |page: Page, id: &str| page.text.replace(id, "ID");
            let strip = |text: String| -> String { text.lines().filter(|l| !l.contains("_once") && !l.contains("_csrf")).collect() };
            assert_eq!(strip(same(hidden, &case)), strip(same(none, unknown)), "{rest}");
        }
        let asking = Reader::with(cast.initiating_lead.fresh());
        let check = format!("/cases/{case}/start/check");
        let mut form = asking.page(&check).expect(200).form(&check).expect("a form");
        form.retain(|(name, _)| name != "_csrf");
        asking.post(&check, &form).expect(403);
        assert_eq!(cast.initiating_lead.get(&format!("/api/v1/cases/{case}")).expect(200).body["stage"], "draft");
    }
}
