//! An edge in the host: a filter with the demo's rules, requests to it, and what came of them in a form that reads
//! well. What ought to come of them is for the tests to say.

use serde_json::{Value, json};

use super::{Exchange, Headers, Host, Traits};
use crate::mint::{self, Key};

/// The host's time at the start.
pub const NOW: u64 = 1_800_000_000;
/// A host like Envoy.
pub const ENVOY: Traits = Traits { verify_signature: true, now: NOW, fault: None };
/// A host without `verify_signature`.
pub const OTHER_PROXY: Traits = Traits { verify_signature: false, now: NOW, fault: None };

/// A plugin configuration, these members changed or added.
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

/// A filter that has these keys.
#[must_use]
pub fn with_keys(traits: Traits, keys: &[&Key]) -> Host {
    Host::start(traits, &configuration(&json!({"keys": {"inline": mint::jwks(keys)}}))).unwrap()
}

/// A filter that follows a feed and knows no key yet.
#[must_use]
pub fn with_feed() -> Host {
    Host::start(ENVOY, &configuration(&json!({"feed": {"cluster": "companion_internal"}}))).unwrap()
}

/// A good answer of the feed without keys and revocations, these members changed or added.
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

/// The key set of a feed's answer.
#[must_use]
pub fn keys(etag: &str, keys: &[&Key]) -> Value {
    json!({"etag": etag, "set": mint::jwks(keys)})
}

/// Headers from text.
#[must_use]
pub fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// A GET of a path with these headers besides.
pub fn get(host: &mut Host, path: &str, more: &[(&str, &str)]) -> Exchange {
    let head = [(":method", "GET"), (":path", path), (":authority", "shop.example"), (":scheme", "https")];
    host.request(headers(&[&head, more].concat()))
}

/// What the upstream gets besides the pseudo-headers, in a fixed order.
#[must_use]
pub fn upstream(exchange: &Exchange) -> Vec<String> {
    let headers = exchange.upstream.as_ref().unwrap_or_else(|| panic!("went nowhere: {exchange:?}"));
    let lines =
        headers.iter().map(|(name, value)| format!("{}: {}", name.escape_ascii(), value.escape_ascii()));
    let mut lines: Vec<String> = lines.filter(|line| !line.starts_with(':')).collect();
    lines.sort();
    lines
}

/// The status and the reason of a refusal.
#[must_use]
pub fn refused(exchange: &Exchange) -> (u32, &str) {
    assert!(exchange.upstream.is_none(), "went upstream: {exchange:?}");
    let reason = exchange.properties.iter().find(|(name, _)| name == "edgeward.rejection");
    (exchange.answer.as_ref().map_or(0, |answer| answer.status), reason.map_or("", |(_, label)| label))
}
