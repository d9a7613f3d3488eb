//! HTTP filters that are compared, as entries of Envoy's configuration.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::configuration::READY_PATH;
use super::feed;
use super::scenario::{FEW_RULES, Filter};
use edgeward_kit::mint::NAME;
use edgeward_stack::shell::Shell;

/// Header fields with the identity for the upstream.
pub(super) const IDENTITY: [&str; 3] = ["x-user-id", "x-user-role", "x-session-id"];
/// Claims, each with the header field that forwards it.
const CLAIMS: [(&str, &str); 3] = [("sub", "x-user-id"), ("role", "x-user-role"), ("sid", "x-session-id")];
/// Removes the two cookies. Envoy has no filter of its own for that.
const REMOVE_COOKIES: &str = include_str!("remove_cookies.lua");
/// Capacity of every cache, in tokens. Chosen: more than a measurement sends.
const CACHE_ENTRIES: usize = 200_000;

/// Inputs of the filters' configurations.
pub(super) struct Parts {
    pub(super) jwks: Value,
    /// Port of the `ext_authz` server.
    pub(super) authz: u16,
    /// Another build of a shell, if two are compared.
    pub(super) other: Option<PathBuf>,
    /// Plugin that does not find `verify_signature`.
    pub(super) alone: PathBuf,
    /// Wasm filter that does nothing.
    pub(super) idle: PathBuf,
    /// Native module that does nothing.
    pub(super) idle_native: PathBuf,
    /// Wasm filter that only makes Edgeward's host calls.
    pub(super) calling: PathBuf,
}

/// Returns the filters of the listener at `port`, without the router.
pub(super) fn filters(filter: Filter, port: u16, parts: &Parts) -> Vec<Value> {
    match filter {
        Filter::None => vec![],
        Filter::Idle(Shell::Wasm) => vec![wasm("idle", &parts.idle, "")],
        Filter::Idle(Shell::Native) => vec![native("idle", &parts.idle_native, "")],
        Filter::Calling => vec![wasm("calling", &parts.calling, "")],
        Filter::Edgeward { shell, rules } => {
            vec![in_shell(shell, &shell.file(), &edgeward(rules, port, parts).to_string())]
        }
        Filter::Following { shell, revocations } => {
            let mut configuration = edgeward(FEW_RULES, port, parts);
            configuration["feed"] = json!({"cluster": "feed", "path": feed::path(revocations)});
            configuration["ready_path"] = json!(READY_PATH);
            vec![in_shell(shell, &shell.file(), &configuration.to_string())]
        }
        Filter::OtherBuild(shell) => {
            let file = parts.other.clone().unwrap_or_else(|| shell.file());
            vec![in_shell(shell, &file, &edgeward(FEW_RULES, port, parts).to_string())]
        }
        Filter::EdgewardAlone => {
            vec![wasm("alone", &parts.alone, &edgeward(FEW_RULES, port, parts).to_string())]
        }
        Filter::JwtAuthn { cache } => vec![jwt_authn(cache, &CLAIMS[..2], false, parts)],
        Filter::Chain { cache } => {
            vec![header_mutation(), jwt_authn(cache, &CLAIMS[..2], true, parts), rbac()]
        }
        Filter::EqualChain { cache } => {
            vec![csrf(port), header_mutation(), jwt_authn(cache, &CLAIMS, true, parts), rbac(), lua()]
        }
        Filter::ExtAuthz => vec![ext_authz(parts.authz)],
    }
}

/// Returns the filter of a file that a shell has.
fn in_shell(shell: Shell, file: &Path, configuration: &str) -> Value {
    match shell {
        // Listeners with the same file share a VM.
        Shell::Wasm => wasm(&file.display().to_string(), file, configuration),
        Shell::Native => native("edgeward", file, configuration),
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
fn wasm(name: &str, module: &Path, configuration: &str) -> Value {
    let config = json!({"config": {
        "name": name, "root_id": name, "failure_policy": "FAIL_RELOAD",
        "vm_config": {"vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
        "configuration": string_value(configuration),
    }});
    filter(name, "wasm.v3.Wasm", config)
}

fn native(name: &str, module: &Path, configuration: &str) -> Value {
    let config = json!({
        "dynamic_module_config": {"module": {"local": {"filename": module}}, "do_not_close": true},
        "filter_name": name, "filter_config": string_value(configuration),
    });
    filter("dynamic_modules", "dynamic_modules.v3.DynamicModuleFilter", config)
}

fn string_value(text: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text})
}

/// Returns Edgeward's configuration: the gateway's rules, and between them rules for paths that no request has, so that
/// every rule is compared.
fn edgeward(rules: usize, port: u16, parts: &Parts) -> Value {
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
        "allowed_origins": [origin(port)],
    })
}

/// Returns an origin that may call the listener at `port`.
fn origin(port: u16) -> String {
    format!("http://listener-{port}.example")
}

fn jwt_authn(cache: bool, claims: &[(&str, &str)], with_metadata: bool, parts: &Parts) -> Value {
    let headers = claims.iter().map(|(claim, header)| json!({"claim_name": claim, "header_name": header}));
    let mut provider = json!({
        "issuer": NAME, "audiences": [NAME], "from_cookies": ["access_token"],
        "local_jwks": {"inline_string": parts.jwks.to_string()},
        "claim_to_headers": headers.collect::<Vec<_>>(),
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

fn csrf(port: u16) -> Value {
    let always = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
    let origins = json!([{"exact": origin(port)}]);
    filter("csrf", "csrf.v3.CsrfPolicy", json!({"filter_enabled": always, "additional_origins": origins}))
}

fn lua() -> Value {
    filter("lua", "lua.v3.Lua", json!({"default_source_code": {"inline_string": REMOVE_COOKIES}}))
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
