//! What people see of their sessions, and what they end of them.

use edgeward_tests::api::{Api, Client, PASSWORD};
use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};
use time::Duration;

const NOT_SIGNED_IN: &str = "Not signed in";

/// Signs in from somewhere, with something.
async fn login(api: &Api, device: &str, address: &str) -> Client {
    let mut client = api.client();
    let request = client
        .request(Method::POST, "/api/auth/login")
        .header(USER_AGENT, device)
        .header("x-forwarded-for", address)
        .json(&json!({"email": "ada@example.com", "password": PASSWORD}));
    assert_eq!(client.send(request).await.status, 200);
    client
}

async fn list(client: &mut Client) -> Vec<Value> {
    let answer = client.get("/api/auth/sessions").await;
    assert_eq!((answer.status, &answer.body["message"]), (200, &json!("Sessions fetched successfully")));
    answer.body["sessions"].as_array().expect("a list").clone()
}

fn devices(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["device"].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn sessions_are_listed_with_where_they_were_started_and_when_they_were_used() {
    let api = Api::start().await;
    api.registered("bob@example.com").await;
    let mut ada = api.registered("ada@example.com").await;
    api.clock.advance(Duration::minutes(1));
    let mut phone = login(&api, " Phone\t 1 ", "198.51.100.1, 2001:db8:7:8::9").await;
    api.clock.advance(Duration::minutes(1));
    login(&api, &"x".repeat(300), "rubbish").await;
    api.clock.advance(Duration::minutes(1));
    phone.post("/api/auth/refresh").await;

    let sessions = list(&mut ada).await;
    let long = "x".repeat(120);
    assert_eq!(devices(&sessions), ["-", "Phone 1", &long]);
    let of = |name: &str| sessions.iter().map(|session| session[name].clone()).collect::<Vec<_>>();
    assert_eq!(
        of("addressPrefix"),
        [json!("127.0.0.0/24"), json!("2001:db8:7::/48"), Value::Null],
        "the peer's, the gateway's word, and nothing where the gateway does not know"
    );
    assert_eq!(of("current"), [true, false, false]);
    let at = |minute: &str| json!(format!("2030-01-01T00:{minute}:00.000Z"));
    assert_eq!(of("createdAt"), [at("00"), at("01"), at("02")]);
    assert_eq!(of("lastUsedAt"), [at("00"), at("03"), at("02")]);
    assert!(of("id").iter().all(Value::is_i64));
    assert_eq!(devices(&list(&mut phone).await), ["Phone 1", &long, "-"], "one's own comes first");
}

#[tokio::test]
async fn the_client_s_address_is_the_one_that_the_outermost_own_proxy_saw() {
    const FORGED: &str = "192.0.2.66";
    let through_two = format!("{FORGED}, [2001:db8:7::9]:41000, 10.0.0.2");
    for (hops, forwarded_for, expected) in [
        ("0", "203.0.113.9", "127.0.0.0/24"),
        ("1", "192.0.2.66, 203.0.113.9:41000", "203.0.113.0/24"),
        ("2", &*through_two, "2001:db8:7::/48"),
        ("3", "203.0.113.9, 10.0.0.2", "203.0.113.0/24"),
    ] {
        let api = Api::start_with(&[("TRUSTED_HOPS", hops)]).await;
        api.registered("ada@example.com").await;
        let mut ada = login(&api, "Phone", forwarded_for).await;
        assert_eq!(list(&mut ada).await[0]["addressPrefix"], expected, "{hops} {forwarded_for}");
    }
}

#[tokio::test]
async fn a_session_is_ended_by_its_own_user_alone_and_at_the_edge_too() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    let mut phone = login(&api, "Phone", "198.51.100.1").await;
    let id = list(&mut ada).await[1]["id"].clone();
    let path = format!("/api/auth/sessions/{id}");
    for path in
        [&path, "/api/auth/sessions/999", "/api/auth/sessions/x", "/api/auth/sessions/99999999999999999999"]
    {
        bob.delete(path).await.assert_refused(404, "Not found");
    }
    let answer = ada.delete(&path).await;
    assert_eq!((answer.status, answer.body), (200, json!({"message": "Session ended successfully"})));
    ada.delete(&path).await.assert_refused(404, "Not found");
    phone.get("/api/auth/self").await.assert_refused(401, NOT_SIGNED_IN);
    phone.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
    let revoked =
        sqlx::query_scalar::<_, i64>("select session_id from revocations").fetch_all(&api.pool).await;
    assert_eq!(json!(revoked.expect("revocations")), json!([id]));
    assert_eq!((list(&mut ada).await.len(), list(&mut bob).await.len()), (1, 1));
}

#[tokio::test]
async fn the_end_of_ones_own_session_clears_both_cookies() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    for cookies in [&["access_token", "refresh_token"][..], &["access_token"], &["refresh_token"]] {
        let mut ada = login(&api, "Phone", "::1").await;
        let path = format!("/api/auth/sessions/{}", list(&mut ada).await[0]["id"]);
        let mut browser = ada.clone_with(cookies);
        let answer = browser.delete(&path).await;
        let cleared = answer.set_cookies().iter().filter(|cookie| cookie.contains("Max-Age=0")).count();
        assert_eq!((answer.status, answer.set_cookies().len(), cleared), (200, 2, 2), "{cookies:?}");
        assert!(browser.cookies.is_empty(), "{cookies:?}");
        ada.get("/api/auth/self").await.assert_refused(401, NOT_SIGNED_IN);
        ada.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
    }
}

#[tokio::test]
async fn the_end_of_another_session_clears_no_cookies() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    for (cookies, renewed) in [(&["access_token", "refresh_token"][..], 0), (&["refresh_token"], 2)] {
        login(&api, "Phone", "::1").await;
        let path = format!("/api/auth/sessions/{}", list(&mut ada).await[1]["id"]);
        let mut browser = ada.clone_with(cookies);
        let answer = browser.delete(&path).await;
        assert_eq!((answer.status, answer.set_cookies().len()), (200, renewed), "{cookies:?}");
        assert_eq!(browser.get("/api/auth/self").await.status, 200, "{cookies:?}");
    }
}

#[tokio::test]
async fn all_others_end_and_ones_own_goes_on() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    let mut others = [login(&api, "Phone", "::1").await, login(&api, "Laptop", "::1").await];
    for _ in 0..2 {
        let answer = ada.delete("/api/auth/sessions").await;
        assert_eq!(
            (answer.status, answer.body),
            (200, json!({"message": "Other sessions ended successfully"}))
        );
    }
    for other in &mut others {
        other.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
    }
    let revoked = sqlx::query_scalar::<_, i64>("select count(*) from revocations").fetch_one(&api.pool).await;
    assert_eq!(revoked.expect("a count"), 2);
    assert_eq!((list(&mut ada).await.len(), list(&mut bob).await.len()), (1, 1));
    assert_eq!(ada.post("/api/auth/refresh").await.status, 200);
}

#[tokio::test]
async fn who_is_not_signed_in_any_more_sees_and_ends_nothing() {
    let api = Api::start().await;
    let mut nobody = api.client();
    let mut gone = api.registered("ada@example.com").await;
    let mut ada = login(&api, "Phone", "::1").await;
    gone.clone().post("/api/auth/logout").await;
    for client in [&mut nobody, &mut gone] {
        client.get("/api/auth/sessions").await.assert_refused(401, NOT_SIGNED_IN);
        client.delete("/api/auth/sessions").await.assert_refused(401, NOT_SIGNED_IN);
        client.delete("/api/auth/sessions/2").await.assert_refused(401, NOT_SIGNED_IN);
    }
    assert_eq!(list(&mut ada).await.len(), 1);
}

#[tokio::test]
async fn a_session_that_has_expired_is_not_listed() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    api.clock.advance(Duration::days(30));
    let mut ada = login(&api, "Phone", "::1").await;
    assert_eq!(devices(&list(&mut ada).await), ["Phone"]);
}
