//! The edge feed on one worker: carries out the commands of [`FeedFollower`].

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use edgeward_filter::call::CallOutcome;
use edgeward_filter::config;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::feed::follower::{self, Command, FeedFollower};
use edgeward_filter::feed::relay::SharedData;
use edgeward_filter::keys::KeySet;

use crate::calls::{self, CallToken};
use crate::{host, metrics};

thread_local! {
    /// Feeds that this worker follows. Configurations that name the same one share it, and so does a new configuration
    /// with the one that it replaces.
    static FOLLOWED: RefCell<Vec<(String, Weak<Feed>)>> = RefCell::default();
}

/// An edge feed as far as this worker has followed it.
pub(crate) struct Feed {
    follower: RefCell<FeedFollower>,
    pub(crate) state: Rc<RefCell<EdgeState>>,
    /// Call under way. The outcome of any other is ignored.
    call: Cell<Option<CallToken>>,
}

impl Feed {
    /// Follows a feed, from where this worker or others are. `keys` are those of the configuration.
    pub(crate) fn follow(feed: config::Feed, keys: KeySet, now: Duration, seed: u64) -> Rc<Self> {
        let identity = follower::identity(&feed);
        FOLLOWED.with_borrow_mut(|followed| {
            followed.retain(|(_, feed)| feed.strong_count() > 0);
            let known = followed.iter().find(|(other, _)| *other == identity);
            if let Some(known) = known.and_then(|(_, feed)| feed.upgrade()) {
                known.follower.borrow_mut().reconfigure(feed);
                known.state.borrow_mut().seed_keys(keys);
                return known;
            }
            let mut state = EdgeState::syncing(keys, now.as_secs());
            let mut follower = FeedFollower::new(feed, seed, now);
            let commands = follower.start(&mut state, &HostData);
            let feed = Rc::new(Self {
                follower: RefCell::new(follower),
                state: Rc::new(RefCell::new(state)),
                call: Cell::new(None),
            });
            feed.run(commands);
            followed.push((identity, Rc::downgrade(&feed)));
            feed
        })
    }

    /// Does what is due at `now`.
    pub(crate) fn on_tick(self: &Rc<Self>, now: Duration) {
        let commands = self.follower.borrow_mut().on_tick(now, &mut self.state.borrow_mut(), &mut HostData);
        self.run(commands);
    }

    /// Polls soon, since there may be news.
    pub(crate) fn poll_early(&self, now: Duration) {
        self.follower.borrow_mut().poll_early(now, &HostData);
    }

    /// Gives up the call under way, which the host may have dropped with the plugin that made it.
    pub(crate) fn cancel_call(&self) {
        if self.follower.borrow_mut().cancel_call() {
            self.call.set(None);
        }
    }

    fn on_response(self: &Rc<Self>, outcome: &CallOutcome<'_>) {
        self.call.set(None);
        let now = host::now().unwrap_or_default();
        let commands =
            self.follower.borrow_mut().on_response(outcome, now, &mut self.state.borrow_mut(), &mut HostData);
        self.run(commands);
    }

    fn run(self: &Rc<Self>, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Poll(call) => {
                    let feed = Rc::downgrade(self);
                    let handler = Box::new(move |token, outcome: &CallOutcome<'_>| {
                        if let Some(feed) = feed.upgrade().filter(|feed| feed.call.get() == Some(token)) {
                            feed.on_response(outcome);
                        }
                    });
                    self.call.set(calls::send(&call, handler));
                    if self.call.get().is_none() {
                        self.on_response(&CallOutcome::NotAccepted);
                    }
                }
                Command::CancelPoll => self.call.set(None),
                Command::Log(level, line) => host::log(level, &line),
                Command::Count(counter) => metrics::count(counter.metric(), 1),
                Command::Record(gauges) => gauges.metrics().into_iter().for_each(metrics::record),
            }
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.follower.get_mut().stop(&mut HostData);
    }
}

/// Shared data of the host.
struct HostData;

impl SharedData for HostData {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        host::shared_data(key)
    }

    fn set(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        host::set_shared_data(key, value, version)
    }
}
