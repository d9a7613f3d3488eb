//! Admin API: authorization, the list of users, and changes of one.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// Every route of the admin API, for the user 1.
const ROUTES: [(&str, &str); 8] = [
    ("GET", "/api/admin/users"),
    ("GET", "/api/admin/users/1"),
    ("PATCH", "/api/admin/users/1"),
    ("DELETE", "/api/admin/users/1"),
    ("GET", "/api/admin/users/1/sessions"),
    ("POST", "/api/admin/users/1/sessions/end"),
    ("DELETE", "/api/admin/users/1/sessions/1"),
    ("GET", "/api/admin/audit"),
];

async fn send(client: &mut Client, (method, path): (&str, &str)) -> Response {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = client.request(method, path).header(CONTENT_TYPE, "application/json");
    client.send(request).await
}

/// Returns the addresses in a list, in its order.
async fn emails(client: &mut Client, query: &str) -> Vec<String> {
    let response = client.get(&format!("/api/admin/users?{query}")).await;
    assert_eq!(response.status, 200, "{response}");
    let users = response.body["users"].as_array().expect("users");
    users.iter().map(|user| user["email"].as_str().expect("an address").to_owned()).collect()
}

/// Returns what the audit log has of administrators: event, user, session, details.
async fn audit(client: &mut Client) -> Vec<Value> {
    let response = client.get("/api/admin/audit?actor=admin").await;
    assert_eq!(response.status, 200, "{response}");
    let entries = response.body["entries"].as_array().expect("entries").iter().rev();
    entries
        .map(|entry| json!([entry["event"], entry["userId"], entry["sessionId"], entry["details"]]))
        .collect()
}

#[tokio::test]
async fn administrators_alone_are_let_in_and_former_ones_are_not() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    for route in ROUTES {
        send(&mut api.client(), route).await.assert_rejected(401, "not_signed_in");
        send(&mut ada, route).await.assert_rejected(403, "not_allowed");
    }
    api.set_role("ada@example.com", "admin").await;
    assert_eq!(ada.get("/api/admin/users").await.status, 200);
    api.set_role("ada@example.com", "administrator").await;
    for route in ROUTES {
        let response = send(&mut ada, route).await;
        assert_eq!((response.status, &response.body["errors"][0]["code"]), (403, &json!("not_allowed")));
    }
    api.client()
        .call(Method::PUT, "/api/admin/users/1", &[])
        .await
        .assert_rejected(405, "method_not_allowed");
    api.client().get("/api/admin").await.assert_rejected(404, "not_found");
}

#[tokio::test]
async fn pages_have_every_user_once_while_others_are_added() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    api.add_users(2..=120, "Ada", "Lovelace").await;
    for search in ["", "search=love&"] {
        let (mut seen, mut cursor, mut more) = (Vec::new(), String::new(), 1000);
        loop {
            let response = admin.get(&format!("/api/admin/users?{search}limit=50{cursor}")).await;
            let users = response.body["users"].as_array().expect("users");
            seen.extend(users.iter().map(|user| user["id"].as_i64().expect("an ID")));
            let Some(next) = response.body["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            // After what was seen: in a list by ID, and by name for those with the same.
            api.add_users(more..=more + 9, "Ada", "Lovelace").await;
            more += 10;
        }
        let mut ids = seen.clone();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), seen.len(), "{search}: none twice");
        assert!((2..=120).all(|id| ids.contains(&id)), "{search}: {ids:?}");
        api.delete_added_users(1000).await;
    }
}

#[tokio::test]
async fn search_is_by_literal_prefix_or_by_id() {
    let api = Api::start().await;
    let mut admin = api.admin("zoe@example.com").await;
    for (number, last_name) in
        [(1, "O'Brien"), (2, "100%"), (3, "a_b"), (4, "a\\b"), (5, "Ångström"), (6, "User2Name")]
    {
        api.add_users(number..=number, "Ada", last_name).await;
    }
    for (search, found) in [
        ("zoe", &["zoe@example.com"][..]),
        ("ZOE@EXAMPLE.COM", &["zoe@example.com"]),
        ("zoe@example.com%", &[]),
        ("o'b", &["user1@example.com"]),
        ("o%27 or 1=1 --", &[]),
        ("100%25", &["user2@example.com"]),
        ("10_", &[]),
        ("a_", &["user3@example.com"]),
        ("a%25", &[]),
        ("a\\", &["user4@example.com"]),
        ("a", &["user4@example.com", "user3@example.com"]),
        ("Ångs", &["user5@example.com"]),
        ("%C3%85NGS", &["user5@example.com"]),
        ("user2", &["user2@example.com", "user6@example.com"]),
        ("1", &["zoe@example.com"]),
        ("0", &[]),
        ("brien", &[]),
        ("%20zoe%20", &["zoe@example.com"]),
    ] {
        assert_eq!(emails(&mut admin, &format!("search={search}")).await, found, "{search}");
    }
    assert_eq!(emails(&mut admin, "search=%20").await.len(), 7);
}

#[tokio::test]
async fn list_is_filtered_by_role_and_state() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    api.add_users(1..=3, "Ada", "Lovelace").await;
    api.set_role("user2@example.com", "seller").await;
    api.disable("user2@example.com").await;
    api.disable("user3@example.com").await;
    for (query, found) in [
        ("role=admin", &["admin@example.com"][..]),
        ("role=seller", &["user2@example.com"]),
        ("role=seller&disabled=false", &[]),
        ("disabled=true", &["user2@example.com", "user3@example.com"]),
        ("disabled=false", &["admin@example.com", "user1@example.com"]),
        ("disabled=true&search=user3", &["user3@example.com"]),
        ("role=seller&search=love", &["user2@example.com"]),
        ("role=admin&search=2", &[]),
    ] {
        assert_eq!(emails(&mut admin, query).await, found, "{query}");
    }
}

#[tokio::test]
async fn every_mistake_in_a_query_is_named() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let mut check = async |path: &str, expected: &[&str]| {
        let response = admin.get(&format!("/api/admin/{path}")).await;
        assert_eq!(response.invalid_fields(), expected, "{path}");
        assert!(!response.text.contains("hunter2"), "{response}");
    };
    check(
        "users?search=a%00b&role=Hunter2&disabled=hunter2&cursor=hunter2&limit=101&sort=hunter2&role2=",
        &[
            "search: search_has_invisible_character",
            "role: role_malformed",
            "disabled: not_true_or_false",
            "cursor: cursor_invalid",
            "limit: limit_out_of_range",
            "role2: unknown",
            "sort: unknown",
        ],
    )
    .await;
    check("users?role=", &["role: role_malformed"]).await;
    check("users?limit=0", &["limit: limit_out_of_range"]).await;
    check(
        "audit?userId=ada&event=hunter2&actor=root&from=yesterday&until=2030-02-30&cursor=eA",
        &[
            "userId: user_id_malformed",
            "event: event_unknown",
            "actor: actor_unknown",
            "from: time_malformed",
            "until: time_malformed",
            "cursor: cursor_invalid",
        ],
    )
    .await;
    admin.get("/api/admin/users?role=a&role=b").await.assert_rejected(400, "query_invalid");
}

#[tokio::test]
async fn user_is_shown_and_an_unknown_one_is_not_found() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let response = admin.get("/api/admin/users/1").await;
    assert_eq!(
        response.body,
        json!({"message": "User fetched successfully", "user": {
            "id": 1, "firstName": "Ada", "lastName": "Lovelace", "email": "admin@example.com", "role": "admin",
            "disabled": false, "disabledAt": null,
            "createdAt": "2030-01-01T00:00:00.000Z", "updatedAt": "2030-01-01T00:00:00.000Z"}})
    );
    for id in ["2", "0", "-1", "01", "ada", "9223372036854775808", "%ff", "1%2f"] {
        for route in ["", "/sessions"] {
            admin.get(&format!("/api/admin/users/{id}{route}")).await.assert_rejected(404, "not_found");
        }
    }
    for (method, path) in [
        ("PATCH", "/api/admin/users/2"),
        ("DELETE", "/api/admin/users/2"),
        ("POST", "/api/admin/users/2/sessions/end"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = admin.request(method, path).json(&json!({"ids": [1]}));
        let request = if path.ends_with("/2") { request.body("{}") } else { request };
        admin.send(request).await.assert_rejected(404, "not_found");
    }
}

// holds: promise 11
#[tokio::test]
async fn change_is_made_at_once_and_recorded_with_the_administrator() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    let before = api.logged_in("bob@example.com").await.cookies.clone();

    let names = json!({"firstName": " Bob ", "lastName": "Doe"});
    let changed = admin.patch_json("/api/admin/users/2", &names).await;
    assert_eq!(changed.body["user"]["firstName"], "Bob", "{changed}");
    let changed = admin.patch_json("/api/admin/users/2", &json!({"role": "seller"})).await;
    assert_eq!(
        (&changed.body["user"]["role"], &changed.body["sessionsEnded"]),
        (&json!("seller"), &json!(0))
    );
    let own = bob.get("/api/auth/self").await.body["user"].clone();
    assert_eq!(json!([own["firstName"], own["lastName"], own["role"]]), json!(["Bob", "Doe", "seller"]));

    let changed = admin.patch_json("/api/admin/users/2", &json!({"disabled": true, "role": "buyer"})).await;
    assert_eq!(
        (&changed.body["user"]["disabled"], &changed.body["sessionsEnded"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(bob.get("/api/auth/self").await.status, 401);
    api.client().login("bob@example.com", PASSWORD).await.assert_rejected(403, "account_disabled");
    let changed = admin.patch_json("/api/admin/users/2", &json!({"disabled": false})).await;
    assert_eq!(changed.body["user"]["disabledAt"], Value::Null);
    api.logged_in("bob@example.com").await;

    let deleted = admin.delete("/api/admin/users/2").await;
    assert_eq!((deleted.status, &deleted.body["sessionsEnded"]), (200, &json!(1)), "{deleted}");
    assert_eq!(deleted.body["user"]["email"], "bob@example.com");
    admin.delete("/api/admin/users/2").await.assert_rejected(404, "not_found");
    let mut late = api.client();
    late.cookies = before;
    assert_eq!(late.refresh().await.status, 401);

    let nothing = admin.patch_json("/api/admin/users/1", &json!({})).await;
    assert_eq!((nothing.status, &nothing.body["user"]["role"]), (200, &json!("admin")));
    assert_eq!(
        audit(&mut admin).await,
        [
            json!(["name_changed", 2, null, {"by": 1}]),
            json!(["role_changed", 2, null, {"by": 1, "role": "seller"}]),
            json!(["role_changed", 2, null, {"by": 1, "role": "buyer"}]),
            json!(["user_disabled", 2, null, {"by": 1, "sessions_ended": 2}]),
            json!(["user_enabled", 2, null, {"by": 1}]),
            json!(["user_deleted", 2, null, {"by": 1, "sessions_ended": 1}]),
        ]
    );
}

#[tokio::test]
async fn every_mistake_in_a_change_is_named_and_nothing_is_changed() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let before = admin.get("/api/admin/users/1").await.body;
    for (body, expected) in [
        (
            json!({"role": "Hunter2", "disabled": "hunter2", "firstName": " ", "lastName": 7, "email": "a@b.c"}),
            &[
                "role: role_malformed",
                "disabled: not_true_or_false",
                "firstName: required",
                "lastName: not_text",
                "email: unknown",
            ][..],
        ),
        (json!({"firstName": "Eve", "Role": "customer"}), &["Role: unknown"]),
        (
            json!({"firstName": null, "disabled": null}),
            &["disabled: not_true_or_false", "firstName: not_text"],
        ),
        (json!({"role": "x".repeat(65)}), &["role: role_malformed"]),
    ] {
        let response = admin.patch_json("/api/admin/users/1", &body).await;
        assert_eq!(response.invalid_fields(), expected, "{body}");
        assert!(!response.text.contains("hunter2"), "{response}");
    }
    let many: Value = (0..5000).map(|number| (format!("{number:04}"), Value::Null)).collect();
    assert_eq!(admin.patch_json("/api/admin/users/1", &many).await.invalid_fields().len(), 10);
    let request = admin.request(Method::PATCH, "/api/admin/users/1").body(r#"{"role": "customer"}"#);
    admin.send(request).await.assert_rejected(415, "content_type_not_json");
    assert_eq!(admin.get("/api/admin/users/1").await.body, before);
}
