//! A configuration of the module. Envoy makes it on its main thread, and all workers decide by it.

use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;
use std::{io, mem};

use arc_swap::ArcSwap;
use edgeward_filter::call::{CallOutcome, HttpCall};
use edgeward_filter::config::{Configuration, Refresh};
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::filter::{CallId, Command, Filter};
use edgeward_filter::policy::Policy;
use edgeward_filter::token_cache::TokenCache;
use thiserror::Error;

use crate::abi::{self, Host, HostScheduler};
use crate::calls::{Calls, Purpose};
use crate::clock;
use crate::feed::{Feed, PublishedState};
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::ticker::{TICKED, Ticker};
use crate::worker::{Wake, Worker};

/// Maximum number of workers that have a state of their own; further ones share it. Chosen: above the processors of most
/// machines.
const MAX_WORKERS: usize = 256;
/// Number of shards of the token cache for each processor.
const SHARDS_PER_PROCESSOR: usize = 4;

/// Configuration.
pub(crate) struct Plugin {
    scheduler: HostScheduler,
    pub(crate) policy: Arc<Policy>,
    refresh: Option<Refresh>,
    cache: Arc<TokenCache>,
    /// Edge feed; none if the configuration has none.
    feed: Option<Arc<Feed>>,
    pub(crate) state: Arc<PublishedState>,
    workers: Box<[OnceLock<Box<Mutex<Worker>>>; MAX_WORKERS]>,
    calls: Calls,
    /// Calls of workers, which the main thread sends.
    outbox: Mutex<Vec<(usize, CallId, HttpCall)>>,
    pub(crate) metrics: Metrics,
    /// Ends with the configuration.
    ticker: Ticker,
}

/// The system lacks what a configuration needs.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("the system has no randomness")]
    Randomness,
    #[error("the system has no thread for the timer: {0}")]
    Thread(io::Error),
}

fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StartError::Randomness)?;
    Ok(bytes)
}

/// Event by which a worker asks the main thread to send its calls.
const CALLS_WAIT: u64 = TICKED + 1;

impl Plugin {
    /// Starts a configuration at `now`.
    ///
    /// # Errors
    /// [`StartError`] if the system lacks what it needs.
    pub(crate) fn start(configuration: Configuration, host: Host, now: Duration) -> Result<Self, StartError> {
        let Configuration { policy, keys, feed, refresh, token_cache_entries } = configuration;
        let (key, seed) = (random()?, u64::from_le_bytes(random()?));
        let feed = feed.map(|feed| Feed::follow(feed, keys.clone(), now, seed));
        let without_feed = || Arc::new(ArcSwap::from_pointee(EdgeState::new(keys, now.as_secs())));
        let state = feed.as_ref().map_or_else(without_feed, |feed| Arc::clone(&feed.state));
        let shards = SHARDS_PER_PROCESSOR * thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            scheduler: host.scheduler(),
            policy: policy.into(),
            refresh,
            cache: TokenCache::new(token_cache_entries, shards, key).into(),
            feed,
            state,
            workers: Box::new([const { OnceLock::new() }; MAX_WORKERS]),
            calls: Calls::new(host),
            outbox: Mutex::default(),
            metrics: Metrics::define(host),
            ticker: Ticker::start(host.scheduler()).map_err(StartError::Thread)?,
        })
    }

    /// Requests of a worker.
    pub(crate) fn worker(&self, worker: usize) -> &Mutex<Worker> {
        // Envoy numbers its workers from 0.
        let [first, ..] = &*self.workers;
        let slot = self.workers.get(worker % MAX_WORKERS).unwrap_or(first);
        slot.get_or_init(|| {
            let filter = Filter::new(Arc::clone(&self.policy), self.refresh.clone(), Arc::clone(&self.cache));
            Box::new(Mutex::new(Worker::new(filter)))
        })
    }

    /// Polls the feed soon, if there is one.
    pub(crate) fn poll_early(&self, now: Duration) {
        self.feed.iter().for_each(|feed| feed.poll_early(now));
    }

    /// Takes an event, on the main thread.
    pub(crate) fn on_event(&self, event: u64) {
        // The outbox is free again when the first call is sent: an outcome at once takes the lock of a worker, which may be
        // waiting for the outbox.
        let waiting = mem::take(&mut *lock(&self.outbox));
        for (worker, id, call) in waiting {
            if self.calls.send(&call, Purpose::Worker(worker, id)).is_none() {
                self.on_response_for(worker, id, &CallOutcome::NotAccepted, clock::now());
            }
        }
        if event == TICKED {
            self.ticker.taken();
            self.on_tick(clock::now());
        }
    }

    fn on_tick(&self, now: Duration) {
        self.feed.iter().for_each(|feed| feed.on_tick(&self.calls, &self.metrics, now));
        let state = self.state.load_full();
        for (number, worker) in self.workers.iter().enumerate() {
            let Some(worker) = worker.get() else { continue };
            let mut worker = lock(worker);
            let commands = worker.filter.on_tick(&state, now);
            self.run(number, &mut worker, commands);
        }
    }

    /// Takes the outcome of a call, on the main thread. That of an unknown call is ignored.
    pub(crate) fn on_response(&self, call: u64, outcome: &CallOutcome<'_>) {
        let now = clock::now();
        match (self.calls.finish(call), &self.feed) {
            (Some((call, Purpose::Poll)), Some(feed)) => {
                feed.on_response(&self.calls, &self.metrics, call, outcome, now);
            }
            (Some((_, Purpose::Worker(worker, id))), _) => self.on_response_for(worker, id, outcome, now),
            (Some((_, Purpose::Poll)) | None, _) => {}
        }
    }

    fn on_response_for(&self, worker: usize, id: CallId, outcome: &CallOutcome<'_>, now: Duration) {
        let mut guard = lock(self.worker(worker));
        let commands = guard.filter.on_response(id, outcome, now);
        self.run(worker, &mut guard, commands);
    }

    /// Carries out commands of a worker's filter.
    pub(crate) fn run(
        &self,
        number: usize,
        worker: &mut Worker,
        commands: impl IntoIterator<Item = Command>,
    ) {
        for command in commands {
            match command {
                Command::Call(id, call) => {
                    lock(&self.outbox).push((number, id, call));
                    self.scheduler.commit(CALLS_WAIT);
                }
                Command::Resume(resume) => worker.streams.wake(resume.stream, Wake::Resume(resume)),
                Command::Close { stream, reason } => worker.streams.wake(stream, Wake::Close(reason)),
                Command::Log(level, line) => abi::log(level, &line),
                Command::Count { name, reason, by } => self.metrics.count((name, reason), by),
            }
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // Envoy drops the calls of a configuration that ends. Another may follow the same feed.
        self.feed.iter().for_each(|feed| feed.cancel_call(&self.calls));
    }
}
