//! The two doors to the database, `Db::read` and `Db::write`; nothing else opens a connection. On SQLite one
//! thread writes, and several commands share one durable commit, each answered only after it; reads are short and
//! run where they are asked for. On PostgreSQL both take a connection of one pool on a thread of their own.
use std::any::Any;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, Pool, R2D2Connection};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}
pub use MultiBackend as AnyBackend;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Earlier libraries can corrupt a database in WAL mode (SAFETY §3).
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
/// How many commands share one durable commit at most.
const BATCH: usize = 64;
/// How many commands may wait for the writer before the service says it is busy.
const QUEUE: usize = 1024;
/// Marks the lock that migrating replicas queue at.
const MIGRATION_LOCK: i64 = 7_041_926;

/// What can go wrong between the service and its database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Locked, full, read-only, gone or overloaded: nothing was written and trying again later may help.
    #[error("the database cannot be used at the moment: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Query(QueryError),
    /// A row that cannot be read says which one it is.
    #[error("{table} {id} cannot be read: {why}")]
    Unreadable {
        table: &'static str,
        id: String,
        why: String,
    },
    #[error("the address of the database is neither sqlite:PATH nor postgres://…")]
    Address,
    #[error("{0}")]
    Unsafe(String),
    #[error("migrations failed: {0}")]
    Migrations(String),
}

impl From<QueryError> for DbError {
    fn from(error: QueryError) -> Self {
        if is_passing(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Query(error)
        }
    }
}

/// Whether an error is one of a database that is busy, full, read-only or gone.
fn is_passing(error: &QueryError) -> bool {
    match error {
        QueryError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction,
            _,
        )
        | QueryError::BrokenTransactionManager => true,
        QueryError::DatabaseError(_, info) => {
            let words = info.message();
            [
                "locked",
                "disk is full",
                "readonly database",
                "disk I/O error",
                "unable to open database",
                "server closed the connection",
                "terminating connection",
                "the database system is",
                "statement timeout",
                "No space left",
            ]
            .iter()
            .any(|sign| words.contains(sign))
        }
        _other => false,
    }
}

/// Whether PostgreSQL asks to run the transaction again (40001, 40P01).
fn wants_again(error: &DbError) -> bool {
    match error {
        DbError::Query(QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => {
            true
        }
        DbError::Query(QueryError::DatabaseError(_, info)) => {
            info.message().contains("deadlock detected")
        }
        _other => false,
    }
}

/// Whether a statement broke a rule of uniqueness.
#[must_use]
pub fn is_taken(error: &QueryError) -> bool {
    matches!(
        error,
        QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

/// Runs one expression on whichever connection it is: for the few statements that cannot be said for both at once.
macro_rules! on_each {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::store::db::Conn::Postgres($c) => $body,
            $crate::store::db::Conn::Sqlite($c) => $body,
        }
    };
}
pub(crate) use on_each;

/// Opens what the address names. The derived way would try each kind in turn, and so make an SQLite file out of a
/// mistyped `postgres://`.
struct Manager {
    url: String,
    read_only: bool,
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
                PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864;")?;
            if read_only { c.batch_execute("PRAGMA query_only = ON;")?; }
            Ok(())
        }
        Conn::Postgres(c) => c.batch_execute("SET TIME ZONE 'UTC'; SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s';"),
    }
}

type Answer = Box<dyn FnOnce(Result<(), DbError>) + Send>;
/// A command for the writer; without a connection it can only answer that it was not run.
type Command = Box<dyn FnOnce(Option<&mut Conn>) -> Answer + Send>;

/// The database, opened and checked. Cloning it is cheap.
#[derive(Clone)]
pub struct Db(Arc<Kind>);

enum Kind {
    Sqlite {
        readers: Pool<Manager>,
        writer: Writer,
    },
    Postgres {
        pool: Pool<Manager>,
    },
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_sqlite() {
            "Db(sqlite)"
        } else {
            "Db(postgres)"
        })
    }
}

/// The thread that writes to SQLite, with the lock file it holds until its connection is closed.
struct Writer {
    commands: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn begin(mut conn: Conn, lock: Option<File>) -> Result<Self, DbError> {
        let (commands, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                write_all(&mut conn, &waiting);
                // What is in the log beside the database moves into it, so that the file alone is whole.
                if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
                    tracing::debug!(%error, "the log stays beside the database");
                }
                drop((conn, lock));
            })
            .map_err(|e| DbError::Unavailable(e.to_string()))?;
        Ok(Self {
            commands: Some(commands),
            thread: Some(thread),
        })
    }

    fn send(&self, command: Command) -> Result<(), DbError> {
        let busy = || DbError::Unavailable("too many commands are waiting".to_owned());
        self.commands
            .as_ref()
            .ok_or_else(busy)?
            .try_send(command)
            .map_err(|_| busy())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self
            .thread
            .take()
            .filter(|t| t.thread().id() != std::thread::current().id())
        {
            // A writer that panicked has said so; there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

/// Whether this process has the database to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A server or a migration: a second one on the same SQLite file is refused.
    Alone,
    /// A short command, perhaps beside a running server; it brings the database up to date only if it is alone.
    Beside,
}

impl Db {
    /// Opens `sqlite:PATH` or `postgres://…`, brings it up to date, and checks that it keeps what it is given
    /// (SAFETY §3). A second server on the same SQLite file is refused, and so is a schema newer than this program.
    pub fn open(url: &str, opening: Opening) -> Result<Self, DbError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(url, path, opening)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url)
        } else {
            Err(DbError::Address)
        }
    }

    fn open_sqlite(url: &str, path: &str, opening: Opening) -> Result<Self, DbError> {
        let lock = match (lock_beside(path), opening) {
            (Ok(lock), _) => Some(lock),
            (Err(DbError::Unsafe(_)), Opening::Beside) => None,
            (Err(error), _) => return Err(error),
        };
        let manager = |read_only| Manager {
            url: url.to_owned(),
            read_only,
        };
        let mut conn = manager(false).connect().map_err(unreachable_now)?;
        check_sqlite(&mut conn)?;
        if lock.is_some() {
            migrate(&mut conn)?;
        }
        let readers = Pool::builder()
            .max_size(8)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(5))
            .test_on_check_out(false)
            .build(manager(true))
            .map_err(|e| DbError::Unavailable(e.to_string()))?;
        Ok(Self(Arc::new(Kind::Sqlite {
            readers,
            writer: Writer::begin(conn, lock)?,
        })))
    }

    fn open_postgres(url: &str) -> Result<Self, DbError> {
        if !cfg!(feature = "postgres-tls") && !stays_on_this_machine(url) {
            return Err(DbError::Unsafe("this build has no TLS to PostgreSQL, so the server must be on this machine; build with --features postgres-tls".to_owned()));
        }
        let pool = Pool::builder()
            .max_size(8)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(5))
            .test_on_check_out(true)
            .build(Manager {
                url: url.to_owned(),
                read_only: false,
            })
            .map_err(|e| DbError::Unavailable(e.to_string()))?;
        let conn = &mut *pool
            .get()
            .map_err(|e| DbError::Unavailable(e.to_string()))?;
        check_postgres(conn)?;
        migrate(conn)?;
        Ok(Self(Arc::new(Kind::Postgres { pool })))
    }

    /// Whether this is the embedded database.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(*self.0, Kind::Sqlite { .. })
    }

    /// Runs `work` on one consistent picture of the database. It cannot write.
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match &*self.0 {
            Kind::Sqlite { readers, .. } => {
                let mut conn = readers
                    .get()
                    .map_err(|e| DbError::Unavailable(e.to_string()))?;
                in_transaction(&mut conn, "BEGIN", work)
            }
            Kind::Postgres { pool } => {
                let pool = pool.clone();
                elsewhere(move || {
                    let mut conn = pool
                        .get()
                        .map_err(|e| DbError::Unavailable(e.to_string()))?;
                    in_transaction(
                        &mut conn,
                        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                        work,
                    )
                })
                .await
            }
        }
    }

    /// Runs `work` in one transaction: all of it is kept, durably, or none of it. It may run more than once.
    pub async fn write<T, E>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Asked + Send + 'static,
    {
        match &*self.0 {
            Kind::Sqlite { writer, .. } => {
                let (answer, answered) = tokio::sync::oneshot::channel();
                writer.send(command(work, answer))?;
                match answered.await {
                    Ok(Done::Said(result)) => result,
                    Ok(Done::Panicked(panic)) => std::panic::resume_unwind(panic),
                    Err(_) => Err(DbError::Unavailable("the writer has stopped".to_owned()).into()),
                }
            }
            Kind::Postgres { pool } => {
                let pool = pool.clone();
                elsewhere(move || {
                    let mut conn = pool
                        .get()
                        .map_err(|e| DbError::Unavailable(e.to_string()))?;
                    for _ in 0..2 {
                        match in_transaction(&mut conn, "BEGIN", &work) {
                            Err(error) if error.database().is_some_and(wants_again) => {}
                            other => return other,
                        }
                    }
                    in_transaction(&mut conn, "BEGIN", &work)
                })
                .await
            }
        }
    }
}

/// An error that may carry one of the database's: so that `write` can tell when to run the work again.
pub trait Asked {
    /// The database's part of it.
    fn database(&self) -> Option<&DbError>;
}

impl Asked for DbError {
    fn database(&self) -> Option<&DbError> {
        Some(self)
    }
}

async fn elsewhere<T: Send + 'static, E: From<DbError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(done) => done,
        Err(gone) => match gone.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(DbError::Unavailable("the service is stopping".to_owned()).into()),
        },
    }
}

fn begin(conn: &mut Conn, how: &str) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, how),
        Conn::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, how),
    }
}

fn in_transaction<T, E: From<DbError>>(
    conn: &mut Conn,
    how: &str,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    begin(conn, how).map_err(DbError::from)?;
    match catch_unwind(AssertUnwindSafe(|| work(conn))) {
        Ok(Ok(value)) => {
            commit(conn)?;
            Ok(value)
        }
        Ok(Err(error)) => {
            roll_back(conn);
            Err(error)
        }
        Err(panic) => {
            roll_back(conn);
            std::panic::resume_unwind(panic)
        }
    }
}

fn commit(conn: &mut Conn) -> Result<(), DbError> {
    <Conn as Connection>::TransactionManager::commit_transaction(conn).map_err(DbError::from)
}

fn roll_back(conn: &mut Conn) {
    if let Err(error) = <Conn as Connection>::TransactionManager::rollback_transaction(conn) {
        tracing::warn!(%error, "a transaction could not be rolled back");
    }
}

enum Done<T, E> {
    Said(Result<T, E>),
    Panicked(Box<dyn Any + Send>),
}

/// Wraps `work` for the writer: its own savepoint, so that its failure undoes only itself, and an answer that waits
/// for the durable commit.
fn command<T: Send + 'static, E: From<DbError> + Send + 'static>(
    work: impl Fn(&mut Conn) -> Result<T, E> + Send + 'static,
    answer: tokio::sync::oneshot::Sender<Done<T, E>>,
) -> Command {
    let span = tracing::Span::current();
    Box::new(move |conn| {
        let done = conn.map(|conn| span.in_scope(|| in_savepoint(conn, &work)));
        Box::new(move |kept| {
            // Nobody may be listening any more: the caller went away. What was committed stays.
            let _ = answer.send(match (done, kept) {
                (Some(Done::Said(Ok(value))), Ok(())) => Done::Said(Ok(value)),
                (Some(Done::Said(Ok(_))) | None, Err(error)) => Done::Said(Err(error.into())),
                (Some(other), _) => other,
                (None, Ok(())) => Done::Said(Err(DbError::Unavailable(
                    "the writer could not begin".to_owned(),
                )
                .into())),
            });
        })
    })
}

fn in_savepoint<T, E: From<DbError>>(
    conn: &mut Conn,
    work: impl Fn(&mut Conn) -> Result<T, E>,
) -> Done<T, E> {
    type Manager = <Conn as Connection>::TransactionManager;
    if let Err(error) = Manager::begin_transaction(conn) {
        return Done::Said(Err(DbError::from(error).into()));
    }
    match catch_unwind(AssertUnwindSafe(|| work(conn))) {
        Ok(Ok(value)) => match commit(conn) {
            Ok(()) => Done::Said(Ok(value)),
            Err(error) => {
                roll_back(conn);
                Done::Said(Err(error.into()))
            }
        },
        Ok(Err(error)) => {
            roll_back(conn);
            Done::Said(Err(error))
        }
        Err(panic) => {
            roll_back(conn);
            Done::Panicked(panic)
        }
    }
}

/// The writer's life: take what is waiting, run it in one transaction, commit once, then answer everybody.
fn write_all(conn: &mut Conn, commands: &Receiver<Command>) {
    while let Ok(first) = commands.recv() {
        if let Err(error) = begin(conn, "BEGIN IMMEDIATE") {
            let words = error.to_string();
            for command in std::iter::once(first).chain(commands.try_iter().take(BATCH - 1)) {
                command(None)(Err(DbError::Unavailable(words.clone())));
            }
            continue;
        }
        let mut answers = vec![first(Some(conn))];
        while answers.len() < BATCH {
            match commands.try_recv() {
                Ok(next) => answers.push(next(Some(conn))),
                Err(_) => break,
            }
        }
        let kept = commit(conn);
        if kept.is_err() {
            roll_back_after_failed_commit(conn);
        }
        for answer in answers {
            answer(
                kept.as_ref()
                    .copied()
                    .map_err(|error| DbError::Unavailable(error.to_string())),
            );
        }
    }
}

fn roll_back_after_failed_commit(conn: &mut Conn) {
    // SQLite may have rolled back by itself; either way the next BEGIN must find no open transaction.
    if let Conn::Sqlite(c) = conn {
        if let Err(error) = AnsiTransactionManager::rollback_transaction(c) {
            tracing::debug!(%error, "nothing to roll back");
        }
        let _ = c.batch_execute("ROLLBACK");
    }
}

/// Takes the lock file beside an SQLite database for as long as this process uses it.
fn lock_beside(path: &str) -> Result<File, DbError> {
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

fn unreachable_now(error: r2d2::Error) -> DbError {
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

fn check_sqlite(conn: &mut Conn) -> Result<(), DbError> {
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

fn check_postgres(conn: &mut Conn) -> Result<(), DbError> {
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
fn stays_on_this_machine(url: &str) -> bool {
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

fn migrate(conn: &mut Conn) -> Result<(), DbError> {
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
