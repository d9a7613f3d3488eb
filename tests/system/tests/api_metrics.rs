//! Metrics of the companion.

use std::collections::BTreeSet;
use std::fs;

use edgeward_companion::jobs::Runner;
use edgeward_companion::jobs::report_audit::ReportAudit;
use edgeward_companion::service::maintenance;
use edgeward_kit::api::Api;
use edgeward_stack::paths;
use reqwest::Method;

/// Returns the metrics of an API that was used.
async fn used() -> (Api, String) {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    ada.refresh().await;
    api.client().login("ada@example.com", "not her password").await;
    api.client().refresh().await;
    api.client().get("/hunter2").await;
    let invented = Method::from_bytes(b"HUNTER2").expect("a token");
    api.client().call(invented, "/api/auth/self", &[]).await;
    api.internal().get("/internal/edge-feed").await;
    let context = api.system();
    let live = maintenance::delete_expired(&context).await.expect("a cleaning");
    assert_eq!(live.sessions, 1);
    let mut jobs = Runner::new(api.state.metrics.clone(), api.state.clock.clone());
    jobs.start(ReportAudit { context });
    jobs.stop().await;
    let response = api.internal().get("/metrics").await;
    assert!(response.header("content-type").starts_with("application/openmetrics-text"));
    (api, response.text)
}

#[tokio::test]
async fn requests_events_jobs_and_connections_are_counted() {
    let (api, text) = used().await;
    for line in [
        "edgeward_http_request_duration_seconds_count{method=\"POST\",route=\"/api/auth/refresh\",status=\"401\"} 1",
        "edgeward_http_request_duration_seconds_count{method=\"GET\",route=\"/internal/edge-feed\",status=\"200\"} 1",
        "edgeward_http_request_duration_seconds_count{method=\"GET\",route=\"\",status=\"404\"} 1",
        "edgeward_http_request_duration_seconds_count{method=\"other\",route=\"/api/auth/self\",status=\"405\"} 1",
        "edgeward_events_total{event=\"refresh\",reason=\"\"} 1",
        "edgeward_events_total{event=\"refresh_refused\",reason=\"token_missing\"} 1",
        "edgeward_events_total{event=\"login_refused\",reason=\"password_wrong\"} 1",
        "edgeward_build_info{version=\"",
        "edgeward_database_connections{state=\"idle\"} ",
        "edgeward_database_acquire_seconds_bucket{le=\"5.0\"} ",
        "edgeward_database_acquire_failures_total 0",
        "edgeward_edge_feed_polls_total{outcome=\"complete\"} 1",
        "edgeward_edge_feed_polls_total{outcome=\"failed\"} 0",
        "edgeward_edge_feed_last_poll_timestamp_seconds 1893456000",
        "edgeward_job_failures_total{name=\"report the audit log\"} 0",
        "edgeward_passwords_in_work 0",
        "edgeward_keys 1",
        "edgeward_revocations ",
    ] {
        assert!(text.lines().any(|shown| shown.starts_with(line)), "{line} in {text}");
    }
    assert!(!text.to_lowercase().contains("hunter2"));
    assert_eq!(api.client().get("/metrics").await.status, 404);
}

#[tokio::test]
async fn guide_lists_every_metric_and_no_other() {
    let (_, text) = used().await;
    let guide = fs::read_to_string(paths::root().join("docs/guide/metrics.md")).expect("a guide");
    let (companion, _gateway) = guide.split_once("## The gateway").expect("a chapter");
    let documented: BTreeSet<&str> =
        companion.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let exported: BTreeSet<String> = text.lines().filter_map(exported).collect();
    let exported: BTreeSet<&str> = exported.iter().map(String::as_str).collect();
    assert_eq!(documented, exported);
}

/// Returns the name of a metric, from its line `# TYPE`, with the suffix of its samples.
fn exported(line: &str) -> Option<String> {
    let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
    let suffix = match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    Some(format!("{name}{suffix}"))
}

#[tokio::test]
async fn wait_that_ends_without_a_connection_is_counted() {
    let api = Api::start().await;
    api.state.db.close().await;
    api.client().login("ada@example.com", "any password").await.assert_rejected(503, "database_unavailable");
    let text = api.internal().get("/metrics").await.text;
    assert!(text.contains("edgeward_database_acquire_failures_total 1\n"), "{text}");
}
