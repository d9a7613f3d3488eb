//! Filter with the demo's rules in the host, requests to it, and their outcomes in a readable form.

use serde_json::{Value, json};

use super::{Exchange, Headers, Host, Traits};
use crate::mint::{self, Key};

/// Time of the host at the start, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;
/// Traits of Envoy.
pub const ENVOY: Traits = Traits { verify_signature: true, now: NOW, fault: None };
/// Traits of a host without `verify_signature`.
pub const OTHER_PROXY: Traits = Traits { verify_signature: false, now: NOW, fault: None };

/// Returns a plugin configuration with these members changed or added.
#[must_use]
pub fn configuration(changes: &Value) -> String {
    let mut whole = json!({
        "issuer": mint::NAME,
        "login_url": "/login",
        "rules": [
            {"prefix": "/public/", "access": "public"},
            {"prefix": "/api/auth/", "access": "public", "forward_cookies": true},
            {"prefix": "/admin/", "roles": ["admin"]},
        ],
    });
    whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    whole.to_string()
}

/// Starts a filter with these keys.
#[must_use]
pub fn with_keys(traits: Traits, keys: &[&Key]) -> Host {
    Host::start(traits, &configuration(&json!({"keys": {"inline": mint::jwks(keys)}}))).unwrap()
}

/// Starts a filter that follows a feed and has no key yet.
#[must_use]
pub fn with_feed() -> Host {
    Host::start(ENVOY, &configuration(&json!({"feed": {"cluster": "companion_internal"}}))).unwrap()
}

/// Returns a valid response of the feed without keys and revocations, with these members changed or added.
#[must_use]
pub fn feed(changes: &Value) -> Vec<u8> {
    let mut whole = json!({
        "at": NOW,
        "keys": {"etag": "e1"},
        "revoked": {"sessions": [], "users": []},
        "cursor": "c1",
        "more": false,
    });
    whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    whole.to_string().into_bytes()
}

/// Returns the key set of a feed's response.
#[must_use]
pub fn keys(etag: &str, keys: &[&Key]) -> Value {
    json!({"etag": etag, "set": mint::jwks(keys)})
}

/// Returns header fields from text.
#[must_use]
pub fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// Sends a `GET` request with these additional header fields.
pub fn get(host: &mut Host, path: &str, more: &[(&str, &str)]) -> Exchange {
    let head = [(":method", "GET"), (":path", path), (":authority", "shop.example"), (":scheme", "https")];
    host.request(headers(&[&head, more].concat()))
}

/// Returns the header fields that the upstream receives, without pseudo-headers and in a fixed order.
#[must_use]
pub fn upstream(exchange: &Exchange) -> Vec<String> {
    let headers = exchange.upstream.as_ref().unwrap_or_else(|| panic!("did not go upstream: {exchange:?}"));
    let lines =
        headers.iter().map(|(name, value)| format!("{}: {}", name.escape_ascii(), value.escape_ascii()));
    let mut lines: Vec<String> = lines.filter(|line| !line.starts_with(':')).collect();
    lines.sort();
    lines
}

/// Returns the status and the label of a rejection.
#[must_use]
pub fn rejected(exchange: &Exchange) -> (u32, &str) {
    assert!(exchange.upstream.is_none(), "went upstream: {exchange:?}");
    let reason = exchange.properties.iter().find(|(name, _)| name == "edgeward.rejection");
    (exchange.local_reply.as_ref().map_or(0, |reply| reply.status), reason.map_or("", |(_, label)| label))
}
