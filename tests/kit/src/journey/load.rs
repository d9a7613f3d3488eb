//! Load of many users on the stack's gateway, and the gateway's state as tests read it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::MutexGuard;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

use super::{VERSIONS, client_at, registered, stack};
use crate::client::{Client, PASSWORD, Response};

/// Number of users of a load.
pub const USERS: usize = 6;
/// Time between two requests of a user.
pub const PACE: Duration = Duration::from_millis(5);
/// Longest time that anything may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Time after which a metric holds for every worker: each writes once a second, over what the others wrote.
pub const ALL_HAVE_WRITTEN: Duration = Duration::from_millis(2500);
/// Number of connections in a row that reach every worker with near certainty. Chosen: with two workers, 1 in 32,768 runs
/// misses one.
const EVERYWHERE: usize = 16;

/// Waits until no other test changes the stack, and starts the companion if it is not running.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let guard = ALONE.lock().await;
    block_in_place(|| stack().start_companion()).unwrap();
    guard
}

/// Waits for a condition, with a deadline.
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !done().await {
        assert!(start.elapsed() < LIMIT, "{what} took longer than {LIMIT:?}");
        sleep(PACE).await;
    }
}

/// Returns the user ID that the upstream received.
fn user_id(response: &Response) -> &Value {
    &response.body["headers"]["x-user-id"][0]
}

/// `true` if a response is an error that asks the client to try again.
#[must_use]
pub fn is_retryable(response: &Response) -> bool {
    response.status == 503 && response.headers.contains_key("retry-after")
}

/// Sends a request with these cookies to a gateway, over a new connection, which any worker may take.
pub async fn get(gateway: u16, path: &str, cookie: &str) -> Response {
    let mut client = client_at(gateway, false);
    let request = client.request(Method::GET, path).header("cookie", cookie).timeout(LIMIT);
    client.send(request).await
}

/// `true` if every worker responds with this status to a request with only this token.
pub async fn everywhere(gateway: u16, status: u16, token: &str) -> bool {
    for _ in 0..EVERYWHERE {
        if get(gateway, "/orders", &format!("access_token={token}")).await.status != status {
            return false;
        }
    }
    true
}

/// Returns one of the filter's gauges, with the value of the worker that wrote last. `feed_age_seconds` is that of the
/// worker whose state is the oldest.
pub async fn gauge(name: &str) -> u64 {
    let stats = client_at(stack().ports().envoy_admin, false).get("/stats?filter=edgeward").await.text;
    let line = stats.lines().find(|line| line.contains(&format!("edgeward_{name}: "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Requests that users send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Requests with a valid access token.
    Read,
    /// Logins and refreshes as well, by the user and at the edge.
    Everything,
}

/// Outcome of all requests of a load.
#[derive(Default)]
pub struct Outcome {
    stop: AtomicBool,
    responses: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

/// Users who are signed in and send requests in a loop, until the load is stopped.
pub struct Load {
    /// Outcome so far.
    pub outcome: Arc<Outcome>,
    users: Vec<JoinHandle<()>>,
}

impl Outcome {
    /// `true` once the load is to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Counts a response, with a description if it is wrong.
    pub fn count(&self, wrong: Option<String>) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(wrong);
        self.responses.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of responses.
    pub fn responses(&self) -> u64 {
        self.responses.load(Ordering::Relaxed)
    }

    /// Waits until every user has sent each kind of request again.
    pub async fn progress(&self) {
        let enough = self.responses() + 40 * USERS as u64;
        until("the load", async || self.responses() >= enough).await;
    }

    /// Makes the load stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Fails if a response was wrong. Returns the number of responses.
    pub fn assert_right(&self) -> u64 {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(wrong.is_empty(), "{} wrong responses:\n{}", wrong.len(), wrong.join("\n"));
        self.responses()
    }
}

impl Load {
    /// Starts a load, and waits until every user has sent each kind of request.
    pub async fn start(habit: Habit) -> Self {
        let outcome = Arc::new(Outcome::default());
        let mut users = Vec::new();
        for http2 in VERSIONS.into_iter().cycle().take(USERS) {
            let user = User { client: registered(http2).await, http2, outcome: Arc::clone(&outcome) };
            users.push(tokio::spawn(user.run(habit)));
        }
        outcome.progress().await;
        Self { outcome, users }
    }

    /// Stops the load. Fails if a response was wrong, else returns the number of responses.
    pub async fn end(self) -> u64 {
        self.outcome.stop();
        for user in self.users {
            user.await.unwrap();
        }
        self.outcome.assert_right()
    }
}

struct User {
    client: Client,
    http2: bool,
    outcome: Arc<Outcome>,
}

impl User {
    async fn run(mut self, habit: Habit) {
        let start = Instant::now();
        let id = self.send(Method::GET, "/orders").await.map(|response| user_id(&response).clone());
        for round in 0_u64.. {
            if self.outcome.is_stopped() {
                return;
            }
            let (path, response) = match round % 20 {
                3 => ("/public/page", self.send(Method::GET, "/public/page").await),
                6 if habit == Habit::Everything => {
                    ("/api/auth/refresh", self.send(Method::POST, "/api/auth/refresh").await)
                }
                11 if habit == Habit::Everything => {
                    let email = self.client.email.clone();
                    // A minute of load is more than the 200 logins that a device has in 20 minutes.
                    self.client.forget_device();
                    ("/api/auth/login", Ok(self.client.login(&email, PASSWORD).await))
                }
                16 if habit == Habit::Everything => {
                    self.client.cookies.remove("access_token");
                    ("/orders without an access token", self.send(Method::GET, "/orders").await)
                }
                _ => ("/orders", self.send(Method::GET, "/orders").await),
            };
            let is_right = response.as_ref().is_ok_and(|response| {
                let known = id.as_ref().is_ok_and(|id| id.is_string() && user_id(response) == id);
                response.status == 200 && (known || path.starts_with("/api/"))
            });
            let describe = || format!("after {:.2?}: {path}: {response:?}", start.elapsed());
            self.outcome.count((!is_right).then(describe));
            sleep(PACE).await;
        }
    }

    async fn send(&mut self, method: Method, path: &str) -> reqwest::Result<Response> {
        let mut request = self.client.request(method, path).timeout(LIMIT);
        if !self.http2 && path.starts_with("/public/") {
            // The next connection may be another worker's.
            request = request.header("connection", "close");
        }
        self.client.try_send(request).await
    }
}

/// Returns the number in an environment variable, or a default.
#[must_use]
pub fn size(name: &str, default: u32) -> u32 {
    edgeward_stack::variable(name).map_or(default, |size| size.parse().unwrap())
}

/// Renders the median and the longest of some times.
#[must_use]
pub fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{:.1?} (median) and {:.1?} (longest)", median(&times), times.last().unwrap())
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}
