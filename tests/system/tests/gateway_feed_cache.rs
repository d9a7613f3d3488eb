//! Gateway whose filter polls the edge feed through nginx's cache, with the cluster that the documentation has.

use std::fs;
use std::time::Instant;

use edgeward_kit::client::PASSWORD;
use edgeward_kit::feed_cache::{self, FeedCache};
use edgeward_kit::feed_gateway::SECRET;
use edgeward_kit::journey::load::{everywhere, until};
use edgeward_kit::journey::{client_at, raw_response};
use edgeward_stack::{Plan, Stack, paths};

/// Returns the cluster of the cache as `docs/design/scale.md` has it, among those of `envoy/envoy.yaml`.
fn cluster(port: u16) -> String {
    let page = fs::read_to_string(paths::root().join("docs/design/scale.md")).unwrap();
    let (_, block) = page.split_once("  ```yaml\n").unwrap();
    let (block, _) = block.split_once("  ```\n").unwrap();
    let address = "address: feed-cache, port_value: 5503";
    assert!(block.contains(address), "{block}");
    let local = block.replace(address, &format!("address: 127.0.0.1, port_value: {port}"));
    // In the page it is two columns further left.
    local.replace("  - name:", "    - name:").replace("\n    ", "\n      ")
}

/// Starts a stack whose gateway polls a cache, and the cache.
fn start(cache: impl FnOnce(&str) -> FeedCache) -> (Stack, FeedCache) {
    let mut plan = Plan::for_tests(&paths::test_folder("stack")).unwrap();
    let cache = cache(&format!("127.0.0.1:{}", plan.ports.internal));
    plan.settings.push(("FEED_SECRET".to_owned(), SECRET.to_owned()));
    let internal = "    # What the filter asks by itself; no route leads here.\n";
    let secret = format!(r#", "secret": "{SECRET}"}}"#);
    for (from, to) in [
        (
            r#""feed": {"cluster": "companion_internal", "path": "/internal/edge-feed"}"#,
            format!(r#""feed": {{"cluster": "edge_feed", "path": "/internal/edge-feed"{secret}"#),
        ),
        (r#""path": "/internal/edge-refresh"}"#, format!(r#""path": "/internal/edge-refresh"{secret}"#)),
        (internal, cluster(cache.port) + internal),
    ] {
        plan.replacements.push((from.to_owned(), to));
    }
    (Stack::start(plan, &mut |_| {}).unwrap(), cache)
}

#[tokio::test]
async fn logout_reaches_a_gateway_that_polls_a_cache() {
    if !feed_cache::is_available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (stack, cache) = start(|companion| FeedCache::start(folder.path(), [companion, companion]));
    let gateway = stack.ports().gateway;
    let mut user = client_at(gateway, false);
    assert_eq!(user.register("ada@example.com").await.status, 201);
    let token = user.cookies["access_token"].clone();
    assert!(everywhere(gateway, 200, &token).await);
    assert_eq!(user.logout().await.status, 200);
    let start = Instant::now();
    until("the rejection", async || everywhere(gateway, 401, &token).await).await;
    println!("from the response of the logout to the rejection by every worker: {:.1?}", start.elapsed());

    // The polls went that way, and the refreshes of the edge do not.
    user.cookies.clear();
    assert_eq!(user.login("ada@example.com", PASSWORD).await.status, 200);
    user.cookies.remove("access_token");
    assert_eq!(user.get("/orders").await.status, 200);
    let stats =
        client_at(stack.ports().envoy_admin, false).get("/stats?filter=upstream_rq_completed").await.text;
    let requests = |cluster: &str| -> u32 {
        let name = format!("cluster.{cluster}.upstream_rq_completed: ");
        stats.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
    };
    assert!(requests("edge_feed") > 1, "{stats}");
    assert_eq!(requests("companion_internal"), 1, "{stats}");

    // What the cache holds, and what it must not lead to.
    for (path, authorization, status) in [
        ("/internal/edge-feed?after=", "Bearer wrong", 403),
        ("/internal/edge-feed?after=", &format!("Bearer {SECRET}"), 200),
        ("/internal/edge-refresh", &format!("Bearer {SECRET}"), 404),
        ("/metrics", &format!("Bearer {SECRET}"), 404),
    ] {
        let head = "HTTP/1.1\r\nhost: feed\r\nconnection: close";
        let response =
            raw_response(cache.port, format!("GET {path} {head}\r\nauthorization: {authorization}\r\n\r\n"));
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {response}");
    }
}
