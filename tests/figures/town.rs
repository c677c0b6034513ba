//! A town full of cases: the demo's people, with as many more cases like theirs as are wanted, served by the real program.
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::Duration as Span;
use common_ground::app;
use common_ground::casework::Desk;
use common_ground::casework::read::{Search, Slice};
use common_ground::casework::signin::Credential;
use common_ground::config::{Config, Over};
use common_ground::demo::{DemoPerson, world};
use common_ground::domain::case::{Case, Reference};
use common_ground::domain::id::CaseId;
use common_ground::domain::time::SystemClock;
use common_ground::store::cases;
use common_ground::store::db::{Db, DbError, Opening};
use common_ground::store::keys::WrappingKey;

pub const COORDINATOR: &str = "Morag Ellery";
pub const FACILITATOR: &str = "Yusra Banning";
pub const LEAD: &str = "Asha Marlow";

/// Who lives there, and where it is kept.
pub struct Town {
    pub people: Vec<DemoPerson>,
    config: Config,
}

impl Town {
    /// Builds the demo's world in the database at `url`, with its letters in `folder`.
    pub async fn build(url: &str, folder: &Path) -> Self {
        let read = |name: &str| match name {
            "DATABASE_URL" => Some(url.to_owned()),
            "PUBLIC_URL" => Some("http://localhost".to_owned()),
            _ => None,
        };
        let over = Over {
            listen: None,
            data: Some(folder.to_owned()),
        };
        let config = Config::from(None, &read, &over).expect("a configuration");
        std::fs::create_dir_all(folder).expect("a folder");
        let people = world(&config).await.expect("the demo's world");
        Self { people, config }
    }

    /// The token of somebody.
    pub fn token(&self, name: &str) -> &str {
        &self
            .people
            .iter()
            .find(|p| p.name == name)
            .expect("somebody of the demo")
            .token
    }

    fn key(&self) -> WrappingKey {
        common_ground::demo::key(&self.config.data).expect("the town's key")
    }

    fn desk(&self) -> Desk {
        let db =
            Db::open(&self.config.database_url, Opening::Alone, &self.key()).expect("a database");
        app::desk(
            db,
            std::sync::Arc::new(SystemClock),
            self.config.settings.clone(),
        )
        .expect("a desk")
    }

    /// Adds cases like those that are there until there are `wanted`.
    pub async fn grow(&self, wanted: usize) {
        let desk = self.desk();
        let caller = Credential::bearer(self.token(COORDINATOR));
        let slice = Slice {
            limit: Some(100),
            cursor: None,
        };
        let page = desk
            .cases(
                caller,
                Search {
                    slice,
                    ..Search::default()
                },
            )
            .await
            .expect("the demo's cases");
        let ids: Vec<CaseId> = page.items.iter().map(|brief| brief.id).take(8).collect();
        let patterns: Vec<std::sync::Arc<Case>> = desk
            .db
            .read(move |conn| {
                ids.into_iter()
                    .filter_map(|id| cases::find(conn, id).transpose())
                    .collect::<Result<_, DbError>>()
            })
            .await
            .expect("cases");
        let have = desk.db.read(cases::count).await.expect("a number");
        let mut left = have..wanted;
        while !left.is_empty() {
            let (some, patterns): (Vec<usize>, _) =
                (left.by_ref().take(1000).collect(), patterns.clone());
            desk.db
                .write(move |conn| {
                    some.iter().try_for_each(|n| {
                        cases::add(conn, &like(&patterns[n % patterns.len()], *n))
                    })
                })
                .await
                .expect("more cases");
        }
    }

    /// Starts the program on it; answers the process, its port and how long it took to be ready.
    pub fn open(&self) -> (Child, u16, Duration) {
        let (port, since) = (free_port(), Instant::now());
        let child = Command::new(env!("CARGO_BIN_EXE_common-ground"))
            .arg("serve")
            .env("DATABASE_URL", &self.config.database_url)
            .env("KEY", self.key().written())
            .env("DATA_DIR", &self.config.data)
            .env("PUBLIC_URL", "http://localhost")
            .env("LISTEN", format!("127.0.0.1:{port}"))
            // Nobody listens there: letters are written and wait, and what is measured is the step itself.
            .env("SMTP_URL", "smtp://127.0.0.1:9?tls=off")
            .env("LOG", "off")
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        while !answers(port) {
            std::thread::sleep(Duration::from_millis(2));
        }
        (child, port, since.elapsed())
    }
}

/// The same case under another name, a little older.
fn like(pattern: &Case, n: usize) -> Case {
    let mut octets = [0; 8];
    octets.copy_from_slice(&(n as u64).to_le_bytes());
    let base = Reference::ALPHABET.len() as u64;
    let digits: Vec<u8> = (0..8)
        .map(|place| (n as u64 / base.pow(place) % base) as u8)
        .collect();
    Case {
        id: CaseId::random(),
        reference: Reference::spelt(2001, &digits),
        opened_at: pattern.opened_at.plus(-Span::seconds(n as i64)),
        ..pattern.clone()
    }
}

/// A port nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port()
}

/// Whether somebody listens at a port.
pub fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn answers(port: u16) -> bool {
    use std::io::{Read, Write};
    let ask = || -> std::io::Result<bool> {
        let mut line = TcpStream::connect(("127.0.0.1", port))?;
        line.write_all(
            b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )?;
        let mut said = String::new();
        line.read_to_string(&mut said)?;
        Ok(said.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// The memory a process has in use, in megabytes.
pub fn memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kilobytes = status.lines().find_map(|l| {
        l.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .trim()
            .parse::<f64>()
            .ok()
    });
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}
