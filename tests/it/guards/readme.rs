//! The README's walk works as it is written: its blocks are pasted into a shell, one after another, beside a demo that
//! was started as the README says.
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub(super) struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // The demo ends with the test, however the test ends.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn begin(folder: &std::path::Path, port: u16) -> Demo {
    begin_with(folder, port, "info", Stdio::null())
}

/// Begins a demo in `folder`, with a log of this detail.
pub(super) fn begin_with(folder: &std::path::Path, port: u16, detail: &str, log: Stdio) -> Demo {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_common-ground"))
        .args(["demo", "--listen", &format!("127.0.0.1:{port}")])
        .current_dir(folder)
        .env_remove("DATABASE_URL")
        .env("LOG", detail)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the demo begins");
    let said = BufReader::new(demo.stdout.take().expect("it says something"));
    for line in said.lines().map_while(Result::ok) {
        if line.starts_with("Stop with Ctrl-C") {
            break;
        }
    }
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            std::time::Instant::now() < patience,
            "the door does not open"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Demo(demo)
}

pub(super) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port()
}

#[test]
fn the_walk_works_when_pasted_block_by_block() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let _demo = begin(folder.path(), port);
    let readme = super::read("README.md");
    let blocks: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 7);
    let script = format!("BASE=http://localhost:{port}\n{}", blocks.join("\n"));
    let ran = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[..3],
        ["intake", "early_conversation", "agreed_full"],
        "{said}"
    );
    assert!(
        lines[3]
            .trim()
            .parse::<u32>()
            .is_ok_and(|events| events > 15),
        "{said}"
    );
}

#[test]
fn the_demo_keeps_its_data_and_begins_anew_when_asked() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let people = || {
        std::fs::read_to_string(folder.path().join("demo-data/demo-people.json")).expect("people")
    };
    drop(begin(folder.path(), free_port()));
    let first = people();
    let parsed: Vec<serde_json::Value> = serde_json::from_str(&first).expect("an array");
    assert!(
        parsed.len() > 20
            && parsed
                .iter()
                .all(|p| ["name", "email", "roles", "organisation", "token"]
                    .iter()
                    .all(|field| p.get(field).is_some()))
    );
    let mode = std::fs::metadata(folder.path().join("demo-data/demo-people.json"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(begin(folder.path(), free_port()));
    assert_eq!(first, people(), "started again it keeps its data");
    let fresh = Command::new(env!("CARGO_BIN_EXE_common-ground"))
        .args([
            "demo",
            "--fresh",
            "--listen",
            &format!("127.0.0.1:{}", free_port()),
        ])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map(Demo);
    let mut fresh = fresh.expect("the demo begins");
    let said = BufReader::new(fresh.0.stdout.take().expect("it says something"));
    for line in said.lines().map_while(Result::ok) {
        if line.starts_with("Stop with Ctrl-C") {
            break;
        }
    }
    assert_ne!(first, people(), "--fresh begins anew");
}

#[test]
fn the_readme_names_only_files_and_settings_that_exist() {
    let readme = super::read("README.md");
    for link in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|l| !l.starts_with("http"))
    {
        assert!(super::at(link).exists(), "{link}");
    }
    for row in readme.lines().filter(|l| l.starts_with("| `")) {
        for key in row
            .split('|')
            .nth(1)
            .unwrap_or_default()
            .split('`')
            .filter(|w| w.chars().all(|c| c.is_ascii_uppercase() || c == '_') && w.len() > 1)
        {
            assert!(
                common_ground::config::KEYS
                    .iter()
                    .any(|(name, _)| *name == key),
                "{key} is not a setting"
            );
        }
    }
    let operations = super::read("docs/OPERATIONS.md");
    for (key, _) in common_ground::config::KEYS {
        assert!(
            operations.contains(&format!("`{key}`")),
            "docs/OPERATIONS.md does not speak of {key}"
        );
    }
}
