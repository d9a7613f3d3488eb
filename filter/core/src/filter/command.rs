//! Commands of a [`Filter`](super::Filter) to its host.

use std::collections::BTreeMap;

use crate::call::HttpCall;
use crate::config::Refresh;
use crate::hold::{self, Resume};
use crate::log::Level;
use crate::policy::Cookies;
use crate::request::StreamId;
use crate::streams;

/// Command to the host.
#[derive(Debug)]
pub enum Command {
    /// Sends a call. Its outcome goes to [`Filter::on_response`](super::Filter::on_response): at once where the host does
    /// not accept the call.
    Call(CallId, HttpCall),
    /// Decides again on a paused stream, by [`Filter::resume`](super::Filter::resume).
    Resume(Resume),
    /// Resets a stream. The reason is for the access log.
    Close {
        /// Stream.
        stream: StreamId,
        /// Reason, in one word.
        reason: &'static str,
    },
    /// Writes a line to the log.
    Log(Level, String),
    /// Increments a counter.
    Count {
        /// Name of the counter.
        name: &'static str,
        /// Reason, by which it is divided; empty if it is not.
        reason: &'static str,
        /// Increment.
        by: u64,
    },
}

/// Number of a call, by which its outcome is recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallId {
    /// A refresh for held requests.
    Refresh(hold::CallId),
    /// A check of a session with open streams.
    SessionCheck(streams::CallId),
}

impl From<hold::Command> for Command {
    fn from(command: hold::Command) -> Self {
        match command {
            hold::Command::Call(id, call) => Self::Call(CallId::Refresh(id), call),
            hold::Command::Resume(resume) => Self::Resume(resume),
        }
    }
}

/// Translates the commands of the open streams. Sessions are checked only with a `refresh` section.
pub(super) fn of_streams(
    commands: Vec<streams::Command>,
    refresh: Option<&Refresh>,
    cookies: &Cookies,
) -> Vec<Command> {
    let (mut translated, mut closed) = (Vec::new(), BTreeMap::new());
    for command in commands {
        match command {
            streams::Command::Close { stream, reason } => {
                let reason = reason.label();
                *closed.entry(reason).or_default() += 1;
                translated.push(Command::Close { stream, reason });
            }
            streams::Command::Check(check) => {
                let call = refresh.map(|refresh| check.http_call(refresh, cookies));
                translated.extend(call.map(|call| Command::Call(CallId::SessionCheck(check.call), call)));
            }
            streams::Command::CountUnfollowed { streams, log } => {
                translated.push(Command::Count {
                    name: "edgeward_streams_unfollowed",
                    reason: "",
                    by: streams,
                });
                let line = "edgeward: there are too many open streams: some will not end with their session";
                translated.extend(log.then(|| Command::Log(Level::Warn, line.to_owned())));
            }
        }
    }
    // One line for all of them: a session may have thousands of streams.
    for (reason, by) in closed {
        translated.push(Command::Count { name: "edgeward_streams_closed", reason, by });
        let line = format!("edgeward: open streams were closed: {by} for {reason}");
        translated.push(Command::Log(Level::Info, line));
    }
    translated
}
