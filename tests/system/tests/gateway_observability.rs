//! Alert rules and dashboard of `deploy/observability/`, against the metrics of a running stack.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use edgeward_kit::journey::load::until;
use edgeward_kit::journey::{client, client_at, registered, stack};
use edgeward_stack::paths;
use edgeward_stack::ports::{self, Ports};
use edgeward_stack::process::Process;
use serde_json::Value;

fn read(file: &str) -> String {
    let path = paths::root().join("deploy/observability").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the queries of the dashboard.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect()
}

/// Returns the names of our metrics, of Envoy's and of the process's in a text.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|byte: char| !byte.is_ascii_alphanumeric() && byte != '_' && byte != '-');
    let ours =
        |word: &&str| ["edgeward_", "envoy_", "process_"].iter().any(|prefix| word.starts_with(prefix));
    // Labels of Envoy's own metrics.
    words.filter(ours).filter(|word| !LABELS.contains(word)).collect()
}

const LABELS: [&str; 3] =
    ["envoy_cluster_name", "envoy_http_conn_manager_prefix", "envoy_response_code_class"];

/// Uses the product, so that each metric of the rules has a sample.
async fn use_everything() {
    let mut user = registered(false).await;
    assert_eq!(user.get("/orders").await.status, 200);
    user.refresh().await;
    assert_eq!(client(false).get("/orders").await.status, 401);
    let email = user.email.clone();
    client(false).login(&email, "not the password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_rules_and_the_dashboard_exists() {
    use_everything().await;
    let companion = client_at(stack().ports().internal, false).get("/metrics").await.text;
    let gateway = client_at(stack().ports().envoy_admin, false).get("/stats/prometheus").await.text;
    let exported: BTreeSet<&str> =
        companion.lines().chain(gateway.lines()).filter_map(|line| line.split(['{', ' ']).next()).collect();
    let (rules, queries) = (read("alerts.yml"), queries().join("\n"));
    let named: BTreeSet<&str> = metrics(&rules).union(&metrics(&queries)).copied().collect();
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named.difference(&exported).collect();
    assert!(missing.is_empty(), "{missing:?} in\n{companion}\n{gateway}");
}

/// Returns the name of a sample and those of its labels: `edgeward_refused{reason}`.
fn described(sample: &str) -> Option<String> {
    let (name, rest) = sample.split_once('{')?;
    let (labels, _) = rest.split_once("} ")?;
    let labels: Vec<&str> = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
    Some(format!("{name}{{{}}}", labels.join(",")))
}

/// Both shells of the filter run this test: the same rules and the same dashboard are for both.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_the_filter_have_these_names_and_labels() {
    use_everything().await;
    let stats = client_at(stack().ports().envoy_admin, false).get("/stats/prometheus").await.text;
    // Envoy's own about the sandbox of the plugin.
    let of_sandbox = "envoy_wasm_edgeward_vm_";
    let lines = stats.lines().filter(|line| !line.starts_with('#') && !line.starts_with(of_sandbox));
    let samples = lines.filter(|line| line.contains("edgeward"));
    let found: BTreeSet<String> = samples.filter_map(described).collect();
    let always = [
        "edgeward_bans{}",
        "edgeward_build_info{version}",
        "edgeward_feed_age_seconds{}",
        "edgeward_feed_answer{}",
        "edgeward_feed_polls{}",
        "edgeward_key_set_generation{}",
        "edgeward_keys{}",
        "edgeward_refused{reason}",
        "edgeward_revocations{}",
    ];
    // Their first sample comes with what they count.
    let counted =
        ["edgeward_feed_failed{reason}", "edgeward_streams_closed{reason}", "edgeward_streams_unfollowed{}"];
    for name in always {
        assert!(found.contains(name), "{name} in {found:?}");
    }
    let known = [&always[..], &counted].concat();
    let unknown: Vec<_> = found.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_evaluates_every_query_and_rule() {
    if Command::new("prometheus").arg("--version").output().is_err() {
        println!("NOT RUN: prometheus is missing; Debian has it in the package `prometheus`");
        return;
    }
    use_everything().await;
    let folder = paths::test_folder("prometheus");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).expect("a folder");
    let Ports { internal, envoy_admin, .. } = *stack().ports();
    let often = "scrape_interval: 500ms\n  scrape_timeout: 500ms\n  evaluation_interval: 500ms";
    let configuration = read("prometheus.example.yml")
        .replace("scrape_interval: 15s", often)
        .replace("127.0.0.1:5502", &format!("127.0.0.1:{internal}"))
        .replace("127.0.0.1:9901", &format!("127.0.0.1:{envoy_admin}"));
    fs::write(folder.join("prometheus.yml"), configuration).expect("a configuration");
    fs::write(folder.join("alerts.yml"), read("alerts.yml")).expect("rules");
    let [port] = ports::free().expect("a free port");
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut process = Process::spawn("Prometheus", &mut command, &folder.join("log")).expect("Prometheus");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let prometheus = Prometheus { client, port };

    let mut pending = queries();
    assert!(pending.len() > 20, "{pending:?}");
    until("a result of every query", async || {
        process.check_alive().expect("Prometheus");
        let mut empty = Vec::new();
        for query in pending.drain(..) {
            match prometheus.query(&query).await {
                Some(results) if results > 0 => {}
                _ => empty.push(query),
            }
        }
        pending = empty;
        pending.is_empty()
    })
    .await;
    until("an evaluation of every rule", async || {
        prometheus.rules().await.iter().all(|health| health == "ok")
    })
    .await;
    assert_eq!(prometheus.rules().await.len(), read("alerts.yml").matches("- alert: ").count());
}

struct Prometheus {
    client: reqwest::Client,
    port: u16,
}

impl Prometheus {
    /// Returns the number of series in the result of a query; `None` if Prometheus is not ready.
    async fn query(&self, query: &str) -> Option<usize> {
        // Grafana replaces the variable with four scrape intervals or more.
        let query = query.replace("$__rate_interval", "1m");
        let escaped = query.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let body = self.get(&format!("/api/v1/query?query={escaped}")).await?;
        assert_eq!(body["status"], "success", "{query}: {body}");
        body["data"]["result"].as_array().map(Vec::len)
    }

    /// Returns the health of each rule.
    async fn rules(&self) -> Vec<String> {
        let body = self.get("/api/v1/rules").await.expect("rules");
        let groups = body["data"]["groups"].as_array().expect("groups");
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
        rules.map(|rule| rule["health"].as_str().expect("a health").to_owned()).collect()
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let text = self.client.get(url).send().await.ok()?.text().await.ok()?;
        serde_json::from_str(&text).ok()
    }
}
