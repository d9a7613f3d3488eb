//! The audit trail: one line for each thing that happens to an account, under the log target `audit`. No password,
//! token or e-mail is ever written: a person is a user ID, and an unknown one is nobody.

use super::observe::Caller;
use crate::domain::{SessionId, UserId};
use crate::metrics::METRICS;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was made, and its first session.
    Registered(UserId, SessionId),
    /// A session was started.
    LoggedIn(UserId, SessionId),
    /// A login was refused; the user is known if the e-mail was.
    LoginRefused(Option<UserId>, &'static str),
    /// A session goes on.
    Refreshed(UserId, SessionId),
    /// A refresh was refused; user and session are known if the token was one of ours.
    RefreshRefused(Option<(UserId, SessionId)>, &'static str),
    /// A refresh token came that had been replaced long ago: two have it, and the session was ended for both.
    RefreshTokenReused(UserId, SessionId),
    /// A session was ended by its user from another one, or from its own list.
    SessionEnded(UserId, SessionId),
    /// A session was ended by its user.
    LoggedOut(UserId, SessionId),
    /// All sessions of a user were ended from one of them.
    LoggedOutEverywhere(UserId, SessionId),
}

/// Writes one line, and counts it.
pub fn record(event: Event, caller: &Caller) {
    let (name, user_id, session_id, reason) = match event {
        Event::Registered(user, session) => ("register", Some(user), Some(session), None),
        Event::LoggedIn(user, session) => ("login", Some(user), Some(session), None),
        Event::LoginRefused(user, reason) => ("login_refused", user, None, Some(reason)),
        Event::Refreshed(user, session) => ("refresh", Some(user), Some(session), None),
        Event::RefreshRefused(known, reason) => {
            let (user, session) = known.unzip();
            ("refresh_refused", user, session, Some(reason))
        }
        Event::RefreshTokenReused(user, session) => ("refresh_token_reused", Some(user), Some(session), None),
        Event::SessionEnded(user, session) => ("session_ended", Some(user), Some(session), None),
        Event::LoggedOut(user, session) => ("logout", Some(user), Some(session), None),
        Event::LoggedOutEverywhere(user, session) => ("logout_all", Some(user), Some(session), None),
    };
    METRICS.count_event(name, reason);
    tracing::info!(
        target: "audit",
        event = name,
        user_id,
        session_id,
        reason,
        request_id = caller.request_id(),
        client = caller.peer.map(tracing::field::display),
        forwarded_for = caller.forwarded_for,
        "{name}"
    );
}
