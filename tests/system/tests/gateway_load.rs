//! Rotated keys, changed roles and refreshes at the edge, through the real Envoy with two workers and under load.
//! `cargo xtask bench refresh` measures the cost of a refresh at the edge.

use std::time::Instant;

use edgeward_kit::journey::held;
use edgeward_kit::journey::load::{ALL_HAVE_WRITTEN, Habit, Load, alone, gauge, size, summary, until};
use edgeward_kit::journey::{VERSIONS, client, client_at, registered, stack};
use serde_json::json;
use tokio::task::block_in_place;

async fn rotate_under_load(rotations: u32) {
    let _alone = alone().await;
    let load = Load::start(Habit::Everything).await;
    let mut times = Vec::new();
    for _ in 0..rotations {
        let generation = gauge("key_set_generation").await;
        let output = block_in_place(|| stack().companion.run(&["keys", "rotate", "--force"])).unwrap();
        let start = Instant::now();
        let announced = output.lines().find_map(|line| line.strip_prefix("announced")).unwrap().trim();
        let mut known = 0;
        until("the announced key", async || {
            let response = client(false).get("/.well-known/jwks.json").await;
            let keys = response.body["keys"].as_array().unwrap();
            known = keys.len() as u64;
            keys.iter().any(|key| key["kid"] == announced)
        })
        .await;
        // The generation is a number of one worker, but the number of keys identifies the set for all of them.
        let mut since = None;
        until("the announced key at the edge", async || {
            let is_applied = gauge("key_set_generation").await > generation && gauge("keys").await == known;
            since = since.or(is_applied.then(Instant::now)).filter(|_| is_applied);
            since.is_some_and(|since| since.elapsed() > ALL_HAVE_WRITTEN)
        })
        .await;
        times.extend(since.map(|since| since - start));
        load.outcome.progress().await;
    }
    let longest = times.into_iter().max().unwrap();
    println!(
        "{rotations} rotations, {} responses, all of them right; applied at the edge after {longest:.1?} at most",
        load.end().await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotated_under_load_reject_no_request() {
    rotate_under_load(2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: ROTATIONS sets the number of rotations (default 10)"]
async fn ten_rotations_under_load_reject_no_request() {
    rotate_under_load(size("ROTATIONS", 10)).await;
}

/// Returns the number of refreshes that the companion has granted.
async fn count_refreshes() -> u64 {
    let metrics = client_at(stack().ports().internal, false).get("/metrics").await.text;
    let count = metrics.lines().find(|line| line.contains("event=\"refresh\""));
    count.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_at_the_edge_costs_one_call() {
    let _alone = alone().await;
    for http2 in VERSIONS {
        let before = count_refreshes().await;
        println!("http2 {http2}: {:.2?}", held::measure_refresh(http2, 20).await.unwrap());
        let refreshes = count_refreshes().await - before;
        assert_eq!(refreshes, 20 + held::WARM_UP as u64, "one refresh for each held request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_held_while_the_companion_hangs_are_resumed_with_it() {
    let _alone = alone().await;
    let held = held::hold(50, 25).await.unwrap();
    assert_eq!(held.held, 50);
}

async fn change_roles(times: u32) {
    let _alone = alone().await;
    let load = Load::start(Habit::Everything).await;
    let (mut by_refresh, mut by_feed) = (Vec::new(), Vec::new());
    for time in 0..2 * times {
        let mut user = registered(false).await;
        assert_eq!(user.get("/orders").await.status, 200);
        let command = ["user", "set-role", &user.email, "admin"];
        block_in_place(|| stack().companion.run(&command)).unwrap();
        let start = Instant::now();
        let refreshes = time % 2 == 0;
        if refreshes {
            assert_eq!(user.refresh().await.status, 200);
        }
        until("the new role", async || {
            let response = user.get("/orders").await;
            assert_eq!(response.status, 200);
            response.body["headers"]["x-user-role"] == json!(["admin"])
        })
        .await;
        if refreshes { &mut by_refresh } else { &mut by_feed }.push(start.elapsed());
    }
    println!(
        "{times} role changes each, {} responses besides, all of them right: received by the upstream after {} if the user refreshes, after {} if not",
        load.end().await,
        summary(by_refresh),
        summary(by_feed)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn new_role_reaches_the_upstream_after_one_refresh() {
    change_roles(2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: ROLE_CHANGES sets the number of changes (default 30)"]
async fn new_role_reaches_the_upstream_soon_after_its_change() {
    change_roles(size("ROLE_CHANGES", 30)).await;
}
