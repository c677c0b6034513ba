//! What people say is sealed wherever it lies (SAFETY §1): words that were said are searched for in every file of the
//! database and in a copy of it; a wrong key opens nothing; a key can be changed, and erased.
use std::path::Path;

use common_ground::domain::case::Side;
use common_ground::domain::id::CaseId;
use common_ground::store::db::{Conn, Db, DbError, Opening};
use common_ground::store::events;
use common_ground::store::keys::{self, Keeper, WrappingKey};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cast::Cast;
use crate::support::{App, CANARY, Call, cluster, key, wire};

/// A case with words in every room that there is to say something in.
fn told(cast: &Cast) -> String {
    let case = cast.in_force();
    let word = |text: &str| json!({ "text": format!("{text} {CANARY}") });
    for (who, rooms) in [
        (&cast.initiating_lead, vec!["joint", "initiating"]),
        (&cast.invited_lead, vec!["joint", "invited"]),
        (
            &cast.facilitator,
            vec!["joint", "initiating", "neutrals", "process", "notes"],
        ),
    ] {
        for room in rooms {
            let path = format!("/api/v1/cases/{case}/rooms/{room}/messages");
            let said = who.post_with(&path, &word("Between us:"), &[("idempotency-key", room)]);
            let id = said.expect(201).body["id"]
                .as_str()
                .expect("an id")
                .to_owned();
            who.post(&path, &word("Gone again:")).expect(201);
            who.post(
                &format!("{path}/{id}/strike"),
                &json!({ "reason": format!("Why {CANARY}") }),
            )
            .expect(200);
        }
    }
    cast.initiating_lead.did(
        &case,
        json!({ "event": "hold", "reason": format!("Tired {CANARY}") }),
    );
    case
}

fn holds(file: &Path) -> bool {
    let octets = std::fs::read(file).unwrap_or_default();
    octets.windows(CANARY.len()).any(|w| w == CANARY.as_bytes())
}

#[test]
fn nothing_that_was_said_lies_open_in_a_file() {
    let app = App::on_sqlite();
    told(&Cast::new(&app));
    let folder = app.folder.as_ref().expect("a folder").path().to_owned();
    let copy = folder.join("copy.db");
    let statement = format!("VACUUM INTO '{}'", copy.display());
    let file = diesel::SqliteConnection::establish(&folder.join("test.db").display().to_string());
    use diesel::Connection;
    file.expect("the file")
        .batch_execute(&statement)
        .expect("a copy");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder").flatten() {
        assert!(
            !holds(&entry.path()),
            "{} holds what was said",
            entry.path().display()
        );
        seen += entry.metadata().map(|m| m.len()).unwrap_or_default();
    }
    assert!(seen > 300_000, "{seen} octets are too few to show anything");
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[test]
fn nothing_that_was_said_lies_open_in_a_table() {
    let Some(app) = App::on_postgres() else {
        return;
    };
    told(&Cast::new(&app));
    let lines = |query: String| -> Vec<String> {
        let found: Result<Vec<Line>, DbError> =
            app.wait(app.desk.db.read(move |conn| match conn {
                Conn::Sqlite(c) => Ok(diesel::sql_query(query).load(c)?),
                Conn::Postgres(c) => Ok(diesel::sql_query(query).load(c)?),
            }));
        found.expect("lines").into_iter().map(|l| l.line).collect()
    };
    let hex: String = CANARY.bytes().map(|b| format!("{b:02x}")).collect();
    let tables = lines("SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public'".to_owned());
    assert!(tables.len() > 20);
    for table in tables {
        for line in lines(format!("SELECT t::text AS line FROM {table} t")) {
            assert!(
                !line.contains(CANARY) && !line.contains(&hex),
                "{table} holds what was said: {line}"
            );
        }
    }
}

fn on_each_database(tell: impl Fn(&Runtime, &str)) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new().expect("a runtime");
    let file = format!("sqlite:{}", folder.path().join("x.db").display());
    for url in [Some(file), cluster::new_database()].into_iter().flatten() {
        tell(&runtime, &url);
    }
}

#[test]
fn a_key_that_does_not_fit_is_said_at_once_and_a_key_can_be_changed() {
    on_each_database(|runtime, url| {
        let case = CaseId::random();
        let keeper = Keeper::Side(case, Side::Invited);
        let db = Db::open(url, Opening::Alone, &key()).expect("a database");
        let sealed = runtime
            .block_on(db.write(move |conn| keys::seal(conn, keeper, "here", b"between us")))
            .expect("it is sealed");
        drop(db);
        let next = WrappingKey::random();
        let wrong = Db::open(url, Opening::Alone, &next).expect_err("another key");
        assert!(
            matches!(&wrong, DbError::Unsafe(why) if why.contains("KEY_FILE")),
            "{wrong}"
        );
        let db = Db::open(url, Opening::Alone, &key()).expect("nothing was changed");
        let (given, opened) = (next.clone(), sealed.clone());
        let count = runtime.block_on(db.write(move |conn| keys::rotate(conn, &given)));
        assert_eq!(count.expect("the keys are wrapped anew"), 1);
        drop(db);
        assert!(matches!(
            Db::open(url, Opening::Alone, &key()),
            Err(DbError::Unsafe(_))
        ));
        let db = Db::open(url, Opening::Alone, &next).expect("the new key");
        let read = runtime.block_on(db.read(move |conn| keys::unseal(conn, "here", &opened)));
        assert_eq!(read.expect("it opens"), b"between us");
        let moved = sealed.clone();
        let read = runtime.block_on(db.read(move |conn| keys::unseal(conn, "there", &moved)));
        assert!(
            matches!(read, Err(DbError::Unreadable { .. })),
            "a row cannot be moved"
        );
        runtime
            .block_on(db.write(move |conn| keys::erase(conn, keeper)))
            .expect("it is erased");
        let read = runtime.block_on(db.read(move |conn| keys::unseal(conn, "here", &sealed)));
        assert!(
            matches!(read, Err(DbError::Unreadable { .. })),
            "nobody reads it ever again"
        );
    });
}

#[test]
fn the_log_holds_after_a_key_is_erased_and_breaks_when_something_sealed_is_changed() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    cast.submitted("share_all");
    let verified = || {
        app.wait(app.desk.db.read(events::verify))
            .expect("the log is read")
    };
    assert!(verified().is_ok());
    let change = |statement: &'static str| {
        app.wait(app.desk.db.write(move |conn| match conn {
            Conn::Sqlite(c) => Ok::<_, DbError>(c.batch_execute(statement)?),
            Conn::Postgres(c) => Ok(c.batch_execute(statement)?),
        }))
    };
    change("DROP TRIGGER event_bodies_no_update; CREATE TABLE kept AS SELECT * FROM event_bodies; UPDATE event_bodies SET sealed = (SELECT k.sealed FROM kept k WHERE k.event_id <> event_bodies.event_id LIMIT 1)").expect("changed");
    assert!(verified().is_err(), "a body that was moved is noticed");
    change("UPDATE event_bodies SET sealed = (SELECT k.sealed FROM kept k WHERE k.event_id = event_bodies.event_id)").expect("changed back");
    assert!(verified().is_ok());
    app.wait(
        app.desk
            .db
            .write(move |conn| keys::erase(conn, Keeper::House)),
    )
    .expect("erased");
    assert!(verified().is_ok(), "what an event said can be erased");
}

/// Everything that somebody says, sends or is given in one walk must not turn up in the log, however detailed it is.
#[test]
fn nothing_that_was_said_lies_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, file) = (super::readme::free_port(), folder.path().join("log"));
    let log = std::fs::File::create(&file).expect("a log");
    let demo = super::readme::begin_with(folder.path(), port, "trace", log.into());
    let base = format!("http://localhost:{port}");
    let written = std::fs::read(folder.path().join("demo-data/demo-people.json")).expect("people");
    let people: Vec<serde_json::Value> = serde_json::from_slice(&written).expect("people");
    let token = |name: &str| {
        let one = people
            .iter()
            .find(|p| p["name"] == name)
            .expect("somebody of the demo");
        one["token"].as_str().expect("a token").to_owned()
    };
    let send = |method,
                path: &str,
                token: Option<String>,
                body: Option<serde_json::Value>,
                headers: Vec<(String, String)>| {
        let path = path.to_owned();
        wire::send_unchecked(
            &base,
            &Call {
                method,
                path,
                token,
                body: body.map(|b| b.to_string()),
                headers,
            },
        )
    };
    let lead = token("Femi Strand");
    let cases = send(
        "GET",
        "/api/v1/cases?stage=agreed_actions",
        Some(lead.clone()),
        None,
        Vec::new(),
    );
    let case = cases.expect(200).body["items"][0]["id"]
        .as_str()
        .expect("a case")
        .to_owned();
    let rooms = format!("/api/v1/cases/{case}/rooms");
    for room in ["joint", "initiating"] {
        let said = json!({ "text": format!("Between us: {CANARY}") });
        let said = send(
            "POST",
            &format!("{rooms}/{room}/messages"),
            Some(lead.clone()),
            Some(said),
            vec![("idempotency-key".to_owned(), format!("{CANARY}-{room}"))],
        );
        let id = said.expect(201).body["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let why = json!({ "reason": CANARY });
        send(
            "POST",
            &format!("{rooms}/{room}/messages/{id}/strike"),
            Some(lead.clone()),
            Some(why),
            Vec::new(),
        )
        .expect(200);
    }
    let wrong = json!({ "text": CANARY, "more": CANARY });
    send(
        "POST",
        &format!("{rooms}/joint/messages"),
        Some(lead.clone()),
        Some(wrong),
        Vec::new(),
    )
    .expect(422);
    send(
        "GET",
        &format!("/api/v1/cases?text={CANARY}"),
        Some(lead.clone()),
        None,
        Vec::new(),
    )
    .expect(200);
    send(
        "GET",
        &format!("/{CANARY}?{CANARY}={CANARY}"),
        Some(CANARY.to_owned()),
        None,
        Vec::new(),
    )
    .expect(404);
    send(
        "GET",
        &format!("/calendar/{CANARY}.ics"),
        None,
        None,
        Vec::new(),
    )
    .expect(404);
    for password in [CANARY, common_ground::demo::PASSWORD] {
        let who = json!({ "email": "femi.strand@tyne-hearth.example", "password": password });
        send(
            "POST",
            "/api/v1/sign-in",
            None,
            Some(who),
            vec![("cookie".to_owned(), format!("__Host-browser={CANARY}"))],
        );
    }
    send(
        "GET",
        "/api/v1/me",
        None,
        None,
        vec![("cookie".to_owned(), format!("__Host-session={CANARY}"))],
    )
    .expect(401);
    std::thread::sleep(std::time::Duration::from_secs(2));
    drop(demo);
    let log = std::fs::read_to_string(&file).expect("the log");
    assert!(
        log.lines().count() > 20,
        "{} lines are too few to show anything",
        log.lines().count()
    );
    let plain = log.to_lowercase();
    for word in [
        CANARY,
        &lead,
        common_ground::demo::PASSWORD,
        "femi.strand",
        "Tyne Hearth",
        "Between us",
    ] {
        let found = plain
            .lines()
            .find(|line| line.contains(&word.to_lowercase()));
        assert!(found.is_none(), "the log holds {word}: {found:?}");
    }
}
