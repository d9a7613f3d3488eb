//! One pass over all open streams: the judgement of each, and the time of the next pass.

use crate::claims::Identity;
use crate::edge_state::EdgeState;
use crate::rejection::Rejection;

use super::{Command, EndReason, StreamId};

/// Minimum number of ticks that a stream is open before it is closed: half a second. Requests that a logout or an expiry
/// overtakes end by themselves in less. Chosen: with a feed that is polled every second, a stream still ends within two.
pub(super) const MIN_TICKS: u32 = 5;

/// Identity of an open stream.
#[derive(Clone)]
pub(super) struct Followed {
    pub(super) identity: Identity,
    /// Number of the tick before which the stream was opened.
    pub(super) opened_at: u32,
}

/// Judgement of a stream.
pub(super) enum Judgement {
    Close(EndReason),
    /// The stream stays as long as its token, until then in seconds since 1970.
    Valid(u64),
    /// The stream stays, and is judged again at this time in seconds since 1970 at the latest.
    Stays(u64),
    /// The token has expired: the session decides.
    Expired,
}

/// A pass at one time.
pub(super) struct Sweep<'a> {
    pub(super) now: u64,
    pub(super) clock_skew_s: u64,
    pub(super) tick: u32,
    pub(super) state: &'a EdgeState,
    pub(super) commands: &'a mut Vec<Command>,
    /// Earliest expiry of a token, without the tolerance for clocks.
    pub(super) earliest_expiry: u64,
    /// Earliest time at which a stream is to be judged again for another reason.
    pub(super) earliest_due: u64,
}

impl Sweep<'_> {
    /// Judges a stream by the revocations and the time.
    pub(super) fn judge(&self, stream: &Followed) -> Judgement {
        let identity = &stream.identity;
        let is_young = self.tick.wrapping_sub(stream.opened_at) < MIN_TICKS;
        match self.state.revocations().judge(identity) {
            Ok(()) if self.now < identity.expires_at().saturating_add(self.clock_skew_s) => {
                Judgement::Valid(identity.expires_at())
            }
            Ok(()) if is_young => Judgement::Stays(self.now.saturating_add(1)),
            Ok(()) => Judgement::Expired,
            Err(_) if is_young => Judgement::Stays(self.now),
            Err(Rejection::SessionEnded { .. }) => Judgement::Close(EndReason::SessionEnded),
            Err(_) => Judgement::Close(EndReason::TokenOutdated),
        }
    }

    /// Carries out a judgement. Returns `true` if the stream stays.
    pub(super) fn carry_out(&mut self, stream: StreamId, judgement: &Judgement) -> bool {
        match *judgement {
            Judgement::Valid(until) => self.earliest_expiry = self.earliest_expiry.min(until),
            Judgement::Stays(until) => self.earliest_due = self.earliest_due.min(until),
            Judgement::Close(reason) => self.close(stream, reason),
            // Without a session that could go on.
            Judgement::Expired => self.close(stream, EndReason::Expired),
        }
        matches!(judgement, Judgement::Valid(_) | Judgement::Stays(_))
    }

    fn close(&mut self, stream: StreamId, reason: EndReason) {
        self.commands.push(Command::Close { stream, reason });
    }
}
