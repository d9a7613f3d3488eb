//! Sessions of streams whose token has expired: whether the companion lets them go on.
//!
//! The companion is asked, and nothing is refreshed: the refresh token of a stream may be hours old, and an old one that is
//! presented for a refresh ends the session of an honest user. A cookie alone proves nothing (CVE-2022-29226).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use edgeward_wire::EdgeSession;
use edgeward_wire::access_token::MAX_LIFETIME_S;

use crate::call::CallOutcome;
use crate::claims::Identity;

use super::sweep::Judgement;
use super::{Command, EndReason, MAX_LASTING, SessionCheck};

/// Number of a check, by which its response is recognized.
pub type CallId = u32;

/// Maximum number of checks in flight. Chosen: a sixteenth of the calls that one connection to the companion carries
/// ([`MAX_CALLS`](edgeward_wire::edge_refresh::MAX_CALLS)), so that requests that are held for a refresh never wait for streams.
pub const MAX_CALLS: usize = 64;

/// Maximum length of a response, in bytes. Chosen: many times that of three numbers.
pub const MAX_RESPONSE_BYTES: usize = 1024;

/// Seconds to the next check after the first one that failed, and the maximum that they double to.
const RETRY_S: (u64, u64) = (10, 60);

/// Seconds from the first check that failed to the end of a stream whose session stays unknown. Chosen: the default
/// lifetime of an access token. A short outage of the companion cuts nobody, and none lets a stream last for ever.
const MAX_UNKNOWN_S: u64 = 3600;

/// Minimum number of seconds that a response counts for: one by a clock that is behind must not cause a check a tick.
const MIN_CONTINUATION_S: u64 = 10;

/// Seconds after which a call without a response is given up. The host reports a timeout itself; this is for calls that
/// it loses. Chosen: more than the maximum of `refresh.timeout_ms`.
const LOST_AFTER_S: u64 = 70;

/// Sessions of lasting streams, by their refresh token. Streams of one token share a call.
#[derive(Default)]
pub(super) struct SessionChecks {
    /// A sorted map, because tokens come from clients: no choice of keys makes it slow.
    sessions: BTreeMap<Arc<[u8]>, Session>,
    /// Tokens to ask about once there are fewer than [`MAX_CALLS`] calls in flight; at most [`MAX_LASTING`].
    queue: VecDeque<Arc<[u8]>>,
    calls: BTreeMap<CallId, InFlight>,
    last_call: CallId,
}

#[derive(Default)]
struct Session {
    /// Number of lasting streams with the token.
    streams: u32,
    check: Check,
}

struct InFlight {
    refresh_token: Arc<[u8]>,
    sent_at: u64,
}

/// State of a session's check.
#[derive(Clone, Copy, Default)]
enum Check {
    #[default]
    Never,
    /// In the queue or in flight, after these failures.
    Pending(Option<Failures>),
    /// The last check failed.
    Failed { failures: Failures, retry_at: u64 },
    /// The session goes on until then, for identities of this session whose token was issued from `not_before` on.
    Alive { until: u64, session_id: u64, not_before: u64 },
    /// The session is over.
    Over,
}

/// Failures since the companion last told.
#[derive(Clone, Copy)]
struct Failures {
    /// Time of the first, in seconds since 1970.
    since: u64,
    /// Seconds to the next check if this one fails.
    delay_s: u64,
}

impl Failures {
    /// Time at which streams of the session end if the companion still has not told.
    const fn limit(self) -> u64 {
        self.since.saturating_add(MAX_UNKNOWN_S)
    }
}

impl SessionChecks {
    /// Returns the key of a refresh token, for one more stream.
    pub(super) fn share(&mut self, refresh_token: &[u8]) -> Arc<[u8]> {
        let known = self.sessions.get_key_value(refresh_token).map(|(key, _)| Arc::clone(key));
        let key = known.unwrap_or_else(|| refresh_token.into());
        self.sessions.entry(Arc::clone(&key)).or_default().streams += 1;
        key
    }

    /// Drops the share of a stream that has ended. The session goes with its last stream.
    pub(super) fn release(&mut self, refresh_token: Option<&Arc<[u8]>>) {
        let Some(token) = refresh_token else { return };
        if let Some(session) = self.sessions.get_mut(token) {
            session.streams -= 1;
            if session.streams == 0 {
                self.sessions.remove(token);
            }
        }
    }

    /// Judges a stream whose token has expired. Asks the companion if nothing is known.
    pub(super) fn judge(
        &mut self,
        identity: &Identity,
        refresh_token: Option<&Arc<[u8]>>,
        now: u64,
    ) -> Judgement {
        let Some((token, session)) =
            refresh_token.and_then(|token| Some((token, self.sessions.get_mut(token)?)))
        else {
            return Judgement::Close(EndReason::Expired);
        };
        let failures = match session.check {
            Check::Over => return Judgement::Close(EndReason::Expired),
            // The two cookies are of different sessions: the companion has not spoken of this one.
            Check::Alive { session_id, .. } if session_id != identity.session_id() => {
                return Judgement::Close(EndReason::Expired);
            }
            Check::Alive { not_before, .. } if identity.issued_at() < not_before => {
                return Judgement::Close(EndReason::TokenOutdated);
            }
            Check::Alive { until, .. } if is_ahead(until, MAX_LIFETIME_S.into(), now) => {
                return Judgement::Stays(until);
            }
            Check::Pending(Some(failures)) | Check::Failed { failures, .. } if now >= failures.limit() => {
                return Judgement::Close(EndReason::SessionUnknown);
            }
            Check::Pending(failures) => return Judgement::Stays(limit(failures)),
            Check::Failed { failures, retry_at } if is_ahead(retry_at, RETRY_S.1, now) => {
                return Judgement::Stays(retry_at.min(failures.limit()));
            }
            Check::Failed { failures, .. } => Some(failures),
            Check::Never | Check::Alive { .. } => None,
        };
        if self.queue.len() >= MAX_LASTING {
            return Judgement::Stays(now.saturating_add(1));
        }
        session.check = Check::Pending(failures);
        self.queue.push_back(Arc::clone(token));
        Judgement::Stays(limit(failures))
    }

    /// Sends checks from the queue, as long as calls may be made.
    pub(super) fn send(&mut self, now: u64, commands: &mut Vec<Command>) {
        while self.calls.len() < MAX_CALLS
            && let Some(refresh_token) = self.queue.pop_front()
        {
            if !self.sessions.contains_key(&refresh_token) {
                continue;
            }
            self.last_call = self.last_call.wrapping_add(1);
            let call = self.last_call;
            self.calls.insert(call, InFlight { refresh_token: Arc::clone(&refresh_token), sent_at: now });
            commands.push(Command::Check(SessionCheck { call, refresh_token }));
        }
    }

    /// Takes a response. One to an unknown call is ignored.
    pub(super) fn on_response(&mut self, call: CallId, outcome: &CallOutcome<'_>, now: u64) {
        let Some(InFlight { refresh_token, .. }) = self.calls.remove(&call) else { return };
        let Some(session) = self.sessions.get_mut(&refresh_token) else { return };
        let failures = match session.check {
            Check::Pending(failures) => failures,
            _ => None,
        };
        let Failures { since, delay_s } = failures.unwrap_or(Failures { since: now, delay_s: RETRY_S.0 });
        session.check = read(outcome, now).unwrap_or_else(|| Check::Failed {
            // After a clock was set back, the earlier time.
            failures: Failures { since: since.min(now), delay_s: delay_s.saturating_mul(2).min(RETRY_S.1) },
            retry_at: now.saturating_add(delay_s),
        });
    }

    /// Gives up calls that the host has lost. Returns `true` if there were any.
    pub(super) fn give_up_lost(&mut self, now: u64) -> bool {
        // After a clock was set back, too.
        let is_lost = |call: &InFlight| now.abs_diff(call.sent_at) > LOST_AFTER_S;
        let lost: Vec<CallId> =
            self.calls.iter().filter(|(_, call)| is_lost(call)).map(|(id, _)| *id).collect();
        for &call in &lost {
            self.on_response(call, &CallOutcome::NoResponse, now);
        }
        !lost.is_empty()
    }
}

/// Time at which streams of a session end whose check is pending; none if no check has failed.
fn limit(failures: Option<Failures>) -> u64 {
    failures.map_or(u64::MAX, Failures::limit)
}

/// `true` if a time lies ahead, by no more than it was set to: after a clock was set back, it is further away.
const fn is_ahead(time: u64, at_most_s: u64, now: u64) -> bool {
    now < time && time - now <= at_most_s
}

/// Reads a response. `None` if it does not tell.
fn read(outcome: &CallOutcome<'_>, now: u64) -> Option<Check> {
    match outcome {
        CallOutcome::Response { status: b"200", body } if body.len() <= MAX_RESPONSE_BYTES => {
            let EdgeSession { until, sid, not_before } = serde_json::from_slice(body).ok()?;
            let latest = now.saturating_add(MAX_LIFETIME_S.into());
            let until = until.clamp(now.saturating_add(MIN_CONTINUATION_S), latest);
            Some(Check::Alive { until, session_id: sid, not_before })
        }
        CallOutcome::Response { status: b"401", .. } => Some(Check::Over),
        _ => None,
    }
}
