//! What all streams of a worker share: the policy, what is known, what is remembered, and the metrics.

use std::cell::RefCell;
use std::rc::Rc;

use crate::follow::Follower;
use crate::host;
use crate::metrics::Metrics;
use crate::refresh::Refresher;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::gate::{self, Decision};
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::request::Request;
use edgeward_filter::token_cache::TokenCache;

/// What all streams of a worker share.
pub(crate) struct Shared {
    pub(crate) policy: Policy,
    pub(crate) edge_state: Rc<RefCell<EdgeState>>,
    pub(crate) follower: Option<Rc<RefCell<Follower>>>,
    pub(crate) refresher: Option<Refresher>,
    pub(crate) memory: RefCell<TokenCache>,
    pub(crate) metrics: Rc<Metrics>,
}

impl Shared {
    /// What becomes of a request.
    pub(crate) fn decide(&self, request: &Request<'_>) -> Option<Decision> {
        let now = host::now()?;
        let mut memory = self.memory.borrow_mut();
        let decision =
            gate::decide(&self.policy, &self.edge_state.borrow(), &mut memory, request, now.as_secs());
        let lacks_news = match decision.rejection() {
            Some(Rejection::KeyUnknown) => true,
            Some(Rejection::RefreshUnavailable) => request.renewed.is_some(),
            _ => false,
        };
        if let Some(follower) = self.follower.as_ref().filter(|_| lacks_news) {
            follower.borrow_mut().hurry(now);
        }
        Some(decision)
    }

    /// Counts a refusal, and leaves its reason for the access log.
    pub(crate) fn record(&self, rejection: Rejection) {
        host::set_property("edgeward.rejection", rejection.label().as_bytes());
        self.metrics.count_refusal(rejection);
    }
}
