//! Places, LEROs and the register, on pages: found by anybody, kept by coordinators, and an organisation's own people
//! look after their own.
use serde_json::json;
use url::form_urlencoded::Serializer;

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, Call, Person, Reply, wire};

/// A page, as somebody sees it.
fn seen(app: &App, who: Option<&Person>, path: &str) -> Reply {
    wire::send_unchecked(
        &app.base,
        &Call {
            method: "GET",
            path: path.to_owned(),
            token: who.map(|p| p.token.clone()),
            ..Call::default()
        },
    )
}

/// A form, as somebody sends it.
fn sent(app: &App, who: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = vec![(
        "content-type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    )];
    wire::send_unchecked(
        &app.base,
        &Call {
            method: "POST",
            path: path.to_owned(),
            token: Some(who.token.clone()),
            body: Some(body),
            headers,
        },
    )
}

/// What a coordinator fills in for an organisation.
fn described<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("profile.working_name!", name),
        ("profile.legal_name!", name),
        ("profile.kind", "lero"),
        ("profile.legal_form", "other"),
        ("profile.nation", "england"),
        ("profile.constituted?", "no"),
        ("profile.standing", "applying"),
        ("profile.strengths[]", "housing"),
        ("_strengths", "Walking, gardening,"),
    ];
    fields.extend_from_slice(more);
    fields
}

on_both! {
    fn anybody_finds_who_is_at_home_in_a_place(app: &App) {
        let cast = Cast::new(app);
        let path = format!("/api/v1/organisations/{}/presences", cast.initiating);
        cast.coordinator.post(&path, &json!({ "locality": "E07000128", "kind": "home", "since": "2019-04-01" })).expect(201);
        cast.coordinator.post(&path, &json!({ "locality": "E06000009", "kind": "supporting_temporarily", "since": "2026-03-01", "until": "2027-06-30", "end_condition": "A local group meets by itself." })).expect(201);
        let waiting = cast.invited_lead.post(&format!("/api/v1/organisations/{}/presences", cast.invited), &json!({ "locality": "E07000128", "kind": "also_serves", "since": "2025-01-01" })).expect(201).body;
        for said in ["/find?q=FY7+6", "/find?q=fy76aa", "/find?q=Wyre+Council", "/places/E07000128"] {
            let page = seen(app, None, said).expect(200).text;
            assert!(page.contains("Alder Room") && page.contains("At home here") && !page.contains("Birch Table"), "{said}");
            assert!(page.contains("role=\"img\"") && page.contains("A map of"), "{said}");
        }
        assert!(seen(app, None, "/find?q=wyre").text.contains("Lancashire County Council"));
        let supported = seen(app, None, "/places/E06000009").expect(200).text;
        assert!(supported.contains("No LERO is at home here yet") && supported.contains("Wednesday 30 June 2027") && supported.contains("A local group meets by itself."));
        assert!(seen(app, None, "/find?q=bt1").text.contains("/places/N09000003"), "Northern Ireland chooses its council");
        assert!(seen(app, None, "/find?q=poole").text.contains("until 2019"));
        assert_eq!(seen(app, None, "/places/E06000028").expect(303).header("location"), Some("/places/E06000058"));
        seen(app, None, "/places/E99999999").expect(404);
        // Once a coordinator has looked at it, everybody sees it, and how the two stand to each other.
        sent(app, &cast.coordinator, &format!("/register/{}/presences/{}", cast.invited, waiting["id"].as_str().expect("an id")), &[("state", "confirmed")]).expect(303);
        let page = seen(app, None, "/places/E07000128").text;
        assert!(page.contains("Birch Table") && page.contains("At home here, and serving here too"));
        let told = app.send(&Call { method: "GET", path: "/api/v1/localities/E07000128/organisations".into(), ..Call::default() }).expect(200).body;
        assert_eq!((told["items"].as_array().map(Vec::len), &told["overlaps"]), (Some(2), &json!(["entering_established_area"])));
    }

    fn what_is_typed_is_only_ever_text(app: &App) {
        for path in ["/find?q=", "/leros?q=", "/find?region="] {
            for said in ["%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%7B%7B7*7%7D%7D", "%27%3B--", "%25", "%00", "%F0%9F%A6%A6", &"x".repeat(3000)] {
                let page = seen(app, None, &format!("{path}{said}")).expect(200);
                assert!(!page.text.contains("<script>alert") && page.text.len() < 60_000, "{path}{said}");
            }
        }
        assert!(seen(app, None, "/find?q=%3Cb%3Ewyre").text.contains("&lt;b&gt;wyre"));
        seen(app, None, "/leros/00000000-0000-4000-8000-000000000000").expect(404);
    }

    fn every_page_for_anybody_is_there(app: &App) {
        for path in ["/", "/before-you-start", "/how-it-works", "/standards", "/accessibility", "/privacy", "/safety", "/help", "/complaints", "/find", "/leros"] {
            let page = seen(app, None, path).expect(200).text;
            assert!(page.matches("<h1").count() == 1 && !page.contains(" style=") && !page.contains("<script"), "{path}");
            assert!(!page.contains("[places.") && !page.contains("[span."), "{path}: every word is there");
        }
        assert!(seen(app, None, "/how-it-works").text.contains("2 weeks to answer"));
        assert_eq!(seen(app, None, "/standards").text.matches("Light review</span>").count(), 5);
    }

    fn a_coordinator_keeps_the_register(app: &App) {
        let cast = Cast::new(app);
        let added = sent(app, &cast.coordinator, "/register/new", &described("Rowan Yard", &[])).expect(303);
        let at = added.header("location").and_then(|to| to.split('?').next()).expect("a way on").to_owned();
        let page = seen(app, Some(&cast.coordinator), &at).expect(200).text;
        assert!(page.contains("Rowan Yard") && page.contains("gardening, housing and walking"), "{page}");
        // A name that looks like another's: somebody has to say that they are two.
        let alike = sent(app, &cast.coordinator, "/register/new", &described("R0wan  Yard", &[])).expect(409).text;
        assert!(alike.contains("please tick the box") && alike.contains("name_checked?") && alike.contains("Walking, gardening,"));
        sent(app, &cast.coordinator, "/register/new", &described("R0wan  Yard", &[("name_checked?", "yes")])).expect(303);
        // What is missing is said, and what was written stays.
        let flawed = sent(app, &cast.coordinator, "/register/new", &[("profile.working_name!", ""), ("profile.legal_name!", "Kept Words")]).expect(422).text;
        assert!(flawed.contains("Kept Words") && flawed.contains("href=\"#f-profile-working_name\""), "{flawed}");
        // Changing it: whoever saw an older text is shown both.
        let edit = format!("{at}/edit");
        let form = seen(app, Some(&cast.coordinator), &edit).expect(200).text;
        let tag = form.split("name=\"_seen\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a tag").to_owned();
        sent(app, &cast.coordinator, &edit, &described("Rowan Yard", &[("_seen", &tag), ("profile.own_words", "Seats by the stove.")])).expect(303);
        let stale = sent(app, &cast.coordinator, &edit, &described("Rowan Yard", &[("_seen", &tag), ("profile.own_words", "Seats by the door.")])).expect(412).text;
        assert!(stale.contains("Seats by the stove.") && stale.contains("Seats by the door."));
        // Where it is.
        let places = seen(app, Some(&cast.coordinator), &format!("{at}/presences?q=lancashire")).expect(200).text;
        assert!(places.contains("?at=E07000128"));
        let undated = sent(app, &cast.coordinator, &format!("{at}/presences"), &[("locality", "E07000128"), ("kind", "home")]).expect(422).text;
        assert!(undated.contains("Rowan Yard in Wyre"));
        sent(app, &cast.coordinator, &format!("{at}/presences"), &[("locality", "E07000128"), ("kind", "home"), ("since!@day", "1"), ("since!@month", "4"), ("since!@year", "2019")]).expect(303);
        assert!(seen(app, None, "/places/E07000128").text.contains("Rowan Yard"));
        // Its first person.
        assert!(sent(app, &cast.coordinator, &format!("{at}/members"), &[("name!", "Rae Yard"), ("email!", "not an address"), ("lead?", "yes")]).expect(422).text.contains("Rae Yard"));
        sent(app, &cast.coordinator, &format!("{at}/members"), &[("name!", "Rae Yard"), ("email!", "rae@rowan.example"), ("lead?", "yes")]).expect(303);
        let page = seen(app, Some(&cast.coordinator), &at).text;
        assert!(page.contains("Rae Yard") && page.contains("Invited") && page.contains("rae@rowan.example"));
        let list = seen(app, Some(&cast.coordinator), "/register?q=rowan").expect(200).text;
        assert!(list.contains("Rowan Yard") && !list.contains("Alder Room"));
    }

    fn a_lead_looks_after_their_own_organisation_only(app: &App) {
        let cast = Cast::new(app);
        let (own, other) = (cast.initiating.clone(), cast.invited.clone());
        for path in [format!("/register/{own}/edit"), "/register".to_owned(), "/register/new".to_owned(), format!("/organisation/{other}"), format!("/register/{other}"), format!("/organisation/{other}/members"), format!("/organisation/{other}/presences")] {
            seen(app, Some(&cast.initiating_lead), &path).expect(403);
            assert_eq!(seen(app, None, &path).expect(303).header("location").map(|to| to.starts_with("/sign-in")), Some(true));
        }
        sent(app, &cast.initiating_lead, &format!("/register/{own}/edit"), &described("Alder Hall", &[])).expect(403);
        assert_eq!(seen(app, Some(&cast.initiating_lead), "/organisation").expect(303).header("location"), Some(format!("/organisation/{own}").as_str()));
        // Colleagues see each other's names; addresses are for leads.
        assert!(seen(app, Some(&cast.initiating_lead), &format!("/organisation/{own}")).expect(200).text.contains(&cast.initiating_member.email));
        let colleague = seen(app, Some(&cast.initiating_member), &format!("/organisation/{own}")).expect(200).text;
        assert!(colleague.contains("Ada Alder") && !colleague.contains(&cast.initiating_lead.email) && !colleague.contains("Invite somebody"));
        seen(app, Some(&cast.initiating_member), &format!("/organisation/{own}/members")).expect(403);
        // What a lead says waits for CLERO.
        let said = [("locality", "E07000119"), ("kind", "also_serves"), ("since!@day", "1"), ("since!@month", "May"), ("since!@year", "25")];
        sent(app, &cast.initiating_lead, &format!("/organisation/{own}/presences"), &said).expect(303);
        assert!(seen(app, Some(&cast.initiating_lead), &format!("/organisation/{own}")).text.contains("CLERO has not looked at this yet"));
        assert!(!seen(app, None, "/places/E07000119").text.contains("Alder Room"));
        assert!(seen(app, Some(&cast.coordinator), "/register").text.contains("Waiting for you to look at"));
        let unfinished = [("locality", "E07000119"), ("kind", "supporting_temporarily"), ("since!@day", "1"), ("since!@month", "5"), ("since!@year", "2026")];
        assert!(sent(app, &cast.initiating_lead, &format!("/organisation/{own}/presences"), &unfinished).expect(422).text.contains("Temporary support has an end date"));
        // A colleague is invited, and a membership ends after a page that says what that means.
        sent(app, &cast.initiating_lead, &format!("/organisation/{own}/members"), &[("name!", "Amy Alder"), ("email!", "amy@alder.example"), ("lead?", "no")]).expect(303);
        let page = seen(app, Some(&cast.initiating_lead), &format!("/organisation/{own}")).text;
        let all = cast.initiating_lead.get(&format!("/api/v1/organisations/{own}/members")).expect(200).body;
        let invited = all["items"].as_array().and_then(|m| m.iter().find(|m| m["state"] == "invited")).and_then(|m| m["id"].as_str()).expect("an invitation").to_owned();
        assert!(page.contains("Amy Alder") && page.contains(&invited));
        assert!(seen(app, Some(&cast.initiating_lead), &format!("/organisation/{own}/members/{invited}")).expect(200).text.contains("stops working at once"));
        sent(app, &cast.initiating_lead, &format!("/organisation/{own}/members/{invited}"), &[]).expect(303);
        assert!(!seen(app, Some(&cast.initiating_lead), &format!("/organisation/{own}")).text.contains("Take back"));
        // Handing over the lead needs a fresh step first; the form is there.
        assert!(seen(app, Some(&cast.initiating_lead), &format!("/organisation/{own}/lead")).expect(200).text.contains("Abe Alder"));
        sent(app, &cast.initiating_lead, &format!("/organisation/{own}/lead"), &[("to", "nobody")]).expect(422);
    }
}
