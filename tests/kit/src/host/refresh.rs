//! Edge refresh in the host: a filter that refreshes, requests with cookies, and the companion's response.

use serde_json::json;

use super::edge::{ENVOY, configuration, headers};
use super::{Headers, Host};
use crate::mint::{self, Key};

/// `Set-Cookie` fields of a granted refresh.
pub const COOKIES: [&str; 2] = ["access_token=new; Path=/; HttpOnly", "refresh_token=next; Path=/; HttpOnly"];

/// Starts a filter with this key that refreshes at the cluster `companion_internal`, with a secret.
#[must_use]
pub fn refreshing(key: &Key) -> Host {
    let refresh = json!({"cluster": "companion_internal", "secret": "hunter2"});
    let keys = json!({"inline": mint::jwks(&[key])});
    Host::start(ENVOY, &configuration(&json!({"keys": keys, "refresh": refresh}))).unwrap()
}

/// Returns the head of a `GET` request with a `Cookie` field, and with these additional fields.
#[must_use]
pub fn with_cookie(path: &str, cookie: &str, more: &[(&str, &str)]) -> Headers {
    let head = [(":method", "GET"), (":path", path), (":authority", "shop.example"), ("cookie", cookie)];
    headers(&[&head, more].concat())
}

/// Returns the companion's response while the session lasts.
#[must_use]
pub fn granted(token: &str) -> String {
    json!({"access_token": token, "set_cookies": COOKIES}).to_string()
}

/// Returns the values of a header field, in order.
#[must_use]
pub fn values<'h>(headers: &'h Headers, name: &str) -> Vec<&'h str> {
    let found = headers.iter().filter(|(this, _)| this == name.as_bytes());
    found.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
}
