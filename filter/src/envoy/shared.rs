//! What all streams of a worker share: the policy, what is known, what is remembered, and the metrics.

use std::cell::RefCell;
use std::rc::Rc;

use super::follow::Follower;
use super::host;
use super::metrics::Metrics;
use super::refresh::Refresher;
use crate::gate::{self, Decision};
use crate::head::Request;
use crate::knowledge::Knowledge;
use crate::memory::Memory;
use crate::policy::Policy;
use crate::rejection::Rejection;

/// What all streams of a worker share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) knowledge: Rc<RefCell<Knowledge>>,
    pub(super) follower: Option<Rc<RefCell<Follower>>>,
    pub(super) refresher: Option<Refresher>,
    pub(super) memory: RefCell<Memory>,
    pub(super) metrics: Rc<Metrics>,
}

impl Shared {
    /// What becomes of a request.
    pub(super) fn decide(&self, request: &Request<'_>) -> Option<Decision> {
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
    pub(super) fn record(&self, rejection: Rejection) {
        host::set_property("edgeward.rejection", rejection.label().as_bytes());
        self.metrics.count_refusal(rejection);
    }
}
