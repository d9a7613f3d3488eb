//! The native module beside an Envoy of the test's own.

#![expect(unsafe_code, reason = "Envoy's side of the ABI consists of raw pointers")]
#![expect(clippy::unwrap_used, reason = "a test reports a failure by a panic")]

mod envoy;
mod feed;
mod threads;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edgeward_filter_native as _;
use edgeward_kit::mint::{self, Key};
use serde_json::json;

/// Time after which a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// Response of the feed: the key, sessions that have ended, and where the feed continues.
fn feed_response(key: &Key, ended: &[u64], cursor: &str) -> Vec<u8> {
    let (at, until) = (now(), now() + 3600);
    let sessions: Vec<_> = ended.iter().map(|session| json!([session, until])).collect();
    json!({
        "at": at, "keys": {"etag": "e1", "set": mint::jwks(&[key])}, "revoked": {"sessions": sessions, "users": []},
        "cursor": cursor, "more": false,
    })
    .to_string()
    .into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "the module reads the clock of the system")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
