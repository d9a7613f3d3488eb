//! What all streams of a worker share: the policy, what is known, and the counters.

use std::cell::RefCell;
use std::collections::HashMap;

use super::host;
use crate::knowledge::Knowledge;
use crate::policy::Policy;
use crate::rejection::Rejection;

/// What all streams of a worker share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) knowledge: RefCell<Knowledge>,
    /// The counters of refusals, by label; as many as there are labels at most.
    counters: RefCell<HashMap<&'static str, Option<u32>>>,
}

impl Shared {
    pub(super) fn new(policy: Policy, knowledge: Knowledge) -> Self {
        Self { policy, knowledge: RefCell::new(knowledge), counters: RefCell::default() }
    }

    /// Counts a refusal, and leaves its reason for the access log.
    pub(super) fn record(&self, rejection: Rejection) {
        let label = rejection.label();
        host::set_property("edgeward.rejection", label.as_bytes());
        let define = || host::counter(&format!("edgeward_refused.reason.{label}"));
        if let Some(counter) = *self.counters.borrow_mut().entry(label).or_insert_with(define) {
            host::increment(counter);
        }
    }
}
