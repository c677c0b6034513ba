//! The command line: what an operator does. Exit codes: 0 done, 1 the answer is no, 2 the command is wrong, 3 something
//! could not be read or written.
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use clap::{Parser, Subcommand};

use crate::casework::people::NewPerson;
use crate::casework::{Desk, Error, Settings};
use crate::config::{Config, Over, key_from};
use crate::domain::id::LetterId;
use crate::domain::notice::Letter;
use crate::domain::people::Role;
use crate::domain::text::{EmailAddress, Line};
use crate::domain::time::{Clock, SystemClock};
use crate::jobs::courier::Courier;
use crate::mail::letter::{Letters, Words, assemble};
use crate::mail::mailer::Delivery;
use crate::store::db::{Db, DbError, Opening};
use crate::store::events;
use crate::store::keys::{self, WrappingKey};
use crate::{app, demo, jobs, telemetry};

/// Mediation and arbitration case management for LEROs.
#[derive(Debug, Parser)]
#[command(name = "common-ground", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve,
    /// Run everything on this machine with a made-up, lively data set.
    Demo {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// The folder to keep everything in.
        #[arg(long, default_value = "demo-data")]
        data: PathBuf,
        /// Throw the demo's data away and begin anew.
        #[arg(long)]
        fresh: bool,
    },
    /// Bring the database up to date and stop.
    Migrate,
    /// Make and change the key the database is sealed with.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Add people and give them tokens.
    #[command(subcommand)]
    User(User),
    /// Follow the event log link by link: 0 it holds, 1 it is broken, 3 it cannot be read.
    VerifyLog,
    /// Try the way letters leave.
    #[command(subcommand)]
    Mail(Mail),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print a new key. Keep it in a file of its own, and a copy of it apart from the backups of the database.
    New,
    /// Seal the database's keys with another key. The service must be stopped; start it with the other key afterwards.
    Rotate {
        /// The file with the new key.
        #[arg(long)]
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum User {
    /// Add a person; the first administrator comes this way.
    Add {
        #[arg(long)]
        name: String,
        #[arg(long)]
        email: String,
        /// facilitator, coordinator, administrator or auditor; may be given several times.
        #[arg(long = "role")]
        roles: Vec<Role>,
    },
    /// Make an API token for a person. It is shown once.
    Token {
        #[arg(long)]
        email: String,
        /// How many days it lasts.
        #[arg(long)]
        days: Option<u16>,
    },
    /// Make a code with which a person chooses their first password. It is shown once.
    Invite {
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum Mail {
    /// Send a test letter to an address, now, without the outbox.
    Check {
        #[arg(long)]
        to: String,
    },
}

/// How long a stopping service waits for its courier, once its door is closed.
const LAST_LETTER: Duration = Duration::from_secs(12);

/// Something an operator needs to know, with its exit code.
struct Trouble(u8, String);

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(3, error.to_string())
    }
}

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> ExitCode {
    let command = Cli::parse().command;
    let ran = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Trouble::from)
        .and_then(|runtime| match command {
            Command::Serve => actix_web::rt::System::new().block_on(serve()),
            Command::Demo {
                listen,
                data,
                fresh,
            } => actix_web::rt::System::new().block_on(demo(listen, data, fresh)),
            Command::Migrate => migrate(),
            Command::Key(KeyCommand::New) => {
                println!("{}", WrappingKey::random().written());
                Ok(())
            }
            Command::Key(KeyCommand::Rotate { to }) => runtime.block_on(rotate_key(&to)),
            Command::User(user) => runtime.block_on(self::user(user)),
            Command::VerifyLog => runtime.block_on(verify_log()),
            Command::Mail(Mail::Check { to }) => mail_check(&to),
        });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(Trouble(code, words)) => {
            eprintln!("common-ground: {words}");
            ExitCode::from(code)
        }
    }
}

fn configured(over: &Over) -> Result<Config, Trouble> {
    Config::from_environment(over).map_err(|e| Trouble(2, e.to_string()))
}

fn furnished(config: &Config, opening: Opening) -> Result<Desk, Trouble> {
    std::fs::create_dir_all(&config.data)?;
    let key = config.key.as_ref().ok_or_else(|| {
        Trouble(
            2,
            "KEY_FILE: the database is sealed, and no key was given; `common-ground key new > FILE` makes one for a new database".to_owned(),
        )
    })?;
    let db = Db::open(&config.database_url, opening, key).map_err(|e| {
        Trouble(
            if matches!(e, DbError::Address) { 2 } else { 3 },
            e.to_string(),
        )
    })?;
    Ok(app::desk(
        db,
        Arc::new(SystemClock),
        config.settings.clone(),
    )?)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

async fn serve() -> Result<(), Trouble> {
    let config = configured(&Over::default())?;
    telemetry::begin(&config.log, config.log_as_json).map_err(|e| Trouble(2, e))?;
    let desk = furnished(&config, Opening::Alone)?;
    let server = app::server(&desk, listener(&config)?, app::watch(&config), cores())?;
    keep_open(&config, desk, server).await
}

fn listener(config: &Config) -> Result<TcpListener, Trouble> {
    app::listen(config.listen).map_err(|e| Trouble(3, format!("{}: {e}", config.listen)))
}

/// Serves, delivers and keeps time until somebody says to stop.
async fn keep_open(config: &Config, desk: Desk, server: Server) -> Result<(), Trouble> {
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let stop = Arc::new(stop);
    let courier = Courier::new(config.mailer.clone()).until(stopping);
    let mut work = actix_web::rt::spawn(jobs::run(desk, courier));
    let bell = stop.clone();
    actix_web::rt::spawn(async move {
        // The courier hears of it at once; the server takes its time for those who are still there.
        if asked_to_stop().await.is_ok() {
            bell.send_replace(true);
        }
    });
    tracing::info!(listen = %config.listen, "the door is open");
    server.await?;
    tracing::info!("the door is closed");
    stop.send_replace(true);
    match tokio::time::timeout(LAST_LETTER, &mut work).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "letters and clocks had stopped before"),
        Err(_) => {
            tracing::warn!(
                "the courier did not come home; its letters wait for their leases to end"
            );
            work.abort();
        }
    }
    Ok(())
}

/// Waits until somebody ends the service from outside; the server hears the same.
async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt, mut quit) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::quit())?,
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = quit.recv() => {}
    }
    Ok(())
}

async fn demo(listen: SocketAddr, data: PathBuf, fresh: bool) -> Result<(), Trouble> {
    let config = configured(&Over {
        listen: Some(listen),
        data: Some(data.clone()),
    })?;
    telemetry::begin(&config.log, config.log_as_json).map_err(|e| Trouble(2, e))?;
    // The demo lives in its own folder, whatever the environment says: it never touches a real database or a relay.
    let config = Config {
        database_url: format!("sqlite:{}", data.join("common-ground.db").display()),
        mailer: crate::mail::mailer::Mailer::Folder(data.join("mail")),
        settings: Settings {
            demo: true,
            ..config.settings
        },
        ..config
    };
    if fresh {
        demo::forget(&data)?;
    }
    std::fs::create_dir_all(&data)?;
    let world = demo::world(&config)
        .await
        .map_err(|e| Trouble(3, e.to_string()))?;
    let config = Config {
        key: Some(demo::key(&data)?),
        ..config
    };
    let desk = furnished(&config, Opening::Alone)?;
    demo::welcome(&config, &world);
    let (listener, watch) = (listener(&config)?, app::watch(&config));
    let door = demo::door(&config, &world);
    let server = app::demo_server(&desk, listener, watch, cores(), door)?;
    keep_open(&config, desk, server).await
}

fn migrate() -> Result<(), Trouble> {
    let config = configured(&Over::default())?;
    furnished(&config, Opening::Alone)?;
    println!("The database is up to date.");
    Ok(())
}

async fn rotate_key(to: &Path) -> Result<(), Trouble> {
    let config = configured(&Over::default())?;
    let next = key_from(to).map_err(|e| Trouble(2, e.to_string()))?;
    let desk = furnished(&config, Opening::Alone)?;
    let keys = desk.db.write(move |conn| keys::rotate(conn, &next)).await?;
    println!(
        "{keys} keys are sealed with the new key. Start the service with it, and keep the old one as long as its backups."
    );
    Ok(())
}

async fn user(user: User) -> Result<(), Trouble> {
    let config = configured(&Over::default())?;
    let desk = furnished(&config, Opening::Beside)?;
    let address = |text: &str| EmailAddress::parse(text).map_err(|e| Trouble(2, e.to_string()));
    match user {
        User::Add { name, email, roles } => {
            let new = NewPerson {
                name: Line::parse(&name).map_err(|e| Trouble(2, e.to_string()))?,
                email: address(&email)?,
                roles: roles.into_iter().collect(),
            };
            let person = desk.add_person_by_operator(new).await.map_err(said)?;
            println!("{}", person.id);
        }
        User::Token { email, days } => {
            let token = desk
                .issue_token_by_operator(address(&email)?, days)
                .await
                .map_err(said)?;
            eprintln!(
                "Keep this token safe: it is not shown again. It lasts until {}.",
                token.expires_at.written()
            );
            println!("{}", token.token);
        }
        User::Invite { email } => {
            let code = desk
                .invite_by_operator(address(&email)?)
                .await
                .map_err(said)?;
            eprintln!(
                "Give this code to the person and to nobody else. It works once, for {} days, at {url}/invitation (programs: POST {url}/api/v1/invitations/accept).",
                desk.settings.invitation_days,
                url = desk.settings.public_url
            );
            println!("{code}");
        }
    }
    Ok(())
}

fn said(error: Error) -> Trouble {
    match error {
        Error::Missing => Trouble(1, "nobody has an account with this address".to_owned()),
        Error::Conflict(_, why) => Trouble(1, why.to_owned()),
        other => Trouble(3, other.to_string()),
    }
}

async fn verify_log() -> Result<(), Trouble> {
    let config = configured(&Over::default())?;
    let desk = furnished(&config, Opening::Beside)?;
    match desk.db.read(events::verify).await? {
        Ok(events) => {
            println!("The log holds: {events} events.");
            Ok(())
        }
        Err(broken) => Err(Trouble(
            1,
            format!(
                "the log is broken at {} {}: {}",
                broken.chain, broken.seq, broken.why
            ),
        )),
    }
}

fn mail_check(to: &str) -> Result<(), Trouble> {
    let config = configured(&Over::default())?;
    let to = EmailAddress::parse(to).map_err(|e| Trouble(2, e.to_string()))?;
    let delivery = test_letter(&config, &to)?;
    match delivery {
        Delivery::Sent => {
            println!("The test letter was taken.");
            Ok(())
        }
        Delivery::Later { answer }
        | Delivery::Never { answer }
        | Delivery::Doubtful { answer }
        | Delivery::LinkFailed { answer }
        | Delivery::Misconfigured { answer }
        | Delivery::Uncertain { answer } => Err(Trouble(
            1,
            format!("the test letter was not taken: {answer}"),
        )),
        Delivery::NotOurs => Err(Trouble(1, "the test letter was not sent".to_owned())),
    }
}

/// Writes and delivers a letter by itself: `tls`, `auth` and the relay are tried as the courier would.
fn test_letter(config: &Config, to: &EmailAddress) -> Result<Delivery, Trouble> {
    let (settings, now, id) = (&config.settings, SystemClock.now(), LetterId::random());
    let link = format!("{}/sign-in", settings.public_url);
    let words = Words {
        name: "colleague",
        reference: None,
        what: Letter::MailCheck.what(),
        by_when: None,
        link: &link,
        phone: &settings.phone,
        code: None,
    };
    let rendered = Letters::embedded()?.render(Letter::MailCheck, &words)?;
    let name = Line::parse("Common Ground").map_err(|e| Trouble(3, e.to_string()))?;
    let octets = assemble(
        &settings.sender,
        &name,
        to,
        &format!("<{id}@{}>", settings.sender.host()),
        now,
        &rendered,
    )?;
    Ok(config.mailer.deliver(
        &settings.sender.from,
        to.as_str(),
        &id.to_string(),
        &octets,
        &mut || true,
    ))
}
