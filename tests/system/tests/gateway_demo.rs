//! Demo of the upstream through the real gateway: its page for browsers, its files, its stream, and the JSON for all others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use edgeward_kit::client::{Client, Response};
use edgeward_kit::journey::{client, received, registered, stack};
use reqwest::Method;

/// Maximum time without a byte. The stream has a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(30);

/// Navigates as Chromium does.
async fn open(user: &mut Client, path: &str) -> Response {
    let headers = [
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    user.call(Method::GET, path, &headers).await
}

#[tokio::test]
async fn page_shows_the_identity_and_no_token() {
    let mut user = registered(false).await;
    let page = open(&mut user, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let claims = user.claims();
    for (field, value) in
        [("x-user-id", claims.sub), ("x-user-role", claims.role), ("x-session-id", claims.sid.to_string())]
    {
        let row = format!("<dt>{field}</dt>");
        let shown = page.text.split_once(&row).unwrap().1.split_once("</dd>").unwrap().0;
        assert!(shown.ends_with(&format!(">{value}")), "{field}: {shown}");
    }
    for token in user.cookies.values() {
        assert!(!page.text.contains(token.as_str()), "a token reached the upstream");
    }
}

#[tokio::test]
async fn page_for_nobody_leads_to_sign_in_and_registration() {
    let mut nobody = client(false);
    let page = open(&mut nobody, "/public/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Nobody is signed in"), "{}", page.text);
    for link in ["/auth/sign-in?return_to=/", "/auth/register?return_to=/"] {
        assert!(page.text.contains(&format!("href=\"{link}\"")), "{link}");
        assert_eq!(open(&mut nobody, link).await.status, 200, "{link}");
    }
    assert_eq!(open(&mut nobody, "/").await.status, 302, "the front page requires a session");
}

#[tokio::test]
async fn page_and_its_files_run_nothing_foreign() {
    let mut nobody = client(false);
    let page = open(&mut nobody, "/public/").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("cache-control"), "no-store");
    for inline in ["style=", "<style", "<script>", " onclick", "javascript:"] {
        assert!(!page.text.contains(inline), "{inline}");
    }
    for (path, content_type) in [
        ("/public/demo.css", "text/css; charset=utf-8"),
        ("/public/demo.js", "text/javascript; charset=utf-8"),
        ("/public/demo.svg", "image/svg+xml"),
    ] {
        assert!(page.text.contains(&format!("\"{path}\"")), "{path}");
        let file = nobody.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("content-type"), content_type);
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn json_is_for_clients_without_a_preference() {
    let mut user = registered(false).await;
    for accept in [None, Some("*/*"), Some("application/json"), Some("application/json, text/html;q=0.9")] {
        let headers: Vec<(&str, &str)> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let response = user.call(Method::POST, "/orders?page=2", &headers).await;
        assert_eq!(response.header("vary"), "accept");
        let echo = received(response);
        assert_eq!(echo["method"], "POST", "{accept:?}");
        assert_eq!(echo["path"], "/orders?page=2");
        assert_eq!(echo["headers"]["x-user-role"][0], "customer");
        assert_eq!(echo["body_bytes"], 0);
    }
}

#[tokio::test]
async fn lost_access_token_is_renewed_and_the_response_shows_it() {
    let mut user = registered(false).await;
    assert_eq!(user.get("/orders").await.header("cache-control"), "");
    let response = user.call(Method::POST, "/demo/drop-token", &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(response.status, 303);
    assert_eq!(user.cookies.get("access_token"), None);
    let response = user.get("/orders").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("cache-control"), "no-store", "the page tells the refresh from this");
    assert!(user.cookies.contains_key("access_token"));
}

#[tokio::test]
async fn demo_s_stream_begins_with_the_identity_and_ends_with_the_session() {
    let mut user = registered(false).await;
    let mut stream = TcpStream::connect(("127.0.0.1", stack().ports().gateway)).unwrap();
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let cookie = user.cookie();
    write!(stream, "GET /demo/stream HTTP/1.1\r\nhost: shop.example\r\ncookie: {cookie}\r\n\r\n").unwrap();
    let mut text = String::new();
    while !text.contains("\n\n\r\n") {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert_ne!(count, 0, "the stream ended: {text}");
        text += str::from_utf8(&bytes[..count]).unwrap();
    }
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(text.contains("event: identity\n"), "{text}");
    assert!(text.contains(&format!(r#""user":"{}""#, user.claims().sub)), "{text}");
    assert_eq!(user.logout().await.status, 200);
    let mut end = String::new();
    stream.read_to_string(&mut end).unwrap();
    assert!(!end.ends_with("0\r\n\r\n"), "the gateway cuts the stream, the upstream did not end it");
    assert_eq!(client(false).get("/demo/stream").await.status, 401);
}
