//! What honest users notice of rotated keys, of a companion that is gone and of a changed role, through the real
//! Envoy with two workers and under load. What a refresh at the edge costs is measured by `cargo xtask bench refresh`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use edgeward_tests::bench::held;
use edgeward_tests::journey::{User, VERSIONS, another_gateway, client, stack};
use edgeward_tests::stack::variable;
use reqwest::{Method, RequestBuilder};
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

/// What an answer says, as far as anybody here wants to know.
#[derive(Debug)]
struct Answer {
    status: u16,
    retry_after: bool,
    body: Value,
}

impl Answer {
    /// What the upstream was told in a header.
    fn told(&self, header: &str) -> &Value {
        &self.body["headers"][header][0]
    }
}

/// Sends a request to its end.
async fn send(request: RequestBuilder) -> reqwest::Result<(Answer, reqwest::header::HeaderMap)> {
    let response = request.timeout(LIMIT).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    Ok((Answer { status, retry_after: headers.contains_key("retry-after"), body }, headers))
}

/// Asks a gateway with these cookies, over a connection of its own, which any worker may take.
async fn ask(gateway: u16, path: &str, cookie: &str) -> Answer {
    let request = client(false).get(format!("http://127.0.0.1:{gateway}{path}")).header("cookie", cookie);
    send(request).await.unwrap().0
}

/// Whether this token alone is answered with this status, by every worker.
async fn everywhere(gateway: u16, status: u16, token: &str) -> bool {
    for _ in 0..EVERYWHERE {
        if ask(gateway, "/orders", &format!("access_token={token}")).await.status != status {
            return false;
        }
    }
    true
}

/// One of the filter's gauges, as the worker that wrote last has it.
async fn gauge(name: &str) -> u64 {
    let stats = stats(stack().ports().envoy_admin, "edgeward").await;
    let line = stats.lines().find(|line| line.contains(&format!("edgeward_{name}: "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

async fn stats(admin: u16, filter: &str) -> String {
    let request = client(false).get(format!("http://127.0.0.1:{admin}/stats?filter={filter}"));
    request.timeout(LIMIT).send().await.unwrap().text().await.unwrap()
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
    answers: AtomicU64,
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
            let person = Person { user: User::register(&client(http2)).await, http2, met: Arc::clone(&met) };
            people.push(tokio::spawn(person.live(habit)));
        }
        let load = Self { met, people };
        load.go_on().await;
        load
    }

    /// Waits until everybody has done everything again.
    async fn go_on(&self) {
        let before = self.met.answers.load(Ordering::Relaxed);
        let enough = before + 40 * PEOPLE as u64;
        until("the load", async || self.met.answers.load(Ordering::Relaxed) >= enough).await;
    }

    /// Gives back how many answers there were, all of them right.
    async fn end(self) -> u64 {
        self.met.stop.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await.unwrap();
        }
        let wrong = self.met.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
        self.met.answers.load(Ordering::Relaxed)
    }
}

struct Person {
    user: User,
    http2: bool,
    met: Arc<Met>,
}

impl Person {
    async fn live(mut self, habit: Habit) {
        let start = Instant::now();
        let id = self.ask(Method::GET, "/orders", None).await.map(|answer| answer.told("x-user-id").clone());
        let login = json!({"email": self.user.email, "password": "correct horse"});
        for round in 0_u64.. {
            if self.met.stop.load(Ordering::Relaxed) {
                return;
            }
            let (path, answer) = match round % 20 {
                3 => ("/public/page", self.ask(Method::GET, "/public/page", None).await),
                6 if habit == Habit::Everything => {
                    ("/api/auth/refresh", self.ask(Method::POST, "/api/auth/refresh", None).await)
                }
                11 if habit == Habit::Everything => {
                    ("/api/auth/login", self.ask(Method::POST, "/api/auth/login", Some(&login)).await)
                }
                16 if habit == Habit::Everything => {
                    self.user.cookies.remove("access_token");
                    ("/orders without an access token", self.ask(Method::GET, "/orders", None).await)
                }
                _ => ("/orders", self.ask(Method::GET, "/orders", None).await),
            };
            let is_right = answer.as_ref().is_ok_and(|answer| {
                let known = id.as_ref().is_ok_and(|id| id.is_string() && answer.told("x-user-id") == id);
                answer.status == 200 && (known || path.starts_with("/api/"))
            });
            if !is_right {
                let line = format!("after {:.2?}: {path}: {answer:?}", start.elapsed());
                self.met.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
            self.met.answers.fetch_add(1, Ordering::Relaxed);
            sleep(PACE).await;
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        let address = format!("http://127.0.0.1:{}{path}", stack().ports().gateway);
        let mut request = self.user.client.request(method, address).header("cookie", self.user.cookie());
        if let Some(body) = body {
            request = request.json(body);
        }
        if !self.http2 && path.starts_with("/public/") {
            // The next connection may be another worker's.
            request = request.header("connection", "close");
        }
        let (answer, headers) = send(request).await?;
        self.user.keep_cookies(&headers);
        Ok(answer)
    }
}

async fn rotate_under_load(rotations: u32) {
    let _alone = alone().await;
    let load = Load::start(Habit::Everything).await;
    let jwks = format!("http://127.0.0.1:{}/.well-known/jwks.json", stack().ports().gateway);
    let mut times = Vec::new();
    for _ in 0..rotations {
        let generation = gauge("key_set_generation").await;
        let said = block_in_place(|| stack().companion.run(&["keys", "rotate", "--force"])).unwrap();
        let start = Instant::now();
        let announced = said.lines().find_map(|line| line.strip_prefix("announced")).unwrap().trim();
        let mut known = 0;
        until("the announced key", async || {
            let (answer, _) = send(client(false).get(&jwks)).await.unwrap();
            let keys = answer.body["keys"].as_array().unwrap().clone();
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
    let (mut gone, mut leaving) =
        (User::register(&client(false)).await, User::register(&client(false)).await);
    let waiting = User::register(&client(false)).await;
    let (revoked, valid) = (gone.cookies["access_token"].clone(), leaving.cookies["access_token"].clone());
    assert_eq!(gone.status(Method::POST, "/api/auth/logout").await, 200);
    until("the revocation", async || everywhere(gateway, 401, &revoked).await).await;

    let load = Load::start(Habit::Read).await;
    let before = load.met.answers.load(Ordering::Relaxed);
    stack().kill_companion();
    let start = Instant::now();
    let refresh = format!("refresh_token={}", waiting.cookies["refresh_token"]);
    while start.elapsed() < length {
        assert_eq!(ask(gateway, "/orders", &format!("access_token={revoked}")).await.status, 401);
        let unknown = ask(gateway, "/orders", &refresh).await;
        assert_eq!((unknown.status, unknown.retry_after), (503, true), "nobody knows what it is worth");
        sleep(10 * PACE).await;
    }
    let (age, during) = (gauge("feed_age_seconds").await, load.met.answers.load(Ordering::Relaxed) - before);
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
    assert_eq!(ask(gateway, "/orders", &refresh).await.status, 200);
    assert_eq!(leaving.status(Method::POST, "/api/auth/logout").await, 200);
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
        let answer = ask(gateway, "/orders", &format!("access_token={token}")).await;
        match (answer.status, answer.retry_after) {
            (200, _) => first = first.or(Some(Instant::now())),
            (503, true) => last = Some(Instant::now()),
            _ => met.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{answer:?}")),
        }
        met.answers.fetch_add(1, Ordering::Relaxed);
        sleep(PACE).await;
    }
    (first, last)
}

/// Starts a gateway while the companion is down. Gives the times from the companion's readiness to the first who
/// was let in, and to the last who was not.
async fn start_without_companion() -> (Duration, Duration) {
    let user = User::register(&client(false)).await;
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
        let answer = ask(ports.gateway, "/orders", cookie).await;
        assert_eq!((answer.status, answer.retry_after), (503, true));
        assert_eq!(ask(ports.gateway, "/public/page", cookie).await.status, 200);
    }
    let page =
        client(false).get(format!("http://127.0.0.1:{}/", ports.gateway)).header("accept", "text/html");
    assert_eq!(send(page).await.unwrap().0.status, 503, "who may be signed in is not sent to log in");

    block_in_place(|| stack().start_companion()).unwrap();
    let ready = Instant::now();
    until("the gateway's keys", async || everywhere(ports.gateway, 200, &token).await).await;
    assert_eq!(ask(ports.gateway, "/orders", "").await.status, 401);
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
    let address = format!("http://127.0.0.1:{}/metrics", stack().ports().internal);
    let metrics = client(false).get(address).send().await.unwrap().text().await.unwrap();
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
        let mut user = User::register(&client(false)).await;
        assert_eq!(user.status(Method::GET, "/orders").await, 200);
        let command = ["user", "set-role", &user.email, "admin"];
        block_in_place(|| stack().companion.run(&command)).unwrap();
        let start = Instant::now();
        let refreshes = time % 2 == 0;
        if refreshes {
            assert_eq!(user.status(Method::POST, "/api/auth/refresh").await, 200);
        }
        until("the new role", async || {
            let response = user.send(Method::GET, "/orders", &[]).await;
            assert_eq!(response.status(), 200);
            let seen: Value = response.json().await.unwrap();
            seen["headers"]["x-user-role"] == json!(["admin"])
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
