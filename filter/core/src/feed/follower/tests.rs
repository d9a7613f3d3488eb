//! A proxy with some workers that follow the feed of a fake companion, and what they make of it.

mod any_order;
mod one_worker;
mod workers;

use std::time::Duration;

use super::*;
use crate::call::{CallOutcome, HttpCall};
use crate::claims::{Expected, Identity};
use crate::feed::fake::{Companion, Memory, NOW, settings};
use crate::keys::KeySet;
use crate::token::Verified;

/// Time between ticks.
const TICK: Duration = Duration::from_millis(100);

/// Proxy whose workers have one clock. Only the workers that a test names are alive at a time.
struct Proxy {
    now: Duration,
    settings: Feed,
    shared: Memory,
    companion: Companion,
    workers: Vec<Worker>,
}

/// Worker with its own follower and state.
struct Worker {
    follower: FeedFollower,
    state: EdgeState,
    /// Call in flight.
    call: Option<HttpCall>,
    /// `false` if the host accepts no calls of it.
    accepts_calls: bool,
    log: Vec<String>,
    polls: u32,
    failures: Vec<&'static str>,
    gauges: Vec<Gauges>,
}

impl Proxy {
    /// Starts a proxy with this number of workers.
    fn with_workers(count: usize) -> Self {
        Self::with(settings(), count)
    }

    fn with(settings: Feed, count: usize) -> Self {
        let (shared, companion) = (Memory::default(), Companion::new());
        let mut proxy = Self { now: NOW, settings, shared, companion, workers: Vec::new() };
        for _ in 0..count {
            proxy.start();
        }
        proxy
    }

    /// Starts a proxy with two workers. The first has polled, and the second has applied what that received.
    fn with_two_synced() -> Self {
        let mut proxy = Self::with_workers(2);
        proxy.serve(&[0, 1], 200);
        proxy
    }

    /// Starts another worker. Returns its number.
    fn start(&mut self) -> usize {
        let number = self.workers.len();
        let worker = self.new_worker(number as u64 + 1);
        self.workers.push(worker);
        number
    }

    fn new_worker(&self, seed: u64) -> Worker {
        let mut worker = Worker {
            follower: FeedFollower::new(self.settings.clone(), seed, self.now),
            state: EdgeState::syncing(KeySet::default(), self.now.as_secs()),
            call: None,
            accepts_calls: true,
            log: Vec::new(),
            polls: 0,
            failures: Vec::new(),
            gauges: Vec::new(),
        };
        let commands = worker.follower.start(&mut worker.state, &self.shared);
        worker.carry_out(commands);
        worker
    }

    /// Lets the timer of a worker fire.
    fn tick(&mut self, number: usize) {
        let worker = &mut self.workers[number];
        let commands = worker.follower.on_tick(self.now, &mut worker.state, &mut self.shared);
        if !worker.carry_out(commands) {
            self.respond(number, &CallOutcome::NotAccepted);
        }
    }

    /// Lets time pass while the timers of these workers fire.
    fn advance(&mut self, workers: &[usize], millis: u64) {
        for _ in 0..millis / 100 {
            self.now += TICK;
            for &number in workers {
                self.tick(number);
            }
        }
    }

    /// Lets time pass while the companion responds to every call of these workers at once.
    fn serve(&mut self, workers: &[usize], millis: u64) {
        for _ in 0..millis / 100 {
            self.advance(workers, 100);
            for &number in workers {
                self.serve_calls(number);
            }
        }
    }

    /// Responds to the calls of a worker until it makes no more.
    fn serve_calls(&mut self, number: usize) {
        while self.workers[number].call.is_some() {
            let response = self.response(number);
            self.deliver(number, &response);
        }
    }

    /// Lets time pass until a worker polls. Returns its path and query.
    #[track_caller]
    fn advance_to_poll(&mut self, number: usize) -> String {
        for _ in 0..30 {
            self.advance(&[number], 100);
            if let Some(call) = &self.workers[number].call {
                return call.path.clone();
            }
        }
        panic!("no poll in 3 s: {:?}", self.workers[number].follower);
    }

    /// Returns what the companion responds now to the call in flight.
    #[track_caller]
    fn response(&self, number: usize) -> Vec<u8> {
        self.companion.respond(&self.workers[number].call.as_ref().expect("a call").path, self.now)
    }

    /// Delivers a successful response to a worker.
    fn deliver(&mut self, number: usize, body: &[u8]) {
        self.respond(number, &CallOutcome::Response { status: b"200", body });
    }

    /// Delivers the outcome of the call in flight.
    fn respond(&mut self, number: usize, outcome: &CallOutcome<'_>) {
        let worker = &mut self.workers[number];
        worker.call = None;
        let commands = worker.follower.on_response(outcome, self.now, &mut worker.state, &mut self.shared);
        if !worker.carry_out(commands) {
            self.respond(number, &CallOutcome::NotAccepted);
        }
    }

    /// Reports a token under an unknown key to a worker.
    fn poll_early(&mut self, number: usize) {
        self.workers[number].follower.poll_early(self.now, &self.shared);
    }
}

impl Worker {
    /// Carries out commands. Returns `false` if the host did not accept a call.
    fn carry_out(&mut self, commands: Vec<Command>) -> bool {
        let mut is_accepted = true;
        for command in commands {
            assert!(is_accepted, "a poll is the last command");
            match command {
                Command::Poll(call) => {
                    assert!(self.call.replace(call).is_none(), "one call at a time");
                    is_accepted = self.accepts_calls;
                }
                Command::CancelPoll => assert!(self.call.take().is_some(), "a call is in flight"),
                Command::Log(_, line) => self.log.push(line),
                Command::Count(Counter::Poll) => self.polls += 1,
                Command::Count(Counter::PollFailed(reason)) => self.failures.push(reason),
                Command::Record(gauges) => self.gauges.push(gauges),
            }
        }
        is_accepted
    }

    /// Drops the call in flight.
    fn cancel_call(&mut self) -> bool {
        self.call = None;
        self.follower.cancel_call()
    }

    /// `true` if a request of a session passes, as far as the feed decides it.
    fn admits(&self, session: u64) -> bool {
        !self.state.keys().is_empty() && !self.state.is_syncing() && !self.has_revoked(session)
    }

    fn has_revoked(&self, session: u64) -> bool {
        let expected = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
        let (iat, exp) = (NOW.as_secs(), NOW.as_secs() + 60);
        let claims = format!(
            r#"{{"iss":"i","aud":"a","exp":{exp},"iat":{iat},"sub":"42","sid":{session},"role":"x"}}"#
        );
        let identity = Identity::judge(&Verified::for_test(&claims), &expected, iat).unwrap();
        self.state.revocations().judge(&identity).is_err()
    }
}
