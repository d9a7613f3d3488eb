//! Calls for signed-in users whose access token is gone or worth nothing: they go on if the session does.

use edgeward_tests::api::{Api, Client, PASSWORD};
use edgeward_tests::command::run;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use time::Duration;

const NOT_SIGNED_IN: &str = "Not signed in";

/// Every call for signed-in users, with the status of one that succeeds. There is no session of that number.
const CALLS: [(Method, &str, u16); 5] = [
    (Method::GET, "/api/auth/self", 200),
    (Method::GET, "/api/auth/sessions", 200),
    (Method::DELETE, "/api/auth/sessions", 200),
    (Method::DELETE, "/api/auth/sessions/999999", 404),
    (Method::POST, "/api/auth/logout-all", 200),
];

async fn call(client: &mut Client, method: &Method, path: &str) -> u16 {
    let request = client.request(method.clone(), path);
    client.send(request).await.status
}

#[tokio::test]
async fn every_signed_in_call_goes_on_without_an_access_token() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    for (method, path, status) in CALLS {
        let mut ada = api.client();
        ada.login("ada@example.com", PASSWORD).await;
        let mut alone = ada.clone_with(&["refresh_token"]);
        let request = alone.request(method, path);
        let answer = alone.send(request).await;
        assert_eq!((answer.status, answer.set_cookies().len()), (status, 2), "{path}");
        let is_over = path.ends_with("logout-all");
        assert_eq!(alone.cookies.is_empty(), is_over, "{path}");
        if !is_over {
            // The new access token by itself is good, and so is the new refresh token.
            let mut renewed = alone.clone_with(&["access_token"]);
            assert_eq!(call(&mut renewed, &Method::GET, "/api/auth/self").await, 200, "{path}");
            assert_eq!(alone.post("/api/auth/refresh").await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_good_access_token_brings_no_new_cookies() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    assert!(ada.get("/api/auth/self").await.set_cookies().is_empty());
}

#[tokio::test]
async fn an_expired_or_outdated_access_token_is_as_good_as_none() {
    let api = Api::start().await;
    api.clock.catch_up();
    let mut ada = api.registered("ada@example.com").await;
    api.clock.advance(Duration::hours(1));
    let answer = ada.get("/api/auth/self").await;
    assert_eq!((answer.status, answer.set_cookies().len()), (200, 2), "expired");

    api.clock.catch_up();
    let mut bob = api.registered("bob@example.com").await;
    assert!(run(&api.database.url, &["user", "set-role", "bob@example.com", "admin"], "").status.success());
    let answer = bob.get("/api/auth/self").await;
    assert_eq!((answer.status, answer.set_cookies().len()), (200, 2), "outdated");
    assert_eq!((&answer.body["user"]["role"], bob.role().as_str()), (&"admin".into(), "admin"));
}

#[tokio::test]
async fn an_access_token_that_is_not_ours_is_not_made_up_for() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let mut foreign = ada.clone();
    foreign.cookies.insert("access_token".to_owned(), ada.cookies["refresh_token"].clone());
    foreign.get("/api/auth/self").await.assert_refused(401, NOT_SIGNED_IN);
}

#[tokio::test]
async fn a_program_s_refused_token_is_not_made_up_for_by_cookies() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let old = ada.cookies["access_token"].clone();
    api.clock.advance(Duration::hours(1));
    for (sent, status) in [
        (format!("Bearer {old}"), 401),
        ("Bearer rubbish".to_owned(), 401),
        ("Bearer undefined".to_owned(), 200),
    ] {
        let mut browser = ada.clone_with(&["refresh_token"]);
        let request = browser.request(Method::GET, "/api/auth/self").header(AUTHORIZATION, &sent);
        assert_eq!(browser.send(request).await.status, status, "{sent}");
    }
}

#[tokio::test]
async fn a_session_that_is_over_goes_on_nowhere_and_its_cookies_stay() {
    let api = Api::start().await;
    for (method, path, _) in CALLS {
        let mut ada = api.client();
        ada.register(&format!("{}{}@example.com", method.as_str().to_lowercase(), path.len())).await;
        let mut kept = ada.clone();
        ada.post("/api/auth/logout").await;
        for cookies in [&["refresh_token"][..], &["access_token", "refresh_token"]] {
            let mut left = kept.clone_with(cookies);
            let request = left.request(method.clone(), path);
            left.send(request).await.assert_refused(401, NOT_SIGNED_IN);
        }
        kept.cookies.clear();
        let request = kept.request(method, path);
        kept.send(request).await.assert_refused(401, NOT_SIGNED_IN);
    }
}

#[tokio::test]
async fn tabs_that_ask_at_once_without_an_access_token_all_go_on() {
    const TABS: usize = 12;
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await.clone_with(&["refresh_token"]);
    let tabs: Vec<_> = (0..TABS)
        .map(|tab| {
            let mut tab_s = ada.clone();
            let path = ["/api/auth/self", "/api/auth/sessions"][tab % 2];
            tokio::spawn(async move { (tab_s.get(path).await.status, tab_s) })
        })
        .collect();
    for tab in tabs {
        let (status, mut heard) = tab.await.expect("an answer");
        assert_eq!(status, 200);
        // Whichever response came last, its cookies are good.
        assert_eq!(call(&mut heard, &Method::GET, "/api/auth/self").await, 200);
        assert_eq!(heard.post("/api/auth/refresh").await.status, 200);
    }
}
