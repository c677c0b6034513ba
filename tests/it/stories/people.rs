//! Accounts and the register: invitation only, nobody grants themselves, rights end with the next request.
use common_ground::domain::people::Role;
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;

on_both! {
    fn rights_end_with_the_next_request(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_conversation();
        cast.invited_member.sees(&case).expect(200);
        let members = cast.invited_lead.get(&format!("/api/v1/organisations/{}/members", cast.invited)).expect(200).body;
        let membership = members["items"].as_array().expect("a list").iter().find(|m| m["person"] == json!(cast.invited_member.id)).expect("a membership")["id"].as_str().expect("an id").to_owned();
        cast.invited_lead.post(&format!("/api/v1/memberships/{membership}/end"), &json!({})).expect(200);
        cast.invited_member.sees(&case).expect(404);
        let administrator = app.staff("Ad Min", &[Role::Administrator]);
        let person = administrator.get(&format!("/api/v1/people/{}", cast.facilitator.id)).expect(200);
        administrator.patch(&format!("/api/v1/people/{}", cast.facilitator.id), &json!({ "active": false }), &person.tag.expect("a tag")).expect(200);
        cast.facilitator.sees(&case).expect(401);
    }

    fn nobody_grants_themselves(app: &App) {
        let cast = Cast::new(app);
        let administrator = app.staff("Ad Min", &[Role::Administrator]);
        let own = administrator.get(&format!("/api/v1/people/{}", administrator.id)).expect(200).tag.expect("a tag");
        administrator.patch(&format!("/api/v1/people/{}", administrator.id), &json!({ "roles": ["administrator", "coordinator"] }), &own).expect(403);
        cast.coordinator.post("/api/v1/people", &json!({ "name": "Sly Boots", "email": "sly@clero.example", "roles": ["administrator"] })).expect(403);
        cast.initiating_lead.post("/api/v1/people", &json!({ "name": "Sly Boots", "email": "sly@clero.example" })).expect(403);
        cast.initiating_member.post(&format!("/api/v1/organisations/{}/members", cast.initiating), &json!({ "name": "Pal", "email": "pal@alder.example" })).expect(403);
        cast.initiating_lead.post(&format!("/api/v1/organisations/{}/members", cast.invited), &json!({ "name": "Pal", "email": "pal@alder.example" })).expect(403);
        assert_eq!(cast.initiating_lead.post(&format!("/api/v1/organisations/{}/members", cast.initiating), &json!({ "name": "Me", "email": cast.initiating_lead.email, "lead": true })).expect(422).flaws(), ["/email"]);
    }

    fn the_register_keeps_look_alikes_apart(app: &App) {
        let cast = Cast::new(app);
        let profile = |name: &str| json!({ "profile": { "legal_name": name, "working_name": name, "kind": "lero", "legal_form": "other", "nation": "england", "constituted": false, "standing": "applying" } });
        assert_eq!(cast.coordinator.post("/api/v1/organisations", &profile("A1der  R00m")).expect(409).flaws(), ["#name-looks-like-another"]);
        let mut checked = profile("A1der R00m");
        checked["name_checked"] = json!(true);
        cast.coordinator.post("/api/v1/organisations", &checked).expect(201);
        let public = app.send(&crate::support::Call { method: "GET", path: format!("/api/v1/organisations/{}", cast.initiating), ..Default::default() }).expect(200);
        assert!(public.body["registered"].is_null(), "the public part");
        let read = cast.coordinator.get(&format!("/api/v1/organisations/{}", cast.initiating)).expect(200);
        cast.coordinator.put(&format!("/api/v1/organisations/{}", cast.initiating), &profile("Alder Room"), &read.tag.expect("a tag")).expect(200);
    }

    fn temporary_support_has_an_end(app: &App) {
        let cast = Cast::new(app);
        let path = format!("/api/v1/organisations/{}/presences", cast.initiating);
        let said = |extra: serde_json::Value| { let mut body = json!({ "locality": "E07000128", "kind": "supporting_temporarily", "since": "2026-01-01" }); for (k, v) in extra.as_object().expect("fields") { body[k] = v.clone(); } body };
        assert_eq!(cast.initiating_lead.post(&path, &said(json!({}))).expect(422).flaws(), ["/until"]);
        assert_eq!(cast.initiating_lead.post(&path, &said(json!({ "until": "2026-12-31" }))).expect(422).flaws(), ["/end_condition"]);
        let there = cast.initiating_lead.post(&path, &said(json!({ "until": "2026-12-31", "end_condition": "A local group has begun." }))).expect(201).body;
        assert_eq!(there["state"], "declared");
        let judged = cast.coordinator.post(&format!("{path}/{}/state", there["id"].as_str().expect("an id")), &json!({ "state": "confirmed" })).expect(200);
        assert_eq!(judged.body["state"], "confirmed");
    }

    fn lists_are_paged_and_a_cursor_fits_only_its_list(app: &App) {
        let cast = Cast::new(app);
        for _ in 0..5 { let case = cast.submitted("share_all"); cast.initiating_lead.did(&case, json!({ "event": "withdraw" })); }
        let first = cast.coordinator.get("/api/v1/cases?limit=2").expect(200).body;
        let next = first["next"].as_str().expect("a cursor").to_owned();
        let second = cast.coordinator.get(&format!("/api/v1/cases?limit=2&cursor={next}")).expect(200).body;
        let third = cast.coordinator.get(&format!("/api/v1/cases?limit=2&cursor={}", second["next"].as_str().expect("a cursor"))).expect(200).body;
        let ids: std::collections::BTreeSet<String> = [&first, &second, &third].into_iter().flat_map(|p| p["items"].as_array().expect("items")).map(|c| c["id"].to_string()).collect();
        assert_eq!((ids.len(), third["next"].is_null()), (5, true));
        cast.initiating_lead.get(&format!("/api/v1/cases?limit=2&cursor={next}")).expect(400);
        cast.coordinator.get(&format!("/api/v1/cases?stage=closed&limit=2&cursor={next}")).expect(400);
        cast.coordinator.get("/api/v1/cases?cursor=x").expect(400);
        for (query, count) in [("text=alder", 5), ("text=b%C3%ADrch", 5), ("text=%25", 0), ("text=_", 0), ("locality=E07000128", 5), ("locality=E07000119", 0), ("stage=closed", 5), ("waiting_for=facilitator", 0)] {
            assert_eq!(cast.coordinator.get(&format!("/api/v1/cases?{query}")).expect(200).body["items"].as_array().map(Vec::len), Some(count), "{query}");
        }
        assert_eq!(cast.coordinator.get(&format!("/api/v1/cases?party={}", cast.invited)).body["items"].as_array().map(Vec::len), Some(5));
        // A reference is found whole, with or without its beginning, and in no other year.
        let reference = first["items"][0]["reference"].as_str().expect("a reference").to_owned();
        let letters = reference.rsplit('-').next().expect("letters").to_lowercase();
        for (text, found) in [(reference.as_str(), 1), (letters.as_str(), 1), (&format!("CG-1999-{letters}"), 0), (&format!("x-{letters}"), 0)] {
            for reader in [&cast.coordinator, &cast.initiating_lead] {
                assert_eq!(reader.get(&format!("/api/v1/cases?text={text}")).expect(200).body["items"].as_array().map(Vec::len), Some(found), "{text}");
            }
        }
    }

    fn notifications_are_ones_own(app: &App) {
        let cast = Cast::new(app);
        cast.submitted("share_all");
        let mine = cast.coordinator.get("/api/v1/notifications").expect(200).body["items"][0].clone();
        assert_eq!(mine["letter"], "submission_to_screen");
        let path = format!("/api/v1/notifications/{}/read", mine["id"].as_str().expect("an id"));
        cast.initiating_lead.post(&path, &json!({})).expect(404);
        cast.coordinator.post(&path, &json!({})).expect(204);
        assert!(cast.coordinator.get("/api/v1/notifications").body["items"][0]["read_at"].is_string());
        app.work();
        let sent = cast.initiating_lead.get("/api/v1/letters?state=sent").expect(200).body;
        assert!(sent["items"].as_array().expect("a list").iter().any(|l| l["letter"] == "submission_received" && l["person"].is_null()), "{sent}");
    }
}
