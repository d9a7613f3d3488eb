//! Journeys through the real Envoy, the real companion and a real Postgres: what a browser, a script and an
//! upstream see.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use edgeward_tests::stack::envoy::{self, Envoy};
use edgeward_tests::stack::ports::Ports;
use edgeward_tests::stack::{Plan, Stack, paths, wait};
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// One stack for all tests of this process; each test has users of its own.
fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway");
        fs::create_dir_all(&directory).unwrap();
        let plan = Plan::for_tests(&directory).unwrap();
        Stack::start(plan, &mut |_| {}).unwrap()
    })
}

/// A client that keeps no cookies by itself, follows no redirects, and speaks one version of HTTP.
fn client(http2: bool) -> Client {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    if http2 { builder.http2_prior_knowledge() } else { builder.http1_only() }.build().unwrap()
}

fn at(path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", stack().ports().gateway)
}

/// A user who is signed in, with the cookies as they stand.
struct User {
    client: Client,
    email: String,
    cookies: BTreeMap<String, String>,
}

impl User {
    async fn register(client: &Client) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let email = format!("ann{}@shop.example", COUNT.fetch_add(1, Ordering::Relaxed));
        let body =
            json!({"firstName": "Ann", "lastName": "Lee", "email": email, "password": "correct horse"});
        let response = client.post(at("/api/auth/register")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let mut user = Self { client: client.clone(), email, cookies: BTreeMap::new() };
        user.keep_cookies(response.headers());
        let names: Vec<&str> = user.cookies.keys().map(String::as_str).collect();
        assert_eq!(names, ["access_token", "refresh_token"]);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["message"], "User registered successfully");
        assert!(answer["userId"].is_u64(), "{answer}");
        user
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    fn cookie(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method, at(path)).header("cookie", self.cookie());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        self.keep_cookies(response.headers());
        response
    }

    async fn status(&mut self, method: Method, path: &str) -> u16 {
        self.send(method, path, &[]).await.status().as_u16()
    }
}

/// What the demo upstream received, header by header.
async fn received(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

/// Every version of HTTP that a client may speak.
const VERSIONS: [bool; 2] = [false, true];

#[tokio::test]
async fn a_registered_user_reaches_the_upstream_as_who_it_is_and_cannot_forge_it() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        let forged = [("x-user-id", "1"), ("x-user-role", "admin"), ("X-Session-Id", "1")];
        let seen = received(user.send(Method::POST, "/orders?page=2", &forged).await).await;
        assert_eq!((&seen["method"], &seen["path"]), (&json!("POST"), &json!("/orders?page=2")));
        let own: Value = user.send(Method::GET, "/api/auth/self", &[]).await.json().await.unwrap();
        assert_eq!(seen["headers"]["x-user-id"], json!([own["user"]["id"].to_string()]));
        assert_eq!(seen["headers"]["x-user-role"], json!(["customer"]));
        assert_eq!(seen["headers"]["x-session-id"].as_array().unwrap().len(), 1);
        assert_eq!(seen["headers"]["cookie"], Value::Null);
    }
}

#[tokio::test]
async fn cookies_of_others_reach_the_upstream_and_ours_do_not() {
    for http2 in VERSIONS {
        let user = User::register(&client(http2)).await;
        let cookie = format!("theme=\"dark\"; {}; lang=de", user.cookie());
        let response = user.client.get(at("/")).header("cookie", cookie).send().await.unwrap();
        assert_eq!(received(response).await["headers"]["cookie"], json!(["theme=\"dark\"; lang=de"]));
    }
}

#[tokio::test]
async fn public_paths_pass_without_identity_and_others_ask_to_sign_in() {
    for http2 in VERSIONS {
        let client = client(http2);
        let send = |path: &str, name: &'static str, value: &'static str| {
            client.get(at(path)).header(name, value).send()
        };
        let public = received(send("/public/page", "x-user-id", "1").await.unwrap()).await;
        assert_eq!(public["headers"]["x-user-id"], Value::Null);

        let script = send("/orders", "accept", "application/json").await.unwrap();
        assert_eq!(script.status(), StatusCode::UNAUTHORIZED);
        assert!(script.headers().contains_key("www-authenticate"));
        assert_eq!(script.json::<Value>().await.unwrap()["message"], "Not signed in");

        let browser = send("/orders?page=2", "sec-fetch-mode", "navigate").await.unwrap();
        assert_eq!(browser.status(), StatusCode::FOUND);
        assert_eq!(browser.headers()["location"], "/login?return_to=/orders%3Fpage%3D2");
        let page = client.get(at("/login?return_to=/orders%3Fpage%3D2")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.text().await.unwrap().contains("/orders?page=2"));
    }
}

#[tokio::test]
async fn a_new_role_opens_its_doors_after_one_refresh() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        assert_eq!(user.status(Method::GET, "/admin/").await, 403);
        stack().companion.run(&["user", "set-role", &user.email, "admin"]).unwrap();
        assert_eq!(user.status(Method::POST, "/api/auth/refresh").await, 200);
        let seen = received(user.send(Method::GET, "/admin/", &[]).await).await;
        assert_eq!(seen["headers"]["x-user-role"], json!(["admin"]));
    }
}

#[tokio::test]
async fn who_has_logged_out_can_refresh_no_more() {
    let mut user = User::register(&client(false)).await;
    let before = user.cookies.clone();
    assert_eq!(user.status(Method::POST, "/api/auth/logout").await, 200);
    assert!(user.cookies.values().all(String::is_empty), "cookies are cleared: {:?}", user.cookies);
    user.cookies = before;
    assert_eq!(user.status(Method::POST, "/api/auth/refresh").await, 401);
    assert_eq!(user.status(Method::GET, "/api/auth/self").await, 401);
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token() {
    let mut user = User::register(&client(false)).await;
    let refresh = user.cookies["refresh_token"].clone();
    user.cookies.insert("access_token".to_owned(), refresh);
    assert_eq!(user.status(Method::GET, "/orders").await, 401);
}

#[tokio::test]
async fn a_preflight_passes_to_whoever_answers_it() {
    let preflight = |path: &str| {
        let request = client(false).request(Method::OPTIONS, at(path));
        request
            .header("origin", "http://localhost:5173")
            .header("access-control-request-method", "POST")
            .send()
    };
    let companion = preflight("/api/auth/login").await.unwrap();
    assert_eq!(companion.headers()["access-control-allow-origin"], "http://localhost:5173");
    assert_eq!(companion.headers()["access-control-allow-credentials"], "true");
    let upstream = received(preflight("/orders").await.unwrap()).await;
    assert_eq!(upstream["method"], "OPTIONS");
}

#[tokio::test]
async fn the_companion_s_inside_is_not_to_be_reached_through_the_gateway() {
    let mut user = User::register(&client(false)).await;
    for path in ["/internal/edge-feed", "/readyz", "/metrics"] {
        assert_eq!(client(false).get(at(path)).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let seen = received(user.send(Method::GET, path, &[]).await).await;
        assert_eq!(seen["path"], path, "goes to the upstream as any other path");
    }
    let keys = client(false).get(at("/.well-known/jwks.json")).send().await.unwrap();
    assert_eq!(keys.json::<Value>().await.unwrap()["keys"].as_array().unwrap().len(), 1);
}

/// Sends bytes as they are and gives back the status of the answer, 0 where the connection was just closed.
fn raw(request: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", stack().ports().gateway)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    let user = User::register(&client(false)).await;
    let cookie = user.cookie();
    let get = |path: &str, more: &str| {
        raw(&format!(
            "GET {path} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ncookie: {cookie}\r\n{more}\r\n"
        ))
    };
    assert_eq!(get("/orders", ""), 200);
    for path in
        ["/public%2f..%2fadmin/", "/public/%2e%2e%5cadmin", "/public;x/admin/", "/a%00b", "/a%zz", "/a%252fb"]
    {
        assert_eq!(get(path, ""), 400, "{path}");
    }
    // Envoy resolves these before the filter and the upstream see them: /admin/ is not for customers.
    // Servers that make no difference between cases would open another rule's door.
    for path in ["/ADMIN/", "/%41dmin/x"] {
        assert_eq!(get(path, ""), 400, "{path}");
    }
    for path in ["/public/../admin/", "//admin/", "/public/%2e%2e/admin/", "/public/..;/admin/", "/%61dmin/"]
    {
        assert_eq!(get(path, ""), 403, "{path}");
    }
    assert_eq!(get("/orders", "x_user_id: 1\r\n"), 400);
    assert_eq!(get("/orders", &format!("cookie: access_token=x{}\r\n", user.cookies["access_token"])), 401);
}

#[tokio::test]
async fn our_cookies_reach_the_companion_alone() {
    let mut user = User::register(&client(false)).await;
    for path in
        ["/api/auth", "/api/auth?x", "/api//auth", "/api/./auth/", "/.well-known", "/public/x", "/orders"]
    {
        for method in [Method::GET, Method::OPTIONS] {
            let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
            let more = if method == Method::OPTIONS { &preflight[..] } else { &[] };
            let text = user.send(method, path, more).await.text().await.unwrap();
            assert!(!text.contains("_token"), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_preflight_is_no_way_in() {
    const PREFLIGHT: &str = "origin: https://evil.example\r\naccess-control-request-method: GET\r\n";
    let options = |more: &str, body: &str| {
        raw(&format!("OPTIONS /admin/x HTTP/1.1\r\nhost: shop.example\r\n{PREFLIGHT}{more}\r\n{body}"))
    };
    assert_eq!(options("", ""), 200);
    assert_eq!(options("connection: upgrade\r\nupgrade: websocket\r\n", ""), 400);
    assert_eq!(options("content-length: 1\r\n", "x"), 401);
    assert_eq!(options("transfer-encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"), 401);
}

#[tokio::test]
async fn what_proxies_tell_each_other_a_client_may_not_say() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        let forged = [
            ("x-envoy-original-path", "/admin/"),
            ("x-envoy-retry-on", "5xx"),
            ("x-envoy-foo", "1"),
            ("x-forwarded-for", "8.8.8.8"),
            ("x-forwarded-uri", "/admin/"),
            ("x-original-url", "/admin/"),
            ("x-rewrite-url", "/admin/"),
            ("x-http-method-override", "DELETE"),
            ("forwarded", "for=8.8.8.8"),
            ("x-request-id", "forged"),
        ];
        let seen = received(user.send(Method::GET, "/orders", &forged).await).await;
        for (name, value) in forged {
            let values = seen["headers"][name].as_array().cloned().unwrap_or_default();
            assert!(!values.contains(&json!(value)), "{name}: {values:?}");
        }
        assert_eq!(seen["headers"]["x-envoy-internal"], Value::Null);
    }
}

#[tokio::test]
async fn another_sites_page_does_nothing_in_the_user_s_name() {
    for http2 in VERSIONS {
        let mut user = User::register(&client(http2)).await;
        let own = format!("http://127.0.0.1:{}", stack().ports().gateway);
        for (origin, site, expected) in [
            (own.as_str(), "same-origin", 200),
            ("http://localhost:5173", "cross-site", 200),
            ("https://evil.example", "cross-site", 403),
            (own.as_str(), "cross-site", 403),
            ("null", "cross-site", 403),
        ] {
            let headers = [("origin", origin), ("sec-fetch-site", site)];
            let answer = user.send(Method::POST, "/orders", &headers).await;
            assert_eq!(answer.status().as_u16(), expected, "{headers:?}");
            let read = user.send(Method::GET, "/orders", &headers).await;
            assert_eq!(read.status().as_u16(), 200, "{headers:?}");
        }
        let refresh =
            user.send(Method::POST, "/api/auth/refresh", &[("origin", "https://evil.example")]).await;
        assert_eq!(refresh.status().as_u16(), 403);
        assert_eq!(
            user.send(Method::POST, "/orders", &[]).await.status().as_u16(),
            200,
            "no browser, no origin"
        );
    }
}

#[tokio::test]
async fn a_web_socket_is_for_those_who_are_signed_in_and_come_from_our_pages() {
    let mut user = User::register(&client(false)).await;
    let upgrade = [("connection", "Upgrade, X-User-Id, x-user-role"), ("upgrade", "websocket")];
    let own = ("origin".to_owned(), format!("http://127.0.0.1:{}", stack().ports().gateway));
    let from_us = [&upgrade[..], &[(own.0.as_str(), own.1.as_str())]].concat();
    assert_eq!(user.send(Method::GET, "/socket", &from_us).await.status().as_u16(), 200);
    let elsewhere = [&upgrade[..], &[("origin", "https://evil.example")]].concat();
    assert_eq!(user.send(Method::GET, "/socket", &elsewhere).await.status().as_u16(), 403);
    user.cookies.clear();
    assert_eq!(user.send(Method::GET, "/socket", &from_us).await.status().as_u16(), 401);
}

#[tokio::test]
async fn every_refusal_is_counted_by_its_reason_and_told_in_the_access_log() {
    let mut user = User::register(&client(false)).await;
    let count = || async {
        let admin = format!("http://127.0.0.1:{}/stats/prometheus", stack().ports().envoy_admin);
        let stats = client(false).get(admin).send().await.unwrap().text().await.unwrap();
        let line = stats
            .lines()
            .find(|line| line.contains(r#"refused{reason="role_insufficient"}"#))
            .map(str::to_owned);
        line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
    };
    let before = count().await;
    let path = format!("/admin/{}", user.email);
    assert_eq!(user.status(Method::GET, &path).await, 403);
    assert!(count().await > before);
    let own: Value = user.send(Method::GET, "/api/auth/self", &[]).await.json().await.unwrap();
    let line = wait::until("the access log", Duration::from_secs(20), || {
        Ok(stack().envoy.log().lines().find(|line| line.contains(&path)).map(str::to_owned))
    })
    .unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["rejection"], "role_insufficient");
    assert_eq!(line["details"], "edgeward_role_insufficient");
    assert_eq!(line["user_id"], own["user"]["id"].to_string());
}

#[test]
fn a_wrong_configuration_keeps_envoy_from_starting_and_its_log_says_what_is_wrong() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong_configuration");
    fs::create_dir_all(&directory).unwrap();
    let ports = Ports::free().unwrap();
    let mut replacements = envoy::local(&ports, &paths::filter_wasm());
    replacements.push((r#""roles": ["admin"]"#.to_owned(), r#""roles": []"#.to_owned()));
    replacements.push((r#""login_url": "/login""#.to_owned(), r#""login_ulr": "/login""#.to_owned()));
    let configuration = envoy::render(&envoy::configuration().unwrap(), &replacements).unwrap();
    let program = envoy::find_or_install(&mut |_| {}).unwrap();
    Envoy::start(&program, &configuration, ports.envoy_admin, 1, &directory).unwrap_err();
    let log = fs::read_to_string(directory.join("envoy.log")).unwrap();
    for mistake in ["edgeward: rules[7].roles must not be empty", "edgeward: login_ulr is not known"] {
        assert!(log.contains(mistake), "{log}");
    }
}
