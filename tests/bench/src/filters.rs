//! HTTP filters that are compared, as entries of Envoy's configuration.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::scenario::{FEW_RULES, Filter};
use edgeward_kit::mint::NAME;

/// Header fields with the identity for the upstream.
pub(super) const IDENTITY: [&str; 3] = ["x-user-id", "x-user-role", "x-session-id"];
/// Capacity of every cache, in tokens. Chosen: more than a measurement sends.
const CACHE_ENTRIES: usize = 200_000;

/// Inputs of the filters' configurations.
pub(super) struct Parts {
    pub(super) jwks: Value,
    /// Port of the `ext_authz` server.
    pub(super) authz: u16,
    /// Plugin.
    pub(super) edgeward: PathBuf,
    /// Another build of the plugin, if two are compared.
    pub(super) other: Option<PathBuf>,
    /// Plugin that does not find `verify_signature`.
    pub(super) alone: PathBuf,
    /// Filter that does nothing.
    pub(super) idle: PathBuf,
    /// Filter that only makes Edgeward's host calls.
    pub(super) calling: PathBuf,
}

/// Returns the filters of the listener at `port`, without the router.
pub(super) fn filters(filter: Filter, port: u16, parts: &Parts) -> Vec<Value> {
    match filter {
        Filter::None => vec![],
        Filter::Idle => vec![wasm("idle", &parts.idle, "")],
        Filter::Calling => vec![wasm("calling", &parts.calling, "")],
        Filter::Edgeward { rules } => vec![wasm("edgeward", &parts.edgeward, &edgeward(rules, port, parts))],
        Filter::OtherBuild => {
            let other = parts.other.as_ref().unwrap_or(&parts.edgeward);
            vec![wasm("other", other, &edgeward(FEW_RULES, port, parts))]
        }
        Filter::EdgewardAlone => vec![wasm("alone", &parts.alone, &edgeward(FEW_RULES, port, parts))],
        Filter::JwtAuthn { cache } => vec![jwt_authn(cache, false, parts)],
        Filter::Chain { cache } => vec![header_mutation(), jwt_authn(cache, true, parts), rbac()],
        Filter::ExtAuthz => vec![ext_authz(parts.authz)],
    }
}

fn filter(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = json!(format!("type.googleapis.com/envoy.extensions.filters.http.{kind}"));
    json!({"name": format!("envoy.filters.http.{name}"), "typed_config": config})
}

pub(super) fn router() -> Value {
    filter("router", "router.v3.Router", json!({}))
}

/// Returns a wasm filter. Listeners with the same module share a VM on each worker.
fn wasm(name: &str, module: &PathBuf, configuration: &str) -> Value {
    let config = json!({"config": {
        "name": name, "root_id": name, "failure_policy": "FAIL_RELOAD",
        "vm_config": {"vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration},
    }});
    filter(name, "wasm.v3.Wasm", config)
}

/// Returns Edgeward's configuration: the gateway's rules, and between them rules for paths that no request has, so that
/// every rule is compared.
fn edgeward(rules: usize, port: u16, parts: &Parts) -> String {
    let mut list = vec![
        json!({"path": "/healthz", "access": "public"}),
        json!({"prefix": "/api/auth/", "access": "public", "forward_cookies": true}),
        json!({"prefix": "/public/", "access": "public"}),
    ];
    list.extend(
        (list.len() + 2..rules).map(|at| json!({"prefix": format!("/section-{at}/"), "access": "public"})),
    );
    list.push(json!({"prefix": "/admin/", "roles": ["admin"]}));
    list.push(json!({"prefix": "/", "access": "signed_in"}));
    json!({
        "issuer": NAME, "audience": NAME, "keys": {"inline": parts.jwks}, "rules": list, "memory_entries": CACHE_ENTRIES,
        // Listeners with equal configurations would share one plugin and its cache.
        "allowed_origins": [format!("http://listener-{port}.example")],
    })
    .to_string()
}

fn jwt_authn(cache: bool, with_metadata: bool, parts: &Parts) -> Value {
    let mut provider = json!({
        "issuer": NAME, "audiences": [NAME], "from_cookies": ["access_token"],
        "local_jwks": {"inline_string": parts.jwks.to_string()},
        "claim_to_headers": [
            {"header_name": "x-user-id", "claim_name": "sub"},
            {"header_name": "x-user-role", "claim_name": "role"},
        ],
    });
    if cache {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": CACHE_ENTRIES, "jwt_max_token_size": 4096});
    }
    if with_metadata {
        provider["payload_in_metadata"] = json!("claims");
    }
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": NAME}}]);
    let config = json!({"providers": {NAME: provider}, "rules": rules});
    filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", config)
}

fn header_mutation() -> Value {
    let removals = IDENTITY.map(|name| json!({"remove": name}));
    filter(
        "header_mutation",
        "header_mutation.v3.HeaderMutation",
        json!({"mutations": {"request_mutations": removals}}),
    )
}

fn rbac() -> Value {
    let admin = json!({"metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "claims"}, {"key": "role"}],
        "value": {"string_match": {"exact": "admin"}},
    }});
    let policy = json!({
        "permissions": [{"url_path": {"path": {"prefix": "/admin/"}}}],
        "principals": [{"not_id": admin}],
    });
    filter("rbac", "rbac.v3.RBAC", json!({"rules": {"action": "DENY", "policies": {"admin": policy}}}))
}

fn ext_authz(port: u16) -> Value {
    let patterns = IDENTITY.map(|name| json!({"exact": name}));
    let config = json!({
        "allowed_headers": {"patterns": [{"exact": "cookie"}]},
        "http_service": {
            "server_uri": {"uri": format!("http://127.0.0.1:{port}"), "cluster": "authz", "timeout": "1s"},
            "authorization_response": {"allowed_upstream_headers": {"patterns": patterns}},
        },
    });
    filter("ext_authz", "ext_authz.v3.ExtAuthz", config)
}
