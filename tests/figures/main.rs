//! How fast the service is, as ratios: beside a server that does nothing, and beside a loop that only keeps rows, on the
//! same machine, in the same run. `cargo bench --bench figures` prints them; docs/PERFORMANCE.md says what they mean.
//!
//! ```text
//! cargo bench --bench figures -- [--seconds 3] [--many 1000000] [--postgres postgres://…] [--folder FOLDER]
//! ```
mod ground;
mod load;
mod town;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use load::{Figure, load, request};
use serde_json::{Value, json};
use town::{COORDINATOR, FACILITATOR, LEAD, Town, memory};

/// How many cases a small town has.
const FEW: usize = 10_000;
const CONNECTIONS: [usize; 3] = [1, 8, 32];

#[derive(Debug, Parser)]
struct Options {
    /// How long each figure is measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How many cases a large town has.
    #[arg(long, default_value_t = 1_000_000)]
    many: usize,
    /// An empty database on the same disk, to measure too.
    #[arg(long)]
    postgres: Option<String>,
    /// A folder on the disk to measure.
    #[arg(long, default_value = "target/figures")]
    folder: PathBuf,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A process that ends with its name.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill")
            .arg(self.0.id().to_string())
            .status();
        let _ = self.0.wait();
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(ground::BARE) {
        return ground::serve_bare(words.next().and_then(|p| p.parse().ok()).expect("a port"));
    }
    let options = Options::parse();
    let time = Duration::from_secs(options.seconds);
    let _ = std::fs::remove_dir_all(&options.folder);
    std::fs::create_dir_all(&options.folder).expect("a folder");
    let raw = ground::raw_commits(&options.folder, time);
    println!(
        "durable commits one after another (SQLite)      {:>8.0}/s\n",
        raw.a_second
    );
    let at = |name: &str| format!("sqlite:{}", options.folder.join(name).display());
    let few = measure(
        "SQLite",
        &at("few.db"),
        &options.folder.join("few"),
        FEW,
        Some(raw.a_second),
        time,
    );
    let many = measure(
        "SQLite",
        &at("many.db"),
        &options.folder.join("many"),
        options.many,
        None,
        time,
    );
    println!(
        "reading a page of {} cases takes {:.2} times what it takes of {FEW}\n",
        options.many,
        few / many
    );
    if let Some(url) = &options.postgres {
        measure(
            "PostgreSQL",
            url,
            &options.folder.join("postgres"),
            FEW,
            None,
            time,
        );
    }
}

/// Measures a town of `cases` in the database at `url`; answers how many pages of its list it gives in a second.
fn measure(
    database: &str,
    url: &str,
    folder: &Path,
    cases: usize,
    commits: Option<f64>,
    time: Duration,
) -> f64 {
    println!("== {database}, {cases} cases");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let town = runtime.block_on(async {
        let town = Town::build(url, folder).await;
        town.grow(cases).await;
        town
    });
    let (server, port, ready) = town.open();
    let server = Server(server);
    std::thread::sleep(Duration::from_secs(1));
    println!(
        "ready after {:.0} ms, with {:.0} MB",
        ready.as_secs_f64() * 1000.0,
        memory(server.0.id())
    );
    let (bare, bare_port) = ground::bare();
    let _bare = Server(bare);

    let coordinator = town.token(COORDINATOR).to_owned();
    let page = ask(port, &coordinator, "/api/v1/cases?limit=100");
    let read: Vec<Vec<u8>> = page["items"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| {
            get(
                &format!("/api/v1/cases/{}", case["id"].as_str().expect("an id")),
                &coordinator,
            )
        })
        .collect();
    let size = read
        .iter()
        .map(|one| answer(port, one).len())
        .sum::<usize>()
        / read.len();
    beside_bare(
        &format!("read a case ({size} octets)"),
        (port, &read),
        (bare_port, size),
        time,
    );
    let facilitator = town.token(FACILITATOR).to_owned();
    let own: Rc<Vec<String>> = Rc::new(running(port, &facilitator));
    let others: Vec<Vec<u8>> = own
        .iter()
        .map(|steps| get(steps.trim_end_matches("/events"), &facilitator))
        .collect();
    let size = answer(port, &others[0]).len();
    beside_bare(
        &format!("the same, {} in turn ({size} octets)", others.len()),
        (port, &others),
        (bare_port, size),
        time,
    );
    let mut rate = 0.0;
    for name in [COORDINATOR, FACILITATOR, LEAD] {
        let list = vec![get("/api/v1/cases", town.token(name))];
        let size = answer(port, &list[0]).len();
        rate = f64::max(
            rate,
            beside_bare(
                &format!("list 20, as {name} ({size} octets)"),
                (port, &list),
                (bare_port, size),
                time,
            ),
        );
    }
    for query in [
        "stage=closed",
        "waiting_for=facilitator",
        "text=lantern",
        "locality=E07000128",
    ] {
        let list = vec![get(&format!("/api/v1/cases?{query}"), &coordinator)];
        let size = answer(port, &list[0]).len();
        beside_bare(
            &format!("list 20, {query} ({size} octets)"),
            (port, &list),
            (bare_port, size),
            time,
        );
    }
    let draft = draft(port, town.token(LEAD));
    for connections in CONNECTIONS {
        let figure = load(port, connections, time, |_| {
            let post = request("POST", "/api/v1/cases", town.token(LEAD), "", &draft);
            move || post.clone()
        });
        say(
            "create a case",
            connections,
            &figure,
            commits.map(|all| ("durable commits", figure.a_second / all)),
        );
    }
    // Each case is paused, and when all have been, each is resumed: no case is written more often than people would.
    let steps = Rc::new(Cell::new(0));
    for connections in CONNECTIONS {
        let figure = load(port, connections, time, |_| {
            let (own, steps, token) = (own.clone(), steps.clone(), facilitator.clone());
            move || {
                let n = steps.replace(steps.get() + 1);
                let event = if n / own.len() % 2 == 0 {
                    "hold"
                } else {
                    "resume"
                };
                request(
                    "POST",
                    &own[n % own.len()],
                    &token,
                    "If-Match: *\r\n",
                    &format!("{{\"event\":\"{event}\"}}"),
                )
            }
        });
        say(
            "a transition, with its letters written",
            connections,
            &figure,
            commits.map(|all| ("durable commits", figure.a_second / all)),
        );
    }
    println!("{:.0} MB afterwards\n", memory(server.0.id()));
    rate
}

/// Measures reading with 1, 8 and 32 connections beside the bare server; answers the rate at 8.
fn beside_bare(
    what: &str,
    (port, asked): (u16, &[Vec<u8>]),
    (bare, size): (u16, usize),
    time: Duration,
) -> f64 {
    let mut at_eight = 0.0;
    for connections in CONNECTIONS {
        let ours = load(port, connections, time, |n| {
            let (all, mut next) = (asked.to_vec(), n);
            move || {
                next = (next + 7) % all.len();
                all[next].clone()
            }
        });
        let theirs = load(bare, connections, time, |_| {
            let get = get(&format!("/{size}"), "-");
            move || get.clone()
        });
        say(
            what,
            connections,
            &ours,
            Some(("bare", ours.a_second / theirs.a_second)),
        );
        if connections == 8 {
            at_eight = ours.a_second;
        }
    }
    at_eight
}

fn say(what: &str, connections: usize, figure: &Figure, ratio: Option<(&str, f64)>) {
    let beside = ratio
        .map(|(whom, ratio)| format!("  {ratio:.2} of {whom}"))
        .unwrap_or_default();
    println!(
        "{what:<46} {connections:>2}c {:>8.0}/s  p50 {:>7.0} µs  p99 {:>7.0} µs ({:.1}x){beside}",
        figure.a_second,
        figure.median.as_secs_f64() * 1e6,
        figure.slow.as_secs_f64() * 1e6,
        figure.tail(),
    );
}

/// Where steps are taken in the cases of somebody that are in conversation and not paused.
fn running(port: u16, token: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(
            port,
            token,
            &format!("/api/v1/cases?stage=early_conversation&limit=100{cursor}"),
        );
        let cases = page["items"].as_array().expect("cases").iter();
        all.extend(
            cases
                .filter(|c| c["on_hold"] == false)
                .map(|c| format!("/api/v1/cases/{}/events", c["id"].as_str().expect("an id"))),
        );
        match page["next"].as_str() {
            Some(next) if all.len() < 2000 => cursor = format!("&cursor={next}"),
            _ => return all,
        }
    }
}

fn get(path: &str, token: &str) -> Vec<u8> {
    request("GET", path, token, "", "")
}

/// The body of one answer, whatever its status.
fn answer(port: u16, asked: &[u8]) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut line = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let closing = String::from_utf8_lossy(asked).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    line.write_all(closing.as_bytes())
        .expect("the request goes out");
    let mut said = Vec::new();
    line.read_to_end(&mut said).expect("the answer comes in");
    let head = said
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a head");
    said.split_off(head + 4)
}

fn ask(port: u16, token: &str, path: &str) -> Value {
    serde_json::from_slice(&answer(port, &get(path, token))).expect("JSON")
}

/// A whole draft, as somebody would write it.
fn draft(port: u16, token: &str) -> String {
    let own = ask(port, token, "/api/v1/me")["memberships"][0]["organisation"].clone();
    let all = ask(port, token, "/api/v1/organisations");
    let with = all["items"]
        .as_array()
        .expect("organisations")
        .iter()
        .map(|o| &o["id"])
        .find(|id| **id != own)
        .expect("another");
    json!({ "organisation": own, "draft": { "with": [with], "statement": {
        "grounds": ["boundaries"], "localities": ["E07000128"],
        "about": "We were both asked to start a group in the same town, and neither of us heard of the other until the posters were up.",
        "valued_in_the_other": "They know every village hall.", "good_outcome": "People there find one group that lasts.",
        "contact": "phone", "authority": { "stated": true, "post": "Manager" }, "first_contact": "share_all", "personal_data_notice_read": true,
    } } })
    .to_string()
}
