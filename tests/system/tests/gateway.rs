//! Journeys through the real Envoy, companion and Postgres, as seen by browsers, scripts and upstreams.

use std::fs;
use std::time::Duration;

use edgeward_kit::journey::{VERSIONS, client, client_at, received, registered, stack};
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{paths, wait};
use insta::{allow_duplicates, assert_snapshot};
use reqwest::Method;
use serde_json::{Value, json};

// holds: invariant 1, promise 1
#[tokio::test]
async fn registered_user_has_an_identity_upstream_and_cannot_forge_it() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        let forged = [("x-user-id", "1"), ("x-user-role", "admin"), ("X-Session-Id", "1")];
        let seen = received(user.call(Method::POST, "/orders?page=2", &forged).await);
        assert_eq!((&seen["method"], &seen["path"]), (&json!("POST"), &json!("/orders?page=2")));
        let own = user.get("/api/auth/self").await.body;
        assert_eq!(seen["headers"]["x-user-id"], json!([own["user"]["id"].to_string()]));
        assert_eq!(seen["headers"]["x-user-role"], json!(["customer"]));
        assert_eq!(seen["headers"]["x-session-id"].as_array().unwrap().len(), 1);
        assert_eq!(seen["headers"]["cookie"], Value::Null);
    }
}

#[tokio::test]
async fn foreign_cookies_reach_the_upstream_and_ours_do_not() {
    for http2 in VERSIONS {
        let cookie = format!("theme=\"dark\"; {}; lang=de", registered(http2).await.cookie());
        let response = client(http2).call(Method::GET, "/", &[("cookie", &cookie)]).await;
        assert_eq!(received(response)["headers"]["cookie"], json!(["theme=\"dark\"; lang=de"]));
    }
}

// holds: invariant 1, promise 1
#[tokio::test]
async fn public_paths_pass_without_identity_and_others_ask_to_sign_in() {
    for http2 in VERSIONS {
        let mut client = client(http2);
        let public = client.call(Method::GET, "/public/page", &[("x-user-id", "1")]).await;
        assert_eq!(received(public)["headers"]["x-user-id"], Value::Null);

        let script = client.call(Method::GET, "/orders", &[("accept", "application/json")]).await;
        allow_duplicates! { assert_snapshot!(script, @r#"
        401 Unauthorized
        cache-control: no-store
        content-type: application/json
        www-authenticate: Cookie realm="edgeward", cookie-name="access_token"

        {
          "errors": [
            {
              "code": "not_signed_in",
              "location": "",
              "msg": "Not signed in",
              "path": "",
              "type": "unauthorized"
            }
          ],
          "message": "Not signed in"
        }
        "#) };

        let browser = client.call(Method::GET, "/orders?page=2", &[("sec-fetch-mode", "navigate")]).await;
        allow_duplicates! { assert_snapshot!(browser, @"
        302 Found
        cache-control: no-store
        location: /login?return_to=/orders%3Fpage%3D2
        ") };
        let way = client.get("/login?return_to=/orders%3Fpage%3D2").await;
        assert_eq!(way.status, 303);
        assert_eq!(way.header("location"), "/auth/sign-in?return_to=/orders%3Fpage%3D2");
        assert_eq!(client.get(way.header("location")).await.status, 200);
    }
}

#[tokio::test]
async fn new_role_gives_access_after_one_refresh() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        assert_eq!(user.get("/admin/").await.status, 403);
        stack().companion.run(&["user", "set-role", &user.email, "admin"]).unwrap();
        assert_eq!(user.refresh().await.status, 200);
        let seen = received(user.get("/admin/").await);
        assert_eq!(seen["headers"]["x-user-role"], json!(["admin"]));
    }
}

#[tokio::test]
async fn logged_out_user_cannot_refresh() {
    let mut user = registered(false).await;
    let before = user.cookies.clone();
    assert_eq!(user.logout().await.status, 200);
    assert!(user.cookies.is_empty(), "{:?}", user.cookies);
    user.cookies = before;
    assert_eq!(user.refresh().await.status, 401);
    assert_eq!(user.get("/api/auth/self").await.status, 401);
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token() {
    let mut user = registered(false).await;
    let refresh = user.cookies["refresh_token"].clone();
    user.cookies.insert("access_token".to_owned(), refresh);
    assert_eq!(user.get("/orders").await.status, 401);
}

#[tokio::test]
async fn preflight_passes_to_companion_and_upstream() {
    let preflight = [("origin", "http://127.0.0.1:5173"), ("access-control-request-method", "POST")];
    let companion = client(false).call(Method::OPTIONS, "/api/auth/login", &preflight).await;
    assert_eq!(companion.header("access-control-allow-origin"), "http://127.0.0.1:5173");
    assert_eq!(companion.header("access-control-allow-credentials"), "true");
    let upstream = client(false).call(Method::OPTIONS, "/orders", &preflight).await;
    assert_eq!(received(upstream)["method"], "OPTIONS");
}

#[tokio::test]
async fn internal_paths_of_the_companion_are_unreachable() {
    let mut user = registered(false).await;
    for path in ["/internal/edge-feed", "/readyz/", "/metrics"] {
        assert_eq!(client(false).get(path).await.status, 401);
        let seen = received(user.get(path).await);
        assert_eq!(seen["path"], path, "the upstream receives it like any other path");
    }
    let keys = client(false).get("/.well-known/jwks.json").await;
    assert_eq!(keys.body["keys"].as_array().unwrap().len(), 2);
}

// holds: invariant 7
#[tokio::test]
async fn every_rejection_is_counted_by_reason_and_in_the_access_log() {
    let mut user = registered(false).await;
    let count = || async {
        let stats = client_at(stack().ports().envoy_admin, false).get("/stats/prometheus").await.text;
        let line = stats
            .lines()
            .find(|line| line.contains(r#"refused{reason="role_insufficient"}"#))
            .map(str::to_owned);
        line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
    };
    let before = count().await;
    let path = format!("/admin/{}", user.email);
    assert_eq!(user.get(&path).await.status, 403);
    assert!(count().await > before);
    let own = user.get("/api/auth/self").await.body;
    let line = wait::until("the access log", Duration::from_secs(20), || {
        Ok(stack().envoy.log().lines().find(|line| line.contains(&path)).map(str::to_owned))
    })
    .unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["rejection"], "role_insufficient");
    assert_eq!(line["details"], "edgeward_role_insufficient");
    assert_eq!(line["user_id"], own["user"]["id"].to_string());
}

// holds: invariant 4, promise 3
#[test]
fn invalid_configuration_keeps_envoy_from_starting_and_is_logged() {
    let directory = paths::test_folder("wrong_configuration");
    fs::create_dir_all(&directory).unwrap();
    let ports = Ports::free().unwrap();
    let mistakes = [
        (r#""roles": ["admin"]"#, r#""roles": []"#),
        (r#""login_url": "/login""#, r#""login_ulr": "/login""#),
    ];
    let mistakes = mistakes.map(|(from, to)| (from.to_owned(), to.to_owned()));
    let configuration = envoy::configuration(Shell::chosen().unwrap(), &ports, mistakes).unwrap();
    let program = envoy::find_or_install(&mut |_| {}).unwrap();
    Envoy::start(&program, &configuration, ports.envoy_admin, 1, &directory).unwrap_err();
    let log = fs::read_to_string(directory.join("envoy.log")).unwrap();
    for mistake in ["].roles must not be empty", "edgeward: login_ulr is not known"] {
        assert!(log.contains(mistake), "{log}");
    }
}
