//! HTTP around the API: bodies, methods, request identifiers, keys, feed, health and metrics.

use axum::response::IntoResponse as _;
use edgeward_companion::clock::Clock as _;
use edgeward_companion::http::error::ApiError;
use edgeward_companion::service::Error;
use edgeward_kit::api::Api;
use edgeward_kit::client::{PASSWORD, registration};
use edgeward_wire::{Ban, BanScope, BansAt, EdgeFeed, JwkSet};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

const REGISTER: &str = "/api/auth/register";

#[tokio::test]
async fn a_body_must_be_a_json_object_of_at_most_64_kib() {
    let api = Api::start().await;
    let small = registration("ada@example.com").to_string();
    let large = format!("{small}{}", " ".repeat(64 * 1024));
    let cases = [
        ("text/plain", small.as_str(), 415, "content_type_not_json"),
        ("application/x-www-form-urlencoded", "email=a", 415, "content_type_not_json"),
        ("application/jsonx", &small, 415, "content_type_not_json"),
        ("application/json", "", 400, "body_not_object"),
        ("application/json", "{", 400, "body_not_object"),
        ("application/json", "[]", 400, "body_not_object"),
        ("application/json", "\"hunter2\"", 400, "body_not_object"),
        ("application/json", &large, 413, "body_too_large"),
    ];
    for path in [REGISTER, "/api/auth/login"] {
        for (kind, body, status, code) in cases {
            let mut client = api.client();
            let request = client.request(Method::POST, path).header(CONTENT_TYPE, kind).body(body.to_owned());
            client.send(request).await.assert_rejected(status, code);
        }
    }
    let mut client = api.client();
    let request = client.request(Method::POST, REGISTER).body(small);
    let request = request.header(CONTENT_TYPE, "Application/JSON; charset=utf-8");
    assert_eq!(client.send(request).await.status, 201);
}

#[tokio::test]
async fn byte_order_mark_is_skipped_only_before_the_json() {
    let api = Api::start().await;
    let json = registration("ada@example.com").to_string();
    for (body, status) in [
        (format!("\u{feff}\u{feff}{json}"), 400),
        (format!("{json}\u{feff}"), 400),
        ("\u{feff}".to_owned(), 400),
        (format!("\u{feff}{json}"), 201),
    ] {
        let mut client = api.client();
        let request = client.request(Method::POST, REGISTER).header(CONTENT_TYPE, "application/json");
        assert_eq!(client.send(request.body(body.clone())).await.status, status, "{body:?}");
    }
}

#[tokio::test]
async fn wrong_path_or_method_is_rejected_in_the_same_shape() {
    let api = Api::start().await;
    for path in
        ["/", "/api", "/api/auth", "/authx/login", "/api/auth/login/", "/internal/edge-feed", "/healthz"]
    {
        api.client().get(path).await.assert_rejected(404, "not_found");
    }
    for (method, path, allow) in [
        (Method::GET, "/api/auth/login", "POST"),
        (Method::DELETE, "/api/auth/self", "GET,HEAD"),
        (Method::POST, "/.well-known/jwks.json", "GET,HEAD"),
    ] {
        let response = api.client().call(method, path, &[]).await;
        response.assert_rejected(405, "method_not_allowed");
        assert_eq!(response.header("allow"), allow);
    }
}

#[tokio::test]
async fn the_base_path_moves_the_api_and_nothing_else() {
    let api = Api::start_with(&[("BASE_PATH", "/"), ("PAGES_PATH", "/pages")]).await;
    assert_eq!(api.client().post("/auth/logout").await.status, 200);
    assert_eq!(api.client().logout().await.status, 404);
    assert_eq!(api.client().get("/.well-known/jwks.json").await.status, 200);
}

#[tokio::test]
async fn valid_request_id_is_kept_and_any_other_replaced() {
    let api = Api::start().await;
    let long = "a".repeat(65);
    for (sent, kept) in [("b7e4-1.x_Y", true), (&long, false), ("a b", false), ("a\"b", false), ("", false)] {
        let mut client = api.client();
        let request = client.request(Method::GET, "/api/auth/self").header("x-request-id", sent);
        let response = client.send(request).await;
        let given = response.header("x-request-id");
        assert_eq!(given == sent, kept, "{sent} {given}");
        assert!((1..=64).contains(&given.len()), "{given}");
    }
    let ids = [api.client().get("/").await, api.client().get("/").await];
    assert_ne!(ids[0].header("x-request-id"), ids[1].header("x-request-id"));
}

#[tokio::test]
async fn public_keys_need_no_authentication() {
    let api = Api::start().await;
    let response = api.client().get("/.well-known/jwks.json").await;
    assert_eq!(response.header("cache-control"), "public, max-age=300");
    let set: JwkSet = serde_json::from_value(response.body).expect("a JWK set");
    assert_eq!(&set, api.state.tokens.keys.current().published());
    let key = &set.keys[0];
    assert_eq!(
        (key.alg.as_deref(), key.use_.as_deref(), key.kty.as_str()),
        (Some("RS256"), Some("sig"), "RSA")
    );
    assert!(!response.text.contains("\"d\""));
}

#[tokio::test]
async fn feed_omits_the_keys_that_the_filter_has() {
    let api = Api::start().await;
    let feed = async |query: &str| -> EdgeFeed {
        let response = api.internal().get(&format!("/internal/edge-feed{query}")).await;
        serde_json::from_value(response.body).expect("a feed")
    };
    let first = feed("").await;
    assert_eq!(first.keys.set.as_ref(), Some(api.state.tokens.keys.current().published()));
    assert_eq!(feed(&format!("?after=&keys={}", first.keys.etag)).await.keys.set, None);
    assert_eq!(feed("?after=0&keys=another").await.keys, first.keys);
    let twice = api.internal().get("/internal/edge-feed?keys=a&keys=b").await;
    twice.assert_rejected(400, "query_invalid");
}

#[tokio::test]
async fn feed_has_the_bans_for_filters_that_ask_for_them() {
    let api = Api::start().await;
    let feed = async |query: &str| -> EdgeFeed {
        let response = api.internal().get(&format!("/internal/edge-feed{query}")).await;
        serde_json::from_value(response.body).expect("a feed")
    };
    assert_eq!(feed("?after=&keys=").await.bans, None);
    let none = feed("?bans=").await.bans.expect("bans");
    assert_eq!(none.list, Some(Vec::new()));
    let until = api.clock.now() + time::Duration::minutes(10);
    for (network, scope, until) in [
        ("192.0.2.0/24", "credentials", until),
        ("2001:db8::/64", "refresh", until),
        ("198.51.100.7/32", "credentials", api.clock.now()),
    ] {
        let statement = "insert into bans (network, scope, until) values ($1::text::cidr, $2, $3)";
        let insert = sqlx::query(statement).bind(network).bind(scope).bind(until);
        insert.execute(&api.pool).await.expect("a ban");
    }
    let until = u32::try_from(until.unix_timestamp()).expect("a time") + u32::from(until.nanosecond() > 0);
    api.clock.advance(time::Duration::SECOND);
    let all = feed(&format!("?bans={}", none.etag)).await.bans.expect("bans");
    let list = [("192.0.2.0/24", BanScope::Credentials), ("2001:db8::/64", BanScope::Refresh)];
    assert_eq!(all.list, Some(list.map(|(network, scope)| Ban(network.into(), scope, until)).into()));
    let same = feed(&format!("?bans={}", all.etag)).await.bans.expect("bans");
    assert_eq!(same, BansAt { etag: all.etag, list: None });
}

#[tokio::test]
async fn ready_means_that_the_schema_supports_this_version() {
    let api = Api::start().await;
    assert_eq!(api.internal().get("/healthz").await.status, 200);
    assert_eq!(api.internal().get("/readyz").await.status, 200);
    let newer = "insert into _sqlx_migrations values (9999, 'from the future', now(), true, '', 0)";
    sqlx::query(newer).execute(&api.pool).await.expect("a row");
    assert_eq!(api.internal().get("/readyz").await.status, 200);
    let contract = "update oldest_version set migration = 9999";
    sqlx::query(contract).execute(&api.pool).await.expect("an update");
    assert_eq!(api.internal().get("/readyz").await.status, 200, "it is checked once a second");
    api.clock.advance(time::Duration::SECOND);
    api.internal().get("/readyz").await.assert_rejected(503, "not_ready");
    assert_eq!(api.internal().get("/healthz").await.status, 200);
}

#[tokio::test]
async fn service_that_is_about_to_stop_lets_go_of_its_clients() {
    let api = Api::start().await;
    let connection = async |path: &str| {
        api.client().get(path).await.headers.get("connection").map(|value| value.as_bytes().to_vec())
    };
    assert_eq!(connection("/api/auth/self").await, None);
    api.state.draining.start();
    assert_eq!(connection("/api/auth/self").await.as_deref(), Some(&b"close"[..]));
    assert_eq!(connection("/nowhere").await.as_deref(), Some(&b"close"[..]));
}

#[tokio::test]
async fn missing_database_causes_a_503() {
    let api = Api::start().await;
    api.state.db.close().await;
    api.client().register("ada@example.com").await.assert_rejected(503, "database_unavailable");

    let nowhere: PgConnectOptions = "postgres://ada@127.0.0.1:1/edgeward".parse().expect("an address");
    let refused = nowhere.connect().await.expect_err("no server listens there");
    assert_eq!(ApiError::from(Error::from(refused)).into_response().status(), 503);
}

#[tokio::test]
async fn lost_connection_or_held_lock_causes_a_503() {
    for terminated in [true, false] {
        let api = Api::start().await;
        let mut transaction = api.pool.begin().await.expect("a transaction");
        sqlx::query("lock table users").execute(&mut *transaction).await.expect("a lock");
        let mut client = api.client();
        let login = tokio::spawn(async move { client.login("ada@example.com", PASSWORD).await });
        api.wait_for_lock().await;
        if terminated {
            let terminate = "select pg_terminate_backend(pid) from pg_stat_activity
                             where datname = current_database() and wait_event_type = 'Lock'";
            sqlx::query(terminate).execute(&api.pool).await.expect("an end");
        }
        login.await.expect("a response").assert_rejected(503, "database_unavailable");
    }
}

#[tokio::test]
async fn only_the_internal_listener_speaks_http_2_besides_http_1() {
    let api = Api::start().await;
    let http2 = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let mut internal = api.internal();
    assert_eq!(internal.get("/healthz").await.status, 200);
    let request = internal.request(Method::GET, "/healthz").build().expect("a request");
    assert_eq!(http2.execute(request).await.expect("a response").status(), 200);

    let request = api.client().request(Method::GET, "/.well-known/jwks.json").build().expect("a request");
    http2.execute(request).await.expect_err("no HTTP/2");
    assert_eq!(api.client().get("/.well-known/jwks.json").await.status, 200);
}
