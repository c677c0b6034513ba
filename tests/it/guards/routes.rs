//! A walk over every route as every kind of caller: nothing answers 5xx, what needs signing in says so, and to somebody
//! who may not know a case it looks like one that does not exist.
use common_ground::domain::people::Role;
use common_ground::web::routes::{Who, routes};
use serde_json::json;

use crate::cast::Cast;
use crate::on_both;
use crate::support::{App, Call};

on_both! {
    fn every_route_answers_every_kind_of_caller(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let staff = [app.staff("Ad Min", &[Role::Administrator]), app.staff("Au Dit", &[Role::Auditor])];
        let stranger = app.staff("Stran Ger", &[]);
        let callers: Vec<(&str, Option<String>)> = vec![
            ("initiating", Some(cast.initiating_lead.token.clone())), ("invited", Some(cast.invited_member.token.clone())), ("facilitator", Some(cast.facilitator.token.clone())), ("not on this case", Some(cast.other_facilitator.token.clone())),
            ("coordinator", Some(cast.coordinator.token.clone())), ("administrator", Some(staff[0].token.clone())), ("auditor", Some(staff[1].token.clone())), ("nobody in particular", Some(stranger.token.clone())), ("anonymous", None), ("wrong token", Some("cg_wrong".to_owned())),
        ];
        let unknown = "00000000-0000-4000-8000-000000000000";
        let mut page = String::from("What each route answers to each kind of caller, with an empty object for a body.\n");
        for route in routes() {
            let path = |case: &str| route.path.replace("{case}", case).replace("{organisation}", &cast.initiating).replace("{person}", &cast.facilitator.id).replace("{presence}", unknown).replace("{membership}", unknown).replace("{notification}", unknown).replace("{room}", "joint").replace("{message}", unknown).replace("{look}", unknown).replace("{document}", unknown).replace("{meeting}", unknown).replace("{session}", unknown).replace("{browser}", unknown).replace("{passkey}", unknown).replace("{token}", unknown).replace("{recovery}", unknown).replace("{code}", "E07000128");
            let mut cells = Vec::new();
            for (name, token) in &callers {
                let call = |case: &str| Call { method: if route.method == "GET" { "GET" } else if route.method == "PUT" { "PUT" } else if route.method == "PATCH" { "PATCH" } else { "POST" }, path: path(case), token: token.clone(), body: (route.method != "GET").then(|| "{}".to_owned()), headers: Vec::new() };
                let reply = app.send(&call(&case));
                assert!(reply.status < 500, "{} {} as {name}: {}", route.method, route.path, reply.text);
                if matches!(*name, "anonymous" | "wrong token") && route.who == Who::SignedIn {
                    assert_eq!(reply.status, 401, "{} {} as {name}", route.method, route.path);
                }
                if reply.status == 404 && route.path.contains("{case}") {
                    assert_eq!(reply.fingerprint(), app.send(&call(unknown)).fingerprint(), "{} {} as {name}", route.method, route.path);
                }
                cells.push(format!("{name} {}", reply.status));
            }
            page.push_str(&format!("\n{} {}\n  {}\n", route.method, route.path, cells.join(" · ")));
        }
        crate::guards::golden("tests/golden/routes.txt", &page);
    }

    fn an_id_in_a_body_tells_nobody_what_exists(app: &App) {
        let cast = Cast::new(app);
        let hidden = cast.drafted("share_all");
        let mine = cast.submitted("share_all");
        let unknown = "00000000-0000-4000-8000-000000000000";
        let ask = |case: &str| cast.coordinator.does(&mine, json!({ "event": "link_case", "case": case })).fingerprint();
        assert_eq!(ask(&hidden), ask(unknown), "a draft of somebody's is not there");
        let draft = |organisation: &str| cast.invited_lead.post("/api/v1/cases", &json!({ "organisation": organisation })).fingerprint();
        assert_eq!(draft(&cast.initiating), draft(unknown), "another organisation's case cannot be begun");
    }
}
