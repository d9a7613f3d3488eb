//! Envoy's configuration in a measurement: listeners that differ only in their filters.

use serde_json::{Value, json};

use super::filters::{self, Parts};
use super::scenario::Filter;
use super::servers::Servers;

/// Path at which a filter that follows a feed says if it knows all of it.
pub(super) const READY_PATH: &str = "/readyz";

/// Renders a configuration with a listener at each of these ports.
pub(super) fn render(admin: u16, servers: Servers, listeners: &[(u16, Filter)], parts: &Parts) -> String {
    let listeners: Vec<Value> = listeners
        .iter()
        .map(|(port, filter)| listener(*port, filters::filters(*filter, *port, parts)))
        .collect();
    json!({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": listeners,
            "clusters": [
                cluster("upstream", servers.upstream),
                cluster("authz", servers.authz),
                cluster("feed", servers.feed),
            ],
        },
    })
    .to_string()
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn listener(port: u16, mut http_filters: Vec<Value>) -> Value {
    http_filters.push(filters::router());
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": "upstream"}});
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": format!("at_{port}"),
        "normalize_path": true,
        "merge_slashes": true,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": http_filters,
    });
    let filter = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    json!({"name": format!("at_{port}"), "address": address(port), "filter_chains": [{"filters": [filter]}]})
}

fn cluster(name: &str, port: u16) -> Value {
    let endpoint = json!({"endpoint": {"address": address(port)}});
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    })
}
