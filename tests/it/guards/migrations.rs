//! Both databases have the same migrations, the same tables and the same columns, and the log cannot be changed.
use std::collections::BTreeMap;

use common_ground::store::db::{Conn, Db, DbError, Opening};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;

use super::{at, files};
use crate::support::{App, CANARY, cluster, key};

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    needed: String,
}

fn columns(db: &Db) -> BTreeMap<String, String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let found: Vec<Column> = runtime.block_on(db.read(|conn| {
        Ok::<_, DbError>(match conn {
            Conn::Sqlite(c) => diesel::sql_query("SELECT m.name || '.' || p.name AS place, CASE WHEN p.\"notnull\" = 1 THEN 'needed' ELSE 'optional' END AS needed FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'").load(c)?,
            Conn::Postgres(c) => diesel::sql_query("SELECT table_name || '.' || column_name AS place, CASE WHEN is_nullable = 'NO' THEN 'needed' ELSE 'optional' END AS needed FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'").load(c)?,
        })
    })).expect("the columns");
    found.into_iter().map(|c| (c.place, c.needed)).collect()
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| -> Vec<String> {
        files(folder, ".sql")
            .iter()
            .map(|f| {
                f.strip_prefix(at(folder))
                    .expect("beneath")
                    .display()
                    .to_string()
            })
            .collect()
    };
    assert_eq!(names("migrations/sqlite"), names("migrations/postgres"));
}

#[test]
fn both_databases_and_the_schema_have_the_same_columns() {
    let app = App::on_sqlite();
    let sqlite = columns(&app.desk.db);
    if let Some(url) = cluster::new_database() {
        assert_eq!(
            sqlite,
            columns(&Db::open(&url, Opening::Alone, &key()).expect("a database"))
        );
    }
    let schema = super::read("src/store/schema.rs");
    let mut table = "";
    let mut seen = BTreeMap::new();
    for line in schema.lines() {
        if let Some((name, _)) = line
            .trim()
            .split_once(" (")
            .filter(|_| line.trim().ends_with(") {"))
        {
            table = name;
        }
        if let Some((column, kind)) = line.trim().trim_end_matches(',').split_once(" -> ") {
            seen.insert(
                format!("{table}.{column}"),
                if kind.starts_with("Nullable") {
                    "optional"
                } else {
                    "needed"
                }
                .to_owned(),
            );
        }
    }
    assert_eq!(sqlite, seen);
}

/// A database as migration 0001 left it, with one case in it; ids are the same octet sixteen times.
fn of_0001(conn: &mut impl SimpleConnection, folder: &str, id: impl Fn(u8) -> String) {
    let (case, lero, other, person) = (id(1), id(2), id(3), id(4));
    let at = "'2026-05-01T09:00:00.000000Z'";
    let words = [
        super::read(&format!("migrations/{folder}/0001_ground/up.sql")),
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);".to_owned(),
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('0001');".to_owned(),
        format!("INSERT INTO people (id, name, email, roles, active, created_at) VALUES ({person}, 'P', 'p@x.example', '[]', true, {at});"),
        [&lero, &other].map(|o| format!("INSERT INTO organisations (id, working_name, folded, look, kind, nation, constituted, profile, created_at) VALUES ({o}, 'O', 'o', 'o', 'lero', 'wales', true, '{{}}', {at});")).concat(),
        format!(
            "INSERT INTO cases (id, reference, stage, version, opened_at, on_hold, waits_initiating, waits_invited, waits_facilitator, waits_coordinator, search, sides, intake, neutrals, conversation, review, agreements, closing, clocks) \
             VALUES ({case}, 'CG-2026-4F7K', 'intake', 3, {at}, false, false, false, true, false, '', '{{}}', '{{\"said\": \"{CANARY}\"}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}');"
        ),
        format!("INSERT INTO case_parties VALUES ({case}, {lero}, 'initiating'), ({case}, {other}, 'invited');"),
        format!("INSERT INTO readings VALUES ({case}, 'invited', 1, '{{}}');"),
        format!("INSERT INTO case_localities VALUES ({case}, 'E07000128');"),
        format!("INSERT INTO case_seats VALUES ({case}, {person}, 'asked'), ({case}, {person}, 'facilitator'), ({case}, {person}, 'excluded');"),
    ];
    conn.batch_execute(&words.concat())
        .expect("a database of 0001");
}

#[derive(diesel::QueryableByName)]
struct Heading {
    #[diesel(sql_type = Text)]
    heading: String,
}

#[test]
fn cases_of_before_are_listed_under_the_same_headings() {
    use diesel::Connection;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.db");
    let mut sqlite =
        diesel::SqliteConnection::establish(&file.display().to_string()).expect("a file");
    of_0001(&mut sqlite, "sqlite", |n| {
        format!("x'{}'", format!("{n:02x}").repeat(16))
    });
    drop(sqlite);
    let mut urls = vec![format!("sqlite:{}", file.display())];
    if let Some(url) = cluster::empty_database() {
        let mut postgres = diesel::PgConnection::establish(&url).expect("a database");
        of_0001(&mut postgres, "postgres", |n| {
            format!("'{}'", format!("{n:02x}").repeat(16))
        });
        urls.push(url);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for url in urls {
        let db = Db::open(&url, Opening::Alone, &key()).expect("the later migrations run");
        let query = "SELECT heading FROM case_headings UNION ALL SELECT 'reading: ' || side FROM readings ORDER BY 1";
        let found: Vec<Heading> = runtime
            .block_on(db.read(move |conn| {
                Ok::<_, DbError>(match conn {
                    Conn::Sqlite(c) => diesel::sql_query(query).load(c)?,
                    Conn::Postgres(c) => diesel::sql_query(query).load(c)?,
                })
            }))
            .expect("the headings");
        let words: Vec<String> = found.into_iter().map(|h| h.heading).collect();
        let named = |kind: &str, n: &str| format!("{kind}:{}", n.repeat(16));
        assert_eq!(
            words,
            [
                "everything".to_owned(),
                "locality:E07000128".to_owned(),
                named("party", "02"),
                named("party", "03"),
                "reading: invited".to_owned(),
                "reference:4F7K".to_owned(),
                named("seat", "04"),
                "stage:intake".to_owned(),
                "turn:facilitator".to_owned()
            ]
        );
    }
}

#[test]
fn the_log_cannot_be_changed_or_removed() {
    for app in [Some(App::on_sqlite()), App::on_postgres()]
        .into_iter()
        .flatten()
    {
        app.staff("Log Entry", &[]);
        for statement in [
            "UPDATE events SET event = 'other'",
            "DELETE FROM events",
            "UPDATE event_bodies SET salt = salt",
        ] {
            let changed = app.wait(app.desk.db.write(move |conn| {
                match conn {
                    Conn::Sqlite(c) => c.batch_execute(statement),
                    Conn::Postgres(c) => c.batch_execute(statement),
                }
                .map_err(DbError::from)
            }));
            assert!(
                changed.is_err_and(|e| e.to_string().contains("append-only")),
                "{statement}"
            );
        }
    }
}

#[test]
fn a_second_server_on_the_same_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("x.db").display());
    let first = Db::open(&url, Opening::Alone, &key()).expect("a database");
    assert!(matches!(
        Db::open(&url, Opening::Alone, &key()),
        Err(DbError::Unsafe(_))
    ));
    Db::open(&url, Opening::Beside, &key()).expect("a short command may work beside it");
    drop(first);
}

#[test]
fn a_newer_database_and_a_mistyped_address_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("x.db").display());
    let db = Db::open(&url, Opening::Alone, &key()).expect("a database");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime
        .block_on(db.write(|conn| {
            match conn {
                Conn::Sqlite(c) => c
                    .batch_execute(
                        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
                    )
                    .map_err(DbError::from),
                Conn::Postgres(_) => Ok(()),
            }
        }))
        .expect("a newer migration");
    drop(db);
    assert!(matches!(
        Db::open(&url, Opening::Alone, &key()),
        Err(DbError::Unsafe(_))
    ));
    for bad in ["", "postgre://x", "mysql://x", "/tmp/x.db"] {
        assert!(
            matches!(Db::open(bad, Opening::Alone, &key()), Err(DbError::Address)),
            "{bad}"
        );
    }
    // Without TLS, nothing goes to another machine, however its name is given.
    for elsewhere in [
        "postgres://user@db.example.org/x",
        "postgres:///x?host=192.0.2.1&user=y",
        "postgres://localhost/x?hostaddr=192.0.2.1",
    ] {
        assert!(
            matches!(
                Db::open(elsewhere, Opening::Alone, &key()),
                Err(DbError::Unsafe(_))
            ),
            "{elsewhere}"
        );
    }
}
