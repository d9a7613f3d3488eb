//! Follower of the edge feed: one worker's decisions when to poll, and what to make of the outcome.
//!
//! One worker of a proxy polls, and all apply what it received, through the [`relay`](super::relay). A worker that has
//! missed something polls by itself until it has caught up. The last valid state stays in use whatever happens.

mod outcome;

use std::time::Duration;

use super::clock_gap::ClockGap;
pub use super::command::{Command, Counter, Gauges};
use super::poll::{self, PollError};
use super::relay::{FeedOffset, Relay, SharedData};
use super::schedule::Schedule;
use crate::config::Feed;
use crate::edge_state::EdgeState;
use crate::log::Level;
use crate::random::Random;

/// Time after a call's own timeout from which on it is lost. Chosen: ten ticks, for the host reports a timeout itself.
const LOST_AFTER: Duration = Duration::from_secs(1);
/// Time between records of the gauges.
const RECORD_INTERVAL: Duration = Duration::from_secs(1);

/// One feed, as far as this worker has followed it.
///
/// The host calls [`on_tick`](Self::on_tick) ten times a second and carries out the commands that are returned. All
/// times are since 1970. The [`EdgeState`] is the host's, because requests read it; each method must get the same one.
#[derive(Debug)]
pub struct FeedFollower {
    feed: Feed,
    relay: Relay,
    schedule: Schedule,
    clock_gap: ClockGap,
    /// Last version of a companion that does not go with this filter's, empty before the first.
    incompatible: String,
    /// Offset of the last response of the relay that is applied.
    applied: FeedOffset,
    /// Set while this worker catches up by polls of its own: the offset from which on the relay will do again.
    catching_up: Option<FeedOffset>,
    call: Option<CallInFlight>,
    started_at: Duration,
    ticked_at: Duration,
    recorded_at: Duration,
}

#[derive(Debug)]
struct CallInFlight {
    lost_at: Duration,
    /// [`FeedFollower::catching_up`] at the time of the call.
    catches_up_to: Option<FeedOffset>,
}

/// Returns the identity of a feed: a follower stays in use when the configuration changes, and is shared by
/// configurations, if their feeds have the same identity.
///
/// `when_stale` is part of it, because it decides whether a worker waits for the feed before it admits a request.
#[must_use]
pub fn identity(feed: &Feed) -> String {
    format!("{} {} {}", feed.cluster, feed.path, feed.denies_stale)
}

impl FeedFollower {
    /// Begins to follow a feed. `seed` is a random number that differs from worker to worker.
    #[must_use]
    pub fn new(feed: Feed, seed: u64, now: Duration) -> Self {
        let mut random = Random::from_seed(seed);
        let relay = Relay::new(&feed, random.next_u64());
        Self {
            feed,
            relay,
            schedule: Schedule::new(random),
            clock_gap: ClockGap::default(),
            incompatible: String::new(),
            applied: FeedOffset::default(),
            catching_up: None,
            call: None,
            started_at: now,
            ticked_at: now,
            recorded_at: Duration::ZERO,
        }
    }

    /// Seeds a new state with the keys that other workers have received: without them, every protected route would
    /// respond 503 until the first poll.
    #[must_use = "commands are to be carried out"]
    pub fn start(&mut self, state: &mut EdgeState, shared: &impl SharedData) -> Vec<Command> {
        let Some(entry) = self.relay.keys(shared) else { return Vec::new() };
        let Err(invalid) = state.apply_keys(&entry.body, entry.received_at) else { return Vec::new() };
        vec![Command::log(
            Level::Warn,
            &format!("the keys that another worker received are not usable: {invalid}"),
        )]
    }

    /// Takes over changed settings of the feed with the same [`identity`].
    pub fn reconfigure(&mut self, feed: Feed) {
        self.feed = feed;
    }

    /// Applies what other workers have received, and polls if a poll is due and this worker's to make.
    #[must_use = "commands are to be carried out"]
    pub fn on_tick(
        &mut self,
        now: Duration,
        state: &mut EdgeState,
        shared: &mut impl SharedData,
    ) -> Vec<Command> {
        if now < self.ticked_at {
            self.clamp_clock(now, state);
        }
        self.ticked_at = now;
        let mut commands = Vec::new();
        if now.saturating_sub(self.recorded_at) >= RECORD_INTERVAL {
            self.recorded_at = now;
            let now_s = now.as_secs();
            let current_at = self.relay.report(shared, now_s - state.age_s(now_s), now_s);
            commands.push(Command::record(state, self.applied.number, now_s.saturating_sub(current_at)));
        }
        let leads = self.schedule.may_lead(now) && self.relay.try_acquire_lease(shared, now);
        if let Some(call) = &self.call {
            if now < call.lost_at {
                return commands;
            }
            self.cancel_call();
            commands.push(Command::CancelPoll);
            commands.extend(self.fail(&PollError::Lost, now, state, shared));
        }
        if self.catching_up.is_none() {
            self.replay(state, shared);
        }
        if (leads || self.catching_up.is_some()) && self.schedule.is_due(now) {
            commands.extend(self.poll(now, state));
        }
        commands
    }

    /// Makes the next tick poll, but once in five seconds at most: a token under an unknown key was seen, and the key
    /// may be new.
    pub fn poll_early(&mut self, now: Duration, shared: &impl SharedData) {
        if self.schedule.poll_early(now) && self.catching_up.is_none() {
            self.catching_up = Some(self.relay.last(shared));
        }
    }

    /// Drops the call in flight, which the host may have dropped with the plugin that made it; the next tick polls
    /// again. Returns `true` if there was one.
    pub fn cancel_call(&mut self) -> bool {
        let Some(call) = self.call.take() else { return false };
        self.catching_up = call.catches_up_to.or(self.catching_up.take());
        self.schedule.poll_now();
        true
    }

    /// Takes back what this worker has reported to the others: it does not follow the feed any more.
    pub fn stop(&self, shared: &mut impl SharedData) {
        self.relay.withdraw_report(shared);
    }

    /// Copes with a clock that was set back to `now`: whatever was scheduled for later is due.
    fn clamp_clock(&mut self, now: Duration, state: &mut EdgeState) {
        state.clamp_clock(now.as_secs());
        self.schedule.clamp_clock();
        self.recorded_at = Duration::ZERO;
        self.started_at = self.started_at.min(now);
        if let Some(call) = &mut self.call {
            call.lost_at = now + self.feed.timeout + LOST_AFTER;
        }
    }

    /// Applies the responses that were published since the last time. If one is missing or not valid, this worker
    /// catches up by itself.
    fn replay(&mut self, state: &mut EdgeState, shared: &impl SharedData) {
        let last = self.relay.last(shared);
        while self.applied.number != last.number {
            let entry = self.relay.read_after(shared, &self.applied);
            if entry.and_then(|entry| state.apply(&entry.body, entry.received_at).ok()).is_none() {
                self.catching_up = Some(last);
                return;
            }
            let number = self.applied.number.wrapping_add(1);
            self.applied = FeedOffset { number, cursor: state.cursor().to_owned() };
        }
    }

    fn poll(&mut self, now: Duration, state: &EdgeState) -> [Command; 2] {
        let catches_up_to = self.catching_up.take();
        // Other workers have applied what is in the relay, and perhaps not what this one caught up with by itself.
        let cursor = if catches_up_to.is_some() { state.cursor() } else { &self.applied.cursor };
        let call = poll::request(&self.feed, cursor, state.keys_etag(), state.bans_etag());
        let lost_at = now + call.timeout + LOST_AFTER;
        self.call = Some(CallInFlight { lost_at, catches_up_to });
        // The poll last: the host may report at once that it did not accept it.
        [Command::Count(Counter::Poll), Command::Poll(call)]
    }
}

#[cfg(test)]
mod tests;
