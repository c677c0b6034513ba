//! The demo's front door, behind which anybody can be anybody, is opened by the demo alone.
use super::{files, read};
use crate::support::{App, Call};

#[test]
fn only_the_demo_opens_its_front_door() {
    let opens: Vec<String> = files("src", ".rs")
        .into_iter()
        .filter(|file| {
            let text = std::fs::read_to_string(file).expect("a file");
            text.contains("demo_server(")
        })
        .map(|file| file.display().to_string())
        .collect();
    let ends = |name: &str| opens.iter().filter(|o| o.ends_with(name)).count();
    assert_eq!(
        (opens.len(), ends("src/app.rs"), ends("src/cli.rs")),
        (2, 1, 1),
        "{opens:?}"
    );
    let command_line = read("src/cli.rs");
    let uses: Vec<&str> = command_line.split("app::demo_server(").collect();
    assert_eq!(uses.len(), 2, "it is opened in one place");
    let last_function = uses[0].rsplit("\nasync fn ").next().unwrap_or_default();
    assert!(last_function.starts_with("demo("), "{last_function}");
}

#[test]
fn elsewhere_there_is_no_such_door() {
    let app = App::on_sqlite();
    let somebody = app.staff("Ad Min", &[]);
    let form = (
        "content-type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    for path in [
        "/demo",
        "/demo/be",
        "/demo/mailbox",
        "/demo/mailbox/story-0001",
        "/demo/mailbox/story-0001/html",
    ] {
        for (method, body) in [
            ("GET", None),
            ("POST", Some(format!("person={}", somebody.email))),
        ] {
            let call = Call {
                method,
                path: path.to_owned(),
                body,
                headers: vec![form.clone()],
                ..Call::default()
            };
            let reply = app.send(&call);
            assert_eq!(reply.status, 404, "{method} {path}");
            assert_eq!(reply.header("set-cookie"), None);
        }
    }
}
