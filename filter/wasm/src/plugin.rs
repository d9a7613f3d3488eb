//! A configuration of the plugin on one worker: what its streams share.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use edgeward_filter::config::Configuration;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::gate::Gate;
use edgeward_filter::hold::{CallId, HeldRequests};
use edgeward_filter::policy::Policy;
use edgeward_filter::token_cache::TokenCache;

use crate::calls::{self, CallToken};
use crate::feed::Feed;
use crate::host;

/// Interval of the host's timer.
pub(crate) const TICK: Duration = Duration::from_millis(100);

thread_local! {
    /// Root contexts, each with its plugin once that is configured.
    static ROOTS: RefCell<Vec<(u32, Option<Rc<Plugin>>)>> = const { RefCell::new(Vec::new()) };
}

/// What the streams of a configuration share.
pub(crate) struct Plugin {
    pub(crate) policy: Policy,
    pub(crate) feed: Option<Rc<Feed>>,
    held: Option<RefCell<HeldRequests>>,
    /// Calls for held requests that are under way.
    calls: RefCell<HashMap<CallId, CallToken>>,
    state: Rc<RefCell<EdgeState>>,
    cache: RefCell<TokenCache>,
}

impl Plugin {
    /// Starts a configuration at `now`, with a random key of the host.
    pub(crate) fn start(configuration: Configuration, now: Duration, key: [u8; 16]) -> Rc<Self> {
        let Configuration { policy, keys, feed, refresh, token_cache_entries } = configuration;
        let (feed, state) = match feed {
            Some(feed) => {
                let feed = Feed::follow(feed, keys, now, host::random().map_or(0, u64::from_le_bytes));
                let state = Rc::clone(&feed.state);
                (Some(feed), state)
            }
            None => (None, Rc::new(RefCell::new(EdgeState::new(keys, now.as_secs())))),
        };
        let held =
            refresh.map(|refresh| RefCell::new(HeldRequests::new(refresh, &policy.cookies.refresh, TICK)));
        let (cache, calls) = (RefCell::new(TokenCache::new(token_cache_entries, key)), RefCell::default());
        Rc::new(Self { policy, feed, held, calls, state, cache })
    }

    /// Uses the held requests; none if the configuration holds none.
    pub(crate) fn with_held<T>(&self, use_held: impl FnOnce(&mut HeldRequests) -> T) -> Option<T> {
        self.held.as_ref().map(|held| use_held(&mut held.borrow_mut()))
    }

    pub(crate) fn note_call(&self, id: CallId, token: CallToken) {
        self.calls.borrow_mut().insert(id, token);
    }

    pub(crate) fn forget_call(&self, id: CallId) {
        self.calls.borrow_mut().remove(&id);
    }

    pub(crate) fn cancel_call(&self, id: CallId) {
        if let Some(token) = self.calls.borrow_mut().remove(&id) {
            calls::cancel(token);
        }
    }

    /// Asks the gate, at `now`.
    pub(crate) fn ask<T>(&self, now: Duration, ask: impl FnOnce(&mut Gate<'_>) -> T) -> T {
        let (state, mut cache) = (self.state.borrow(), self.cache.borrow_mut());
        ask(&mut Gate { policy: &self.policy, state: &state, cache: &mut cache, now: now.as_secs() })
    }

    /// Polls the feed soon, if there is one.
    pub(crate) fn poll_early(&self, now: Duration) {
        if let Some(feed) = &self.feed {
            feed.poll_early(now);
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        for token in self.calls.get_mut().values() {
            calls::cancel(*token);
        }
    }
}

/// Adds a root context. `false` if there is one of this number.
pub(crate) fn add_root(root: u32) -> bool {
    ROOTS.with_borrow_mut(|roots| {
        let is_new = roots.iter().all(|(known, _)| *known != root);
        if is_new {
            roots.push((root, None));
        }
        is_new
    })
}

/// Removes a root context. `false` if there is none of this number.
pub(crate) fn remove_root(root: u32) -> bool {
    // Dropped outside the borrow: it may be the last owner of its plugin.
    let removed = ROOTS.with_borrow_mut(|roots| {
        let at = roots.iter().position(|(known, _)| *known == root)?;
        Some(roots.swap_remove(at))
    });
    removed.is_some()
}

/// Sets the plugin of a root context.
pub(crate) fn configure_root(root: u32, plugin: Rc<Plugin>) {
    ROOTS.with_borrow_mut(|roots| {
        if let Some((_, configured)) = roots.iter_mut().find(|(known, _)| *known == root) {
            *configured = Some(plugin);
        }
    });
}

/// Plugin of a root context; none if it is not configured.
pub(crate) fn of_root(root: u32) -> Option<Rc<Plugin>> {
    ROOTS.with_borrow(|roots| roots.iter().find(|(known, _)| *known == root)?.1.clone())
}

/// Plugins of all root contexts that are configured.
pub(crate) fn all() -> Vec<Rc<Plugin>> {
    ROOTS.with_borrow(|roots| roots.iter().filter_map(|(_, plugin)| plugin.clone()).collect())
}
