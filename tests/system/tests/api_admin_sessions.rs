//! Sessions of users and the audit log in the admin API, and the commands for them.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, Response};
use edgeward_kit::command::run;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use time::Duration;

async fn audit(client: &mut Client, query: &str) -> Response {
    let response = client.get(&format!("/api/admin/audit?{query}")).await;
    assert_eq!(response.status, 200, "{query}: {response}");
    response
}

/// Returns the IDs of the entries, in their order.
fn ids(response: &Response) -> Vec<i64> {
    let entries = response.body["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["id"].as_i64().expect("an ID")).collect()
}

async fn sessions(client: &mut Client, user: i64) -> Vec<Value> {
    let response = client.get(&format!("/api/admin/users/{user}/sessions")).await;
    let listed = response.body["sessions"].as_array().unwrap_or_else(|| panic!("{response}"));
    listed.iter().map(|session| json!([session["id"], session["current"]])).collect()
}

/// Sends the end of sessions of the user 2.
async fn end(client: &mut Client, body: &str) -> Response {
    let request = client.request(Method::POST, "/api/admin/users/2/sessions/end");
    let request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
    client.send(request).await
}

#[tokio::test]
async fn sessions_of_a_user_are_listed_and_ended() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let mut devices = vec![api.registered("bob@example.com").await];
    for _ in 0..4 {
        api.clock.advance(Duration::seconds(1));
        devices.push(api.logged_in("bob@example.com").await);
    }
    let listed = |ids: &[i64]| ids.iter().map(|id| json!([id, false])).collect::<Vec<_>>();
    assert_eq!(sessions(&mut admin, 2).await, listed(&[7, 6, 5, 4, 3]));
    assert_eq!(sessions(&mut admin, 1).await, [json!([2, true]), json!([1, false])]);

    assert_eq!(admin.delete("/api/admin/users/2/sessions/7").await.status, 200);
    for other in
        ["/api/admin/users/2/sessions/7", "/api/admin/users/2/sessions/2", "/api/admin/users/2/sessions/x"]
    {
        admin.delete(other).await.assert_rejected(404, "not_found");
    }
    // The administrator's own session is not one of this user's.
    let ended = end(&mut admin, r#"{"ids": [6, 5.0, 6, 2, 99]}"#).await;
    assert_eq!(ended.body, json!({"message": "Sessions ended successfully", "sessionsEnded": 2}));
    assert_eq!(sessions(&mut admin, 2).await, listed(&[4, 3]));
    assert_eq!(api.revoked_sessions().await, [7, 5, 6]);
    assert_eq!(devices[4].get("/api/auth/self").await.status, 401);
    assert_eq!(devices[1].get("/api/auth/self").await.status, 200);

    let ended = end(&mut admin, "{}").await;
    assert_eq!(ended.body["sessionsEnded"], 2);
    assert_eq!(sessions(&mut admin, 2).await, listed(&[]));
    assert_eq!(devices[1].refresh().await.status, 401);

    let response = audit(&mut admin, "actor=admin").await;
    let entries = response.body["entries"].as_array().expect("entries").iter().rev();
    let entries =
        entries.map(|entry| json!([entry["event"], entry["userId"], entry["sessionId"], entry["details"]]));
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [
            json!(["session_ended", 2, 7, {"by": 1}]),
            json!(["session_ended", 2, 5, {"by": 1}]),
            json!(["session_ended", 2, 6, {"by": 1}]),
            json!(["sessions_ended", 2, null, {"by": 1, "sessions_ended": 2}]),
        ]
    );
}

#[tokio::test]
async fn wrong_choice_of_sessions_ends_none() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    api.registered("bob@example.com").await;
    let many = json!({"ids": (1..=101).collect::<Vec<_>>()}).to_string();
    for (body, expected) in [
        (r#"{"id": 3}"#, &["id: unknown"][..]),
        (r#"{"ids": []}"#, &["ids: ids_malformed"]),
        (r#"{"ids": null}"#, &["ids: ids_malformed"]),
        (r#"{"ids": ["3"]}"#, &["ids: ids_malformed"]),
        (r#"{"ids": [3, 0]}"#, &["ids: ids_malformed"]),
        (r#"{"ids": [3.5]}"#, &["ids: ids_malformed"]),
        (r#"{"ids": [3], "all": true}"#, &["all: unknown"]),
        (&many, &["ids: ids_malformed"]),
    ] {
        assert_eq!(end(&mut admin, body).await.invalid_fields(), expected, "{body}");
    }
    for body in ["", "[]"] {
        end(&mut admin, body).await.assert_rejected(400, "body_not_object");
    }
    // Without a type, any page could send it.
    let untyped = admin.call(Method::POST, "/api/admin/users/2/sessions/end", &[]).await;
    untyped.assert_rejected(415, "content_type_not_json");
    assert_eq!(sessions(&mut admin, 2).await.len(), 1);
}

#[tokio::test]
async fn audit_log_is_filtered_and_paged_newest_first() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    for _ in 0..5 {
        api.clock.advance(Duration::hours(1));
        api.registered(&format!("user{}@example.com", api.count_users().await)).await.logout().await;
    }
    let all = ids(&audit(&mut admin, "").await);
    assert_eq!(all, (1..=13).rev().collect::<Vec<_>>());

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let response = audit(&mut admin, &format!("limit=4{cursor}")).await;
        seen.extend(ids(&response));
        let Some(next) = response.body["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // Newer than what was seen.
        api.logged_in("admin@example.com").await;
    }
    assert_eq!(seen, all);

    for (query, expected) in [
        ("userId=2", &[5, 4][..]),
        ("event=role_changed", &[2]),
        ("event=logout&limit=2", &[13, 11]),
        ("actor=system", &[2]),
        ("userId=2&event=logout", &[5]),
        ("userId=2&event=logout&actor=stranger", &[]),
        ("until=2030-01-01T01:00:00Z", &[3, 2, 1]),
        ("from=2030-01-01T02:00:00Z&until=2030-01-01T05:00:00%2B01:00", &[9, 8, 7, 6]),
        ("from=2031-01-01", &[]),
        ("userId=99", &[]),
    ] {
        assert_eq!(ids(&audit(&mut admin, query).await), expected, "{query}");
    }
    let entry = &audit(&mut admin, "event=role_changed").await.body["entries"][0];
    assert_eq!(
        *entry,
        json!({"id": 2, "at": "2030-01-01T00:00:00.000Z", "event": "role_changed", "actor": "system", "userId": 1,
               "sessionId": null, "requestId": null, "clientPrefix": null, "details": {"role": "admin"}})
    );
}

fn check(api: &Api, arguments: &[&str], code: i32, expected: &str) -> String {
    let output = run(&api.database.url, arguments, "");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(expected), "{arguments:?}: {text}");
    text
}

#[tokio::test]
async fn commands_show_users_and_sessions_and_end_these() {
    let api = Api::start().await;
    api.clock.catch_up();
    let mut ada = api.registered("ada@example.com").await;
    let mut phone = api.logged_in("ada@example.com").await;
    let check = |arguments: &[&str], code, expected: &str| check(&api, arguments, code, expected);
    check(
        &["user", "show", "1"],
        0,
        "e-mail    ada@example.com\nname      Ada Lovelace\nrole      customer\nstate     active\n",
    );
    check(&["user", "show", "ADA@example.com"], 0, "id        1\n");
    check(&["user", "show", "2"], 1, "there is no user 2");
    check(&["user", "show", "0"], 2, "a user ID is a positive decimal number");
    check(&["user", "show", "ada"], 2, "E-mail is not an e-mail address");

    let listed = check(&["session", "list", "ada@example.com"], 0, "127.0.0.0/24");
    assert_eq!(listed.lines().count(), 3, "{listed}");
    check(&["session", "list", "9"], 1, "there is no user 9");
    check(&["session", "end", "1"], 2, "--all");
    check(&["session", "end", "1", "--all", "--session", "1"], 2, "cannot be used with");
    check(&["session", "end", "9", "--all"], 1, "there is no user 9");
    check(&["session", "end", "1", "--session", "2", "--session", "77"], 0, "user 1: sessions ended: 1");
    assert_eq!(phone.get("/api/auth/self").await.status, 401);
    assert_eq!(ada.get("/api/auth/self").await.status, 200);
    check(&["session", "end", "ada@example.com", "--all"], 0, "user 1: sessions ended: 1");
    assert_eq!(ada.refresh().await.status, 401);
}

#[tokio::test]
async fn audit_command_prints_the_log_for_people_and_programs() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    bob.logout().await;
    let check = |arguments: &[&str], code, expected: &str| {
        check(&api, &[&["audit"], arguments].concat(), code, expected)
    };
    let rows = check(
        &[],
        0,
        "2030-01-01T00:00:00Z  logout                user                 2         2  127.0.0.0/24        {}\n",
    );
    assert_eq!(rows.lines().count(), 4, "{rows}");
    for (arguments, count) in [
        (&["--user", "bob@example.com"][..], 2),
        (&["--user", "1"], 1),
        (&["--user", "99"], 0),
        (&["--event", "register"], 2),
        (&["--actor", "user"], 1),
        (&["--since", "2030-01-02"], 0),
        (&["--until", "2030-01-01T00:00:01Z", "--limit", "2"], 2),
    ] {
        let lines = check(&[arguments, &["--json"]].concat(), 0, "");
        let entries: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(entries.len(), count, "{arguments:?}: {lines}");
    }
    let line = check(&["--event", "logout", "--json"], 0, "");
    let mut entry: Value = serde_json::from_str(&line).expect("JSON");
    entry["request_id"].take();
    assert_eq!(
        entry,
        json!({"id": 3, "at": "2030-01-01T00:00:00Z", "event": "logout", "actor": "user", "user_id": 2, "session_id": 2,
               "request_id": null, "client_prefix": "127.0.0.0/24", "details": {}})
    );
    check(&["--event", "nonsense"], 2, "no event has this name; there are register, login,");
    check(&["--since", "yesterday"], 2, "a time is written as 2030-01-31T15:00:00Z");
    check(&["--limit", "0"], 2, "1..=100000");
    check(&["--user", "eve@example.com"], 1, "there is no user eve@example.com");
}
