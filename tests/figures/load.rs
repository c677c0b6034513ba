//! Load on a server: connections that ask, wait for the whole answer, and ask again.
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// What one run of load has shown.
#[derive(Debug, Clone)]
pub struct Figure {
    pub a_second: f64,
    pub median: Duration,
    pub slow: Duration,
}

impl Figure {
    /// Of how long each took, within `time`.
    pub fn of(mut took: Vec<Duration>, time: Duration) -> Self {
        took.sort_unstable();
        let at = |part: usize| {
            took.get(took.len() * part / 100)
                .copied()
                .unwrap_or_default()
        };
        Self {
            a_second: took.len() as f64 / time.as_secs_f64(),
            median: at(50),
            slow: at(99),
        }
    }

    /// How many times p50 the p99 is.
    pub fn tail(&self) -> f64 {
        self.slow.as_secs_f64() / self.median.as_secs_f64().max(1e-9)
    }
}

/// A request as it goes over the line.
pub fn request(method: &str, path: &str, token: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Asks `port` over `connections` for `time`; `ask` makes the requests of the connection of that number, one by one.
/// The first fifth of the time again is not counted. Any answer that is not 2xx ends the run: then nothing was measured.
pub fn load<A: FnMut() -> Vec<u8> + 'static>(
    port: u16,
    connections: usize,
    time: Duration,
    ask: impl Fn(usize) -> A,
) -> Figure {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (begin, crew) = (Instant::now() + time / 5, LocalSet::new());
    let clients: Vec<_> = (0..connections)
        .map(|n| crew.spawn_local(client(port, begin, begin + time, ask(n))))
        .collect();
    let mut took = Vec::new();
    crew.block_on(&runtime, async {
        for client in clients {
            took.extend(client.await.expect("a client that ends well"));
        }
    });
    Figure::of(took, time)
}

async fn client(
    port: u16,
    begin: Instant,
    end: Instant,
    mut ask: impl FnMut() -> Vec<u8>,
) -> Vec<Duration> {
    let mut line = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    line.set_nodelay(true).expect("a socket option");
    let (mut took, mut room) = (Vec::new(), Vec::with_capacity(64 * 1024));
    loop {
        if Instant::now() >= end {
            return took;
        }
        let asked = ask();
        let since = Instant::now();
        line.write_all(&asked).await.expect("the request goes out");
        room.clear();
        while !is_whole(&room) {
            let read = line.read_buf(&mut room).await.expect("the answer comes in");
            assert!(read > 0, "the server hung up");
        }
        assert!(
            room.starts_with(b"HTTP/1.1 2"),
            "{}",
            String::from_utf8_lossy(&room)
        );
        if since >= begin {
            took.push(since.elapsed());
        }
    }
}

/// Whether an answer has arrived to its end.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
        return false;
    };
    let length = std::str::from_utf8(&answer[..head])
        .expect("headers are text")
        .lines()
        .find_map(|l| {
            l.split_once(": ")
                .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, n)| n.parse::<usize>().ok())
        })
        .expect("an answer says how long it is");
    answer.len() >= head + 4 + length
}
