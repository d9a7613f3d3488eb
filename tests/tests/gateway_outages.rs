//! What honest users notice of rotated keys, of a companion that is gone and of a changed role, through the real
//! Envoy with two workers and under load. What a refresh at the edge costs is measured by `cargo xtask bench refresh`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use edgeward_tests::bench::held;
use edgeward_tests::client::{Client, PASSWORD, Response};
use edgeward_tests::journey::{VERSIONS, another_gateway, client, client_at, registered, stack};
use edgeward_tests::stack::variable;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

/// How many use the gateway at once.
const PEOPLE: usize = 6;
/// What a person waits before the next request.
const PACE: Duration = Duration::from_millis(5);
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Each worker ticks and writes its metrics once a second, over what the others wrote: what stands for so long is
/// what all of them say.
const ALL_HAVE_WRITTEN: Duration = Duration::from_millis(2500);
/// So many connections in a row reach every worker, as far as anybody can tell.
const EVERYWHERE: usize = 16;

/// The stack is one, and each test does something to all who use it: one after the other, and with a companion.
async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let guard = ALONE.lock().await;
    block_in_place(|| stack().start_companion()).unwrap();
    guard
}

fn size(name: &str, default: u32) -> u32 {
    variable(name).map_or(default, |size| size.parse().unwrap())
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !done().await {
        assert!(start.elapsed() < LIMIT, "{what} took longer than {LIMIT:?}");
        sleep(PACE).await;
    }
}

/// Returns the user that the upstream received a request of.
fn user_id(response: &Response) -> &Value {
    &response.body["headers"]["x-user-id"][0]
}

/// `true` if a response is an error that asks the client to try again.
fn is_retryable(response: &Response) -> bool {
    response.status == 503 && response.headers.contains_key("retry-after")
}

/// Sends a request with these cookies to a gateway, over a new connection, which any worker may take.
async fn get(gateway: u16, path: &str, cookie: &str) -> Response {
    let mut client = client_at(gateway, false);
    let request = client.request(Method::GET, path).header("cookie", cookie).timeout(LIMIT);
    client.send(request).await
}

/// `true` if every worker responds with this status to a request with this token alone.
async fn everywhere(gateway: u16, status: u16, token: &str) -> bool {
    for _ in 0..EVERYWHERE {
        if get(gateway, "/orders", &format!("access_token={token}")).await.status != status {
            return false;
        }
    }
    true
}

/// Returns one of the filter's gauges, as the worker that wrote last has it.
async fn gauge(name: &str) -> u64 {
    let stats = client_at(stack().ports().envoy_admin, false).get("/stats?filter=edgeward").await.text;
    let line = stats.lines().find(|line| line.contains(&format!("edgeward_{name}: "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// What people do all day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// They call with an access token that is good.
    Read,
    /// They log in and refresh as well, by themselves and at the edge.
    Everything,
}

/// What all people met.
#[derive(Default)]
struct Met {
    stop: AtomicBool,
    responses: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

/// Honest people who are signed in and use the gateway, each in a loop, until they are told to stop.
struct Load {
    met: Arc<Met>,
    people: Vec<JoinHandle<()>>,
}

impl Load {
    async fn start(habit: Habit) -> Self {
        let met = Arc::new(Met::default());
        let mut people = Vec::new();
        for http2 in VERSIONS.into_iter().cycle().take(PEOPLE) {
            let person = Person { user: registered(http2).await, http2, met: Arc::clone(&met) };
            people.push(tokio::spawn(person.live(habit)));
        }
        let load = Self { met, people };
        load.go_on().await;
        load
    }

    /// Waits until everybody has done everything again.
    async fn go_on(&self) {
        let before = self.met.responses.load(Ordering::Relaxed);
        let enough = before + 40 * PEOPLE as u64;
        until("the load", async || self.met.responses.load(Ordering::Relaxed) >= enough).await;
    }

    /// Gives back how many answers there were, all of them right.
    async fn end(self) -> u64 {
        self.met.stop.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await.unwrap();
        }
        let wrong = self.met.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
        self.met.responses.load(Ordering::Relaxed)
    }
}

struct Person {
    user: Client,
    http2: bool,
    met: Arc<Met>,
}

impl Person {
    async fn live(mut self, habit: Habit) {
        let start = Instant::now();
        let id = self.send(Method::GET, "/orders").await.map(|response| user_id(&response).clone());
        for round in 0_u64.. {
            if self.met.stop.load(Ordering::Relaxed) {
                return;
            }
            let (path, response) = match round % 20 {
                3 => ("/public/page", self.send(Method::GET, "/public/page").await),
                6 if habit == Habit::Everything => {
                    ("/api/auth/refresh", self.send(Method::POST, "/api/auth/refresh").await)
                }
                11 if habit == Habit::Everything => {
                    let email = self.user.email.clone();
                    ("/api/auth/login", Ok(self.user.login(&email, PASSWORD).await))
                }
                16 if habit == Habit::Everything => {
                    self.user.cookies.remove("access_token");
                    ("/orders without an access token", self.send(Method::GET, "/orders").await)
                }
                _ => ("/orders", self.send(Method::GET, "/orders").await),
            };
            let is_right = response.as_ref().is_ok_and(|response| {
                let known = id.as_ref().is_ok_and(|id| id.is_string() && user_id(response) == id);
                response.status == 200 && (known || path.starts_with("/api/"))
            });
            if !is_right {
                let line = format!("after {:.2?}: {path}: {response:?}", start.elapsed());
                self.met.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
            self.met.responses.fetch_add(1, Ordering::Relaxed);
            sleep(PACE).await;
        }
    }

    async fn send(&mut self, method: Method, path: &str) -> reqwest::Result<Response> {
        let mut request = self.user.request(method, path).timeout(LIMIT);
        if !self.http2 && path.starts_with("/public/") {
            // The next connection may be another worker's.
            request = request.header("connection", "close");
        }
        self.user.try_send(request).await
    }
}

async fn rotate_under_load(rotations: u32) {
    let _alone = alone().await;
    let load = Load::start(Habit::Everything).await;
    let mut times = Vec::new();
    for _ in 0..rotations {
        let generation = gauge("key_set_generation").await;
        let said = block_in_place(|| stack().companion.run(&["keys", "rotate", "--force"])).unwrap();
        let start = Instant::now();
        let announced = said.lines().find_map(|line| line.strip_prefix("announced")).unwrap().trim();
        let mut known = 0;
        until("the announced key", async || {
            let response = client(false).get("/.well-known/jwks.json").await;
            let keys = response.body["keys"].as_array().unwrap();
            known = keys.len() as u64;
            keys.iter().any(|key| key["kid"] == announced)
        })
        .await;
        // A generation is a worker's own number, but a set of so many keys is the same one everywhere.
        let mut since = None;
        until("the edge's knowledge of the announced key", async || {
            let is_told = gauge("key_set_generation").await > generation && gauge("keys").await == known;
            since = since.or(is_told.then(Instant::now)).filter(|_| is_told);
            since.is_some_and(|since| since.elapsed() > ALL_HAVE_WRITTEN)
        })
        .await;
        times.extend(since.map(|since| since - start));
        load.go_on().await;
    }
    let longest = times.into_iter().max().unwrap();
    println!(
        "{rotations} rotations, {} answers, all of them right; known at the edge after {longest:.1?} at most",
        load.end().await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_under_load_and_nobody_is_refused() {
    rotate_under_load(2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: ROTATIONS says how many instead of 10"]
async fn ten_rotations_under_load_refuse_nobody() {
    rotate_under_load(size("ROTATIONS", 10)).await;
}

async fn be_without_companion(length: Duration) {
    let _alone = alone().await;
    let gateway = stack().ports().gateway;
    let (mut gone, mut leaving) = (registered(false).await, registered(false).await);
    let waiting = registered(false).await;
    let (revoked, valid) = (gone.cookies["access_token"].clone(), leaving.cookies["access_token"].clone());
    assert_eq!(gone.post("/api/auth/logout").await.status, 200);
    until("the revocation", async || everywhere(gateway, 401, &revoked).await).await;

    let load = Load::start(Habit::Read).await;
    let before = load.met.responses.load(Ordering::Relaxed);
    stack().kill_companion();
    let start = Instant::now();
    let refresh = format!("refresh_token={}", waiting.cookies["refresh_token"]);
    while start.elapsed() < length {
        assert_eq!(get(gateway, "/orders", &format!("access_token={revoked}")).await.status, 401);
        let unknown = get(gateway, "/orders", &refresh).await;
        assert!(is_retryable(&unknown), "whether the session goes on is not known: {unknown}");
        sleep(10 * PACE).await;
    }
    let (age, during) =
        (gauge("feed_age_seconds").await, load.met.responses.load(Ordering::Relaxed) - before);
    assert!(Duration::from_secs(age + 2) >= start.elapsed(), "{age} s is younger than the outage");

    block_in_place(|| stack().start_companion()).unwrap();
    let back = Instant::now();
    let mut young = None;
    until("the feed", async || {
        let is_young = gauge("feed_age_seconds").await <= 1;
        young = young.or(is_young.then(Instant::now)).filter(|_| is_young);
        young.is_some_and(|young| young.elapsed() > ALL_HAVE_WRITTEN)
    })
    .await;
    assert_eq!(get(gateway, "/orders", &refresh).await.status, 200);
    assert_eq!(leaving.post("/api/auth/logout").await.status, 200);
    until("the next revocation", async || everywhere(gateway, 401, &valid).await).await;
    assert!(everywhere(gateway, 401, &revoked).await);
    println!(
        "{length:?} without a companion: {during} answers in that time, {} in all, all of them right; the feed was {age} s old, and young again {:.1?} after the companion was ready",
        load.end().await,
        young.unwrap() - back,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_companion_everybody_goes_on_and_who_was_refused_stays_so() {
    be_without_companion(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: OUTAGE_SECONDS says how many instead of 60"]
async fn a_minute_without_a_companion_refuses_nobody() {
    be_without_companion(Duration::from_secs(size("OUTAGE_SECONDS", 60).into())).await;
}

/// Somebody with a good token before a gateway that knows nothing yet: when it was first let in and last told to
/// come again, each time over a new connection.
async fn knock(gateway: u16, token: String, met: Arc<Met>) -> (Option<Instant>, Option<Instant>) {
    let (mut first, mut last) = (None, None);
    while !met.stop.load(Ordering::Relaxed) {
        let response = get(gateway, "/orders", &format!("access_token={token}")).await;
        if response.status == 200 {
            first = first.or(Some(Instant::now()));
        } else if is_retryable(&response) {
            last = Some(Instant::now());
        } else {
            met.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(response.to_string());
        }
        met.responses.fetch_add(1, Ordering::Relaxed);
        sleep(PACE).await;
    }
    (first, last)
}

/// Starts a gateway while the companion is down. Gives the times from the companion's readiness to the first who
/// was let in, and to the last who was not.
async fn start_without_companion() -> (Duration, Duration) {
    let user = registered(false).await;
    let token = user.cookies["access_token"].clone();
    stack().kill_companion();
    let (_envoy, ports) = block_in_place(|| another_gateway("early", &[])).unwrap();
    let met = Arc::new(Met::default());
    let load = Load { met: Arc::clone(&met), people: Vec::new() };
    let people: Vec<_> =
        (0..PEOPLE).map(|_| tokio::spawn(knock(ports.gateway, token.clone(), Arc::clone(&met)))).collect();
    load.go_on().await;
    let cookies = [user.cookie(), format!("access_token={token}"), String::new()];
    for cookie in cookies.iter().chain(&cookies) {
        let response = get(ports.gateway, "/orders", cookie).await;
        assert!(is_retryable(&response), "{response}");
        assert_eq!(get(ports.gateway, "/public/page", cookie).await.status, 200);
    }
    let page = client_at(ports.gateway, false).call(Method::GET, "/", &[("accept", "text/html")]).await;
    assert_eq!(page.status, 503, "a user who may be signed in is not redirected to the login");

    block_in_place(|| stack().start_companion()).unwrap();
    let ready = Instant::now();
    until("the gateway's keys", async || everywhere(ports.gateway, 200, &token).await).await;
    assert_eq!(get(ports.gateway, "/orders", "").await.status, 401);
    met.stop.store(true, Ordering::Relaxed);
    let (mut first, mut last) = (None, None);
    for person in people {
        let (let_in, refused) = person.await.unwrap();
        first = first.into_iter().chain(let_in).min();
        last = last.max(refused);
    }
    load.end().await;
    (first.unwrap().saturating_duration_since(ready), last.unwrap().saturating_duration_since(ready))
}

async fn start_without_companion_again_and_again(times: u32) {
    let _alone = alone().await;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let (let_in, refused) = start_without_companion().await;
        first.push(let_in);
        last.push(refused);
    }
    println!(
        "{times} starts without a companion: once it is ready, the gateway lets the first in after {}, and refuses the last after {}",
        summary(first),
        summary(last)
    );
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{:.1?} (median) and {:.1?} (longest)", median(&times), times.last().unwrap())
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_a_companion_says_come_again_until_there_is_one() {
    start_without_companion_again_and_again(1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: STARTS says how many instead of 10"]
async fn how_soon_a_gateway_opens_when_its_companion_comes() {
    start_without_companion_again_and_again(size("STARTS", 10)).await;
}

/// How many refreshes the companion has granted.
async fn count_refreshes() -> u64 {
    let metrics = client_at(stack().ports().internal, false).get("/metrics").await.text;
    let count = metrics.lines().find(|line| line.contains("event=\"refresh\""));
    count.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refreshes_at_the_edge_pays_for_one_call() {
    let _alone = alone().await;
    for http2 in VERSIONS {
        let before = count_refreshes().await;
        println!("http2 {http2}: {:.2?}", held::added(http2, 20).await.unwrap());
        let refreshes = count_refreshes().await - before;
        assert_eq!(refreshes, 20 + held::WARM_UP as u64, "each pays for one, and nobody else");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_held_while_the_companion_hangs_goes_on_when_it_does() {
    let _alone = alone().await;
    let held = held::hold(50, 25).await.unwrap();
    assert_eq!(held.held, 50);
}

async fn change_roles(times: u32) {
    let _alone = alone().await;
    let load = Load::start(Habit::Everything).await;
    let (mut asked, mut unasked) = (Vec::new(), Vec::new());
    for time in 0..2 * times {
        let mut user = registered(false).await;
        assert_eq!(user.get("/orders").await.status, 200);
        let command = ["user", "set-role", &user.email, "admin"];
        block_in_place(|| stack().companion.run(&command)).unwrap();
        let start = Instant::now();
        let refreshes = time % 2 == 0;
        if refreshes {
            assert_eq!(user.post("/api/auth/refresh").await.status, 200);
        }
        until("the new role", async || {
            let response = user.get("/orders").await;
            assert_eq!(response.status, 200);
            response.body["headers"]["x-user-role"] == json!(["admin"])
        })
        .await;
        if refreshes { &mut asked } else { &mut unasked }.push(start.elapsed());
    }
    println!(
        "{times} role changes each, {} answers beside, all of them right: seen by the upstream after {} where the user refreshes, after {} where nobody does anything",
        load.end().await,
        summary(asked),
        summary(unasked)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_is_seen_by_the_upstream_after_one_refresh() {
    change_roles(2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: ROLE_CHANGES says how many instead of 30"]
async fn how_soon_a_new_role_is_seen_by_the_upstream() {
    change_roles(size("ROLE_CHANGES", 30)).await;
}
