//! Bans in the database reach the gateway, which rejects attempts by itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use edgeward_kit::client::{Client, PASSWORD, Response, registration};
use edgeward_kit::journey::{another_gateway, client_at, stack};
use edgeward_stack::{http, wait};
use reqwest::Method;
use serde_json::{Value, json};

const OTHER: &str = "203.0.113.8";

/// Number of logins so far: each is of an account of its own, so that only its address can have a limit.
static LOGINS: AtomicU32 = AtomicU32::new(0);

/// Sends a login through a gateway that trusts one proxy, from the address that this names.
async fn log_in(gateway: u16, client: &str) -> Response {
    let number = LOGINS.fetch_add(1, Ordering::Relaxed);
    let body = json!({"email": format!("nobody{number}@shop.example"), "password": PASSWORD});
    attempt(&mut client_at(gateway, false), "login", &body, client).await
}

/// Sends a login or a registration of a browser from an address.
async fn attempt(browser: &mut Client, kind: &str, body: &Value, address: &str) -> Response {
    let request = browser.request(Method::POST, &format!("/api/auth/{kind}")).json(body);
    browser.send(request.header("x-forwarded-for", address)).await
}

/// Returns `true` if the gateway rejected a login by itself. The companion names the policy of its limit.
fn is_banned(response: &Response) -> bool {
    response.status == 429 && !response.headers.contains_key("ratelimit-policy")
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

/// Returns `true` if a worker of the gateway has bans.
async fn bans_are_known(admin: u16) -> bool {
    let stats = client_at(admin, false).get("/stats?filter=edgeward_bans").await.text;
    stats.lines().any(|line| line.rsplit(' ').next().is_some_and(|value| value != "0"))
}

/// Returns an address that no earlier run has used: the database remembers its limits and bans (RFC 2544 range).
fn new_address() -> String {
    let [.., a, b] = std::process::id().to_be_bytes();
    format!("198.18.{a}.{b}")
}

#[tokio::test]
async fn gateway_rejects_logins_from_banned_addresses_by_itself() {
    let banned = &new_address();
    let change = ("xff_num_trusted_hops: 0", "xff_num_trusted_hops: 1");
    let (_envoy, ports) = another_gateway("bans", &[change]).unwrap();
    let is_ready = || Ok(http::is_status_everywhere(ports.gateway, "/readyz", 200).then_some(()));
    wait::until("the first keys", Duration::from_secs(20), is_ready).unwrap();
    assert_eq!(log_in(ports.gateway, banned).await.status, 401);
    let mut known = client_at(ports.gateway, false);
    let account = registration(&format!("known{}@shop.example", std::process::id()));
    assert_eq!(attempt(&mut known, "register", &account, banned).await.status, 201);
    let pool = sqlx::PgPool::connect(&stack().companion.database_url).await.unwrap();
    sqlx::query(
        "insert into bans (network, scope, until) values ($1::text::cidr, 'credentials', now() + '8 s')",
    )
    .bind(format!("{banned}/32"))
    .execute(&pool)
    .await
    .unwrap();
    let start = std::time::Instant::now();
    // Seen by its gauge: attempts would run into the companion's own limit, and be banned for longer.
    while !bans_are_known(ports.envoy_admin).await {
        assert!(start.elapsed() < Duration::from_secs(2), "the ban did not arrive");
    }
    // Every worker has it within its next tick.
    let mut in_a_row = 0;
    while in_a_row < 20 {
        in_a_row = if is_banned(&log_in(ports.gateway, banned).await) { in_a_row + 1 } else { 0 };
        assert!(start.elapsed() < Duration::from_secs(3), "a worker has no ban");
    }
    let before = logins().await;
    assert!(before > 0, "the companion counts logins");
    for _ in 0..100 {
        let rejected = log_in(ports.gateway, banned).await;
        assert_eq!(
            (rejected.status, &rejected.body["errors"][0]["code"]),
            (429, &json!("too_many_attempts"))
        );
        // The ban ends within its last second, and this one has begun: 9 of 8 at most.
        assert!((1..=9).contains(&rejected.header("retry-after").parse::<u64>().unwrap()), "{rejected}");
    }
    for page in ["/auth/sign-in", "/auth/register"] {
        let mut browser = client_at(ports.gateway, false);
        let form = browser.form(page, &[("email", "a")]).header("x-forwarded-for", banned);
        assert!(is_banned(&browser.send(form).await), "{page}");
    }
    assert_eq!(logins().await, before, "none has reached the companion");
    assert_eq!(attempt(&mut known, "login", &account, banned).await.status, 200, "the device is known");
    let mut guessing = client_at(ports.gateway, false);
    guessing.keep("device_token=a.b.c; Path=/");
    let guess = json!({"email": account["email"], "password": "Tr0ub4dor&3, twice"});
    let response = attempt(&mut guessing, "login", &guess, banned).await;
    assert_eq!(response.status, 401, "the companion rejects it: {response}");
    assert_eq!(log_in(ports.gateway, OTHER).await.status, 401);
    let mut http = client_at(ports.gateway, false);
    let elsewhere = http.request(Method::GET, "/public/").header("x-forwarded-for", banned);
    assert_eq!(http.send(elsewhere).await.status, 200);
    let start = std::time::Instant::now();
    while is_banned(&log_in(ports.gateway, banned).await) {
        assert!(start.elapsed() < Duration::from_secs(15), "the ban does not end");
    }
}
