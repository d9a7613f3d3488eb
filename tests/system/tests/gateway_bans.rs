//! Bans in the database reach the gateway, which rejects attempts by itself.

use std::time::Duration;

use edgeward_kit::client::{PASSWORD, Response};
use edgeward_kit::journey::{another_gateway, client_at, stack};
use edgeward_stack::{http, wait};
use reqwest::Method;
use serde_json::json;

const BANNED: &str = "203.0.113.7";
const OTHER: &str = "203.0.113.8";

/// Sends a login through a gateway that trusts one proxy, from the address that this names.
async fn log_in(gateway: u16, client: &str) -> Response {
    let mut http = client_at(gateway, false);
    let body = json!({"email": "nobody@shop.example", "password": PASSWORD});
    let request = http.request(Method::POST, "/api/auth/login").header("x-forwarded-for", client).json(&body);
    http.send(request).await
}

/// Returns the number of logins that the companion has responded to.
async fn logins() -> usize {
    let metrics = client_at(stack().ports().internal, false).get("/metrics").await.text;
    let is_count = |line: &&str| {
        line.starts_with("edgeward_http_request_duration_seconds_count") && line.contains("/auth/login\"")
    };
    let counts = metrics.lines().filter(is_count);
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

#[tokio::test]
async fn gateway_rejects_logins_from_banned_addresses_by_itself() {
    let change = ("xff_num_trusted_hops: 0", "xff_num_trusted_hops: 1");
    let (_envoy, ports) = another_gateway("bans", &[change]).unwrap();
    let is_ready = || Ok(http::is_status_everywhere(ports.gateway, "/readyz", 200).then_some(()));
    wait::until("the first keys", Duration::from_secs(20), is_ready).unwrap();
    assert_eq!(log_in(ports.gateway, BANNED).await.status, 401);
    let pool = sqlx::PgPool::connect(&stack().companion.database_url).await.unwrap();
    sqlx::query(
        "insert into bans (network, door, until) values ($1::text::cidr, 'credentials', now() + '8 s')",
    )
    .bind(format!("{BANNED}/32"))
    .execute(&pool)
    .await
    .unwrap();
    let start = std::time::Instant::now();
    while log_in(ports.gateway, BANNED).await.status != 429 {
        assert!(start.elapsed() < Duration::from_secs(2), "the ban did not arrive");
    }
    // Every worker has it within its next tick.
    let mut in_a_row = 0;
    while in_a_row < 20 {
        in_a_row = if log_in(ports.gateway, BANNED).await.status == 429 { in_a_row + 1 } else { 0 };
        assert!(start.elapsed() < Duration::from_secs(3), "a worker has no ban");
    }
    let before = logins().await;
    assert!(before > 0, "the companion counts logins");
    for _ in 0..100 {
        let rejected = log_in(ports.gateway, BANNED).await;
        assert_eq!(
            (rejected.status, &rejected.body["errors"][0]["code"]),
            (429, &json!("too_many_attempts"))
        );
        assert!((1..=8).contains(&rejected.header("retry-after").parse::<u64>().unwrap()), "{rejected}");
    }
    assert_eq!(logins().await, before, "none has reached the companion");
    assert_eq!(log_in(ports.gateway, OTHER).await.status, 401);
    let mut http = client_at(ports.gateway, false);
    let elsewhere = http.request(Method::GET, "/public/").header("x-forwarded-for", BANNED);
    assert_eq!(http.send(elsewhere).await.status, 200);
    let start = std::time::Instant::now();
    while log_in(ports.gateway, BANNED).await.status != 401 {
        assert!(start.elapsed() < Duration::from_secs(15), "the ban does not end");
    }
}
