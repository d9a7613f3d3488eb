//! Poll of the edge feed: its request, and what its failures are.

use edgeward_wire::{FILTER_PRODUCT, FeedQuery, VERSION, version};
use thiserror::Error;

use crate::call::{CallOutcome, HttpCall};
use crate::config::{Feed, Secret};
use crate::feed_response::InvalidFeed;

/// Failure of a poll.
#[derive(Debug, Error)]
pub(super) enum PollError {
    /// The host did not accept the call.
    #[error("the host did not accept the call: check that Envoy has a cluster of this name")]
    NotAccepted,
    /// The call was reset, or timed out.
    #[error("no response within `feed.timeout_ms`, or the connection was reset")]
    NoResponse,
    /// The host did not report any outcome in time.
    #[error("no response, and the host did not report a timeout")]
    Lost,
    /// The status is not 200.
    #[error("the response has status {}", .0.escape_ascii())]
    Status(Vec<u8>),
    /// The body is not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidFeed),
}

impl PollError {
    /// Label in metrics: `[a-z_]+`.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::NotAccepted => "not_taken",
            Self::NoResponse => "no_answer",
            Self::Lost => "lost",
            Self::Status(_) => "status",
            Self::Invalid(invalid) => invalid.label(),
        }
    }
}

/// Returns the request for what follows a cursor, for a worker whose key set and bans have these tags. All are empty at
/// first.
pub(super) fn request(feed: &Feed, cursor: &str, keys: &str, bans: &str) -> HttpCall {
    let Feed { cluster, path, timeout, secret, .. } = feed;
    let query = FeedQuery { after: cursor.into(), keys: keys.into(), bans: Some(bans.into()) };
    let user_agent = ("user-agent", format!("{FILTER_PRODUCT}/{VERSION}").into_bytes());
    let authorization = secret.as_ref().map(Secret::authorization);
    HttpCall {
        cluster: cluster.clone(),
        method: "GET",
        path: format!("{path}?{query}"),
        headers: [user_agent].into_iter().chain(authorization).collect(),
        timeout: *timeout,
    }
}

/// Describes a companion whose version does not go with this filter's; `None` if it does.
pub(super) fn describe_incompatible(companion: &str) -> Option<String> {
    (!version::are_compatible(VERSION, companion)).then(|| {
        let companion = companion.escape_debug();
        format!(
            "the companion's version {companion} does not go with this filter's, {VERSION}: upgrade one release at a time \
             (docs/guide/upgrades.md)"
        )
    })
}

/// Returns the body of a successful response.
pub(super) fn successful_body<'a>(outcome: &CallOutcome<'a>) -> Result<&'a [u8], PollError> {
    match outcome {
        CallOutcome::Response { status: b"200", body } => Ok(body),
        CallOutcome::Response { status, .. } => Err(PollError::Status(status.to_vec())),
        CallOutcome::NoResponse => Err(PollError::NoResponse),
        CallOutcome::NotAccepted => Err(PollError::NotAccepted),
    }
}
