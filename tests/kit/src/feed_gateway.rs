//! Gateways that poll the edge feed by the thousand: HTTP/1.1 with as little work as possible, and what they have received.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeward_wire::{EdgeFeed, RevokedSession};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

/// Secret of the feed.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Number of the first session that is logged out while the gateways poll.
pub const FIRST: u64 = 5_000_000;
/// Responses and logouts that all gateways have received.
#[derive(Default)]
pub struct Received {
    /// Responses by their entity tags, so that each is parsed once.
    parsed: Mutex<HashMap<String, Arc<EdgeFeed>>>,
    /// Time of each logout, by its number.
    pub logouts: Mutex<Vec<Instant>>,
    /// Delays in hundredths of a second.
    delays: Mutex<Vec<u64>>,
    /// Number of polls.
    pub polls: AtomicU64,
    /// Number of those without a response of the feed.
    pub failed: AtomicU64,
}

/// Gateway, as far as the feed goes.
#[derive(Clone, Default)]
pub struct Gateway {
    /// Cursor of the next poll.
    pub cursor: String,
    /// Logouts that it has received.
    pub seen: Vec<bool>,
}

/// Connection of some gateways.
pub struct Link {
    stream: BufStream<TcpStream>,
    port: u16,
    /// Tag of the keys that its gateways hold.
    pub keys: String,
}

impl Link {
    /// Connects.
    pub async fn open(port: u16, keys: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("nginx");
        Self { stream: BufStream::with_capacity(1 << 16, 1 << 12, stream), port, keys: keys.to_owned() }
    }

    /// Polls from a cursor. `None` for a response that is none of the feed.
    pub async fn poll(&mut self, cursor: &str, received: &Received) -> Option<Arc<EdgeFeed>> {
        let request = format!(
            "GET /internal/edge-feed?after={cursor}&keys={} HTTP/1.1\r\nhost: feed\r\nauthorization: Bearer {SECRET}\r\n\r\n",
            self.keys
        );
        self.stream.write_all(request.as_bytes()).await.expect("a request");
        self.stream.flush().await.expect("a request");
        let mut head = Vec::with_capacity(512);
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.expect("a response"));
        }
        let head = String::from_utf8(head).expect("a head").to_ascii_lowercase();
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = field("content-length:").and_then(|length| length.parse().ok()).expect("a length");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("a body");
        if !head.starts_with("http/1.1 200") {
            *self = Self::open(self.port, &self.keys.clone()).await;
            return None;
        }
        let etag = field("etag:").expect("an entity tag").to_owned();
        let mut parsed = received.parsed.lock().expect("responses");
        Some(Arc::clone(
            parsed.entry(etag).or_insert_with(|| Arc::new(serde_json::from_slice(&body).expect("a feed"))),
        ))
    }
}

impl Gateway {
    /// Polls until there is no page more.
    pub async fn poll(&mut self, link: &mut Link, received: &Received) {
        loop {
            received.polls.fetch_add(1, Ordering::Relaxed);
            let Some(feed) = link.poll(&self.cursor, received).await else {
                received.failed.fetch_add(1, Ordering::Relaxed);
                return;
            };
            self.cursor.clone_from(&feed.cursor);
            let now = Instant::now();
            if !feed.revoked.sessions.is_empty() {
                let logouts = received.logouts.lock().expect("logouts");
                let mut delays = received.delays.lock().expect("delays");
                for RevokedSession(session, _) in &feed.revoked.sessions {
                    let Some(number) =
                        session.checked_sub(FIRST).and_then(|number| usize::try_from(number).ok())
                    else {
                        continue;
                    };
                    if self.seen.len() <= number {
                        self.seen.resize(number + 1, false);
                    }
                    if !std::mem::replace(&mut self.seen[number], true) {
                        let delay = logouts.get(number).map_or(0, |at| (now - *at).as_millis() / 10);
                        let delay = usize::try_from(delay).expect("a delay");
                        if delays.len() <= delay {
                            delays.resize(delay + 1, 0);
                        }
                        delays[delay] += 1;
                    }
                }
            }
            if !feed.more {
                return;
            }
        }
    }
}

impl Received {
    /// Returns the delay that this share of the gateways' logouts did not exceed, in thousandths.
    #[must_use]
    pub fn delay(&self, share: u64) -> Duration {
        let delays = self.delays.lock().expect("delays");
        let all: u64 = delays.iter().sum();
        let mut left = all * share / 1000;
        let at = delays.iter().position(|count| {
            let is_here = left < *count;
            left = left.saturating_sub(*count);
            is_here
        });
        Duration::from_millis(u64::try_from(at.unwrap_or_default()).expect("a delay") * 10)
    }
}
