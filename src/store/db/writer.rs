//! The writer of SQLite: one thread, several commands to a durable commit, each answered only after it.
use std::any::Any;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

use super::{Conn, DbError, begin, commit, roll_back};

/// How many commands may wait for the writer before the service says it is busy.
const QUEUE: usize = 1024;
/// How many commands share one durable commit at most.
const BATCH: usize = 64;
type Answer = Box<dyn FnOnce(Result<(), DbError>) + Send>;
/// A command for the writer; without a connection it can only answer that it was not run.
type Command = Box<dyn FnOnce(Option<&mut Conn>) -> Answer + Send>;

/// The thread that writes to SQLite, with the lock file it holds until its connection is closed.
pub(super) struct Writer {
    commands: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn begin(mut conn: Conn, lock: Option<File>) -> Result<Self, DbError> {
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

    pub fn send(&self, command: Command) -> Result<(), DbError> {
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

pub(super) enum Done<T, E> {
    Said(Result<T, E>),
    Panicked(Box<dyn Any + Send>),
}

/// Wraps `work` for the writer: its own savepoint, so that its failure undoes only itself, and an answer that waits
/// for the durable commit.
pub(super) fn command<T: Send + 'static, E: From<DbError> + Send + 'static>(
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
