//! The two doors to the database, `Db::read` and `Db::write`; nothing else opens a connection. On SQLite one
//! thread writes, and several commands share one durable commit, each answered only after it; reads are short and
//! run where they are asked for. On PostgreSQL both take a connection of one pool on a thread of their own.
mod opening;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, Pool};
use diesel::result::{DatabaseErrorKind, Error as QueryError};

use super::keys::{self, WrappingKey};
use super::plain;
use opening::{
    Manager, check_postgres, check_sqlite, lock_beside, migrate, stays_on_this_machine,
    unreachable_now,
};
use writer::{Done, Writer, command};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}
pub use MultiBackend as AnyBackend;

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

/// Runs one expression on whichever connection it is: for the few statements that cannot be said for both at once, and
/// for the few that every request needs, which diesel then knows by their type and does not spell out each time.
macro_rules! on_each {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::store::db::Conn::Postgres($c) => $body,
            $crate::store::db::Conn::Sqlite($c) => $body,
        }
    };
}
pub(crate) use on_each;

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
    /// (SAFETY §3). A second server on the same SQLite file is refused, and so are a schema newer than this program and
    /// a key that is not the one it is sealed with.
    pub fn open(url: &str, opening: Opening, key: &WrappingKey) -> Result<Self, DbError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(url, path, opening, key)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, key)
        } else {
            Err(DbError::Address)
        }
    }

    fn open_sqlite(
        url: &str,
        path: &str,
        opening: Opening,
        key: &WrappingKey,
    ) -> Result<Self, DbError> {
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
        keys::hand_over(&mut conn, key)?;
        if lock.is_some() {
            plain::seal(&mut conn)?;
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

    fn open_postgres(url: &str, key: &WrappingKey) -> Result<Self, DbError> {
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
        keys::hand_over(conn, key)?;
        plain::seal(conn)?;
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
