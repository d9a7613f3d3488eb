//! Audit log: its events, and the secrets that it never contains.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use edgeward_companion::service::maintenance;
use edgeward_kit::api::Api;
use edgeward_kit::client::PASSWORD;
use edgeward_kit::command;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use time::Duration;
use tracing::subscriber::DefaultGuard;

/// Log of this thread: the tests' runtimes have one.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a log").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Collects the log of this thread until the guard is dropped.
    fn collect(&self) -> DefaultGuard {
        let writer = self.clone();
        let subscriber =
            tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a log").clone()).expect("UTF-8")
    }

    /// Returns the audit lines, without members that differ from run to run.
    fn audit(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let audit = lines.filter(|line| line["target"] == "audit");
        audit
            .map(|line| json!([line["event"], line["user_id"], line["session_id"], line["reason"]]))
            .collect()
    }
}

// holds: invariant 8, invariant 9, promise 8, promise 11
#[tokio::test]
async fn every_event_of_an_account_is_one_log_line() {
    let api = Api::start().await;
    let log = Log::default();
    let _guard = log.collect();

    let mut ada = api.registered("ada@example.com").await;
    ada.refresh().await;
    api.client().refresh().await;
    let mut rubbish = api.client();
    rubbish.cookies.insert("refresh_token".to_owned(), "rubbish".to_owned());
    rubbish.refresh().await;
    ada.logout().await;
    ada.logout().await;
    api.client().login("ada@example.com", "hunter2 hunter2").await;
    api.client().login("hunter2@example.com", PASSWORD).await;
    api.logged_in("ada@example.com").await;
    let mut laptop = api.logged_in("ada@example.com").await;
    laptop.delete("/api/auth/sessions").await;
    let mut stolen = laptop.clone();
    laptop.clone_with(&["refresh_token"]).get("/api/auth/self").await;
    api.client().get("/api/auth/self").await;
    laptop.refresh().await;
    laptop.refresh().await;
    api.clock.advance(Duration::seconds(10));
    stolen.refresh().await;
    laptop.refresh().await;

    assert_eq!(
        log.audit(),
        [
            json!(["register", 1, 1, null]),
            json!(["refresh", 1, 1, null]),
            json!(["refresh_refused", null, null, "token_missing"]),
            json!(["refresh_refused", null, null, "token_invalid"]),
            json!(["logout", 1, 1, null]),
            json!(["login_refused", 1, null, "password_wrong"]),
            json!(["login_refused", null, null, "user_unknown"]),
            json!(["login", 1, 2, null]),
            json!(["login", 1, 3, null]),
            json!(["session_ended", 1, 2, null]),
            json!(["refresh", 1, 3, null]),
            json!(["refresh", 1, 3, null]),
            json!(["refresh", 1, 3, null]),
            json!(["refresh_token_reused", 1, 3, null]),
            json!(["refresh_refused", 1, 3, "token_reused"]),
            json!(["refresh_refused", 1, 3, "session_unknown"]),
        ]
    );
    let text = log.text();
    for secret in [PASSWORD, "hunter2", "example.com", "eyJ", "rubbish"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn audit_line_has_the_origin_of_the_request() {
    let api = Api::start().await;
    let log = Log::default();
    let _guard = log.collect();
    let mut client = api.client();
    let request = client.request(Method::POST, "/api/auth/refresh?token=hunter2");
    let request = request.header("x-request-id", "req-7").header("x-forwarded-for", "203.0.113.9\", \"x");
    client.send(request).await;

    let text = log.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    let (audit, access) = (&lines[0], &lines[1]);
    assert_eq!(audit["client"], "127.0.0.1");
    assert_eq!(audit["forwarded_for"], "203.0.113.9\", \"x");
    assert_eq!((&audit["request_id"], &access["request_id"]), (&json!("req-7"), &json!("req-7")));
    assert_eq!(access["method"], "POST");
    assert_eq!(access["path"], "/api/auth/refresh");
    assert_eq!(access["status"], 401);
    assert!(access["latency_us"].is_u64());
    assert!(!text.contains("hunter2"));
}

#[tokio::test]
async fn end_of_a_long_forwarded_for_over_several_fields_is_kept() {
    let api = Api::start().await;
    let log = Log::default();
    let _guard = log.collect();
    for forged in [vec![b'1'; 1000], b"\xff".to_vec()] {
        let mut client = api.client();
        let value = HeaderValue::from_bytes(&[forged, b", 203.0.113.9".to_vec()].concat()).expect("a header");
        let request = client.request(Method::POST, "/api/auth/refresh").header("x-forwarded-for", "first");
        client.send(request.header("x-forwarded-for", value)).await;
    }
    let text = log.text();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let kept: Vec<_> = lines.filter_map(|line| Some(line["forwarded_for"].as_str()?.to_owned())).collect();
    assert_eq!(
        kept,
        [format!("{}, 203.0.113.9", "1".repeat(243)), "first, \u{fffd}, 203.0.113.9".to_owned()]
    );
}

// holds: invariant 9, promise 11
#[tokio::test]
async fn audit_entry_of_a_command_is_reported_by_one_service_once() {
    let api = Api::start().await;
    let log = Log::default();
    let _guard = log.collect();
    let create = ["user", "create", "a@example.com", "--first-name", "A", "--last-name", "B"];
    assert!(command::run(&api.database.url, &create, PASSWORD).status.success());
    assert!(command::run(&api.database.url, &["user", "disable", "a@example.com"], "").status.success());
    let context = api.system();
    let [first, second, third, fourth] = [(); 4].map(|()| maintenance::report_audit(&context));
    let (first, second, third, fourth) = tokio::join!(first, second, third, fourth);
    for reported in [first, second, third, fourth] {
        reported.expect("a look at the audit log");
    }
    assert_eq!(
        log.audit(),
        [json!(["user_created", 1, null, null]), json!(["user_disabled", 1, null, null])]
    );
    let metrics = api.internal().get("/metrics").await.text;
    assert!(metrics.contains("edgeward_events_total{event=\"user_disabled\",reason=\"\"} 1"), "{metrics}");
}

#[tokio::test]
async fn change_is_a_row_of_its_transaction_and_a_rejection_is_none() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.client().login("ada@example.com", "wrong horse battery").await;
    let mut phone = api.logged_in("ada@example.com").await;
    phone.refresh().await;
    phone.delete("/api/auth/sessions").await;
    phone.logout().await;
    let mut laptop = api.logged_in("ada@example.com").await;
    let mut stolen = laptop.clone();
    laptop.refresh().await;
    laptop.refresh().await;
    api.clock.advance(Duration::seconds(10));
    stolen.refresh().await;
    ada.refresh().await;
    let mut tablet = api.logged_in("ada@example.com").await;
    tablet.post("/api/auth/logout-all").await;
    let rows = sqlx::query_scalar(
        "select concat_ws(' ', event, actor, 'user', user_id, 'session', session_id, details,
                          case when reported and request_id is not null and client_prefix = '127.0.0.0/24'
                               then 'by a request' end)
         from audit_log order by id",
    );
    let rows: Vec<String> = rows.fetch_all(&api.pool).await.expect("rows");
    assert_eq!(
        rows,
        [
            "register stranger user 1 session 1 {} by a request",
            "login user user 1 session 2 {} by a request",
            "session_ended user user 1 session 1 {} by a request",
            "logout user user 1 session 2 {} by a request",
            "login user user 1 session 3 {} by a request",
            "refresh_token_reused stranger user 1 session 3 {} by a request",
            "login user user 1 session 4 {} by a request",
            "logout_all user user 1 session 4 {} by a request",
        ]
    );
}
