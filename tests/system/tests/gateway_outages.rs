//! Outages of the companion, through the real Envoy with two workers and under load: users stay signed in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeward_kit::journey::load::{
    ALL_HAVE_WRITTEN, Habit, Load, Outcome, PACE, USERS, alone, everywhere, gauge, get, is_retryable, size,
    summary, until,
};
use edgeward_kit::journey::{another_gateway, client_at, registered, stack};
use reqwest::Method;
use tokio::task::block_in_place;
use tokio::time::sleep;

/// Highest age of a feed that is current, in seconds: a poll a second, whose times are cut to whole ones.
const CURRENT_AGE: u64 = 2;

async fn stop_companion_for(length: Duration) {
    let _alone = alone().await;
    let gateway = stack().ports().gateway;
    let (mut gone, mut leaving) = (registered(false).await, registered(false).await);
    let waiting = registered(false).await;
    let (revoked, valid) = (gone.cookies["access_token"].clone(), leaving.cookies["access_token"].clone());
    assert_eq!(gone.logout().await.status, 200);
    until("the revocation", async || everywhere(gateway, 401, &revoked).await).await;

    let load = Load::start(Habit::Read).await;
    let before = load.outcome.responses();
    stack().kill_companion();
    let start = Instant::now();
    let refresh = format!("refresh_token={}", waiting.cookies["refresh_token"]);
    while start.elapsed() < length {
        assert_eq!(get(gateway, "/orders", &format!("access_token={revoked}")).await.status, 401);
        let unknown = get(gateway, "/orders", &refresh).await;
        assert!(is_retryable(&unknown), "the state of the session is unknown: {unknown}");
        sleep(10 * PACE).await;
    }
    let (age, during) = (gauge("feed_age_seconds").await, load.outcome.responses() - before);
    assert!(Duration::from_secs(age + 2) >= start.elapsed(), "{age} s is younger than the outage");

    block_in_place(|| stack().start_companion()).unwrap();
    let back = Instant::now();
    let mut current = None;
    until("the feed", async || {
        let is_current = gauge("feed_age_seconds").await <= CURRENT_AGE;
        current = current.or(is_current.then(Instant::now)).filter(|_| is_current);
        current.is_some_and(|since| since.elapsed() > ALL_HAVE_WRITTEN)
    })
    .await;
    assert_eq!(get(gateway, "/orders", &refresh).await.status, 200);
    assert_eq!(leaving.logout().await.status, 200);
    until("the next revocation", async || everywhere(gateway, 401, &valid).await).await;
    assert!(everywhere(gateway, 401, &revoked).await);
    println!(
        "{length:?} without a companion: {during} responses in that time, {} in all, all of them right; the feed was {age} s old, and current {:.1?} after the companion was ready",
        load.end().await,
        current.unwrap() - back,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_companion_valid_tokens_pass_and_revoked_ones_do_not() {
    stop_companion_for(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: OUTAGE_SECONDS sets its length (default 60)"]
async fn minute_without_a_companion_rejects_no_valid_token() {
    stop_companion_for(Duration::from_secs(size("OUTAGE_SECONDS", 60).into())).await;
}

/// Sends requests with a valid token to a gateway without a state, each over a new connection. Returns the times at which
/// the first was admitted and the last was rejected.
async fn send_until_stopped(
    gateway: u16,
    token: String,
    outcome: Arc<Outcome>,
) -> (Option<Instant>, Option<Instant>) {
    let (mut first, mut last) = (None, None);
    while !outcome.is_stopped() {
        let response = get(gateway, "/orders", &format!("access_token={token}")).await;
        let is_admitted = response.status == 200;
        if is_admitted {
            first = first.or(Some(Instant::now()));
        } else {
            last = Some(Instant::now());
        }
        outcome.count((!is_admitted && !is_retryable(&response)).then(|| response.to_string()));
        sleep(PACE).await;
    }
    (first, last)
}

/// Starts a gateway while the companion is down. Returns the times from the companion's readiness to the first request that
/// was admitted, and to the last that was rejected.
async fn start_without_companion() -> (Duration, Duration) {
    let user = registered(false).await;
    let token = user.cookies["access_token"].clone();
    stack().kill_companion();
    let (_envoy, ports) = block_in_place(|| another_gateway("early", &[])).unwrap();
    let outcome = Arc::new(Outcome::default());
    let users: Vec<_> = (0..USERS)
        .map(|_| tokio::spawn(send_until_stopped(ports.gateway, token.clone(), Arc::clone(&outcome))))
        .collect();
    outcome.progress().await;
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
    outcome.stop();
    let (mut first, mut last) = (None, None);
    for user in users {
        let (admitted, rejected) = user.await.unwrap();
        first = first.into_iter().chain(admitted).min();
        last = last.max(rejected);
    }
    outcome.assert_right();
    (first.unwrap().saturating_duration_since(ready), last.unwrap().saturating_duration_since(ready))
}

async fn start_without_companion_repeatedly(times: u32) {
    let _alone = alone().await;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let (admitted, rejected) = start_without_companion().await;
        first.push(admitted);
        last.push(rejected);
    }
    println!(
        "{times} starts without a companion: once it is ready, the gateway admits the first request after {}, and rejects the last after {}",
        summary(first),
        summary(last)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_without_a_companion_asks_clients_to_retry() {
    start_without_companion_repeatedly(1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: STARTS sets the number of starts (default 10)"]
async fn gateway_admits_requests_soon_after_its_companion_is_ready() {
    start_without_companion_repeatedly(size("STARTS", 10)).await;
}
