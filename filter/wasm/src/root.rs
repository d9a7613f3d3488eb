//! The plugin on one worker: configured once, and woken by the host's timer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, RootContext};

use crate::follow::Follower;
use crate::host::{self, Buffer, Level};
use crate::metrics::Metrics;
use crate::random;
use crate::refresh::Refresher;
use crate::shared::Shared;
use edgeward_filter::config::{self, Configuration};
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::token_cache::TokenCache;

/// How often a worker looks for what others have heard, whether it is its turn to ask, and whom it keeps waiting.
pub(crate) const TICK: Duration = Duration::from_millis(100);

thread_local! {
    /// What the streams of each root context share, once that is configured.
    static ROOTS: RefCell<Vec<(u32, Option<Rc<Shared>>)>> = const { RefCell::new(Vec::new()) };
}

/// The host has made a root context. False for one that there is already.
pub(crate) fn on_create(root: u32) -> bool {
    ROOTS.with_borrow_mut(|roots| {
        let is_new = roots.iter().all(|(known, _)| *known != root);
        if is_new {
            roots.push((root, None));
        }
        is_new
    })
}

/// The host has ended a context. False where it is none of the root contexts.
pub(crate) fn on_delete(context: u32) -> bool {
    // Dropped outside the borrow, for it may be the last of its plugin.
    let ended = ROOTS.with_borrow_mut(|roots| {
        let place = roots.iter().position(|(root, _)| *root == context)?;
        Some(roots.swap_remove(place))
    });
    ended.is_some()
}

/// What the streams of each root context share that is configured.
pub(crate) fn all_shared() -> Vec<Rc<Shared>> {
    ROOTS.with_borrow(|roots| roots.iter().filter_map(|(_, shared)| shared.clone()).collect())
}

/// What the streams of this root context share; None where it is not configured.
pub(crate) fn shared(root: u32) -> Option<Rc<Shared>> {
    ROOTS.with_borrow(|roots| roots.iter().find(|(known, _)| *known == root)?.1.clone())
}

/// A root context.
pub(crate) struct Root {
    id: u32,
    shared: Option<Rc<Shared>>,
}

impl Context for Root {}

impl Drop for Root {
    fn drop(&mut self) {
        // The host drops the calls of a plugin that ends; another may go on with the same feed.
        if let Some(follower) = self.shared.as_ref().and_then(|shared| shared.follower.as_ref()) {
            follower.borrow_mut().abandon();
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let (Some(now), Some(key)) = (host::now(), random::key()) else {
            host::log(Level::Error, "edgeward: the host has no time, or no randomness");
            return false;
        };
        let text = host::buffer(Buffer::PluginConfiguration, usize::MAX).unwrap_or_default();
        match config::compile(&text) {
            Ok(configuration) => {
                self.configure(configuration, now, key);
                true
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    host::log(Level::Error, &format!("edgeward: {mistake}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let (Some(shared), Some(now)) = (&self.shared, host::now()) else { return };
        if let Some(follower) = &shared.follower {
            Follower::tick(follower, now);
        }
        if let Some(refresher) = &shared.refresher {
            refresher.tick();
        }
    }
}

impl Root {
    pub(crate) fn new(id: u32) -> Self {
        Self { id, shared: None }
    }

    fn configure(&mut self, configuration: Configuration, now: Duration, key: [u8; 16]) {
        if configuration.feed.is_some() || configuration.refresh.is_some() {
            host::set_tick_period(TICK);
        }
        let metrics = Rc::new(Metrics::default());
        let (edge_state, follower) = match configuration.feed {
            Some(feed) => {
                let follower = Follower::start(feed, configuration.keys, Rc::clone(&metrics));
                let edge_state = follower.borrow().edge_state();
                (edge_state, Some(follower))
            }
            None => (Rc::new(RefCell::new(EdgeState::new(configuration.keys, now.as_secs()))), None),
        };
        let shared = Rc::new(Shared {
            policy: configuration.policy,
            edge_state,
            follower,
            refresher: configuration.refresh.map(Refresher::new),
            memory: RefCell::new(TokenCache::new(configuration.token_cache_entries, key)),
            metrics,
        });
        ROOTS.with_borrow_mut(|roots| {
            if let Some((_, known)) = roots.iter_mut().find(|(known, _)| *known == self.id) {
                *known = Some(Rc::clone(&shared));
            }
        });
        self.shared = Some(shared);
    }
}
