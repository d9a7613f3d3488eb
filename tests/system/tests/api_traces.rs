//! Traces of the companion, as a collector receives them, and the trace ID in its log.

use edgeward_kit::client::Client;
use edgeward_kit::collector::{Collector, attribute, hex};
use edgeward_kit::database;
use edgeward_kit::service::{Service, edgeward};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::block_in_place;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

async fn start(settings: &[(&str, &str)]) -> (Service, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(edgeward(folder.path()).args(["keys", "generate"]).status().expect("an end").success());
    let database = database::fresh().await;
    (Service::start_with(&database, folder.path(), settings), folder)
}

fn client(address: &str) -> Client {
    Client::new(address, reqwest::Client::new())
}

/// Registers Ada with these header fields.
async fn register(service: &Service, headers: &[(&str, &str)]) {
    let mut client = client(&service.public);
    let body = edgeward_kit::client::registration("ada@example.com");
    let mut request = client.request(Method::POST, "/api/auth/register").json(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    assert_eq!(client.send(request).await.status, 201);
}

/// Returns the trace IDs of the log lines with a request ID.
fn logged_traces(log: &[Value], request_id: &str) -> Vec<Value> {
    let lines = log
        .iter()
        .filter(|line| line["request_id"] == request_id || line["span"]["request_id"] == request_id);
    lines
        .map(|line| {
            if line["trace_id"].is_null() {
                line["span"]["trace_id"].clone()
            } else {
                line["trace_id"].clone()
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn request_is_a_child_of_its_caller_and_parent_of_its_use_case() {
    let (collector, endpoint) = Collector::start().await;
    let (service, _folder) = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    let forwarded = ("x-forwarded-for", "203.0.113.77");
    register(&service, &[("traceparent", SAMPLED), ("x-request-id", "one"), forwarded]).await;
    assert_eq!(client(&service.internal).get("/internal/edge-feed").await.status, 200);
    let log = block_in_place(|| service.stop());

    let spans = collector.spans("edgeward");
    let of_kind = |kind| spans.iter().filter(move |span| span.kind() == kind).collect::<Vec<_>>();
    let (requests, statements) = (of_kind(SpanKind::Server), of_kind(SpanKind::Client));
    let [request] = requests[..] else { panic!("one request but the poll: {spans:#?}") };
    let parts = of_kind(SpanKind::Internal);
    let part = |name: &str| *parts.iter().find(|span| span.name == name).expect("a part of that name");
    let (use_case, queue, hash) = (part("register"), part("password_queue"), part("password_hash"));
    assert_eq!(parts.len(), 3, "no part of a poll or of a job: {parts:#?}");
    assert_eq!(use_case.parent_span_id, request.span_id);
    for part in [queue, hash] {
        assert_eq!(part.parent_span_id, use_case.span_id);
    }
    assert!(queue.end_time_unix_nano <= hash.start_time_unix_nano, "{parts:#?}");
    for part in &parts {
        assert_eq!(hex(&part.trace_id), TRACE);
        assert!(part.attributes.is_empty(), "{part:?}");
    }
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), CALLER);
    assert_eq!(request.name, "POST /api/auth/register");
    for (key, value) in [
        ("http.request.method", json!("POST")),
        ("http.route", json!("/api/auth/register")),
        ("url.path", json!("/api/auth/register")),
        ("http.response.status_code", json!(201)),
        ("client.address", json!("203.0.113.0/24")),
        ("request_id", json!("one")),
    ] {
        assert_eq!(attribute(&request.attributes, key), value, "{key}");
    }
    for statement in &statements {
        assert_eq!(statement.kind(), SpanKind::Client);
        assert_eq!(hex(&statement.trace_id), TRACE);
        assert_eq!(statement.parent_span_id, use_case.span_id);
        assert_eq!(attribute(&statement.attributes, "db.system.name"), "postgresql");
        assert!(statement.start_time_unix_nano >= request.start_time_unix_nano, "{statement:?}");
        assert!(statement.end_time_unix_nano >= statement.start_time_unix_nano, "{statement:?}");
    }
    let names: Vec<&str> = statements.iter().map(|statement| statement.name.as_str()).collect();
    for name in ["INSERT users", "INSERT refresh_tokens", "INSERT audit_log"] {
        assert!(names.iter().any(|found| found.contains(name)), "{name} in {names:?}");
    }
    assert!(!format!("{spans:?}").contains("ada@example.com"), "a parameter is exported");
    assert!(!format!("{spans:?}").contains("203.0.113.77"), "an address is exported");

    let traces = logged_traces(&log, "one");
    assert!(traces.len() >= 2, "{log:#?}");
    assert!(traces.iter().all(|trace| trace == TRACE), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_decides_on_sampling_and_the_ratio_without_one() {
    for (ratio, traceparent, exported) in
        [("1", None, true), ("0", None, false), ("0", Some(SAMPLED), true), ("1", Some(NOT_SAMPLED), false)]
    {
        let (collector, endpoint) = Collector::start().await;
        let settings =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_TRACES_SAMPLER_ARG", ratio)];
        let (service, _folder) = start(&settings).await;
        let headers: Vec<_> = traceparent.into_iter().map(|value| ("traceparent", value)).collect();
        register(&service, &[&headers[..], &[("x-request-id", "one")]].concat()).await;
        let log = block_in_place(|| service.stop());
        assert_eq!(!collector.spans("edgeward").is_empty(), exported, "{ratio} {traceparent:?}");
        let traces = logged_traces(&log, "one");
        assert!(traces.iter().all(|trace| trace.as_str().is_some_and(|id| id.len() == 32)), "{log:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_id_of_a_caller_is_logged_without_an_export() {
    let (service, _folder) = start(&[]).await;
    register(&service, &[("traceparent", SAMPLED), ("x-request-id", "one")]).await;
    let malformed = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01");
    let mut other = client(&service.public);
    other.call(Method::GET, "/api/auth/self", &[malformed, ("x-request-id", "two")]).await;
    let log = block_in_place(|| service.stop());
    let traces = logged_traces(&log, "one");
    assert!(traces.len() >= 2, "{log:#?}");
    assert!(traces.iter().all(|trace| trace == TRACE), "{log:#?}");
    let traces = logged_traces(&log, "two");
    assert!(!traces.is_empty() && traces.iter().all(Value::is_null), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn collector_that_is_down_is_logged_once_and_delays_nothing() {
    let refused = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", refused.local_addr().expect("an address"));
    drop(refused);
    let (service, _folder) = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    register(&service, &[]).await;
    let log = block_in_place(|| service.stop());
    let warnings: Vec<_> = log.iter().filter(|line| line["level"] != "INFO").collect();
    let [warning] = warnings[..] else { panic!("one warning: {warnings:#?}") };
    let message = warning["message"].as_str().expect("a message");
    assert!(message.starts_with("cannot export traces"), "{message}");
    assert_eq!(warning["endpoint"], format!("{endpoint}/v1/traces"));
}
