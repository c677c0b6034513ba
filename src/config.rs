//! Configuration: from the environment, and from an optional file with the same names in lower case. Nothing else
//! reads the environment. Every key is documented in docs/OPERATIONS.md.
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::casework::{Hashing, Settings};
use crate::domain::deadline::Spans;
use crate::domain::document::Shelf;
use crate::domain::text::{EmailAddress, Line};
use crate::mail::letter::Sender;
use crate::mail::mailer::{BadRelay, Mailer, Relay};
use crate::store::keys::WrappingKey;

/// Every key, with what it is when nobody sets it.
pub const KEYS: &[(&str, &str)] = &[
    ("DATABASE_URL", "sqlite:DATA_DIR/common-ground.db"),
    ("DATA_DIR", "data"),
    ("KEY_FILE", ""),
    ("KEY", ""),
    ("LISTEN", "127.0.0.1:8080"),
    ("PUBLIC_URL", "http://localhost:8080"),
    ("HOSTS", ""),
    ("SMTP_URL", ""),
    ("SMTP_CA_FILE", ""),
    ("MAIL_FROM", "common-ground@clero.example"),
    ("MAIL_FROM_NAME", "Common Ground"),
    ("MAIL_REPLY_TO", "people@clero.example"),
    ("CLERO_PHONE", "0300 000 0000"),
    ("TOKEN_DAYS", "90"),
    ("INVITATION_DAYS", "14"),
    ("SESSION_HOURS", "12"),
    ("PASSWORD_MEMORY_KIB", "19456"),
    ("PASSWORD_PASSES", "2"),
    ("TRUSTED_PROXIES", ""),
    ("DOCUMENT_MB", "10"),
    ("ROOM_MB", "100"),
    ("BODY_SECONDS", "10"),
    ("LOG", "info"),
    ("LOG_FORMAT", "text"),
];

/// The file with settings, named by this variable.
const FILE: &str = "COMMON_GROUND_CONFIG";

/// Why the configuration cannot be used: which key, and what to write.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    #[error("{0}: {1}")]
    Key(&'static str, String),
    #[error("the file {0} cannot be read: {1}")]
    File(String, String),
    #[error("SMTP_URL: {0}")]
    Relay(#[from] BadRelay),
}

/// The configuration, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    pub data: PathBuf,
    /// What the database is sealed with; only the demo makes one by itself.
    pub key: Option<WrappingKey>,
    pub listen: SocketAddr,
    pub public_url: String,
    /// Host names that requests may name.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    pub mailer: Mailer,
    pub settings: Settings,
    pub body_time: Duration,
    pub log: String,
    pub log_as_json: bool,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    /// The clocks of the procedure.
    #[serde(default)]
    clocks: Spans,
    #[serde(flatten)]
    keys: BTreeMap<String, String>,
}

/// What the command line says over what the environment says.
#[derive(Debug, Clone, Default)]
pub struct Over {
    pub listen: Option<SocketAddr>,
    pub data: Option<PathBuf>,
}

impl Config {
    /// Reads the environment and the file it names.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn from_environment(over: &Over) -> Result<Self, BadConfig> {
        let read = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self::from(read(FILE).as_deref().map(Path::new), &read, over)
    }

    /// Reads `file`, and over it whatever `read` knows, and over that what the command line says.
    pub fn from(
        file: Option<&Path>,
        read: &dyn Fn(&str) -> Option<String>,
        over: &Over,
    ) -> Result<Self, BadConfig> {
        let File { clocks, keys } = file.map_or_else(|| Ok(File::default()), from_file)?;
        let value = |key: &'static str| {
            read(key)
                .or_else(|| keys.get(&key.to_ascii_lowercase()).cloned())
                .unwrap_or_else(|| usual(key))
        };
        let number = |key: &'static str| {
            value(key)
                .parse::<u16>()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| BadConfig::Key(key, "write a whole number above 0".to_owned()))
        };
        let document_mb = number("DOCUMENT_MB")?;
        if document_mb > Shelf::LARGEST_DOCUMENT_MB {
            return Err(BadConfig::Key(
                "DOCUMENT_MB",
                "write a whole number from 1 to 10".to_owned(),
            ));
        }
        let address = |key: &'static str| {
            EmailAddress::parse(&value(key)).map_err(|why| BadConfig::Key(key, why.to_string()))
        };
        let data = over
            .data
            .clone()
            .unwrap_or_else(|| PathBuf::from(value("DATA_DIR")));
        let listen = over.listen.map_or_else(
            || {
                value("LISTEN").parse().map_err(|_| {
                    BadConfig::Key(
                        "LISTEN",
                        "write an address and a port, like 127.0.0.1:8080".to_owned(),
                    )
                })
            },
            Ok,
        )?;
        let given_url = read("PUBLIC_URL").or_else(|| keys.get("public_url").cloned());
        let public_url = given_url.unwrap_or_else(|| format!("http://localhost:{}", listen.port()));
        let public_host = host_of(&public_url).ok_or_else(|| {
            BadConfig::Key(
                "PUBLIC_URL",
                "write an address like https://common-ground.example.org, without a path"
                    .to_owned(),
            )
        })?;
        let mut hosts = vec![
            public_host,
            listen.to_string(),
            format!("localhost:{}", listen.port()),
            format!("127.0.0.1:{}", listen.port()),
        ];
        hosts.extend(value("HOSTS").split_whitespace().map(str::to_owned));
        let proxies = value("TRUSTED_PROXIES")
            .split_whitespace()
            .map(|ip| ip.parse::<IpAddr>().map(|ip| ip.to_canonical()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| {
                BadConfig::Key(
                    "TRUSTED_PROXIES",
                    "write IP addresses with blanks between them, like 10.0.0.2 fd00::2".to_owned(),
                )
            })?;
        let memory_kib = number("PASSWORD_MEMORY_KIB")?;
        if memory_kib < 8 {
            return Err(BadConfig::Key(
                "PASSWORD_MEMORY_KIB",
                "write at least 8, and better 19456".to_owned(),
            ));
        }
        let ca = Some(value("SMTP_CA_FILE"))
            .filter(|f| !f.is_empty())
            .map(|f| std::fs::read(&f).map_err(|e| BadConfig::File(f, e.to_string())))
            .transpose()?;
        let mailer = match value("SMTP_URL").as_str() {
            "" => Mailer::Folder(data.join("mail")),
            url => Mailer::Smtp(Box::new(Relay::parse(url, ca.as_deref())?)),
        };
        let database_url = read("DATABASE_URL")
            .or_else(|| keys.get("database_url").cloned())
            .unwrap_or_else(|| format!("sqlite:{}", data.join("common-ground.db").display()));
        let key = match (value("KEY_FILE").as_str(), value("KEY").as_str()) {
            ("", "") => None,
            ("", key) => Some(key_in("KEY", key)?),
            (file, "") => Some(key_from(Path::new(file))?),
            (_, _) => {
                return Err(BadConfig::Key(
                    "KEY",
                    "set KEY_FILE or KEY, not both".to_owned(),
                ));
            }
        };
        Ok(Self {
            database_url,
            key,
            listen,
            hosts,
            proxies,
            mailer,
            settings: Settings {
                spans: clocks,
                public_url: public_url.trim_end_matches('/').to_owned(),
                phone: value("CLERO_PHONE"),
                sender: Sender {
                    from: address("MAIL_FROM")?,
                    from_name: Line::parse(&value("MAIL_FROM_NAME"))
                        .map_err(|why| BadConfig::Key("MAIL_FROM_NAME", why.to_string()))?,
                    reply_to: address("MAIL_REPLY_TO")?,
                },
                token_days: number("TOKEN_DAYS")?,
                invitation_days: number("INVITATION_DAYS")?,
                session_hours: number("SESSION_HOURS")?,
                hashing: Hashing {
                    memory_kib: memory_kib.into(),
                    passes: number("PASSWORD_PASSES")?.into(),
                },
                shelf: Shelf {
                    document_mb,
                    room_mb: number("ROOM_MB")?,
                },
                demo: false,
            },
            public_url,
            body_time: Duration::from_secs(number("BODY_SECONDS")?.into()),
            log: value("LOG"),
            log_as_json: match value("LOG_FORMAT").as_str() {
                "text" => false,
                "json" => true,
                _other => {
                    return Err(BadConfig::Key(
                        "LOG_FORMAT",
                        "write text or json".to_owned(),
                    ));
                }
            },
            data,
        })
    }
}

/// Reads a wrapping key from its file.
pub fn key_from(file: &Path) -> Result<WrappingKey, BadConfig> {
    let written = std::fs::read_to_string(file)
        .map_err(|e| BadConfig::File(file.display().to_string(), e.to_string()))?;
    key_in("KEY_FILE", &written)
}

fn key_in(name: &'static str, written: &str) -> Result<WrappingKey, BadConfig> {
    WrappingKey::parse(written).ok_or_else(|| {
        BadConfig::Key(
            name,
            "this is not a key; `common-ground key new` makes one".to_owned(),
        )
    })
}

fn usual(key: &str) -> String {
    KEYS.iter()
        .find(|(name, _)| *name == key)
        .map(|(_, usual)| (*usual).to_owned())
        .unwrap_or_default()
}

fn from_file(path: &Path) -> Result<File, BadConfig> {
    let bad = |why: String| BadConfig::File(path.display().to_string(), why);
    let file: File =
        toml::from_str(&std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?)
            .map_err(|e| bad(e.message().to_owned()))?;
    if let Some(unknown) = file
        .keys
        .keys()
        .find(|key| !KEYS.iter().any(|(name, _)| name.eq_ignore_ascii_case(key)))
    {
        return Err(bad(format!("{unknown} is not a setting")));
    }
    Ok(file)
}

/// Host and port of an address without a path.
fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|u| {
        matches!(u.scheme(), "http" | "https")
            && matches!(u.path(), "" | "/")
            && u.query().is_none()
    })?;
    let host = url.host_str()?.to_owned();
    Some(
        url.port()
            .map_or(host.clone(), |port| format!("{host}:{port}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Config, BadConfig> {
        let map: BTreeMap<String, String> = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Config::from(None, &|key| map.get(key).cloned(), &Over::default())
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let config = from(&[]).expect("a configuration");
        assert_eq!(config.database_url, "sqlite:data/common-ground.db");
        assert!(config.hosts.contains(&"localhost:8080".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (key, bad) in [
            ("LISTEN", "here"),
            ("PUBLIC_URL", "ftp://x"),
            ("PUBLIC_URL", "https://x.org/path"),
            ("MAIL_FROM", "nobody"),
            ("TOKEN_DAYS", "0"),
            ("PASSWORD_MEMORY_KIB", "7"),
            ("TRUSTED_PROXIES", "proxy.example.org"),
            ("DOCUMENT_MB", "11"),
            ("ROOM_MB", "none"),
            ("SMTP_URL", "mail.example.org"),
            ("LOG_FORMAT", "xml"),
        ] {
            let said = from(&[(key, bad)]).expect_err("a bad value").to_string();
            assert!(said.contains(key), "{said}");
        }
    }
}
