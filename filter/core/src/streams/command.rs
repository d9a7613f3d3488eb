//! Commands to the shell about open streams.

use super::{SessionCheck, StreamId};

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
    /// Ask the companion if a session can go on, and hand its response to [`OpenStreams::on_response`](super::OpenStreams::on_response).
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
}

impl EndReason {
    /// Returns the reason in one word, for logs and metrics: the label of the rejection that a new request would get.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SessionEnded => "session_ended",
            Self::TokenOutdated => "token_outdated",
            Self::Expired => "exp_passed",
        }
    }
}
