//! Open streams that end with their session: which of them to close, and which sessions to ask the companion about.
//!
//! A request is judged once, when its head arrives. A WebSocket or a download that it opens may last for hours, and
//! nothing judges it again. So a worker follows the streams that were let through: it closes those that the feed
//! revokes, and those whose token has expired and whose session cannot go on.

mod command;
mod lasting;
mod recent;
mod session_checks;
mod sweep;

use crate::call::CallOutcome;
use crate::claims::Identity;
use crate::edge_state::EdgeState;
use crate::request::StreamId;

use self::lasting::{Full, Lasting};
use self::recent::Recent;
use self::sweep::{Followed, Judgement, Sweep};

pub use self::command::{Command, EndReason, SessionCheck};
pub use self::session_checks::{CallId, MAX_CALLS, MAX_RESPONSE_BYTES};

/// Maximum number of lasting streams that are followed. Chosen: with a session of its own each takes some 500 bytes, so
/// that all of them take 32 MiB of a worker; connections are of the same order, and Envoy's own memory of a stream is
/// many times that.
pub const MAX_LASTING: usize = 65_536;

/// Maximum length of a refresh token that is kept, in bytes. A stream with a longer one is treated as one without. Chosen:
/// the companion issues shorter ones only, and 65,536 of the longest take 64 MiB.
pub const MAX_REFRESH_TOKEN_BYTES: usize = edgeward_wire::access_token::MAX_ISSUED_BYTES;

/// Minimum number of seconds between two log lines about streams that are not followed.
const UNFOLLOWED_LOG_INTERVAL_S: u64 = 60;

/// Streams of one worker that end with their session.
///
/// A short request costs one slot written and one cleared: slots hold the latest streams, and those that are still
/// open when their slot is needed move to the lasting ones. Nothing is judged until the revocations change or a token
/// expires.
pub struct OpenStreams {
    recent: Recent,
    lasting: Lasting,
    /// `true` if the companion can be asked about sessions.
    refresh_enabled: bool,
    /// Number of ticks since the start. It may wrap around.
    tick: u32,
    /// Time of the last tick.
    ticked_at: u64,
    /// Revision of the revocations that all streams were judged by.
    revision: u64,
    /// Earliest expiry of a token, without the tolerance for clocks. Streams that have ended may have had it.
    earliest_expiry: u64,
    /// Earliest time at which a stream is to be judged again for another reason.
    earliest_due: u64,
    /// Number of streams not followed since the last command.
    unfollowed: u64,
    /// Time from which on the next line about them may be logged.
    unfollowed_log_at: u64,
}

impl OpenStreams {
    /// Returns a machine without streams. `refresh_enabled` is `true` if the filter's configuration has a `refresh`
    /// section, so that the companion can be asked.
    #[must_use]
    pub fn new(refresh_enabled: bool) -> Self {
        Self {
            recent: Recent::new(),
            lasting: Lasting::default(),
            refresh_enabled,
            tick: 0,
            ticked_at: 0,
            revision: 0,
            earliest_expiry: u64::MAX,
            earliest_due: u64::MAX,
            unfollowed: 0,
            unfollowed_log_at: 0,
        }
    }

    /// Follows a stream whose request has passed as this identity. `refresh_token` is the value of the request's refresh
    /// cookie; after a refresh at the edge, the one that was presented. Both are kept as long as the stream is open.
    pub fn opened(&mut self, stream: StreamId, identity: &Identity, refresh_token: Option<&[u8]>) {
        let refresh_token = refresh_token
            .filter(|token| self.refresh_enabled && (1..=MAX_REFRESH_TOKEN_BYTES).contains(&token.len()));
        self.earliest_expiry = self.earliest_expiry.min(identity.expires_at());
        let followed = Followed { identity: identity.clone(), opened_at: self.tick };
        if let Some(displaced) = self.recent.insert(stream, followed, refresh_token)
            && let Err(Full) = self.lasting.insert(&displaced)
        {
            self.unfollowed += 1;
        }
    }

    /// Drops a stream that has ended. One that is not followed is ignored.
    pub fn ended(&mut self, stream: StreamId) {
        if !self.recent.remove(stream) && self.lasting.len() > 0 {
            self.lasting.remove(stream);
        }
    }

    /// Returns the commands that are due at `now`, in seconds since 1970. `clock_skew_s` is the time for which an expired
    /// token is still accepted. To be called at every tick of the worker, ten times a second, after the feed's responses
    /// were applied.
    ///
    /// All streams are judged if the revocations have changed or a token has expired, otherwise none.
    pub fn on_tick(&mut self, now: u64, clock_skew_s: u64, state: &EdgeState) -> Vec<Command> {
        let mut commands = Vec::new();
        self.tick = self.tick.wrapping_add(1);
        // What was due at a time of a clock that was set back since, is due now.
        let is_set_back = now < self.ticked_at;
        self.ticked_at = now;
        if is_set_back || self.lasting.give_up_lost(now) {
            self.earliest_due = now;
        }
        if is_set_back {
            self.unfollowed_log_at = now;
        }
        let expired = now >= self.earliest_expiry.saturating_add(clock_skew_s);
        if state.revision() != self.revision || expired || now >= self.earliest_due {
            self.revision = state.revision();
            self.sweep(now, clock_skew_s, state, &mut commands);
        }
        self.lasting.send(now, &mut commands);
        if self.unfollowed > 0 {
            let log = now >= self.unfollowed_log_at;
            if log {
                self.unfollowed_log_at = now.saturating_add(UNFOLLOWED_LOG_INTERVAL_S);
            }
            commands.push(Command::CountUnfollowed { streams: std::mem::take(&mut self.unfollowed), log });
        }
        commands
    }

    /// Takes the companion's response to a check, and returns the checks that waited for a call to end. The streams of
    /// the session are judged at the next tick.
    pub fn on_response(&mut self, call: CallId, outcome: &CallOutcome<'_>, now: u64) -> Vec<Command> {
        let mut commands = Vec::new();
        self.lasting.on_response(call, outcome, now);
        self.earliest_due = self.earliest_due.min(now);
        self.lasting.send(now, &mut commands);
        commands
    }

    /// Number of streams that have outlasted their slot.
    #[must_use]
    pub fn lasting(&self) -> usize {
        self.lasting.len()
    }

    /// Judges every stream.
    fn sweep(&mut self, now: u64, clock_skew_s: u64, state: &EdgeState, commands: &mut Vec<Command>) {
        let mut sweep = Sweep {
            now,
            clock_skew_s,
            tick: self.tick,
            state,
            commands,
            earliest_expiry: u64::MAX,
            earliest_due: u64::MAX,
        };
        // The lasting ones first: those that are closed make room.
        self.lasting.sweep(&mut sweep);
        let mut expired = Vec::new();
        self.recent.retain(|open| match sweep.judge(open.followed) {
            Judgement::Expired if open.has_refresh_token() => {
                expired.push(open.to_open());
                false
            }
            judgement => sweep.carry_out(open.stream, &judgement),
        });
        for open in expired {
            if let Err(Full) = self.lasting.insert_expired(&open, &mut sweep) {
                self.unfollowed += 1;
            }
        }
        (self.earliest_expiry, self.earliest_due) = (sweep.earliest_expiry, sweep.earliest_due);
    }
}

#[cfg(test)]
mod tests;
