//! Commands to the shell about open streams.

use std::fmt;
use std::sync::Arc;

use crate::call::HttpCall;
use crate::config::{Refresh, Secret};
use crate::policy::Cookies;

use super::{CallId, StreamId};

/// Command to the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Close a stream, count it and log the reason. The machine has dropped the stream already.
    Close {
        /// Stream.
        stream: StreamId,
        /// Reason.
        reason: EndReason,
    },
    /// Ask the companion if a session can go on, and hand its response to
    /// [`OpenStreams::on_response`](super::OpenStreams::on_response).
    Check(SessionCheck),
    /// Count streams that are not followed, because there are too many.
    CountUnfollowed {
        /// Number of streams since the last command of this kind.
        streams: u64,
        /// `true` if a line in the log is due: at most one a minute.
        log: bool,
    },
}

/// Reason that a stream is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The session has ended.
    SessionEnded,
    /// The user's role or right to sign in has changed since the token was issued.
    TokenOutdated,
    /// The token has expired, and the session cannot go on.
    Expired,
    /// The token has expired, and the companion has not told for too long if the session can go on.
    SessionUnknown,
}

impl EndReason {
    /// Returns the reason in one word, for logs and metrics: the label of the rejection that a new request would get.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SessionEnded => "session_ended",
            Self::TokenOutdated => "token_outdated",
            Self::Expired => "exp_passed",
            Self::SessionUnknown => "refresh_unavailable",
        }
    }
}

/// Check of one session. `Debug` does not show the refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCheck {
    /// Number of the call.
    pub call: CallId,
    /// Refresh token of the session.
    pub(super) refresh_token: Arc<[u8]>,
}

impl SessionCheck {
    /// Returns the call, by the configuration of the edge refresh.
    #[must_use]
    pub fn http_call(&self, refresh: &Refresh, cookies: &Cookies) -> HttpCall {
        let cookie = [cookies.refresh.as_bytes(), b"=", &self.refresh_token].concat();
        let mut headers = vec![("cookie", cookie)];
        headers.extend(refresh.secret.as_ref().map(Secret::authorization));
        HttpCall {
            cluster: refresh.cluster.clone(),
            method: "POST",
            path: refresh.session_path.clone(),
            headers,
            timeout: refresh.timeout,
        }
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh_token(&self) -> &[u8] {
        &self.refresh_token
    }
}

impl fmt::Debug for SessionCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SessionCheck").field("call", &self.call).finish_non_exhaustive()
    }
}
