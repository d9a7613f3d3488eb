//! Streams that outlasted their slot, with their sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::call::CallOutcome;

use super::recent::Open;
use super::session_checks::SessionChecks;
use super::sweep::{Followed, Judgement, Sweep};
use super::{CallId, Command, MAX_LASTING, StreamId};

/// Streams that outlasted their slot.
#[derive(Default)]
pub(super) struct Lasting {
    streams: BTreeMap<StreamId, Stream>,
    checks: SessionChecks,
}

struct Stream {
    followed: Followed,
    /// Key of its session in [`SessionChecks`].
    refresh_token: Option<Arc<[u8]>>,
}

/// There are [`MAX_LASTING`] streams already.
pub(super) struct Full;

impl Lasting {
    /// Adds a stream.
    pub(super) fn insert(&mut self, open: &Open) -> Result<(), Full> {
        if self.streams.len() >= MAX_LASTING {
            return Err(Full);
        }
        let refresh_token = open.refresh_token().map(|token| self.checks.share(token));
        let stream = Stream { followed: open.followed.clone(), refresh_token };
        if let Some(replaced) = self.streams.insert(open.stream, stream) {
            self.checks.release(replaced.refresh_token.as_ref());
        }
        Ok(())
    }

    /// Removes a stream. One that is not there is ignored.
    pub(super) fn remove(&mut self, stream: StreamId) {
        if let Some(removed) = self.streams.remove(&stream) {
            self.checks.release(removed.refresh_token.as_ref());
        }
    }

    /// Judges every stream, and removes those that are closed.
    pub(super) fn sweep(&mut self, sweep: &mut Sweep<'_>) {
        let checks = &mut self.checks;
        self.streams.retain(|&id, stream| {
            let judgement = sweep.judge(&stream.followed);
            let stays = stream.settle(id, judgement, checks, sweep);
            if !stays {
                checks.release(stream.refresh_token.as_ref());
            }
            stays
        });
    }

    /// Adds a stream whose token has expired, and judges its session.
    pub(super) fn insert_expired(&mut self, open: &Open, sweep: &mut Sweep<'_>) -> Result<(), Full> {
        self.insert(open)?;
        let stream = self.streams.get(&open.stream);
        let stays = stream
            .is_none_or(|stream| stream.settle(open.stream, Judgement::Expired, &mut self.checks, sweep));
        if !stays {
            self.remove(open.stream);
        }
        Ok(())
    }

    /// Sends the checks that can be sent.
    pub(super) fn send(&mut self, now: u64, commands: &mut Vec<Command>) {
        self.checks.send(now, commands);
    }

    /// Takes the companion's response to a check.
    pub(super) fn on_response(&mut self, call: CallId, outcome: &CallOutcome<'_>, now: u64) {
        self.checks.on_response(call, outcome, now);
    }

    /// Gives up calls that the host has lost. Returns `true` if there were any.
    pub(super) fn give_up_lost(&mut self, now: u64) -> bool {
        self.checks.give_up_lost(now)
    }

    /// Number of streams.
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }
}

impl Stream {
    /// Carries out a judgement; on a token that has expired, that of its session. Returns `true` if the stream stays.
    fn settle(
        &self,
        id: StreamId,
        judgement: Judgement,
        checks: &mut SessionChecks,
        sweep: &mut Sweep<'_>,
    ) -> bool {
        let judgement = match judgement {
            Judgement::Expired => {
                checks.judge(&self.followed.identity, self.refresh_token.as_ref(), sweep.now)
            }
            judgement => judgement,
        };
        sweep.carry_out(id, &judgement)
    }
}
