//! The ways letters leave the house: over SMTP to a relay, as files into a folder, or into memory for tests. One
//! letter at a time, each phase with its own patience, so that we know what the relay has taken (SAFETY §2).
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::domain::text::EmailAddress;

const CONNECT: Duration = Duration::from_secs(30);
const COMMAND: Duration = Duration::from_secs(60);
/// A relay may think long after the final dot; giving up early makes duplicates (RFC 5321 §4.5.3.2.6).
const AFTER_THE_DOT: Duration = Duration::from_secs(600);

/// What became of an attempt. `answer` is the relay's code and class, never its words: they echo addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Sent,
    /// The relay said "later" about this letter (4xx).
    Later {
        answer: String,
    },
    /// The relay said "never" about this letter or its address (5xx).
    Never {
        answer: String,
    },
    /// The relay said "never", and perhaps it means us rather than this letter: tried again as for "later", and somebody
    /// should look at the configuration.
    Doubtful {
        answer: String,
    },
    /// The link failed before the relay took it: costs the letter nothing.
    LinkFailed {
        answer: String,
    },
    /// The relay refuses us, not the letter: somebody must look at the configuration.
    Misconfigured {
        answer: String,
    },
    /// The link failed after the last octet: it may have been taken.
    Uncertain {
        answer: String,
    },
    /// The lease was lost before the octets went out.
    NotOurs,
}

/// How letters are delivered.
#[derive(Debug, Clone)]
pub enum Mailer {
    Smtp(Box<Relay>),
    Folder(PathBuf),
    Memory(Arc<Mutex<Vec<Vec<u8>>>>),
}

impl Mailer {
    /// Delivers one letter. `in_flight` is asked right before the octets go out, and answers whether they may.
    pub fn deliver(
        &self,
        from: &EmailAddress,
        to: &str,
        name: &str,
        octets: &[u8],
        in_flight: &mut dyn FnMut() -> bool,
    ) -> Delivery {
        match self {
            Self::Smtp(relay) => relay.deliver(from, to, octets, in_flight),
            Self::Folder(folder) => {
                if in_flight() {
                    to_folder(folder, name, octets)
                } else {
                    Delivery::NotOurs
                }
            }
            Self::Memory(kept) => {
                if !in_flight() {
                    return Delivery::NotOurs;
                }
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(octets.to_vec());
                Delivery::Sent
            }
        }
    }
}

/// Writes a letter as a file that is either whole or not there.
fn to_folder(folder: &Path, name: &str, octets: &[u8]) -> Delivery {
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let unfinished = folder.join(format!(".{name}.part"));
        std::fs::write(&unfinished, octets)?;
        std::fs::File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, folder.join(format!("{name}.eml")))
    };
    match write() {
        Ok(()) => Delivery::Sent,
        Err(error) => Delivery::LinkFailed {
            answer: error.kind().to_string(),
        },
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    StartTls,
    Wrapped,
    Off,
}

/// A relay and how to speak with it.
#[derive(Clone)]
pub struct Relay {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    root: Option<Certificate>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({}:{})", self.host, self.port)
    }
}

/// Why an SMTP address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRelay {
    #[error(
        "write SMTP_URL like smtp://user:password@mail.example.org:587 (STARTTLS) or smtps://…:465"
    )]
    Address,
    #[error("letters leave this machine only over TLS; tls=off is for a relay on this machine")]
    PlainToElsewhere,
    #[error("the certificate file cannot be read: {0}")]
    Certificate(String),
}

impl Relay {
    /// Reads `smtp://[user:password@]host[:587]` (STARTTLS required) or `smtps://…[:465]`. `?tls=off` is for a
    /// relay on this machine only; `ca` is the certificate of a private authority, in PEM.
    pub fn parse(address: &str, ca: Option<&[u8]>) -> Result<Self, BadRelay> {
        let url = Url::parse(address).map_err(|_| BadRelay::Address)?;
        let host = url
            .host_str()
            .filter(|h| !h.is_empty())
            .ok_or(BadRelay::Address)?
            .to_owned();
        let off = url
            .query_pairs()
            .any(|(key, value)| key == "tls" && value == "off");
        if url.query_pairs().any(|(key, _)| key != "tls") {
            return Err(BadRelay::Address);
        }
        let (security, port) = match (url.scheme(), off) {
            ("smtp", false) => (Security::StartTls, 587),
            ("smtp", true) => (Security::Off, 25),
            ("smtps", false) => (Security::Wrapped, 465),
            _other => return Err(BadRelay::Address),
        };
        let here = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());
        if security == Security::Off && !here {
            return Err(BadRelay::PlainToElsewhere);
        }
        let plain = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let credentials = (!url.username().is_empty()).then(|| {
            Credentials::new(
                plain(url.username()),
                plain(url.password().unwrap_or_default()),
            )
        });
        let root = ca
            .map(Certificate::from_pem)
            .transpose()
            .map_err(|e| BadRelay::Certificate(e.to_string()))?;
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            security,
            credentials,
            root,
        })
    }

    fn tls(&self) -> Result<TlsParameters, SmtpError> {
        let mut tls = TlsParameters::builder(self.host.clone());
        if let Some(root) = &self.root {
            tls = tls.add_root_certificate(root.clone());
        }
        tls.build()
    }

    /// Connects and says who we are: by the host our letters come from, which has a full name in public (RFC 5321 §2.3.5).
    fn greet(&self, from: &Address) -> Result<SmtpConnection, Delivery> {
        let hello = ClientId::Domain(from.domain().to_owned());
        let failed = |e: SmtpError| {
            if e.is_tls() || about_certificates(&e) {
                Delivery::Misconfigured {
                    answer: "tls".to_owned(),
                }
            } else {
                Delivery::LinkFailed { answer: brief(&e) }
            }
        };
        let wrapped = match self.security {
            Security::Wrapped => Some(self.tls().map_err(failed)?),
            Security::StartTls | Security::Off => None,
        };
        let mut link = SmtpConnection::connect(
            (self.host.as_str(), self.port),
            Some(CONNECT),
            &hello,
            wrapped.as_ref(),
            None,
        )
        .map_err(failed)?;
        patience(&mut link, COMMAND);
        if self.security == Security::StartTls {
            if !link.can_starttls() {
                link.abort();
                return Err(Delivery::Misconfigured {
                    answer: "the relay offers no STARTTLS".to_owned(),
                });
            }
            link.starttls(&self.tls().map_err(failed)?, &hello)
                .map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            link.auth(&[Mechanism::Plain, Mechanism::Login], credentials)
                .map_err(|e| match e.status().map(u16::from) {
                    Some(code) if code >= 500 => Delivery::Misconfigured {
                        answer: format!("auth {code}"),
                    },
                    Some(_) | None if e.is_client() => Delivery::Misconfigured {
                        answer: "auth".to_owned(),
                    },
                    Some(_) | None => Delivery::LinkFailed { answer: brief(&e) },
                })?;
        }
        Ok(link)
    }

    fn deliver(
        &self,
        from: &EmailAddress,
        to: &str,
        octets: &[u8],
        in_flight: &mut dyn FnMut() -> bool,
    ) -> Delivery {
        let (Ok(sender), Ok(recipient)) = (from.as_str().parse::<Address>(), to.parse::<Address>())
        else {
            return Delivery::Never {
                answer: "address".to_owned(),
            };
        };
        let mut link = match self.greet(&sender) {
            Ok(link) => link,
            Err(delivery) => return delivery,
        };
        let end = speak(&mut link, sender, recipient, octets, in_flight);
        if matches!(end, Delivery::Sent) {
            if link.quit().is_err() {
                link.abort();
            }
        } else {
            link.abort();
        }
        end
    }
}

fn speak(
    link: &mut SmtpConnection,
    from: Address,
    to: Address,
    octets: &[u8],
    in_flight: &mut dyn FnMut() -> bool,
) -> Delivery {
    if let Err(e) = link.command(Mail::new(Some(from), vec![])) {
        return if e.is_permanent() {
            Delivery::Misconfigured { answer: brief(&e) }
        } else {
            Delivery::LinkFailed { answer: brief(&e) }
        };
    }
    let recipient = to.to_string().to_lowercase();
    let at_the_door = link
        .command(Rcpt::new(to, vec![]))
        .and_then(|_| link.command(Data));
    if let Err(e) = at_the_door {
        return refused_at_the_door(&e, &recipient);
    }
    if !in_flight() {
        return Delivery::NotOurs;
    }
    patience(link, AFTER_THE_DOT);
    match link.message(octets) {
        Ok(_) => Delivery::Sent,
        Err(e) if e.status().is_some() => answered(&e),
        Err(e) => Delivery::Uncertain { answer: brief(&e) },
    }
}

fn patience(link: &mut SmtpConnection, how_long: Duration) {
    // Without it the link only waits longer; the lease ends the attempt anyway.
    if let Err(error) = link.set_timeout(Some(how_long)) {
        tracing::debug!(%error, "the link keeps its old patience");
    }
}

/// What the relay said before it saw the letter. Many relays speak of the sender and of us only here, when they are told
/// of a recipient; a letter is not given up for that.
fn refused_at_the_door(error: &SmtpError, recipient: &str) -> Delivery {
    let answer = brief(error);
    let enhanced = answer.split_once(' ').map(|(_, e)| e).unwrap_or_default();
    // Relays repeat the address, whatever words may be in it.
    let words = words_of(error).to_lowercase().replace(recipient, "");
    let speaks_of = |those: &[&str]| those.iter().any(|one| words.contains(one));
    match error.status().map(u16::from) {
        // Out of order, not known, or only after TLS or a log-in (RFC 4954 §6, RFC 3207 §4): the same for every letter.
        Some(503 | 504 | 530 | 534 | 535 | 538) => Delivery::Misconfigured { answer },
        Some(code)
            if code >= 500
                && (["5.1.7", "5.1.8", "5.5.1", "5.5.2", "5.5.4", "5.7.8"].contains(&enhanced)
                    || speaks_of(&[
                        "sender",
                        "helo",
                        "client host",
                        "relay access",
                        "relaying",
                    ])) =>
        {
            Delivery::Doubtful { answer }
        }
        Some(_) | None => answered(error),
    }
}

/// What the relay said about one letter: 421 is about the link, other 4xx "later", 5xx "never".
fn answered(error: &SmtpError) -> Delivery {
    match error.status().map(u16::from) {
        None | Some(421) => Delivery::LinkFailed {
            answer: brief(error),
        },
        Some(code) if code >= 500 => Delivery::Never {
            answer: brief(error),
        },
        Some(_) => Delivery::Later {
            answer: brief(error),
        },
    }
}

/// Whether a handshake failed because of a certificate: trying again does not help, somebody has to look.
fn about_certificates(error: &SmtpError) -> bool {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source())
        .any(|cause| cause.to_string().to_lowercase().contains("certificate"))
}

/// The reply code and the enhanced one, without the words.
fn brief(error: &SmtpError) -> String {
    let Some(code) = error.status().map(u16::from) else {
        return if error.is_timeout() {
            "timeout".to_owned()
        } else {
            "connection".to_owned()
        };
    };
    let words = words_of(error);
    let enhanced = words.split_whitespace().find(|w| {
        w.split('.').count() == 3
            && w.split('.')
                .all(|p| !p.is_empty() && p.len() <= 3 && p.chars().all(|c| c.is_ascii_digit()))
    });
    enhanced.map_or_else(|| code.to_string(), |e| format!("{code} {e}"))
}

/// The relay's own words. They may echo addresses: never to be written anywhere.
fn words_of(error: &SmtpError) -> String {
    std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_spoken_to_over_tls_unless_they_are_here() {
        let relay =
            Relay::parse("smtp://us%40er:p%2Bw&+=x@mail.example.org", None).expect("a relay");
        assert_eq!(
            relay.credentials,
            Some(Credentials::new("us@er".to_owned(), "p+w&+=x".to_owned()))
        );
        assert_eq!(
            (relay.host.as_str(), relay.port, relay.security),
            ("mail.example.org", 587, Security::StartTls)
        );
        assert_eq!(
            Relay::parse("smtps://mail.example.org", None)
                .expect("a relay")
                .port,
            465
        );
        assert_eq!(
            Relay::parse("smtp://127.0.0.1:2525?tls=off", None)
                .expect("a relay")
                .security,
            Security::Off
        );
        assert_eq!(
            Relay::parse("smtp://mail.example.org?tls=off", None).err(),
            Some(BadRelay::PlainToElsewhere)
        );
        for bad in [
            "",
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtps://x?tls=off",
            "smtp://x?y=1",
        ] {
            assert_eq!(
                Relay::parse(bad, None).err(),
                Some(BadRelay::Address),
                "{bad}"
            );
        }
    }
}
