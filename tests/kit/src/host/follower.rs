//! Workers that follow the edge feed: their configuration, their polls, and the requests that they let pass.

use serde_json::{Value, json};

use super::edge::{NOW, configuration, feed, get, keys, with_feed};
use super::{Call, Host};
use crate::mint::Key;

/// Returns a cookie with a valid access token.
#[must_use]
pub fn cookie(key: &Key) -> String {
    format!("access_token={}", key.good(NOW))
}

/// `true` if a request with a valid access token under a key passes.
pub fn passes(host: &mut Host, key: &Key) -> bool {
    get(host, "/orders", &[("cookie", &cookie(key))]).upstream.is_some()
}

/// Returns a configuration that follows a cluster's feed, with these additional members of `feed`.
#[must_use]
pub fn following(cluster: &str, more: &Value) -> String {
    let mut feed = json!({"cluster": cluster});
    feed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    configuration(&json!({"feed": feed}))
}

/// Returns the one poll since the last time, and its path.
pub fn take_poll(host: &mut Host) -> (Call, String) {
    let call = host.take_call();
    let (_, path) = call.headers.iter().find(|(name, _)| name == b":path").unwrap();
    let path = String::from_utf8(path.clone()).unwrap();
    (call, path)
}

/// Waits for a poll and responds to it. Returns its path.
pub fn poll(host: &mut Host, response: &[u8]) -> String {
    host.advance(2200);
    let (call, path) = take_poll(host);
    host.complete_call(&call, Some(200), response);
    path
}

/// Starts a worker that has received this key as `e1`, and polls from cursor `c1`.
#[must_use]
pub fn with_key(key: &Key) -> Host {
    let mut host = with_feed();
    let path = poll(&mut host, &feed(&json!({"keys": keys("e1", &[key])})));
    assert_eq!(path, "/internal/edge-feed?after=&keys=&bans=");
    host
}
