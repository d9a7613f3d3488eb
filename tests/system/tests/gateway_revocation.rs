//! Logouts, role changes and refreshes at the edge, through the real Envoy with two workers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use edgeward_kit::client::PASSWORD;
use edgeward_kit::journey::{VERSIONS, client, client_at, received, registered, stack};
use edgeward_stack::variable;
use insta::assert_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

/// Longest time until the edge has applied a change.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the status of a request with only this access token, over a new connection, which any worker may accept.
async fn status(token: &str) -> u16 {
    let mut client = client(false);
    client.cookies.insert("access_token".to_owned(), token.to_owned());
    client.get("/orders").await.status
}

/// Waits until a token is rejected over 16 connections in a row, which reach every worker with near certainty.
async fn wait_for_rejection(token: &str) -> Duration {
    let start = Instant::now();
    let mut rejected = 0;
    let mut since = start;
    while rejected < 16 {
        assert!(start.elapsed() < PATIENCE, "a revoked token is still accepted");
        if status(token).await == 401 {
            rejected += 1;
        } else {
            rejected = 0;
            since = Instant::now();
        }
    }
    since - start
}

// holds: promise 9
#[tokio::test]
async fn unexpired_access_token_is_rejected_after_a_logout() {
    let mut user = registered(false).await;
    let token = user.cookies["access_token"].clone();
    assert_eq!(status(&token).await, 200);
    assert_eq!(user.logout().await.status, 200);
    wait_for_rejection(&token).await;
}

// holds: promise 9
#[tokio::test]
async fn logout_everywhere_ends_each_session_and_the_next_login_works() {
    let user = registered(false).await;
    let first = user.cookies["access_token"].clone();
    let login = async || {
        let mut client = client(false);
        assert_eq!(client.login(&user.email, PASSWORD).await.status, 200);
        client.cookies["access_token"].clone()
    };
    let second = login().await;
    assert_eq!(user.clone().post("/api/auth/logout-all").await.status, 200);
    let third = login().await;
    wait_for_rejection(&first).await;
    wait_for_rejection(&second).await;
    assert_eq!(status(&third).await, 200);
}

// holds: promise 9
#[tokio::test]
async fn disabled_user_is_rejected_at_the_edge() {
    let user = registered(false).await;
    stack().companion.run(&["user", "disable", &user.email]).unwrap();
    wait_for_rejection(&user.cookies["access_token"]).await;
}

#[tokio::test]
async fn deleted_user_is_rejected_at_the_edge() {
    let user = registered(false).await;
    stack().companion.run(&["user", "delete", &user.email, "--yes"]).unwrap();
    wait_for_rejection(&user.cookies["access_token"]).await;
}

// holds: promise 9
#[tokio::test]
async fn role_change_reaches_the_upstream_without_a_refresh_by_the_user() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        assert_eq!(user.get("/admin/").await.status, 403);
        stack().companion.run(&["user", "set-role", &user.email, "admin"]).unwrap();
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "the edge does not apply the role");
            // The next request has the cookies of a rejection.
            let response = user.get("/admin/").await;
            if response.status == 200 {
                assert_eq!(received(response)["headers"]["x-user-role"], json!(["admin"]));
                break;
            }
            assert_eq!(response.status, 403, "the edge has not applied it yet");
        }
    }
}

#[tokio::test]
async fn rejection_for_the_role_sets_the_new_token_all_the_same() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        user.cookies.remove("access_token");
        let response = user.get("/admin/").await;
        assert_eq!(response.status, 403);
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.set_cookies().len(), 2);
        assert_eq!(status(&user.cookies["access_token"]).await, 200);
    }
}

#[tokio::test]
async fn requests_to_the_companion_are_held_too() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        user.cookies.remove("access_token");
        let response = user.get("/api/auth/sessions").await;
        assert_eq!(response.status, 200);
        assert_eq!(response.body["sessions"].as_array().map(Vec::len), Some(1));
        user.cookies.remove("access_token");
        let before = user.cookies["refresh_token"].clone();
        assert_eq!(user.post("/api/auth/logout-all").await.status, 200);
        user.cookies.insert("refresh_token".to_owned(), before);
        assert_eq!(user.refresh().await.status, 401);
    }
}

#[tokio::test]
async fn upgrade_is_held_too() {
    let mut user = registered(false).await;
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")];
    for cookies in [0, 2] {
        let response = user.call(Method::GET, "/socket", &upgrade).await;
        // The demo upstream opens none, and responds as to any request.
        assert_eq!(response.status, 200);
        assert_eq!(response.set_cookies().len(), cookies);
        user.cookies.remove("access_token");
    }
}

/// The first chunks arrive before the refresh is complete, and the others one by one.
#[tokio::test]
async fn body_received_while_its_request_is_held_arrives_whole() {
    let user = registered(false).await;
    let mut stream = TcpStream::connect(("127.0.0.1", stack().ports().gateway)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
         cookie: refresh_token={}\r\n\r\n",
        user.cookies["refresh_token"]
    );
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..1000 {
        stream.write_all(format!("3e8\r\n{}\r\n", "x".repeat(1000)).as_bytes()).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_eq!(response.matches("set-cookie: ").count(), 2, "{response}");
    assert!(response.contains("\"body_bytes\":1000000"), "{response}");
}

#[tokio::test]
async fn session_continues_at_the_gateway_without_an_access_token() {
    for http2 in VERSIONS {
        for body in [0, 1 << 20] {
            let mut user = registered(http2).await;
            user.cookies.remove("access_token");
            let request = user.request(Method::POST, "/upload").body(vec![b'x'; body]);
            let response = user.send(request).await;
            assert_eq!(response.header("cache-control"), "no-store");
            assert_eq!(response.set_cookies().len(), 2, "{response}");
            let seen = received(response);
            assert_eq!(seen["headers"]["x-user-role"], json!(["customer"]));
            assert_eq!((&seen["body_bytes"], &seen["headers"]["cookie"]), (&json!(body), &Value::Null));
            assert_eq!(status(&user.cookies["access_token"]).await, 200);
        }
    }
}

// holds: invariant 10, promise 10
#[tokio::test]
async fn simultaneous_requests_without_an_access_token_all_succeed() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        user.cookies.remove("access_token");
        let requests: Vec<_> = (0..32)
            .map(|_| {
                let mut tab = user.clone();
                tokio::spawn(async move { (tab.get("/orders").await.status, tab) })
            })
            .collect();
        let mut newest = String::new();
        for request in requests {
            let (status, tab) = request.await.unwrap();
            assert_eq!(status, 200);
            newest.clone_from(&tab.cookies["access_token"]);
        }
        assert_eq!(status(&newest).await, 200);
    }
}

#[tokio::test]
async fn ended_session_is_redirected_to_the_login_or_rejected() {
    let mut user = registered(false).await;
    let mut ended = user.clone_with(&["refresh_token"]);
    assert_eq!(user.logout().await.status, 200);
    let script = ended.call(Method::GET, "/orders", &[("accept", "application/json")]).await;
    assert_eq!(script.status, 401);
    assert!(script.set_cookies().is_empty(), "{script}");
    let page = ended.call(Method::GET, "/orders", &[("sec-fetch-mode", "navigate")]).await;
    assert_snapshot!(page, @"
    302 Found
    cache-control: no-store
    location: /login?return_to=/orders
    ");
}

#[tokio::test]
async fn state_of_the_feed_is_among_the_metrics() {
    let start = Instant::now();
    loop {
        let stats = client_at(stack().ports().envoy_admin, false).get("/stats?filter=edgeward").await.text;
        let value = |name: &str| {
            let line = stats.lines().find(|line| line.contains(&format!("{name}: ")))?;
            line.rsplit(' ').next()?.parse::<u64>().ok()
        };
        let names =
            ["feed_age_seconds", "feed_answer", "key_set_generation", "keys", "revocations", "feed_polls"];
        let values = names.map(|name| value(&format!("edgeward_{name}")));
        if let [Some(age), Some(millis), Some(1..), Some(2), Some(_), Some(1..)] = values
            && age <= 2
            && millis > 0
        {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{values:?}\n{stats}");
    }
}

/// Measures a logout: from its response to the last worker's first rejection.
// holds: promise 9
#[tokio::test]
#[ignore = "takes minutes: cargo xtask test --test gateway_revocation -- --ignored --nocapture"]
async fn logout_takes_effect_at_every_worker() {
    let count: usize = variable("LOGOUTS").map_or(200, |count| count.parse().unwrap());
    let mut times = Vec::new();
    for _ in 0..count {
        let mut user = registered(false).await;
        let token = user.cookies["access_token"].clone();
        assert_eq!(status(&token).await, 200);
        // At any time between two polls.
        tokio::time::sleep(Duration::from_millis(7 * (times.len() as u64 * 37 % 143))).await;
        assert_eq!(user.logout().await.status, 200);
        times.push(wait_for_rejection(&token).await);
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{count} logouts: median {:?}, 95 % {:?}, longest {:?}", at(50), at(95), at(100));
}
