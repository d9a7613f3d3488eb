//! Attacks on the admin API and on the limits: spoofed addresses, forged devices and cursors, odd bodies, former
//! administrators, pages of other sites.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::raw::{exchange, head};
use reqwest::Method;
use serde_json::json;
use time::Duration;

const ADA: &str = "ada@example.com";
const WRONG: &str = "not the password";

/// Sends a login of somebody with these header lines, and returns its status.
async fn log_in_behind(api: &Api, somebody: usize, lines: &str) -> String {
    let body = json!({"email": format!("user{somebody}@example.com"), "password": WRONG}).to_string();
    let length = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let request = [&head("POST", "/api/auth/login", format!("{lines}{length}")), body.as_bytes()].concat();
    exchange(api.public_address(), &request).await.concat()
}

#[tokio::test]
async fn forwarded_addresses_of_a_client_give_it_no_other_bucket() {
    let spoofed = [
        "x-forwarded-for: 203.0.113.7\r\n",
        "x-forwarded-for: 198.51.100.1, 203.0.113.7\r\n",
        "x-forwarded-for: 198.51.100.2,198.51.100.3 ,203.0.113.7:4711\r\n",
        "x-forwarded-for: 198.51.100.4\r\nX-Forwarded-For: 203.0.113.7\r\n",
        "x-forwarded-for: ::ffff:203.0.113.7\r\n",
        "x-forwarded-for: [::ffff:203.0.113.7]:80\r\n",
        "x-forwarded-for: unknown, \"garbage, 203.0.113.7,, \r\n",
        "forwarded: for=198.51.100.5\r\nx-real-ip: 198.51.100.6\r\nx-forwarded-for: 203.0.113.7\r\n",
    ];
    let hidden = [
        "unknown",
        "_hidden",
        "203.0.113",
        "127.0.0.1.example",
        "' or 1=1 --",
        "[::1",
        "\u{e9}",
        "256.1.1.1",
    ];
    let hidden = hidden.map(|entry| format!("x-forwarded-for: {entry}\r\n"));
    let zones = ["fe80::1%eth0", "fe80::1%1", "[fe80::1%25eth0]", "fe80::2%eth0", "fe80::3"];
    let zones = zones.map(|entry| format!("x-forwarded-for: {entry}\r\n"));
    for (limit, lines) in [
        (spoofed.len(), spoofed.map(str::to_owned).to_vec()),
        (zones.len(), zones.to_vec()),
        // All clients whose address is hidden share the bucket of a network, which is ten times as large.
        (10, hidden.iter().chain(&hidden).take(10).cloned().collect()),
    ] {
        let setting = if limit == 10 { "1/1h".to_owned() } else { format!("{limit}/1h") };
        let api = Api::start_with(&[("LIMIT_ADDRESS", &setting)]).await;
        for (somebody, lines) in lines.iter().enumerate() {
            assert_eq!(log_in_behind(&api, somebody, lines).await, "401 credentials_wrong", "{lines}");
        }
        assert_eq!(log_in_behind(&api, 99, &lines[0]).await, "429 too_many_attempts", "{lines:?}");
    }
}

#[tokio::test]
async fn device_of_another_account_is_unknown_to_this_one() {
    let api = Api::start_with(&[("LIMIT_ACCOUNT", "1/1h")]).await;
    let cookie = |client: &Client| client.clone();
    let mut ada = api.registered(ADA).await;
    let bob = api.registered("bob@example.com").await;
    api.client().login(ADA, WRONG).await.assert_rejected(401, "credentials_wrong");
    let mut forged = api.client();
    forged.keep("device_token=eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.; Path=/");
    let mut truncated = cookie(&ada);
    truncated.keep("device_token=a.b; Path=/");
    for mut unknown in [cookie(&bob), forged, truncated] {
        unknown.login(ADA, PASSWORD).await.assert_rejected(429, "too_many_attempts");
    }
    let mut later = cookie(&ada);
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200, "the device is known");
    api.clock.advance(Duration::days(366));
    api.client().login(ADA, WRONG).await.assert_rejected(401, "credentials_wrong");
    later.login(ADA, PASSWORD).await.assert_rejected(429, "too_many_attempts");
}

#[tokio::test]
async fn cursor_that_was_made_up_is_rejected_or_is_a_place_in_the_list() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let huge = format!("{}.{}", i64::MIN, "9".repeat(40));
    for (cursor, users, audit) in [
        (encode(b"1."), 200, 400),
        (encode(b"1.1700000000000000"), 200, 200),
        (encode(b"9223372036854775807.0"), 200, 200),
        (encode(b"-9223372036854775808.0"), 200, 200),
        (encode(b"9223372036854775808.0"), 400, 400),
        (encode(huge.as_bytes()), 200, 400),
        (encode(b"1.' or 1=1 --"), 200, 400),
        (encode(b"1.%"), 200, 400),
        (encode(b"1.\0"), 400, 400),
        (encode(b"1.\xff"), 400, 400),
        (encode(b""), 400, 400),
        ("%00".to_owned(), 400, 400),
        ("%20".to_owned(), 400, 400),
        ("a".repeat(6000), 400, 400),
        (encode(&[b"1.".as_slice(), &b"z".repeat(4000)].concat()), 200, 400),
    ] {
        for (path, expected) in [("users?search=a&", users), ("users?", users), ("audit?", audit)] {
            let response = admin.get(&format!("/api/admin/{path}cursor={cursor}")).await;
            assert_eq!(response.status, expected, "{path} {cursor:.99}: {response}");
            if expected == 400 {
                assert_eq!(response.invalid_fields(), ["cursor: cursor_invalid"], "{cursor:.99}");
            }
        }
    }
}

#[tokio::test]
async fn search_takes_every_character_literally() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    api.add_users(1..=1, "A", r"100%_\").await;
    for (search, status, found) in [
        ("%25", 200, 0),
        ("_", 200, 0),
        ("%5C", 200, 0),
        ("100%25_%5C", 200, 1),
        ("1_0", 200, 0),
        ("%27%20or%201=1%20--", 200, 0),
        ("%ED%A0%80", 200, 0),
        ("%FF", 200, 0),
        ("%00", 400, 0),
        ("100%00", 400, 0),
        ("%E2%80%AE", 200, 2),
    ] {
        let response = admin.get(&format!("/api/admin/users?search={search}")).await;
        assert_eq!(response.status, status, "{search}: {response}");
        assert_eq!(response.body["users"].as_array().map_or(0, Vec::len), found, "{search}: {response}");
    }
}

#[tokio::test]
async fn sizes_and_numbers_out_of_range_are_rejected() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    for number in
        ["0", "-1", "101", "256", "65537", "18446744073709551616", "1e1", "0x10", "1.0", "%001", "10%00", "٣"]
    {
        for list in ["users", "audit"] {
            let response = admin.get(&format!("/api/admin/{list}?limit={number}")).await;
            assert_eq!(response.invalid_fields(), ["limit: limit_out_of_range"], "{number}");
        }
    }
    for id in ["0", "-1", "1%00", "1e0", "9223372036854775808", "18446744073709551617", "%EF%BC%91"] {
        admin.get(&format!("/api/admin/users/{id}")).await.assert_rejected(404, "not_found");
        let response = admin.get(&format!("/api/admin/audit?userId={id}")).await;
        assert_eq!(response.invalid_fields(), ["userId: user_id_malformed"], "{id}");
    }
}

#[tokio::test]
async fn odd_change_is_rejected_and_changes_nothing() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    api.registered(ADA).await;
    for (body, expected) in [
        (r#"{"role": "admin", "role": "seller", "role": "admin"}"#, "400 body_not_object"),
        (r#"{"role": "seller", "\u0072ole": "admin"}"#, "400 body_not_object"),
        (r#"{"role": "seller", "Role": "admin"}"#, "400 unknown"),
        (r#"{"role": "seller", "__proto__": {"role": "admin"}}"#, "400 unknown"),
        (r#"{"role": "seller", "id": 1}"#, "400 unknown"),
        (r#"{"role": "seller", "": null}"#, "400 unknown"),
        (r#"{"role": "seller\u0000"}"#, "400 role_malformed"),
        (r#"{"role": "\ud800"}"#, "400 body_not_object"),
        (r#"{"firstName": "\udfff\ud800"}"#, "400 body_not_object"),
        (r#"{"firstName": "A\u0000"}"#, "400 name_has_invisible_character"),
        (r#"{"\ud800": 1}"#, "400 body_not_object"),
        (r#"{"disabled": "true"}"#, "400 not_true_or_false"),
        (r#"{"disabled": 1}"#, "400 not_true_or_false"),
        (r#"[{"role": "admin"}]"#, "400 body_not_object"),
    ] {
        let request = admin.request(Method::PATCH, "/api/admin/users/2");
        let response = admin.send(request.header("content-type", "application/json").body(body)).await;
        let code = response.body["errors"][0]["code"].as_str().unwrap_or_default();
        assert_eq!(format!("{} {code}", response.status), expected, "{body}");
    }
    let user = admin.get("/api/admin/users/2").await.body["user"].clone();
    assert_eq!(
        (&user["role"], &user["firstName"], &user["disabled"]),
        (&json!("customer"), &json!("Ada"), &json!(false))
    );
}

#[tokio::test]
async fn former_administrator_can_do_nothing_with_an_unexpired_token() {
    let api = Api::start().await;
    let mut former = api.admin("former@example.com").await;
    api.admin("admin@example.com").await;
    let mut user = api.registered(ADA).await;
    let mut with_token = api.client();
    with_token.keep(&format!("access_token={}", former.cookies["access_token"]));
    // The gateway lets the token pass until its next poll, about a second later.
    api.set_role("former@example.com", "customer").await;
    for (method, path, body) in [
        (Method::GET, "/users", json!(null)),
        (Method::GET, "/audit", json!(null)),
        (Method::PATCH, "/users/3", json!({"role": "seller"})),
        (Method::PATCH, "/users/1", json!({"role": "admin"})),
        (Method::POST, "/users/3/sessions/end", json!({})),
        (Method::DELETE, "/users/3", json!(null)),
    ] {
        for client in [&mut former, &mut with_token] {
            let request = client.request(method.clone(), &format!("/api/admin{path}")).json(&body);
            let status = client.send(request).await.status;
            assert!([401, 403].contains(&status), "{method} {path}: {status}");
        }
    }
    assert_eq!(user.refresh().await.status, 200);
    assert_eq!(former.get("/api/auth/self").await.body["user"]["role"], "customer");
}

#[tokio::test]
async fn request_that_a_page_can_send_without_a_preflight_changes_nothing() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let mut user = api.registered(ADA).await;
    for kind in [
        "text/plain",
        "text/plain;application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/json, text/plain",
        "application/jsonp",
        "",
    ] {
        let request =
            admin.request(Method::POST, "/api/admin/users/2/sessions/end").header("content-type", kind);
        let request = request.header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
        admin.send(request.body("{}")).await.assert_rejected(415, "content_type_not_json");
    }
    for (name, value) in [("x-http-method-override", "DELETE"), ("x-method-override", "PATCH")] {
        let response = admin.call(Method::POST, "/api/admin/users/2?_method=DELETE", &[(name, value)]).await;
        response.assert_rejected(405, "method_not_allowed");
    }
    let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "DELETE")];
    let response = admin.call(Method::OPTIONS, "/api/admin/users/2", &preflight).await;
    assert!(!response.headers.contains_key("access-control-allow-origin"), "{response}");
    assert_eq!(user.refresh().await.status, 200);
}
