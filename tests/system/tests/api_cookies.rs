//! Cookies: which are read, their attributes, and requests with several of one name.

use edgeward_kit::api::Api;
use edgeward_kit::client::Client;
use insta::assert_snapshot;
use reqwest::Method;
use reqwest::header::{COOKIE, HeaderValue};

#[tokio::test]
async fn settings_determine_the_attributes_of_cookies() {
    let register = async |settings: &[(&str, &str)]| {
        Api::start_with(settings).await.client().register("ada@example.com").await
    };
    assert_snapshot!(register(&[("APP_ENV", "dev")]).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000
    set-cookie: device_token=[token]; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000

    {"message": "User registered successfully", "userId": 1}
    "#);
    assert_snapshot!(register(&[("COOKIE_PREFIX", "__Host-"), ("ACCESS_TTL_SECONDS", "600")]).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    set-cookie: __Host-access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600
    set-cookie: __Host-refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000
    set-cookie: __Secure-device_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000

    {"message": "User registered successfully", "userId": 1}
    "#);
    assert_snapshot!(register(&[("APP_ENV", "dev"), ("COOKIE_SAME_SITE", "strict")]).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000
    set-cookie: device_token=[token]; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000

    {"message": "User registered successfully", "userId": 1}
    "#);
    assert_snapshot!(register(&[("COOKIE_SAME_SITE", "none")]).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=2592000
    set-cookie: device_token=[token]; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=31536000

    {"message": "User registered successfully", "userId": 1}
    "#);
    assert_snapshot!(register(&[("COOKIE_DOMAIN", "example.com")]).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=2592000
    set-cookie: device_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=31536000

    {"message": "User registered successfully", "userId": 1}
    "#);
}

#[tokio::test]
async fn prefixed_cookies_are_the_only_ones_read() {
    let api = Api::start_with(&[("COOKIE_PREFIX", "__Host-")]).await;
    let mut ada = api.registered("ada@example.com").await;
    assert_eq!(ada.get("/api/auth/self").await.status, 200);
    assert_eq!(ada.refresh().await.status, 200);
    ada.cookies =
        ada.cookies.iter().map(|(name, value)| (name.replace("__Host-", ""), value.clone())).collect();
    assert_eq!(ada.get("/api/auth/self").await.status, 401);
    assert_eq!(ada.refresh().await.status, 401);
}

/// Sends a request with these `Cookie` fields alone, and returns the status.
async fn send(api: &Api, method: Method, path: &str, headers: &[Vec<u8>]) -> u16 {
    let mut client = api.client();
    let mut request = client.request(method, path);
    for header in headers {
        request = request.header(COOKIE, HeaderValue::from_bytes(header).expect("a header"));
    }
    client.send(request).await.status
}

#[tokio::test]
async fn cookie_beside_one_of_eight_bits_is_read() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let beside =
        |name: &str| [b"lang=\xe9; ".to_vec(), format!("{name}={}", ada.cookies[name]).into()].concat();
    assert_eq!(send(&api, Method::GET, "/api/auth/self", &[beside("access_token")]).await, 200);
    assert_eq!(send(&api, Method::POST, "/api/auth/logout", &[beside("refresh_token")]).await, 200);
    assert_eq!(ada.clone().refresh().await.status, 401);
}

#[tokio::test]
async fn repeated_cookies_authenticate_no_user_and_end_all_their_sessions() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let mallory = api.registered("mallory@example.com").await;
    let pair = |of: &Client, name: &str| format!("{name}={}", of.cookies[name]).into_bytes();
    let both = |name: &str, tossed: Vec<u8>| {
        [vec![tossed.clone(), pair(&ada, name)], vec![pair(&ada, name), tossed]]
    };
    for (method, path, name) in [
        (Method::GET, "/api/auth/self", "access_token"),
        (Method::POST, "/api/auth/refresh", "refresh_token"),
    ] {
        for tossed in [pair(&mallory, name), format!("{name}=").into_bytes()] {
            for headers in both(name, tossed) {
                assert_eq!(send(&api, method.clone(), path, &headers).await, 401);
                assert_eq!(send(&api, method.clone(), path, &[headers.join(&b"; "[..])]).await, 401);
            }
        }
        let same = [pair(&ada, "access_token"), pair(&ada, "access_token")];
        assert_eq!(send(&api, Method::GET, "/api/auth/self", &same).await, 200);
    }
    for headers in both("refresh_token", pair(&mallory, "refresh_token")) {
        assert_eq!(send(&api, Method::POST, "/api/auth/logout", &headers).await, 200);
        assert_eq!(ada.clone().refresh().await.status, 401);
    }
}
