//! Edge feed of the process: carries out the commands of [`FeedFollower`] on Envoy's main thread, and publishes the state that
//! all workers decide by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use edgeward_filter::call::CallOutcome;
use edgeward_filter::config;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::feed::follower::{self, Command, FeedFollower};
use edgeward_filter::feed::relay::SharedData;
use edgeward_filter::keys::KeySet;

use crate::abi;
use crate::calls::{CallNumber, Calls, Purpose};
use crate::lock::lock;
use crate::metrics::Metrics;

/// Feeds that this process follows. Configurations that name the same one share it, and so does a new configuration with the
/// one that it replaces.
static FOLLOWED: Mutex<Vec<(String, Weak<Feed>)>> = Mutex::new(Vec::new());

/// Time after the start in which Envoy may have no cluster for the feed. Chosen: health checks of a cluster take seconds.
const START_LIMIT: Duration = Duration::from_secs(10);

/// State of the edge as the workers read it. They see each response of the feed as a whole, or not at all.
pub(crate) type PublishedState = ArcSwap<EdgeState>;

/// Edge feed as far as this process has followed it.
pub(crate) struct Feed {
    followed: Mutex<Followed>,
    pub(crate) state: Arc<PublishedState>,
}

struct Followed {
    follower: FeedFollower,
    state: EdgeState,
    data: ProcessData,
    /// Call under way. The outcome of any other is ignored.
    call: Option<CallNumber>,
    /// Time until which a call that Envoy does not accept is no failure: it has no cluster before that is warm.
    starts_until: Duration,
}

impl Feed {
    /// Follows a feed from where this process is. `keys` are those of the configuration.
    pub(crate) fn follow(feed: config::Feed, keys: KeySet, now: Duration, seed: u64) -> Arc<Self> {
        let identity = follower::identity(&feed);
        let mut all = lock(&FOLLOWED);
        all.retain(|(_, feed)| feed.strong_count() > 0);
        let known = all.iter().find(|(other, _)| *other == identity);
        if let Some(known) = known.and_then(|(_, feed)| feed.upgrade()) {
            let mut followed = lock(&known.followed);
            followed.follower.reconfigure(feed);
            followed.state.seed_keys(keys);
            known.publish(&followed);
            drop(followed);
            return known;
        }
        let state = EdgeState::syncing(keys, now.as_secs());
        let published = Arc::new(ArcSwap::from_pointee(state.clone()));
        let followed = Mutex::new(Followed {
            follower: FeedFollower::new(feed, seed, now),
            state,
            data: ProcessData::default(),
            call: None,
            starts_until: now + START_LIMIT,
        });
        let feed = Arc::new(Self { followed, state: published });
        all.push((identity, Arc::downgrade(&feed)));
        feed
    }

    /// Does what is due at `now`.
    pub(crate) fn on_tick(&self, calls: &Calls, metrics: &Metrics, now: Duration) {
        let commands = {
            let mut followed = lock(&self.followed);
            let Followed { follower, state, data, .. } = &mut *followed;
            let commands = follower.on_tick(now, state, data);
            self.publish(&followed);
            commands
        };
        self.run(calls, metrics, commands, now);
    }

    /// Polls soon, since there may be news.
    pub(crate) fn poll_early(&self, now: Duration) {
        let mut followed = lock(&self.followed);
        let Followed { follower, data, .. } = &mut *followed;
        follower.poll_early(now, data);
    }

    /// Gives up the call under way if it is one of these, which end with their configuration.
    pub(crate) fn cancel_call(&self, calls: &Calls) {
        let mut followed = lock(&self.followed);
        if followed.call.is_some_and(|call| calls.sent(call)) && followed.follower.cancel_call() {
            followed.call = None;
        }
    }

    /// Takes the outcome of a call at `now`. One that is not under way is ignored.
    pub(crate) fn on_response(
        &self,
        calls: &Calls,
        metrics: &Metrics,
        call: CallNumber,
        outcome: &CallOutcome<'_>,
        now: Duration,
    ) {
        if lock(&self.followed).call == Some(call) {
            self.apply(calls, metrics, outcome, now);
        }
    }

    fn apply(&self, calls: &Calls, metrics: &Metrics, outcome: &CallOutcome<'_>, now: Duration) {
        let commands = {
            let mut followed = lock(&self.followed);
            let Followed { follower, state, data, call, .. } = &mut *followed;
            *call = None;
            let commands = follower.on_response(outcome, now, state, data);
            self.publish(&followed);
            commands
        };
        self.run(calls, metrics, commands, now);
    }

    /// Lets the workers see the state, if it has changed. A clone shares nearly all of its memory. The pages of a snapshot are
    /// published with the last of them, since nothing is decided by the first.
    fn publish(&self, followed: &Followed) {
        let (state, published) = (&followed.state, self.state.load());
        if state.differs_from(&published) && !(state.is_syncing() && published.is_syncing()) {
            self.state.store(Arc::new(state.clone()));
        }
    }

    fn run(&self, calls: &Calls, metrics: &Metrics, commands: Vec<Command>, now: Duration) {
        for command in commands {
            match command {
                Command::Poll(call) => {
                    let sent = calls.send(&call, Purpose::Poll);
                    let mut followed = lock(&self.followed);
                    followed.call = sent;
                    if sent.is_some() {
                        followed.starts_until = Duration::ZERO;
                    } else if now < followed.starts_until {
                        followed.follower.cancel_call();
                    } else {
                        drop(followed);
                        self.apply(calls, metrics, &CallOutcome::NotAccepted, now);
                    }
                }
                Command::CancelPoll => lock(&self.followed).call = None,
                Command::Log(level, line) => abi::log(level, &line),
                Command::Count(counter) => metrics.count(counter.metric(), 1),
                Command::Record(gauges) => {
                    gauges.metrics().into_iter().for_each(|gauge| metrics.record(gauge));
                }
            }
        }
    }
}

/// Data that followers of a feed share, in a process with one follower: the small values that it writes, and no responses, which
/// nobody else would read.
#[derive(Default)]
struct ProcessData(BTreeMap<String, (Vec<u8>, u32)>);

/// Maximum size of a value that is remembered, in bytes. Chosen: the longest that is read again is an offset, with a cursor of up
/// to 2048 bytes.
const MAX_REMEMBERED_BYTES: usize = 4096;

impl SharedData for ProcessData {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.0.get(key).cloned()
    }

    fn set(&mut self, key: &str, value: &[u8], _: u32) -> bool {
        if value.len() <= MAX_REMEMBERED_BYTES {
            self.0.insert(key.to_owned(), (value.to_vec(), 1));
        }
        true
    }
}
