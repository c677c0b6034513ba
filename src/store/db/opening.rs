//! Opening a database: the settings of each connection, the checks that it keeps what it is given (SAFETY §3), the
//! lock file, and the migrations.
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, R2D2Connection};
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, DbError, on_each};

/// Marks the lock that migrating replicas queue at.
const MIGRATION_LOCK: i64 = 7_041_926;
/// Earlier libraries can corrupt a database in WAL mode (SAFETY §3).
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// Opens what the address names. The derived way would try each kind in turn, and so make an SQLite file out of a
/// mistyped `postgres://`.
pub(super) struct Manager {
    pub url: String,
    pub read_only: bool,
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Conn, r2d2::Error> {
        let mut conn = match self.url.strip_prefix("sqlite:") {
            Some(path) => Conn::Sqlite(SqliteConnection::establish(path)?),
            None => Conn::Postgres(PgConnection::establish(&self.url)?),
        };
        set_up(&mut conn, self.read_only).map_err(r2d2::Error::QueryError)?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), r2d2::Error> {
        conn.ping().map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

fn set_up(conn: &mut Conn, read_only: bool) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => {
            c.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
                PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;")?;
            // The writer has a larger cache, and moves its log into the database in larger pieces: pages that many commands
            // changed are then written there once.
            c.batch_execute(if read_only { "PRAGMA cache_size = -8000; PRAGMA query_only = ON;" } else { "PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000;" })?;
            Ok(())
        }
        Conn::Postgres(c) => c.batch_execute("SET TIME ZONE 'UTC'; SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s';"),
    }
}

/// Takes the lock file beside an SQLite database for as long as this process uses it.
pub(super) fn lock_beside(path: &str) -> Result<File, DbError> {
    let beside = PathBuf::from(format!("{path}.lock"));
    let mut private = File::options();
    private.create(true).truncate(false).write(true).mode(0o600);
    // The database is made here where it is not there yet, so that its owner alone can read it.
    private
        .open(path)
        .map_err(|e| DbError::Unavailable(format!("{path}: {e}")))?;
    let file = private
        .open(&beside)
        .map_err(|e| DbError::Unavailable(format!("{}: {e}", beside.display())))?;
    file.try_lock().map_err(|_| {
        DbError::Unsafe(
            "another process of Common Ground is using this database; stop it first".to_owned(),
        )
    })?;
    Ok(file)
}

pub(super) fn unreachable_now(error: r2d2::Error) -> DbError {
    DbError::Unavailable(error.to_string())
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

fn setting(conn: &mut Conn, query: &str) -> Result<String, DbError> {
    let found: Setting = on_each!(conn, |c| diesel::sql_query(query).get_result(c))?;
    Ok(found.value)
}

pub(super) fn check_sqlite(conn: &mut Conn) -> Result<(), DbError> {
    let version = setting(conn, "SELECT sqlite_version() AS value")?;
    let parts: Vec<u32> = version.split('.').filter_map(|p| p.parse().ok()).collect();
    if parts.as_slice() < OLDEST_SQLITE.as_slice() {
        return Err(DbError::Unsafe(format!(
            "SQLite {version} can corrupt a database; 3.51.3 or newer is needed"
        )));
    }
    for (pragma, wanted) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("secure_delete", "1"),
    ] {
        let found = setting(
            conn,
            &format!("SELECT CAST({pragma} AS TEXT) AS value FROM pragma_{pragma}"),
        )?;
        if found != wanted {
            return Err(DbError::Unsafe(format!(
                "SQLite has {pragma} = {found} instead of {wanted}"
            )));
        }
    }
    Ok(())
}

pub(super) fn check_postgres(conn: &mut Conn) -> Result<(), DbError> {
    // The library may have taken the host from elsewhere than the address; what counts is where we have arrived.
    let server = setting(
        conn,
        "SELECT coalesce(host(inet_server_addr()), 'socket') AS value",
    )?;
    let here = server == "socket"
        || server
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    if !cfg!(feature = "postgres-tls") && !here {
        return Err(DbError::Unsafe("this build has no TLS to PostgreSQL, so the server must be on this machine; build with --features postgres-tls".to_owned()));
    }
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        if setting(conn, &format!("SELECT current_setting('{name}') AS value"))? == "off" {
            return Err(DbError::Unsafe(format!(
                "PostgreSQL has {name} = off, so it could lose what people were told is kept"
            )));
        }
    }
    Ok(())
}

/// Whether a PostgreSQL address names a socket or a loopback address.
pub(super) fn stays_on_this_machine(url: &str) -> bool {
    let Ok(parsed) = url::Url::parse(url) else {
        return false;
    };
    let local = |host: &str| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let socket = host.is_empty()
            || host.starts_with('/')
            || host.to_ascii_lowercase().starts_with("%2f");
        socket || host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
    };
    let named = parsed
        .query_pairs()
        .filter(|(key, _)| key == "host" || key == "hostaddr");
    local(parsed.host_str().unwrap_or_default()) && named.into_iter().all(|(_, host)| local(&host))
}

pub(super) fn migrate(conn: &mut Conn) -> Result<(), DbError> {
    let failed = |e: Box<dyn std::error::Error + Send + Sync>| DbError::Migrations(e.to_string());
    if let Conn::Postgres(c) = conn {
        // Another replica may be migrating, and a migration may take its time.
        c.batch_execute(&format!(
            "SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"
        ))?;
    }
    let source = || match conn {
        Conn::Postgres(_) => POSTGRES,
        Conn::Sqlite(_) => SQLITE,
    };
    let source = source();
    let known: Vec<String> =
        diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(&source)
            .map_err(failed)?
            .iter()
            .map(|m| m.name().version().to_string())
            .collect();
    let done = (|| {
        let applied = conn.applied_migrations().map_err(failed)?;
        if let Some(newer) = applied
            .iter()
            .find(|version| !known.contains(&version.to_string()))
        {
            return Err(DbError::Unsafe(format!(
                "the database has migration {newer}, which this program does not know; use the newer program"
            )));
        }
        conn.run_pending_migrations(source)
            .map(|_| ())
            .map_err(failed)
    })();
    if let Conn::Postgres(c) = conn {
        c.batch_execute(&format!(
            "SELECT pg_advisory_unlock({MIGRATION_LOCK}); SET statement_timeout = '15s'"
        ))?;
    }
    done
}
