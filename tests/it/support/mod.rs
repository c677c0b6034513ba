//! What stories are told with: a real server on a port of its own, a clock turned by hand, letters in memory, a
//! database for each test, and people who act.
pub mod browser;
pub mod cluster;
pub mod pages;
pub mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration as Pause;

use chrono::Duration;
use common_ground::app;
use common_ground::casework::people::NewPerson;
use common_ground::casework::{Desk, Hashing, Settings};
use common_ground::config::{Config, Over};
use common_ground::domain::people::Role;
use common_ground::domain::text::{EmailAddress, Line};
use common_ground::domain::time::{HandClock, Moment};
use common_ground::jobs::courier::Courier;
use common_ground::jobs::{notice_time, sweep};
use common_ground::mail::mailer::Mailer;
use common_ground::store::db::{Db, Opening};
use common_ground::store::keys::WrappingKey;
use common_ground::store::{events, outbox};
use common_ground::web::guard::Watch;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub use browser::Browser;
pub use pages::Reader;
pub use wire::{Call, Reply};

/// Everybody's password.
pub const PASSWORD: &str = "lantern otter drum seven";

/// A word that no log, letter or answer to the wrong person may hold.
pub const CANARY: &str = "canary-Blodeuwedd";

/// Tells the same story on both databases.
#[macro_export]
macro_rules! on_both {
    ($($(#[$why:meta])* fn $name:ident($app:ident: &App) $story:block)+) => { $(
        mod $name {
            use super::*;
            $(#[$why])*
            fn story($app: &App) $story
            #[test]
            fn on_sqlite() { story(&App::on_sqlite()); }
            #[test]
            fn on_postgres() { if let Some(app) = App::on_postgres() { story(&app); } }
        }
    )+ };
}

/// A running service.
pub struct App {
    pub base: String,
    pub desk: Desk,
    pub clock: Arc<HandClock>,
    runtime: Runtime,
    letters: Arc<Mutex<Vec<Vec<u8>>>>,
    courier: Mutex<Courier>,
    server: actix_web::dev::ServerHandle,
    /// Where its files are, on SQLite.
    pub folder: Option<tempfile::TempDir>,
}

/// Everything usual, with a host that letters can be checked for.
pub fn settings() -> Settings {
    let usual = Config::from(None, &|_| None, &Over::default()).expect("the usual configuration");
    // Stories last for months; tokens should not end in the middle of one.
    Settings {
        token_days: 1000,
        // Real passwords are slow on purpose; there are thousands of them here.
        hashing: Hashing {
            memory_kib: 64,
            passes: 1,
        },
        ..usual.settings
    }
}

/// What every database of the tests is sealed with.
pub fn key() -> WrappingKey {
    WrappingKey::parse(KEY).expect("a key")
}

/// The same, as it is handed to the program.
pub const KEY: &str = "dGVzdHMgc2VhbCB0aGVpciBkYXRhYmFzZXMgdGhpcyE=";

impl App {
    pub fn on_sqlite() -> Self {
        Self::with(settings())
    }

    /// The same, with something set otherwise than usual.
    pub fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::begin(&url, Some(folder), settings)
    }

    pub fn on_postgres() -> Option<Self> {
        cluster::new_database().map(|url| Self::begin(&url, None, settings()))
    }

    fn begin(url: &str, folder: Option<tempfile::TempDir>, settings: Settings) -> Self {
        // A Tuesday morning in term time.
        let clock = Arc::new(HandClock::at(Moment::new(
            "2026-09-08T09:00:00Z".parse().expect("a time"),
        )));
        let desk = app::desk(
            Db::open(url, Opening::Alone, &key()).expect("a database"),
            clock.clone(),
            settings,
        )
        .expect("a desk");
        let listener = app::listen("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let watch = Watch {
            hosts: vec![host.clone()],
            // Stories come through a proxy, so that they can come from elsewhere.
            proxies: vec!["127.0.0.1".parse().expect("an address")],
            body_time: Pause::from_secs(2),
        };
        let (told, hear) = std::sync::mpsc::channel();
        let behind = desk.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = app::server(&behind, listener, watch, 2).expect("a server");
                told.send(server.handle()).expect("somebody listens");
                server.await.expect("the server ends well");
            });
        });
        let letters = Arc::new(Mutex::new(Vec::new()));
        Self {
            base: format!("http://{host}"),
            desk,
            clock,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime"),
            courier: Mutex::new(Courier::new(Mailer::Memory(letters.clone()))),
            letters,
            server: hear.recv().expect("the server begins"),
            folder,
        }
    }

    /// Waits for something asynchronous.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Turns the crank: clocks, letters, sweep.
    pub fn work(&self) {
        self.wait(notice_time(&self.desk)).expect("clocks");
        self.wait(
            self.courier
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .deliver_due(&self.desk),
        )
        .expect("letters");
        self.wait(sweep(&self.desk)).expect("the sweep");
    }

    /// Lets days go by, with work done on each.
    pub fn days(&self, days: i64) {
        for _ in 0..days {
            self.clock.advance(Duration::days(1));
            self.work();
        }
    }

    /// The letters that have arrived, as text, oldest first; those to one person, if one is given.
    pub fn letters_to(&self, who: Option<&Person>) -> Vec<String> {
        self.work();
        self.delivered(who)
    }

    /// Those that have arrived by now, with whatever still waits left to wait.
    pub fn delivered_to(&self, who: &Person) -> Vec<String> {
        self.delivered(Some(who))
    }

    fn delivered(&self, who: Option<&Person>) -> Vec<String> {
        let all = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|octets| String::from_utf8_lossy(octets).into_owned())
            .filter(|l| {
                who.is_none_or(|p| {
                    l.lines()
                        .any(|line| line.starts_with("To:") && line.contains(&p.email))
                })
            })
            .collect()
    }

    /// The subjects of the letters to one person, without the reference.
    pub fn subjects_to(&self, who: &Person) -> Vec<String> {
        self.letters_to(Some(who))
            .iter()
            .filter_map(|l| {
                l.lines().find_map(|line| {
                    line.strip_prefix("Subject: ")
                        .map(|s| s.split_once(": ").map_or(s, |(_, rest)| rest).to_owned())
                })
            })
            .collect()
    }

    pub fn send(&self, call: &Call) -> Reply {
        wire::send(&self.base, call)
    }

    /// Somebody of CLERO.
    pub fn staff(&self, name: &str, roles: &[Role]) -> Person<'_> {
        let email = address(name, "clero.example");
        let new = NewPerson {
            name: Line::parse(name).expect("a name"),
            email: EmailAddress::parse(&email).expect("an address"),
            roles: roles.iter().copied().collect(),
        };
        let person = self
            .wait(self.desk.add_person_by_operator(new))
            .expect("a person");
        let token = self.token(&email);
        Person {
            app: self,
            id: person.id.to_string(),
            name: name.to_owned(),
            email,
            token,
        }
    }

    pub fn token(&self, email: &str) -> String {
        self.wait(
            self.desk.issue_token_by_operator(
                EmailAddress::parse(email).expect("an address"),
                Some(1000),
            ),
        )
        .expect("a token")
        .token
    }

    /// A LERO in the register.
    pub fn lero(&self, keeper: &Person, name: &str, nation: &str) -> String {
        let profile = json!({ "legal_name": format!("{name} CIO"), "working_name": name, "kind": "lero", "legal_form": "charitable_incorporated_organisation", "nation": nation, "constituted": true, "standing": "member" });
        keeper
            .post("/api/v1/organisations", &json!({ "profile": profile }))
            .expect(201)
            .body["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Somebody of a LERO, invited and arrived.
    pub fn member<'a>(
        &'a self,
        by: &Person,
        organisation: &str,
        name: &str,
        lead: bool,
    ) -> Person<'a> {
        let email = address(name, "lero.example");
        let membership = by
            .post(
                &format!("/api/v1/organisations/{organisation}/members"),
                &json!({ "name": name, "email": email, "lead": lead }),
            )
            .expect(201);
        let id = membership.body["person"]
            .as_str()
            .expect("an id")
            .to_owned();
        let mut person = Person {
            app: self,
            id,
            name: name.to_owned(),
            email: email.clone(),
            token: String::new(),
        };
        let code = self.code_for(&person);
        self.accept(&email, &code).expect(201);
        person.token = self.token(&email);
        person
    }

    /// Takes up an invitation with everybody's password.
    pub fn accept(&self, email: &str, code: &str) -> Reply {
        self.send(&Call {
            method: "POST",
            path: "/api/v1/invitations/accept".into(),
            body: Some(json!({ "email": email, "code": code, "password": PASSWORD }).to_string()),
            ..Call::default()
        })
    }

    /// The code of the last invitation that went to somebody.
    pub fn code_for(&self, person: &Person) -> String {
        let letters = self.letters_to(Some(person));
        let letter = letters
            .iter()
            .rev()
            .find(|l| l.contains("Your code is:"))
            .expect("a letter with a code");
        letter
            .lines()
            .skip_while(|l| !l.starts_with("Your code is:"))
            .skip(1)
            .map(str::trim)
            .find(|l| !l.is_empty())
            .expect("a code")
            .to_owned()
    }

    /// Checks that the log holds and that nothing lies about; called by every story's end.
    fn tidy(&self) {
        self.work();
        let (held, left) = self
            .wait(self.desk.db.read(|conn| {
                Ok::<_, common_ground::store::db::DbError>((
                    events::verify(conn)?,
                    outbox::on_the_way(conn)?,
                ))
            }))
            .expect("the database answers");
        assert!(held.is_ok(), "{held:?}");
        assert_eq!(left, 0, "letters are left over");
        for letter in self
            .letters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            assert!(
                !String::from_utf8_lossy(letter).contains(CANARY),
                "a letter holds case content"
            );
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.tidy();
        }
        let stopped = self.server.stop(false);
        self.runtime.block_on(stopped);
    }
}

fn address(name: &str, host: &str) -> String {
    format!("{}@{host}", name.to_lowercase().replace(' ', "."))
}

/// Somebody who acts.
#[derive(Clone)]
pub struct Person<'a> {
    pub app: &'a App,
    pub id: String,
    pub name: String,
    pub email: String,
    pub token: String,
}

impl<'a> Person<'a> {
    /// The same person, signed in with password and code a moment ago; somebody of CLERO chooses a password first.
    pub fn fresh(&self) -> Browser<'a> {
        let browser = Browser::new(self.app);
        if browser.try_password(&self.email, PASSWORD).status == 422 {
            let email = EmailAddress::parse(&self.email).expect("an address");
            let code = self
                .app
                .wait(self.app.desk.invite_by_operator(email))
                .expect("a code");
            self.app.accept(&self.email, &code).expect(201);
            browser.try_password(&self.email, PASSWORD).expect(200);
        }
        browser.answer(&self.app.code_for(self)).expect(200);
        browser
    }
}

impl Person<'_> {
    fn call(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        self.app.send(&Call {
            method,
            path: path.to_owned(),
            token: Some(self.token.clone()),
            body: body.map(Value::to_string),
            headers: headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        })
    }

    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None, &[])
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, Some(body), &[])
    }

    pub fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        self.call("POST", path, Some(body), headers)
    }

    /// Hands in a form with a file in it, and texts beside it.
    pub fn upload(
        &self,
        path: &str,
        file: (&str, &[u8]),
        texts: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Reply {
        let between = format!("between-{}", wire::drawn());
        let mut call = Call {
            method: "POST",
            path: path.to_owned(),
            token: Some(self.token.clone()),
            body: None,
            headers: vec![(
                "content-type".to_owned(),
                format!("multipart/form-data; boundary={between}"),
            )],
        };
        call.headers.extend(
            headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        );
        wire::send_octets(&self.app.base, &call, &wire::form(&between, file, texts))
    }

    pub fn put(&self, path: &str, body: &Value, tag: &str) -> Reply {
        self.call("PUT", path, Some(body), &[("if-match", tag)])
    }

    pub fn patch(&self, path: &str, body: &Value, tag: &str) -> Reply {
        self.call("PATCH", path, Some(body), &[("if-match", tag)])
    }

    /// A case as this person sees it.
    pub fn sees(&self, case: &str) -> Reply {
        self.get(&format!("/api/v1/cases/{case}"))
    }

    /// What this person can do now, by event.
    pub fn can(&self, case: &str, event: &str) -> Value {
        let all = self
            .get(&format!("/api/v1/cases/{case}/available-events"))
            .expect(200);
        all.body["items"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|a| a["event"] == event)
            .unwrap_or_else(|| panic!("{event} is not in the table"))
            .clone()
    }

    /// Takes a step, having read the case and what there is to answer.
    pub fn does(&self, case: &str, mut body: Value) -> Reply {
        let seen = self.sees(case);
        let event = body["event"].as_str().expect("an event").to_owned();
        if seen.status == 200
            && body.get("answers").is_none()
            && let Some(hash) = self.can(case, &event)["answers"].as_str()
        {
            body["answers"] = json!(hash);
        }
        let tag = seen.tag.unwrap_or_else(|| "\"none\"".to_owned());
        let path = format!("/api/v1/cases/{case}/events");
        // Signing needs more than a token.
        if event == "accept_agreement" && body.get("on_behalf_of").is_none() {
            return self
                .fresh()
                .post_with(&path, &body, &[("if-match", tag.as_str())]);
        }
        self.post_with(&path, &body, &[("if-match", &tag)])
    }

    /// Takes a step that must succeed.
    #[track_caller]
    pub fn did(&self, case: &str, body: Value) -> Reply {
        self.does(case, body).expect(200)
    }
}
