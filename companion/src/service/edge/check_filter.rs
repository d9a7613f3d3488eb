//! The check of a filter's version, which it sends with each poll.

use std::sync::atomic::{AtomicBool, Ordering};

use edgeward_wire::version::{self, FILTER_PRODUCT, VERSION};

use crate::service::Context;

/// `true` once an incompatible filter was logged.
static IS_LOGGED: AtomicBool = AtomicBool::new(false);

/// Counts a poll by a filter whose version does not go with this one, and logs the first. `user_agent` is the request's;
/// older filters send none.
pub fn check_filter(context: &Context, user_agent: Option<&str>) {
    let product = user_agent.and_then(|agent| agent.strip_prefix(FILTER_PRODUCT)?.strip_prefix('/'));
    let Some(filter) = product.filter(|filter| !version::are_compatible(VERSION, filter)) else { return };
    context.metrics.count_incompatible_poll();
    if !IS_LOGGED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            filter,
            companion = VERSION,
            "a gateway has a filter of another version than those that go with this companion: docs/guide/upgrades.md"
        );
    }
}
