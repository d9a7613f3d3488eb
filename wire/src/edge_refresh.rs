//! The edge refresh: `POST` [`PATH`], by which the filter has a session refreshed for a request whose access token is
//! missing, expired or outdated. And the session check: `POST` [`SESSION_PATH`], by which it learns if the streams of a
//! session may stay open. Both requests carry the refresh token in a `Cookie` header.

use serde::{Deserialize, Serialize};

/// Path on the companion's internal listener, and default of the filter's `refresh.path`.
pub const PATH: &str = "/internal/edge-refresh";

/// Path of the session check on the companion's internal listener.
pub const SESSION_PATH: &str = "/internal/edge-session";

/// Maximum length of a response to the edge refresh, in bytes. Chosen: many times that of a token and two `Set-Cookie` values.
pub const MAX_BYTES: usize = 64 * 1024;

/// Maximum number of calls that a worker has under way for one configuration, and of streams that the companion
/// accepts on one HTTP/2 connection, so that one connection carries them all. `envoy.yaml` allows as many
/// (`max_concurrent_streams` of the cluster `companion_internal`). Other calls, such as those of the feed, get a
/// connection of their own.
pub const MAX_CALLS: u32 = 1024;

/// Body of a response with status 200: the refresh is granted. Status 401 means that the session is over, any other
/// that the companion cannot tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeRefresh {
    /// New access token. The filter verifies it as it does any other.
    pub access_token: String,
    /// Values of the `Set-Cookie` headers for the browser: both cookies.
    pub set_cookies: Vec<String>,
}

/// Body of a response to the session check with status 200: the session goes on. Status 401 means that it is over, any
/// other that the companion cannot tell. Unlike a refresh, a check changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeSession {
    /// Time until which the response counts, in seconds since 1970: that of an access token issued now, but at most the end
    /// of the session.
    pub until: u64,
    /// Session ID. The filter compares it with the `sid` claim of the access token: the cookies of a request can be of
    /// different sessions.
    pub sid: u64,
    /// Time before which the user's access tokens are no longer valid, in seconds since 1970; 0 if all are. As in the edge
    /// feed, which repeats a revocation only until every token has expired.
    pub not_before: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateway_puts_all_calls_of_a_worker_on_one_connection() {
        let cluster =
            include_str!("../../envoy/envoy.yaml").split("- name: companion_internal").nth(1).unwrap();
        let streams = cluster.split("max_concurrent_streams: ").nth(1).unwrap();
        assert_eq!(streams.lines().next(), Some(MAX_CALLS.to_string().as_str()));
    }
}
