//! The filter's metrics in the host's, each defined when it is first needed.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::host::{self, Metric};
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::rejection::Rejection;

/// The filter's metrics. There are as many as there are labels at most.
#[derive(Default)]
pub(crate) struct Metrics {
    numbers: RefCell<HashMap<(&'static str, &'static str), Option<u32>>>,
}

impl Metrics {
    pub(crate) fn count_refusal(&self, rejection: Rejection) {
        self.count("edgeward_refused", rejection.label());
    }

    pub(crate) fn count_poll(&self) {
        self.count("edgeward_feed_polls", "");
    }

    pub(crate) fn count_failed_poll(&self, reason: &'static str) {
        self.count("edgeward_feed_failed", reason);
    }

    /// How things stand at `now`, in seconds since 1970. `answers` is the number of the last answer.
    pub(crate) fn record(&self, edge_state: &EdgeState, answers: u32, now: u64) {
        for (name, value) in [
            ("edgeward_feed_age_seconds", edge_state.age_s(now)),
            ("edgeward_feed_answer", answers.into()),
            ("edgeward_key_set_generation", edge_state.generation()),
            ("edgeward_keys", edge_state.keys().len() as u64),
            ("edgeward_revocations", edge_state.revocations().len() as u64),
        ] {
            if let Some(gauge) = self.number(Metric::Gauge, name, "") {
                host::set_gauge(gauge, value);
            }
        }
    }

    fn count(&self, name: &'static str, reason: &'static str) {
        if let Some(counter) = self.number(Metric::Counter, name, reason) {
            host::increment(counter);
        }
    }

    fn number(&self, kind: Metric, name: &'static str, reason: &'static str) -> Option<u32> {
        let define = || match reason {
            "" => host::metric(kind, name),
            reason => host::metric(kind, &format!("{name}.reason.{reason}")),
        };
        *self.numbers.borrow_mut().entry((name, reason)).or_insert_with(define)
    }
}
