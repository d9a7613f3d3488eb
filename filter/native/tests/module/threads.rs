//! The native module between four workers and a main thread, with the feed, held requests, streams that are closed, and a
//! configuration that another replaces: no request gets another's verdict, and no thread sees what another is changing
//! (CONTRIBUTING.md says how to run this under a thread sanitizer).

use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Instant;

use edgeward_kit::mint::{self, Key};
use serde_json::json;

use crate::envoy::{Call, Configuration, Stream};
use crate::{PATIENCE, feed_response, now};

const WORKERS: u32 = 4;
/// Number of users, each with a session of the same number.
const USERS: u64 = 24;
/// Sessions that end on the way, in the feed and at the refresh.
const ENDED: [u64; 3] = [3, 11, 19];
/// Number of requests of a worker, or more until all that [`Seen`] counts was seen.
const REQUESTS: u64 = 400;
/// Number of times that another configuration replaces the one in use.
const REPLACEMENTS: usize = 3;

/// Access tokens by the number of the user, from 1.
struct Tokens(Vec<String>);

impl Tokens {
    fn sign(key: &Key, now: u64) -> Self {
        let sign = |user| {
            let payload = json!({
                "iss": mint::NAME, "aud": mint::NAME, "sub": format!("{user}"), "sid": user, "role": format!("role-{user}"),
                "iat": now, "exp": now + 3600,
            });
            key.token(&key.header(), &payload.to_string())
        };
        Self((1..=USERS).map(sign).collect())
    }

    fn of(&self, user: u64) -> &str {
        self.0.get(usize::try_from(user).unwrap() - 1).unwrap()
    }
}

fn configuration(number: usize) -> String {
    json!({
        "issuer": mint::NAME,
        "feed": {"cluster": "companion", "poll_ms": 100},
        "refresh": {"cluster": "companion"},
        "rules": [{"path": format!("/configuration-{number}"), "access": "public"}],
        // Small, so that tokens are forgotten and verified again.
        "memory_entries": 16,
    })
    .to_string()
}

/// Companion that responds to the calls of all configurations.
struct Companion<'a> {
    key: &'a Key,
    tokens: &'a Tokens,
    polls: usize,
    /// `true` once sessions have ended.
    is_late: &'a AtomicBool,
}

impl Companion<'_> {
    fn answer(&mut self, configuration: &Configuration, call: &Call) {
        let (path, cookie) = (call.field(":path"), call.field("cookie"));
        if path.starts_with("/internal/edge-feed") {
            self.polls += 1;
            let ended = if self.is_late.load(Ordering::Acquire) { &ENDED[..] } else { &[] };
            configuration.respond(
                call.id,
                "200",
                &feed_response(self.key, ended, &format!("c{}", self.polls)),
            );
            return;
        }
        let user: u64 = cookie.strip_prefix("refresh_token=user-").unwrap().parse().unwrap();
        if ENDED.contains(&user) {
            configuration.respond(call.id, "401", b"");
            return;
        }
        let token = self.tokens.of(user);
        let body = json!({"access_token": token, "set_cookies": [format!("access_token={token}; Path=/")]});
        configuration.respond(call.id, "200", body.to_string().as_bytes());
    }
}

#[test]
fn no_request_gets_the_verdict_of_another() {
    let (_ended, end) = channel::<()>();
    // Threads that wait for each other would not end the test.
    thread::spawn(move || {
        if end.recv_timeout(2 * PATIENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the threads wait for each other");
            process::abort();
        }
    });
    let (key, now) = (Key::generate("k1"), now());
    let tokens = Tokens::sign(&key, now);
    // The configuration in use, which the main thread replaces.
    let current = RwLock::new(Some(Arc::new(Configuration::start(&configuration(0)).unwrap())));
    let (is_late, running) = (AtomicBool::new(false), AtomicUsize::new(WORKERS as usize));
    let seen = Seen::default();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (tokens, current, is_late, running, seen) = (&tokens, &current, &is_late, &running, &seen);
            scope.spawn(move || {
                let _running = Running(running);
                work(worker, tokens, current, is_late, seen);
            });
        }
        let mut companion = Companion { key: &key, tokens: &tokens, polls: 0, is_late: &is_late };
        let mut replaced = Vec::new();
        while running.load(Ordering::Acquire) > 0 {
            let number = 1 + seen.replaced.load(Ordering::Relaxed);
            // After a poll: replaced faster than they tick, configurations would leave the requests without a feed.
            if number <= REPLACEMENTS && companion.polls >= number {
                let next = Configuration::start(&configuration(number)).unwrap();
                replaced.extend(current.write().unwrap().replace(next.into()));
                seen.replaced.store(number, Ordering::Relaxed);
            }
            let all: Vec<_> = replaced.iter().cloned().chain(current.read().unwrap().clone()).collect();
            for configuration in all {
                for call in configuration.run_events() {
                    companion.answer(&configuration, &call);
                }
            }
            // One that no stream has any more ends on the main thread.
            replaced.retain(|configuration| Arc::strong_count(configuration) > 1);
            thread::yield_now();
        }
        assert!(companion.polls > 1);
    });
}

/// A worker that runs, or one less when it ends, by a panic too.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

type Current = RwLock<Option<Arc<Configuration>>>;

/// Numbers of held requests by their outcomes, and of replaced configurations.
#[derive(Debug, Default)]
struct Seen {
    continued: AtomicUsize,
    rejected: AtomicUsize,
    replaced: AtomicUsize,
}

impl Seen {
    fn add(&self, ended: &Stream) {
        self.continued.fetch_add(usize::from(ended.host.continued.get()), Ordering::Relaxed);
        self.rejected.fetch_add(usize::from(ended.host.replied.get().is_some()), Ordering::Relaxed);
    }

    fn has_all(&self) -> bool {
        let least = [(&self.continued, 1), (&self.rejected, 1), (&self.replaced, REPLACEMENTS)];
        least.iter().all(|(count, least)| count.load(Ordering::Relaxed) >= *least)
    }
}

/// Stream with its user, and `true` if it passed at once. It ends before its configuration.
struct Open {
    stream: Stream,
    user: u64,
    passed: bool,
    _configuration: Arc<Configuration>,
}

impl Open {
    fn new(worker: u32, current: &Current, user: u64, cookie: &str) -> Self {
        let configuration = current.read().unwrap().clone().unwrap();
        let (stream, passed) = Stream::open(&configuration, worker, &head(cookie));
        Self { stream, user, passed, _configuration: configuration }
    }

    /// A request that passes has the identity of its own user, and only one of an ended session is rejected or closed.
    fn check(&self) {
        let Self { stream, user, passed, .. } = self;
        stream.run_events();
        if *passed || stream.host.continued.get() {
            assert_eq!(stream.field("x-user-id"), Some(user.to_string()));
            assert_eq!(stream.field("x-session-id"), Some(user.to_string()));
            assert_eq!(stream.field("x-user-role"), Some(format!("role-{user}")));
        }
        // 503 is the reply where Envoy has not accepted the call.
        if let Some(status) = stream.host.replied.get() {
            assert!(status == 503 || (status == 401 && ENDED.contains(user)), "{status} for user {user}");
        }
        assert!(!stream.host.was_reset.get() || ENDED.contains(user), "the stream of user {user} was closed");
    }
}

fn work(worker: u32, tokens: &Tokens, current: &Current, is_late: &AtomicBool, seen: &Seen) {
    let access = |user| format!("access_token={}", tokens.of(user));
    // Until the first response of the feed nothing passes.
    while !Open::new(worker, current, 1, &access(1)).passed {
        thread::yield_now();
    }
    let lasting = ENDED.map(|user| Open::new(worker, current, user, &access(user)));
    let mut open = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for at in (0..).take_while(|&at| at < REQUESTS || !seen.has_all()) {
        assert!(Instant::now() < deadline, "not seen within a minute: {seen:?}");
        if at == REQUESTS / 2 {
            is_late.store(true, Ordering::Release);
        }
        let user = 1 + (at * 7 + u64::from(worker)) % USERS;
        let refresh = format!("refresh_token=user-{user}");
        let cookie = if at % 3 > 0 { refresh } else { format!("{}; {refresh}", access(user)) };
        open.push(Open::new(worker, current, user, &cookie));
        open.iter().for_each(Open::check);
        // Streams end in another order than they began, some of them while they are held.
        if open.len() > 12 {
            let ended = open.swap_remove(usize::try_from(at).unwrap() % 12);
            ended.stream.respond();
            seen.add(&ended.stream);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while !lasting.iter().all(|open| open.stream.host.was_reset.get()) {
        assert!(Instant::now() < deadline, "streams of ended sessions are still open");
        lasting.iter().for_each(Open::check);
        thread::yield_now();
    }
}

fn head(cookie: &str) -> [(&str, &str); 6] {
    let forged = ("x-user-id", "0");
    [
        (":method", "GET"),
        (":path", "/orders"),
        (":authority", "shop.example"),
        (":scheme", "https"),
        ("cookie", cookie),
        forged,
    ]
}
