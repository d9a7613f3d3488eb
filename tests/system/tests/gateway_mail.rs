//! Effects of mails at the edge, through the real Envoy with two workers.

use std::time::{Duration, Instant};

use edgeward_kit::client::PASSWORD;
use edgeward_kit::journey::load::until;
use edgeward_kit::journey::{client, registered, stack};
use edgeward_stack::inbox::Mail;
use serde_json::json;

const NEW: &str = "a lantern for every window";
/// Time within which a change is in force at the edge.
const LIMIT: Duration = Duration::from_secs(2);

/// Waits for a mail to an address, by a part of its subject.
async fn mail(to: &str, subject: &str) -> Mail {
    let inbox = stack().inbox().expect("an inbox");
    let find = || inbox.mails().into_iter().rfind(|mail| mail.to == to && mail.subject.contains(subject));
    until("the mail", async || find().is_some()).await;
    find().expect("a mail")
}

async fn status(token: &str) -> u16 {
    let mut client = client(false);
    client.cookies.insert("access_token".to_owned(), token.to_owned());
    client.get("/orders").await.status
}

/// Fails unless a token is rejected within two seconds of `since`, over 16 connections in a row, which reach every worker with
/// near certainty.
async fn assert_rejected_in_time(token: &str, since: Instant) {
    let mut rejected = 0;
    let mut first = since.elapsed();
    while rejected < 16 {
        if status(token).await == 401 {
            if rejected == 0 {
                first = since.elapsed();
            }
            rejected += 1;
        } else {
            rejected = 0;
        }
        assert!(
            rejected > 0 || since.elapsed() < LIMIT,
            "the token is still accepted after {:?}",
            since.elapsed()
        );
    }
    println!("rejected by every worker after {first:?}");
}

#[tokio::test]
async fn reset_is_in_force_at_the_edge_within_two_seconds() {
    let user = registered(false).await;
    let token = user.cookies["access_token"].clone();
    assert_eq!(status(&token).await, 200);
    let mut elsewhere = client(false);
    let requested = elsewhere.post_json("/api/auth/password-reset", &json!({"email": user.email})).await;
    assert_eq!(requested.status, 202, "{requested}");
    let mail = mail(&user.email, "set a new password").await;
    let gateway = format!("http://127.0.0.1:{}", stack().ports().gateway);
    let path =
        mail.link().and_then(|link| link.strip_prefix(&gateway)).expect("a link to the gateway").to_owned();
    for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
        assert_eq!(
            elsewhere.call(method, &path, &[]).await.status,
            200,
            "the gateway serves it to everybody"
        );
    }
    let fields = [("token", mail.token().expect("a link")), ("password", NEW)];
    let done = elsewhere.submit(&path, "/auth/reset-password", &fields).await;
    let since = Instant::now();
    assert_eq!(done.status, 200, "{done}");
    assert_rejected_in_time(&token, since).await;
    assert_eq!(client(false).login(&user.email, NEW).await.status, 200);
}

#[tokio::test]
async fn disowned_sign_in_ends_at_the_edge_within_two_seconds() {
    let user = registered(false).await;
    let mut thief = client(false);
    assert_eq!(thief.login(&user.email, PASSWORD).await.status, 200);
    let token = thief.cookies["access_token"].clone();
    assert_eq!(status(&token).await, 200);
    let mail = mail(&user.email, "new sign-in").await;
    let body = json!({"purpose": "disown_sign_in", "token": mail.token()});
    let done = client(false).post_json("/api/auth/mail/confirm", &body).await;
    let since = Instant::now();
    assert_eq!(done.status, 200, "{done}");
    assert_rejected_in_time(&token, since).await;
}
