//! Whose cookies are read, how they are marked, and what a request with too many of them comes to.

use edgeward_tests::api::{Api, Client};
use reqwest::Method;
use reqwest::header::{COOKIE, HeaderValue};

async fn refresh(client: &mut Client) -> u16 {
    client.post("/api/auth/refresh").await.status
}

#[tokio::test]
async fn cookies_are_marked_as_the_settings_say() {
    let access = |settings: &'static [(&'static str, &'static str)]| async move {
        let api = Api::start_with(settings).await;
        let answer = api.client().register("ada@example.com").await;
        let cookie = answer.set_cookies()[0];
        let (name, rest) = cookie.split_once('=').expect("a name");
        let (_, marks) = rest.split_once(';').expect("marks");
        format!("{name}{marks}")
    };
    let dev = access(&[("APP_ENV", "dev")]).await;
    assert_eq!(dev, "access_token HttpOnly; SameSite=Lax; Path=/; Max-Age=3600");
    let host = access(&[("COOKIE_PREFIX", "__Host-"), ("ACCESS_TTL_SECONDS", "600")]).await;
    assert_eq!(host, "__Host-access_token HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600");
    let strict = access(&[("APP_ENV", "dev"), ("COOKIE_SAME_SITE", "strict")]).await;
    assert_eq!(strict, "access_token HttpOnly; SameSite=Strict; Path=/; Max-Age=3600");
    let every_site = access(&[("COOKIE_SAME_SITE", "none")]).await;
    assert_eq!(every_site, "access_token HttpOnly; SameSite=None; Secure; Path=/; Max-Age=3600");
    let domain = access(&[("COOKIE_DOMAIN", "example.com")]).await;
    assert_eq!(
        domain,
        "access_token HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=3600"
    );
}

#[tokio::test]
async fn prefixed_cookies_are_the_only_ones_read() {
    let api = Api::start_with(&[("COOKIE_PREFIX", "__Host-")]).await;
    let mut ada = api.registered("ada@example.com").await;
    assert_eq!(ada.get("/api/auth/self").await.status, 200);
    assert_eq!(refresh(&mut ada).await, 200);
    ada.cookies =
        ada.cookies.iter().map(|(name, value)| (name.replace("__Host-", ""), value.clone())).collect();
    assert_eq!(ada.get("/api/auth/self").await.status, 401);
    assert_eq!(refresh(&mut ada).await, 401);
}

/// Asks with these `Cookie` headers alone; gives the status.
async fn ask(api: &Api, method: Method, path: &str, headers: &[Vec<u8>]) -> u16 {
    let mut client = api.client();
    let mut request = client.request(method, path);
    for header in headers {
        request = request.header(COOKIE, HeaderValue::from_bytes(header).expect("a header"));
    }
    client.send(request).await.status
}

#[tokio::test]
async fn a_neighbour_of_eight_bits_hides_no_cookie() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let beside =
        |name: &str| [b"lang=\xe9; ".to_vec(), format!("{name}={}", ada.cookies[name]).into()].concat();
    assert_eq!(ask(&api, Method::GET, "/api/auth/self", &[beside("access_token")]).await, 200);
    assert_eq!(ask(&api, Method::POST, "/api/auth/logout", &[beside("refresh_token")]).await, 200);
    assert_eq!(refresh(&mut ada.clone()).await, 401);
}

#[tokio::test]
async fn of_repeated_cookies_none_signs_in_and_all_end_their_sessions() {
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
                assert_eq!(ask(&api, method.clone(), path, &headers).await, 401);
                assert_eq!(ask(&api, method.clone(), path, &[headers.join(&b"; "[..])]).await, 401);
            }
        }
        let same = [pair(&ada, "access_token"), pair(&ada, "access_token")];
        assert_eq!(ask(&api, Method::GET, "/api/auth/self", &same).await, 200);
    }
    for headers in both("refresh_token", pair(&mallory, "refresh_token")) {
        assert_eq!(ask(&api, Method::POST, "/api/auth/logout", &headers).await, 200);
        assert_eq!(refresh(&mut ada.clone()).await, 401);
    }
}
