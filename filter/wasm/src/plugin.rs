//! Plugins of a worker: a configuration each, by the root context that the host has made for it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use edgeward_filter::config::Configuration;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::filter::Filter;
use edgeward_filter::token_cache::TokenCache;

use crate::feed::Feed;

/// Number of streams that a host may create before the head of the first arrives. Envoy passes each head at once.
const MAX_CREATED: usize = 64;

/// Number in place of that of a root context that has ended. Hosts count from 1.
const ENDED: u32 = 0;

thread_local! {
    /// Root contexts, each with its plugin once that is configured.
    static ROOTS: RefCell<Vec<(u32, Option<Rc<Plugin>>)>> = const { RefCell::new(Vec::new()) };
    /// Last streams that the host has created, each with its root context.
    static CREATED: RefCell<[(u32, u32); MAX_CREATED]> = const { RefCell::new([(0, 0); MAX_CREATED]) };
}

/// Plugin on one worker.
pub(crate) struct Plugin {
    pub(crate) filter: RefCell<Filter>,
    /// Edge feed; none if the configuration has none.
    pub(crate) feed: Option<Rc<Feed>>,
    pub(crate) state: Rc<RefCell<EdgeState>>,
}

impl Plugin {
    /// Starts a configuration at `now`, with a random key and a random seed.
    pub(crate) fn start(configuration: Configuration, now: Duration, key: [u8; 16], seed: u64) -> Self {
        let Configuration { policy, keys, feed, refresh, token_cache_entries } = configuration;
        let feed = feed.map(|feed| Feed::follow(feed, keys.clone(), now, seed));
        let without_feed = || Rc::new(RefCell::new(EdgeState::new(keys, now.as_secs())));
        let state = feed.as_ref().map_or_else(without_feed, |feed| Rc::clone(&feed.state));
        let cache = TokenCache::new(token_cache_entries, 1, key);
        let filter = Filter::new(policy.into(), refresh, cache.into());
        Self { filter: RefCell::new(filter), feed, state }
    }

    /// Polls the feed soon, if there is one.
    pub(crate) fn poll_early(&self, now: Duration) {
        self.feed.iter().for_each(|feed| feed.poll_early(now));
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

/// Ends a root context. `false` if there is none of this number.
///
/// Envoy ends it after its streams. For a host that does not, a plugin stays as long as it holds requests.
pub(crate) fn remove_root(root: u32) -> bool {
    ROOTS.with_borrow_mut(|roots| {
        let Some((number, plugin)) = roots.iter_mut().find(|(known, _)| *known == root) else { return false };
        *number = ENDED;
        // The host drops the calls of a plugin that ends. Another may follow the same feed.
        plugin.iter().flat_map(|plugin| &plugin.feed).for_each(|feed| feed.cancel_call());
        let holds = |plugin: &Rc<Plugin>| plugin.filter.borrow().holds_requests();
        roots.retain(|(number, plugin)| *number != ENDED || plugin.as_ref().is_some_and(holds));
        true
    })
}

/// Sets the plugin of a root context.
pub(crate) fn configure_root(root: u32, plugin: Plugin) {
    ROOTS.with_borrow_mut(|roots| {
        if let Some((_, configured)) = roots.iter_mut().find(|(known, _)| *known == root) {
            *configured = Some(Rc::new(plugin));
        }
    });
}

/// Notes a stream of a root context.
pub(crate) fn add_stream(stream: u32, root: u32) {
    CREATED.with_borrow_mut(|created| {
        if let Some(slot) = created.get_mut(stream as usize % MAX_CREATED) {
            *slot = (stream, root);
        }
    });
}

/// Plugin of a root context; none if it is not configured.
pub(crate) fn of_root(root: u32) -> Option<Rc<Plugin>> {
    ROOTS.with_borrow(|roots| roots.iter().find(|(known, _)| *known == root)?.1.clone())
}

/// Plugin of a stream that was just created.
pub(crate) fn of_new_stream(stream: u32) -> Option<Rc<Plugin>> {
    let created = CREATED.with_borrow(|created| created.get(stream as usize % MAX_CREATED).copied());
    created.filter(|(this, _)| *this == stream).and_then(|(_, root)| of_root(root))
}

/// Visits the plugins of all root contexts that are configured, and returns their number.
pub(crate) fn for_each(mut visit: impl FnMut(&Plugin)) -> usize {
    ROOTS.with_borrow(|roots| {
        let plugins = roots.iter().filter_map(|(_, plugin)| plugin.as_deref());
        plugins.inspect(|plugin| visit(plugin)).count()
    })
}
