//! The third floor's back rooms: what happens without a caller. Each job is a function that does what is due now and
//! answers how much that was; `run` turns the crank, and so do the tests.
pub mod courier;

use std::time::Duration as Pause;

use chrono::Duration;

use crate::casework::{Desk, Error};
use crate::store::{cases, challenges, once, outbox, passwords, sessions, tries};
use courier::Courier;

/// How long letters keep their octets after they ended (SAFETY §5), in days.
const LETTER_DAYS: i64 = 7;
/// How long a key of a request is remembered, in days.
const KEY_DAYS: i64 = 7;
/// How long sessions and codes are kept after they ended (SAFETY §5), in hours.
const ENDED_HOURS: i64 = 24;
/// How long tries are counted at most, in days.
const TRIES_DAYS: i64 = 1;

/// Notices every deadline that has passed and every pause that has ended.
pub async fn notice_time(desk: &Desk) -> Result<usize, Error> {
    let mut noticed = 0;
    loop {
        let now = desk.clock.now();
        let due = desk
            .db
            .read(move |conn| cases::to_look_at(conn, now, 100))
            .await?;
        let mut here = 0;
        for case in due {
            here += desk.notice_time(case).await?;
        }
        if here == 0 {
            return Ok(noticed);
        }
        noticed += here;
    }
}

/// Frees letters whose courier vanished, and erases what is no longer needed.
pub async fn sweep(desk: &Desk) -> Result<usize, Error> {
    let now = desk.clock.now();
    desk.db
        .write(move |conn| {
            let freed = outbox::sweep(conn, now, now.plus(Duration::minutes(10)))?;
            let erased = outbox::erase_bytes(conn, now.plus(-Duration::days(LETTER_DAYS)))?;
            let forgotten = once::forget(conn, now.plus(-Duration::days(KEY_DAYS)))?;
            let ended = now.plus(-Duration::hours(ENDED_HOURS));
            let signed_out = sessions::forget(conn, ended, now)? + challenges::forget(conn, ended)?;
            let counted = tries::forget(conn, now.plus(-Duration::days(TRIES_DAYS)))?;
            let vouched = passwords::forget_recoveries(conn, now)?;
            Ok::<_, Error>(freed + erased + forgotten + signed_out + counted + vouched)
        })
        .await
}

/// Turns the crank until the courier is told to stop: letters every second, and apart from them the clocks and the sweep
/// every half minute, so that a relay that is slow delays nothing but letters.
pub async fn run(desk: Desk, courier: Courier) {
    tokio::select! {
        () = deliver(&desk, courier) => {}
        () = look_after(&desk) => {}
    }
}

/// Ends when the courier has been told to stop, and has ended what it had begun.
async fn deliver(desk: &Desk, mut courier: Courier) {
    while !courier.is_stopping() {
        if let Err(error) = courier.deliver_due(desk).await {
            tracing::warn!(%error, "letters were not claimed and will be");
        }
        tokio::time::sleep(Pause::from_secs(1)).await;
    }
}

async fn look_after(desk: &Desk) {
    loop {
        if let Err(error) = sweep(desk).await {
            tracing::warn!(%error, "the sweep failed and will be tried again");
        }
        if let Err(error) = notice_time(desk).await {
            tracing::warn!(%error, "deadlines were not looked at and will be");
        }
        tokio::time::sleep(Pause::from_secs(30)).await;
    }
}
