//! Both databases have the same migrations, the same tables and the same columns, and the log cannot be changed.
use std::collections::BTreeMap;

use common_ground::store::db::{Conn, Db, DbError, Opening};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;

use super::{at, files};
use crate::support::{App, cluster};

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
            columns(&Db::open(&url, Opening::Alone).expect("a database"))
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
            "UPDATE event_bodies SET body = '{}'",
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
    let first = Db::open(&url, Opening::Alone).expect("a database");
    assert!(matches!(
        Db::open(&url, Opening::Alone),
        Err(DbError::Unsafe(_))
    ));
    Db::open(&url, Opening::Beside).expect("a short command may work beside it");
    drop(first);
}

#[test]
fn a_newer_database_and_a_mistyped_address_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("x.db").display());
    let db = Db::open(&url, Opening::Alone).expect("a database");
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
        Db::open(&url, Opening::Alone),
        Err(DbError::Unsafe(_))
    ));
    for bad in ["", "postgre://x", "mysql://x", "/tmp/x.db"] {
        assert!(
            matches!(Db::open(bad, Opening::Alone), Err(DbError::Address)),
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
            matches!(Db::open(elsewhere, Opening::Alone), Err(DbError::Unsafe(_))),
            "{elsewhere}"
        );
    }
}
