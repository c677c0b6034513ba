//! The program is killed while people work with it, and started again: what was acknowledged is there exactly once, the
//! log holds, and letters are whole (SAFETY §2, §3). `CRASH_ROUNDS=2000 cargo test crash` goes on for hours.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::{Value, json};
use ureq::Agent;

const PROGRAM: &str = env!("CARGO_BIN_EXE_common-ground");
/// How many clients make drafts; as many again pause cases and resume them.
const CLIENTS: usize = 2;

/// The demo, which keeps its world when it is started again.
struct Service {
    folder: PathBuf,
    base: String,
    process: Child,
}

impl Service {
    fn begin(folder: &Path, before: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port")
            .port();
        let (listen, data) = (format!("127.0.0.1:{port}"), folder.display().to_string());
        let words = [
            before,
            &[PROGRAM, "demo", "--listen", &listen, "--data", &data],
        ]
        .concat();
        let process = Command::new(words[0])
            .args(&words[1..])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let service = Self {
            folder: folder.to_owned(),
            base: format!("http://{listen}"),
            process,
        };
        let patience = Instant::now() + Duration::from_secs(120);
        while !agent()
            .get(format!("{}/health/ready", service.base))
            .call()
            .is_ok_and(|r| r.status() == 200)
        {
            assert!(Instant::now() < patience, "the service is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        service
    }

    fn people(&self) -> BTreeMap<String, String> {
        let kept = std::fs::read(self.folder.join("demo-people.json")).expect("the demo's people");
        let people: Vec<Value> = serde_json::from_slice(&kept).expect("JSON");
        people
            .iter()
            .map(|p| (word(&p["name"]), word(&p["token"])))
            .collect()
    }

    fn get(&self, token: &str, path: &str) -> Value {
        let mut answer = agent()
            .get(format!("{}/api/v1{path}", self.base))
            .header("Authorization", format!("Bearer {token}"))
            .call()
            .expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_json().expect("JSON")
    }

    /// Everything of a list.
    fn all(&self, token: &str, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(token, &format!("{path}limit=100{cursor}"));
            items.extend(page["items"].as_array().expect("items").clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(20)))
        .http_status_as_error(false)
        .build()
        .into()
}

fn word(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Somebody who sends commands, each with a key, and remembers which were acknowledged.
struct Client {
    token: String,
    path: String,
    number: usize,
    sent: usize,
    /// The command the service was killed over: sent again, with the same key, before any other.
    open: Option<(String, Value)>,
    acknowledged: Vec<String>,
    what: fn(usize, &str, &str) -> Value,
    organisation: String,
}

impl Client {
    /// Thinks of another command, with a key of its own.
    fn begin_another(&mut self) {
        self.sent += 1;
        let key = format!("crash-{}-{}", self.number, self.sent);
        let body = (self.what)(self.sent, &key, &self.organisation);
        self.open = Some((key, body));
    }

    /// Works until the service is gone, or until what is open is acknowledged, if nothing new may be begun.
    fn work(&mut self, base: &str, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) || self.open.is_some() {
            if self.open.is_none() {
                self.begin_another();
            }
            let (key, body) = self.open.clone().expect("a command");
            let answer = agent()
                .post(format!("{base}/api/v1{}", self.path))
                .header("Authorization", format!("Bearer {}", self.token))
                .header("Idempotency-Key", &key)
                .header("If-Match", "*")
                .send_json(body);
            let Ok(mut answer) = answer else { return };
            let status = answer.status().as_u16();
            assert!(
                (200..300).contains(&status),
                "{key}: {status} {}",
                answer.body_mut().read_to_string().unwrap_or_default()
            );
            self.acknowledged.push(key);
            self.open = None;
        }
    }
}

fn draft(_: usize, key: &str, organisation: &str) -> Value {
    json!({ "organisation": organisation, "draft": { "statement": { "about": key } } })
}

fn pause_or_resume(n: usize, _: &str, _: &str) -> Value {
    json!({ "event": if n % 2 == 1 { "hold" } else { "resume" } })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness asks how long to go on"
)]
fn rounds() -> usize {
    std::env::var("CRASH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3)
}

#[test]
fn whatever_was_acknowledged_is_there_exactly_once_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut service = Service::begin(folder.path(), &[]);
    let people = service.people();
    let (lead, facilitator) = (
        people["Asha Marlow"].clone(),
        people["Yusra Banning"].clone(),
    );
    let organisation = word(&service.get(&lead, "/me")["memberships"][0]["organisation"]);
    let running: Vec<String> = service
        .all(&facilitator, "/cases?")
        .iter()
        .filter(|c| c["on_hold"] == false)
        .map(|c| word(&c["id"]))
        .collect();
    assert_eq!(
        running.len(),
        CLIENTS,
        "the demo has as many running cases of hers"
    );
    let client = |number, token: &String, path: String, what| Client {
        token: token.clone(),
        path,
        number,
        sent: 0,
        open: None,
        acknowledged: Vec::new(),
        what,
        organisation: organisation.clone(),
    };
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|n| {
            client(
                n,
                &lead,
                "/cases".to_owned(),
                draft as fn(usize, &str, &str) -> Value,
            )
        })
        .collect();
    clients.extend(running.iter().enumerate().map(|(n, case)| {
        client(
            CLIENTS + n,
            &facilitator,
            format!("/cases/{case}/events"),
            pause_or_resume,
        )
    }));
    let story: BTreeSet<String> = service
        .all(&people["Morag Ellery"], "/letters?")
        .iter()
        .map(|l| word(&l["id"]))
        .collect();
    let events_before: Vec<usize> = running
        .iter()
        .map(|case| {
            service
                .all(&facilitator, &format!("/cases/{case}/events?"))
                .len()
        })
        .collect();

    for _ in 0..rounds() {
        let (base, stop) = (service.base.clone(), AtomicBool::new(false));
        std::thread::scope(|crew| {
            for client in &mut clients {
                crew.spawn(|| client.work(&base, &stop));
            }
            std::thread::sleep(Duration::from_millis(rand::rng().random_range(50..900)));
            service.process.kill().expect("the service can be killed");
        });
        drop(service);
        service = Service::begin(folder.path(), &[]);
    }
    // What the last crash left open is sent again; nothing new.
    for client in &mut clients {
        client.work(&service.base, &AtomicBool::new(true));
    }

    let drafts = service.all(&lead, "/cases?stage=draft&");
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    for case in &drafts {
        let whole = service.get(&lead, &format!("/cases/{}", word(&case["id"])));
        *written
            .entry(word(&whole["intake"]["statement"]["about"]))
            .or_default() += 1;
    }
    for client in &clients[..CLIENTS] {
        assert_eq!(client.acknowledged.len(), client.sent);
        for key in &client.acknowledged {
            assert_eq!(written.get(key), Some(&1), "{key}");
        }
    }
    for (client, (case, before)) in clients[CLIENTS..]
        .iter()
        .zip(running.iter().zip(events_before))
    {
        let events = service.all(&facilitator, &format!("/cases/{case}/events?"));
        assert_eq!(
            events.len() - before,
            client.sent,
            "each step happened once"
        );
    }
    letters_are_whole(&service, &people["Morag Ellery"], &story);
    // Each step wrote as many letters as one more step of the same case writes now: none was lost, none written twice.
    let letters = || service.all(&people["Morag Ellery"], "/letters?").len() - story.len();
    let (written, mut wanted) = (letters(), 0);
    for client in &mut clients[CLIENTS..] {
        let (before, steps) = (letters(), client.sent);
        client.begin_another();
        client.work(&service.base, &AtomicBool::new(true));
        wanted += steps * (letters() - before);
    }
    assert_eq!(written, wanted);
    let data = folder.path().join("common-ground.db");
    let verified = Command::new(PROGRAM)
        .arg("verify-log")
        .env("DATABASE_URL", format!("sqlite:{}", data.display()))
        .env("DATA_DIR", folder.path())
        .env("KEY_FILE", folder.path().join("demo.key"))
        .output()
        .expect("the program runs");
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    let done: usize = clients.iter().map(|c| c.acknowledged.len()).sum();
    assert!(
        done > rounds(),
        "{done} commands are too few to show anything"
    );
}

/// A letter that is said to be sent lies there whole; none was lost, none given up.
fn letters_are_whole(service: &Service, coordinator: &str, story: &BTreeSet<String>) {
    let letters = service.all(coordinator, "/letters?");
    for letter in letters.iter().filter(|l| !story.contains(&word(&l["id"]))) {
        let file = service
            .folder
            .join("mail")
            .join(format!("{}.eml", word(&letter["id"])));
        match letter["state"].as_str() {
            Some("sent") => assert!(
                std::fs::read(&file).is_ok_and(|octets| octets.ends_with(b"--\r\n")),
                "{}",
                file.display()
            ),
            Some("sending") => {}
            other => panic!("{other:?}: {letter}"),
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the harness asks whether strace is a must"
)]
fn an_answer_goes_out_only_after_its_commit_is_durable() {
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(
            std::env::var_os("STRACE_REQUIRED").is_none(),
            "STRACE_REQUIRED is set, and there is no strace on this machine"
        );
        return eprintln!("no strace on this machine: nobody looks at the order of its calls");
    }
    let folder = tempfile::tempdir().expect("a folder");
    drop(Service::begin(folder.path(), &[]));
    let trace = folder.path().join("trace");
    let service = Service::begin(
        folder.path(),
        &[
            "strace",
            "-D",
            "-f",
            "-y",
            "-s",
            "16",
            "-e",
            "trace=pwrite64,fdatasync,fsync,sendto,writev,write",
            "-o",
            &trace.display().to_string(),
        ],
    );
    let lead = service.people()["Asha Marlow"].clone();
    let organisation = word(&service.get(&lead, "/me")["memberships"][0]["organisation"]);
    for n in 0..5 {
        let answer = agent()
            .post(format!("{}/api/v1/cases", service.base))
            .header("Authorization", format!("Bearer {lead}"))
            .send_json(draft(n, "durable", &organisation));
        assert_eq!(answer.expect("an answer").status(), 201);
    }
    drop(service);
    let calls = std::fs::read_to_string(&trace).expect("a trace");
    let lines: Vec<&str> = calls.lines().collect();
    let answers: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].contains("HTTP/1.1 201"))
        .collect();
    assert_eq!(answers.len(), 5, "{calls}");
    for answer in answers {
        // The last thing that happened to the log before the answer: it was forced to disk, not written to.
        let last = lines[..answer]
            .iter()
            .rev()
            .find(|line| line.contains("-wal>") || line.contains("sync resumed"))
            .expect("the log was written");
        assert!(
            (last.contains("fdatasync(") || last.contains("fdatasync resumed"))
                && last.ends_with("= 0"),
            "{last}"
        );
    }
}
