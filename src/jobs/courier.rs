//! The courier: takes letters that are due, asks once more whether the reader may still know, and hands them to the
//! mailer (SAFETY §2). No transaction is open while it speaks with a relay.
use std::time::Duration as Pause;

use chrono::Duration;

use crate::casework::mailbox::may_still_know;
use crate::casework::{Desk, Error};
use crate::domain::id::{LeaseId, LetterId};
use crate::domain::notice::Letter;
use crate::domain::time::Moment;
use crate::mail::mailer::{Delivery, Mailer};
use crate::store::outbox::{self, Claimed, Ending};
use tokio::sync::watch;

/// How long a courier may take over one letter; then the lease ends and somebody else may try.
const LEASE_MINUTES: i64 = 15;
/// How long a courier that is told to stop still waits for the relay's answer about the letter in its hand.
const LAST_LETTER: Pause = Pause::from_secs(10);
/// How many letters are taken at a time: all of them share one lease.
const AT_A_TIME: i64 = 10;
/// After so many attempts with an uncertain end, a person takes over.
const UNCERTAIN_TRIES: i32 = 3;
/// How long a relay that fails is left alone, in seconds: after the first failure, the second, and so on.
const BREAKER: [i64; 6] = [30, 60, 120, 300, 600, 900];
/// How long a refusing relay is left alone; somebody has to look at the configuration.
const MISCONFIGURED_MINUTES: i64 = 5;
/// Waits between attempts of one letter, in minutes; then every twelve hours for four days (RFC 5321 §4.5.4.1).
const AGAIN: [i64; 7] = [5, 10, 30, 60, 120, 240, 480];
const AGAIN_LATER_HOURS: i64 = 12;
const GIVE_UP_AFTER: i32 = 15;
/// Waits between attempts of a letter with a code, in seconds: somebody sits and waits for it.
const CODE_AGAIN: [i64; 5] = [5, 15, 30, 60, 120];
/// How long a letter with a code is worth sending, in minutes: as long as its code works.
const CODE_MINUTES: i64 = 10;

/// A courier, with what it remembers of the relay.
#[derive(Debug)]
pub struct Courier {
    mailer: Mailer,
    failures: usize,
    closed_until: Option<Moment>,
    stopping: watch::Receiver<bool>,
}

impl Courier {
    /// A courier that delivers by `mailer`.
    #[must_use]
    pub fn new(mailer: Mailer) -> Self {
        Self {
            mailer,
            failures: 0,
            closed_until: None,
            stopping: watch::channel(false).1,
        }
    }

    /// The same, who begins no other letter once `stopping` says so.
    #[must_use]
    pub fn until(self, stopping: watch::Receiver<bool>) -> Self {
        Self { stopping, ..self }
    }

    /// Whether it has been told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Whether the relay refuses or fails, so that letters wait.
    #[must_use]
    pub fn is_waiting(&self, now: Moment) -> bool {
        self.closed_until.is_some_and(|until| until > now)
    }

    /// Delivers every letter that is due; answers how many the relay took.
    pub async fn deliver_due(&mut self, desk: &Desk) -> Result<usize, Error> {
        let mut sent = 0;
        loop {
            let now = desk.clock.now();
            if self.is_waiting(now) || self.is_stopping() {
                return Ok(sent);
            }
            let until = now.plus(Duration::minutes(LEASE_MINUTES));
            let letters = desk
                .db
                .write(move |conn| outbox::claim(conn, now, until, AT_A_TIME))
                .await?;
            if letters.is_empty() {
                return Ok(sent);
            }
            for letter in letters {
                if self.is_waiting(desk.clock.now()) || self.is_stopping() {
                    end(
                        desk,
                        letter.id,
                        letter.lease,
                        Ending::Again {
                            at: desk.clock.now(),
                            counted: false,
                            uncertain: false,
                        },
                        None,
                    )
                    .await?;
                    continue;
                }
                if self.deliver(desk, letter).await? {
                    sent += 1;
                }
            }
        }
    }

    async fn deliver(&mut self, desk: &Desk, letter: Claimed) -> Result<bool, Error> {
        let now = desk.clock.now();
        let (person, case, receipt) = (
            letter.person,
            letter.case,
            letter.letter == Letter::LeavingReceipt.word(),
        );
        if !desk
            .db
            .read(move |conn| may_still_know(conn, person, case, receipt, now))
            .await?
        {
            end(desk, letter.id, letter.lease, Ending::Cancelled, None).await?;
            return Ok(false);
        }
        let is_code = letter.letter.parse::<Letter>().is_ok_and(Letter::is_code);
        let worth_until = is_code.then(|| letter.created_at.plus(Duration::minutes(CODE_MINUTES)));
        if worth_until.is_some_and(|until| now >= until) {
            end(desk, letter.id, letter.lease, Ending::Dead, None).await?;
            return Ok(false);
        }
        let delivery = self.hand_over(desk, &letter).await;
        let now = desk.clock.now();
        let (ending, answer) = self.weigh(delivery, letter.attempts, now);
        let Some(ending) = ending else {
            return Ok(false);
        };
        let ending = match worth_until {
            Some(until) => while_it_works(ending, letter.attempts, until, now),
            None => ending,
        };
        tracing::debug!(letter = %letter.id, outcome = ?ending, relay = answer.as_deref(), "a letter was handled");
        let sent = ending == Ending::Sent;
        end(desk, letter.id, letter.lease, ending, answer).await?;
        Ok(sent)
    }

    /// Speaks with the relay on a thread of its own, and not for ever: a relay that drips is left behind. The thread is
    /// none of the runtime's and holds nothing of the database, so that neither waits for a relay when the service ends.
    async fn hand_over(&self, desk: &Desk, letter: &Claimed) -> Delivery {
        let (mailer, from) = (self.mailer.clone(), desk.settings.sender.from.clone());
        let (id, lease) = (letter.id, letter.lease);
        let (to, octets) = (letter.address.clone(), letter.bytes.clone());
        let (ask, mut asked) = tokio::sync::mpsc::channel::<std::sync::mpsc::Sender<bool>>(1);
        let (said, mut speaking) = tokio::sync::oneshot::channel();
        let began = std::thread::Builder::new()
            .name("letter".to_owned())
            .spawn(move || {
                let mut in_flight = || {
                    let (tell, told) = std::sync::mpsc::channel();
                    ask.blocking_send(tell).is_ok() && told.recv().unwrap_or(false)
                };
                // Nobody listens any more if the lease has ended.
                let _ =
                    said.send(mailer.deliver(&from, &to, &id.to_string(), &octets, &mut in_flight));
            });
        if let Err(error) = began {
            return Delivery::LinkFailed {
                answer: error.kind().to_string(),
            };
        }
        let end = tokio::time::sleep(Pause::from_secs(LEASE_MINUTES.unsigned_abs() * 60));
        tokio::pin!(end);
        let (mut going_out, mut stopping) = (false, self.stopping.clone());
        loop {
            tokio::select! {
                Some(tell) = asked.recv() => {
                    let ours = desk.db.write(move |conn| outbox::mark_in_flight(conn, id, lease)).await;
                    going_out = ours.unwrap_or(false);
                    // A thread that is gone has sent nothing.
                    let _ = tell.send(going_out);
                }
                delivery = &mut speaking => return delivery.unwrap_or_else(|_| {
                    let answer = "the letter could not be handed over".to_owned();
                    if going_out { Delivery::Uncertain { answer } } else { Delivery::LinkFailed { answer } }
                }),
                Ok(()) = stopping.changed() => {
                    end.as_mut().reset(tokio::time::Instant::now() + LAST_LETTER);
                }
                () = &mut end => {
                    tracing::warn!(letter = %id, "the relay has not answered about a letter; it may go out again");
                    return Delivery::NotOurs;
                }
            }
        }
    }

    /// What an attempt means for the letter and for the relay.
    fn weigh(
        &mut self,
        delivery: Delivery,
        attempts: i32,
        now: Moment,
    ) -> (Option<Ending>, Option<String>) {
        if let Delivery::Doubtful { answer } = &delivery {
            tracing::error!(
                relay = answer,
                "the relay perhaps refuses this service; letters are tried again, and somebody should look at its configuration"
            );
        }
        match delivery {
            Delivery::Sent => {
                self.failures = 0;
                self.closed_until = None;
                (Some(Ending::Sent), None)
            }
            Delivery::Never { answer } => (Some(Ending::Dead), Some(answer)),
            Delivery::Later { answer } | Delivery::Doubtful { answer }
                if attempts >= GIVE_UP_AFTER =>
            {
                (Some(Ending::Dead), Some(answer))
            }
            Delivery::Later { answer } | Delivery::Doubtful { answer } => (
                Some(Ending::Again {
                    at: now.plus(again(attempts)),
                    counted: true,
                    uncertain: false,
                }),
                Some(answer),
            ),
            Delivery::Uncertain { answer } if attempts >= UNCERTAIN_TRIES => {
                (Some(Ending::Dead), Some(answer))
            }
            Delivery::Uncertain { answer } => (
                Some(Ending::Again {
                    at: now.plus(Duration::minutes(10)),
                    counted: true,
                    uncertain: true,
                }),
                Some(answer),
            ),
            Delivery::LinkFailed { answer } => {
                let wait = BREAKER[self.failures.min(BREAKER.len() - 1)];
                self.failures += 1;
                tracing::warn!(
                    relay = answer,
                    seconds = wait,
                    "the relay cannot be used at the moment; letters wait"
                );
                self.close(now.plus(Duration::seconds(wait)), answer)
            }
            Delivery::Misconfigured { answer } => {
                tracing::error!(
                    relay = answer,
                    "the relay refuses this service; letters wait until its configuration is put right"
                );
                self.close(now.plus(Duration::minutes(MISCONFIGURED_MINUTES)), answer)
            }
            Delivery::NotOurs => (None, None),
        }
    }

    fn close(&mut self, until: Moment, answer: String) -> (Option<Ending>, Option<String>) {
        self.closed_until = Some(until);
        (
            Some(Ending::Again {
                at: until,
                counted: false,
                uncertain: false,
            }),
            Some(answer),
        )
    }
}

/// The same ending for a letter with a code: tried again within seconds, and not at all once its code has run out.
fn while_it_works(ending: Ending, attempts: i32, until: Moment, now: Moment) -> Ending {
    match ending {
        Ending::Again {
            counted: true,
            uncertain,
            ..
        } => {
            let place = usize::try_from(attempts.max(1) - 1).unwrap_or(0);
            match CODE_AGAIN.get(place) {
                Some(seconds) if now.plus(Duration::seconds(*seconds)) < until => Ending::Again {
                    at: now.plus(Duration::seconds(*seconds)),
                    counted: true,
                    uncertain,
                },
                Some(_) | None => Ending::Dead,
            }
        }
        Ending::Again {
            at, counted: false, ..
        } if at >= until => Ending::Dead,
        Ending::Again { counted: false, .. } | Ending::Sent | Ending::Dead | Ending::Cancelled => {
            ending
        }
    }
}

fn again(attempts: i32) -> Duration {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(0);
    AGAIN
        .get(place)
        .map_or(Duration::hours(AGAIN_LATER_HOURS), |minutes| {
            Duration::minutes(*minutes)
        })
}

async fn end(
    desk: &Desk,
    id: LetterId,
    lease: LeaseId,
    ending: Ending,
    answer: Option<String>,
) -> Result<(), Error> {
    let now = desk.clock.now();
    desk.db
        .write(move |conn| outbox::end(conn, id, lease, &ending, answer.as_deref(), now))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_tried_again_within_seconds_and_never_after_it_has_run_out() {
        let asked = Moment::new("2026-11-21T10:00:00Z".parse().expect("a time"));
        let until = asked.plus(Duration::minutes(CODE_MINUTES));
        let later = |now: Moment, counted| Ending::Again {
            at: now.plus(Duration::minutes(30)),
            counted,
            uncertain: false,
        };
        let (mut now, mut waits) = (asked, Vec::new());
        for attempts in 1.. {
            match while_it_works(later(now, true), attempts, until, now) {
                Ending::Again { at, .. } => {
                    waits.push((at.0 - now.0).num_seconds());
                    now = at;
                }
                ending => {
                    assert_eq!(ending, Ending::Dead);
                    break;
                }
            }
        }
        assert_eq!(waits, CODE_AGAIN);
        let late = until.plus(-Duration::seconds(4));
        assert_eq!(
            while_it_works(later(late, true), 1, until, late),
            Ending::Dead
        );
        assert_eq!(
            while_it_works(later(late, false), 1, until, late),
            Ending::Dead
        );
        assert_eq!(while_it_works(Ending::Sent, 1, until, late), Ending::Sent);
    }
}
