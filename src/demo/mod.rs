//! The demo: a small, lively, made-up world, lived through on a hand-turned clock by the same use cases that people
//! use. No organisation, person or disagreement in it is real.
mod door;
mod stories;
mod talk;
mod walk;
mod world;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::app;
use crate::config::Config;
use crate::domain::time::{Clock, HandClock, SystemClock};
use crate::mail::mailer::Mailer;
use crate::store::db::{Db, Opening};
use crate::store::keys::WrappingKey;
pub use door::door;
use walk::Walk;

/// Somebody of the demo, with the token to be them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoPerson {
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    pub organisation: Option<String>,
    pub token: String,
    /// The secret of a browser they trust: the demo's front door.
    #[serde(default)]
    pub browser: String,
}

/// Why the demo could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the demo's folder: {0}")]
    Folder(#[from] std::io::Error),
    #[error("the demo's people: {0}")]
    People(#[from] serde_json::Error),
    #[error(transparent)]
    Database(#[from] crate::store::db::DbError),
    #[error(transparent)]
    Letters(#[from] crate::mail::letter::LetterError),
    #[error("{0}: {1}")]
    Step(String, String),
}

const KEY: &str = "demo.key";
/// The password of everybody in the demo.
pub const PASSWORD: &str = "lantern otter drum seven";
const PEOPLE: &str = "demo-people.json";
/// How many days before today the demo's story begins.
const STORY_DAYS: i64 = 120;

/// Removes a demo from its folder, and only that.
pub fn forget(data: &Path) -> std::io::Result<()> {
    for name in [
        PEOPLE,
        KEY,
        "common-ground.db",
        "common-ground.db-wal",
        "common-ground.db-shm",
        "common-ground.db.lock",
    ] {
        match std::fs::remove_file(data.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
    }
    match std::fs::remove_dir_all(data.join("mail")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The key the demo's database is sealed with: the one in the folder, or a new one.
pub fn key(data: &Path) -> std::io::Result<WrappingKey> {
    let path = data.join(KEY);
    match std::fs::read_to_string(&path) {
        Ok(written) => WrappingKey::parse(&written).ok_or_else(|| {
            std::io::Error::other(format!("{} does not hold a key", path.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = WrappingKey::random();
            write_private(&path, &format!("{}\n", key.written()))?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

/// The people of the demo in the folder: those who are there, or those of a new world.
pub async fn world(config: &Config) -> Result<Vec<DemoPerson>, DemoError> {
    if let Ok(kept) = std::fs::read(config.data.join(PEOPLE)) {
        return Ok(serde_json::from_slice(&kept)?);
    }
    // A world that was not finished is not worth keeping: the list of people is written last.
    forget(&config.data)?;
    let now = SystemClock.now();
    let begin = now.plus(-Duration::days(STORY_DAYS));
    let clock = Arc::new(HandClock::at(begin));
    let desk = app::desk(
        Db::open(&config.database_url, Opening::Alone, &key(&config.data)?)?,
        clock.clone(),
        config.settings.clone(),
    )?;
    let mut walk = Walk::new(desk, clock);
    world::people_and_places(&mut walk).await?;
    stories::live(&mut walk, now).await?;
    walk.until(now).await?;
    let people = walk.people().await?;
    walk.keep_letters(
        &Mailer::Folder(config.data.join("mail")),
        &config.settings.sender.from,
    );
    drop(walk);
    write_people(&config.data.join(PEOPLE), &people)?;
    Ok(people)
}

/// One person a line, so that a shell can find them without tools for JSON; readable by their owner alone.
fn write_people(path: &Path, people: &[DemoPerson]) -> Result<(), DemoError> {
    let lines: Vec<String> = people
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    Ok(write_private(
        path,
        &format!("[\n{}\n]\n", lines.join(",\n")),
    )?)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Says where to go and who to be.
pub fn welcome(config: &Config, people: &[DemoPerson]) {
    println!("Common Ground, the demo: everybody and everything in it is made up.\n");
    println!("  Begin here        {}/demo", config.settings.public_url);
    println!(
        "  Letters           {}/demo/mailbox",
        config.settings.public_url
    );
    println!(
        "  How to use it     {}/api/docs",
        config.settings.public_url
    );
    println!("  Letters, as files {}", config.data.join("mail").display());
    println!("  People and tokens {}", config.data.join(PEOPLE).display());
    println!("  Everybody's password: {PASSWORD}\n");
    for person in people {
        let place = person
            .organisation
            .clone()
            .unwrap_or_else(|| "CLERO".to_owned());
        println!(
            "  {:<18} {:<28} {:<22} {}",
            person.name,
            person.roles.join(", "),
            place,
            person.token
        );
    }
    println!(
        "\nTry:  curl -H 'Authorization: Bearer TOKEN' {}/api/v1/cases\nStop with Ctrl-C; started again, the demo keeps its data (--fresh begins anew).",
        config.settings.public_url
    );
}
