//! What all streams of a worker share: the policy, what is known, what is remembered, and the metrics.

use std::cell::RefCell;
use std::rc::Rc;

use crate::follow::Follower;
use crate::host;
use crate::metrics::Metrics;
use crate::refresh::Refresher;
use edgeward_filter::gate::{self, Decision};
use edgeward_filter::head::Request;
use edgeward_filter::knowledge::Knowledge;
use edgeward_filter::memory::Memory;
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;

/// What all streams of a worker share.
pub(crate) struct Shared {
    pub(crate) policy: Policy,
    pub(crate) knowledge: Rc<RefCell<Knowledge>>,
    pub(crate) follower: Option<Rc<RefCell<Follower>>>,
    pub(crate) refresher: Option<Refresher>,
    pub(crate) memory: RefCell<Memory>,
    pub(crate) metrics: Rc<Metrics>,
}

impl Shared {
    /// What becomes of a request.
    pub(crate) fn decide(&self, request: &Request<'_>) -> Option<Decision> {
        let now = host::now()?;
        let mut memory = self.memory.borrow_mut();
        let decision =
            gate::decide(&self.policy, &self.knowledge.borrow(), &mut memory, request, now.as_secs());
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
