//! What the edge knows of logouts, role changes and sessions that go on, through the real Envoy with two workers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use edgeward_tests::journey::{User, VERSIONS, at, client, received, stack};
use edgeward_tests::stack::variable;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How long the edge may take to know of something.
const PATIENCE: Duration = Duration::from_secs(10);

/// The status of a request with this access token alone, over a connection of its own, which any worker may take.
async fn status(token: &str) -> StatusCode {
    let request = client(false).get(at("/orders")).header("cookie", format!("access_token={token}"));
    request.send().await.unwrap().status()
}

/// Waits until a token is refused, by every worker as far as 16 connections can tell.
async fn wait_for_refusal(token: &str) -> Duration {
    let start = Instant::now();
    let mut refused = 0;
    let mut since = start;
    while refused < 16 {
        assert!(start.elapsed() < PATIENCE, "a token is still accepted that was revoked");
        if status(token).await == StatusCode::UNAUTHORIZED {
            refused += 1;
        } else {
            refused = 0;
            since = Instant::now();
        }
    }
    since - start
}

#[tokio::test]
async fn after_a_logout_the_access_token_is_refused_though_it_has_not_expired() {
    let mut user = User::register(&client(false)).await;
    let token = user.cookies["access_token"].clone();
    assert_eq!(status(&token).await, StatusCode::OK);
    assert_eq!(user.status(Method::POST, "/api/auth/logout").await, 200);
    wait_for_refusal(&token).await;
}

#[tokio::test]
async fn ending_every_session_ends_each_of_them_and_the_next_login_is_good_at_once() {
    let mut user = User::register(&client(false)).await;
    let first = user.cookies["access_token"].clone();
    let login = json!({"email": user.email, "password": "correct horse"});
    let second = user.client.post(at("/api/auth/login")).json(&login).send().await.unwrap();
    let second = access_token(&second);
    assert_eq!(user.status(Method::POST, "/api/auth/logout-all").await, 200);
    let third = user.client.post(at("/api/auth/login")).json(&login).send().await.unwrap();
    let third = access_token(&third);
    wait_for_refusal(&first).await;
    wait_for_refusal(&second).await;
    assert_eq!(status(&third).await, StatusCode::OK);
}

fn access_token(response: &reqwest::Response) -> String {
    let mut cookies =
        response.headers().get_all("set-cookie").into_iter().map(|value| value.to_str().unwrap());
    let token = cookies.find_map(|cookie| cookie.strip_prefix("access_token=")).unwrap();
    token.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_disabled_user_is_refused_at_the_edge() {
    let user = User::register(&client(false)).await;
    stack().companion.run(&["user", "disable", &user.email]).unwrap();
    wait_for_refusal(&user.cookies["access_token"]).await;
}

#[tokio::test]
async fn deleted_user_is_refused_at_the_edge() {
    let user = User::register(&client(false)).await;
    stack().companion.run(&["user", "delete", &user.email, "--yes"]).unwrap();
    wait_for_refusal(&user.cookies["access_token"]).await;
}

#[tokio::test]
async fn a_role_change_reaches_the_upstream_without_the_user_doing_anything() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        assert_eq!(user.status(Method::GET, "/admin/").await, 403);
        stack().companion.run(&["user", "set-role", &user.email, "admin"]).unwrap();
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "the edge does not hear of the role");
            // Whoever is told of new cookies by a refusal has them for the next request.
            let response = user.send(Method::GET, "/admin/", &[]).await;
            if response.status() == StatusCode::OK {
                assert_eq!(received(response).await["headers"]["x-user-role"], json!(["admin"]));
                break;
            }
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "the edge has not heard of it yet");
        }
    }
}

#[tokio::test]
async fn who_is_refused_for_the_role_has_a_new_token_all_the_same() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        user.cookies.remove("access_token");
        let response = user.send(Method::GET, "/admin/", &[]).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(status(&user.cookies["access_token"]).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_the_companion_does_for_who_is_signed_in_is_held_as_well() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        user.cookies.remove("access_token");
        let response = user.send(Method::GET, "/api/auth/sessions", &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let listed: Value = response.json().await.unwrap();
        assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
        user.cookies.remove("access_token");
        let before = user.cookies["refresh_token"].clone();
        assert_eq!(user.status(Method::POST, "/api/auth/logout-all").await, 200);
        user.cookies.insert("refresh_token".to_owned(), before);
        assert_eq!(user.status(Method::POST, "/api/auth/refresh").await, 401);
    }
}

#[tokio::test]
async fn an_upgrade_is_held_as_well() {
    let mut user = User::register(&client(false)).await;
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")];
    for cookies in [0, 2] {
        let response = user.send(Method::GET, "/socket", &upgrade).await;
        // The demo upstream opens none, and answers as to any request.
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), cookies);
        user.cookies.remove("access_token");
    }
}

/// The first chunks are there before the refresh is, and the others are sent piece by piece.
#[tokio::test]
async fn a_body_that_streams_in_while_its_request_is_held_arrives_whole() {
    let user = User::register(&client(false)).await;
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
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("set-cookie: ").count(), 2, "{answer}");
    assert!(answer.contains("\"body_bytes\":1000000"), "{answer}");
}

#[tokio::test]
async fn a_session_goes_on_at_the_gateway_when_the_access_token_is_gone() {
    for http2 in VERSIONS {
        for body in [0, 1 << 20] {
            let mut user = User::register(&client(http2)).await;
            user.cookies.remove("access_token");
            let request = user.client.post(at("/upload")).header("cookie", user.cookie());
            let response = request.body(vec![b'x'; body]).send().await.unwrap();
            assert_eq!(response.headers()["cache-control"], "no-store");
            let cookies: Vec<_> = response.headers().get_all("set-cookie").into_iter().cloned().collect();
            assert_eq!(cookies.len(), 2, "{cookies:?}");
            let new = access_token(&response);
            let seen = received(response).await;
            assert_eq!(seen["headers"]["x-user-role"], json!(["customer"]));
            assert_eq!((&seen["body_bytes"], &seen["headers"]["cookie"]), (&json!(body), &Value::Null));
            assert_eq!(status(&new).await, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn many_requests_at_once_without_an_access_token_all_go_on_and_the_session_lives() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        user.cookies.remove("access_token");
        let (client, cookie) = (user.client.clone(), user.cookie());
        let requests: Vec<_> = (0..32)
            .map(|_| {
                let request = client.get(at("/orders")).header("cookie", &cookie).send();
                tokio::spawn(async move { request.await.unwrap() })
            })
            .collect();
        let mut newest = String::new();
        for request in requests {
            let response = request.await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            newest = access_token(&response);
        }
        assert_eq!(status(&newest).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_session_that_is_over_is_sent_to_log_in_or_told_so() {
    let mut user = User::register(&client(false)).await;
    let refresh = user.cookies["refresh_token"].clone();
    assert_eq!(user.status(Method::POST, "/api/auth/logout").await, 200);
    let send = |name: &'static str, value: &'static str| {
        let cookie = format!("refresh_token={refresh}");
        client(false).get(at("/orders")).header("cookie", cookie).header(name, value).send()
    };
    let script = send("accept", "application/json").await.unwrap();
    assert_eq!(script.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(script.headers().get("set-cookie"), None);
    let page = send("sec-fetch-mode", "navigate").await.unwrap();
    assert_eq!(page.headers()["location"], "/login?return_to=/orders");
}

#[tokio::test]
async fn how_the_feed_stands_is_among_the_metrics() {
    let start = Instant::now();
    loop {
        let address = format!("http://127.0.0.1:{}/stats?filter=edgeward", stack().ports().envoy_admin);
        let stats = client(false).get(address).send().await.unwrap().text().await.unwrap();
        let value = |name: &str| {
            let line = stats.lines().find(|line| line.contains(&format!("{name}: ")))?;
            line.rsplit(' ').next()?.parse::<u64>().ok()
        };
        let names =
            ["feed_age_seconds", "feed_answer", "key_set_generation", "keys", "revocations", "feed_polls"];
        let values = names.map(|name| value(&format!("edgeward_{name}")));
        if let [Some(age), Some(answer), Some(1..), Some(2), Some(_), Some(1..)] = values
            && age <= 2
            && answer > 0
        {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{values:?}\n{stats}");
    }
}

/// The figures of a logout: from its answer to the last worker's first refusal.
#[tokio::test]
#[ignore = "takes minutes: cargo xtask test --test gateway_revocation -- --ignored --nocapture"]
async fn the_time_from_a_logout_to_its_refusal_everywhere() {
    let count: usize = variable("LOGOUTS").map_or(200, |count| count.parse().unwrap());
    let mut times = Vec::new();
    for _ in 0..count {
        let mut user = User::register(&client(false)).await;
        let token = user.cookies["access_token"].clone();
        assert_eq!(status(&token).await, StatusCode::OK);
        // Anywhere between two polls.
        tokio::time::sleep(Duration::from_millis(7 * (times.len() as u64 * 37 % 143))).await;
        assert_eq!(user.status(Method::POST, "/api/auth/logout").await, 200);
        times.push(wait_for_refusal(&token).await);
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{count} logouts: median {:?}, 95 % {:?}, longest {:?}", at(50), at(95), at(100));
}
