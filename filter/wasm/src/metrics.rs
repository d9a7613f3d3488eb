//! Metrics of the filter in the host's, each defined at its first use.

use std::cell::RefCell;
use std::collections::HashMap;

use edgeward_filter::feed::follower::Gauges;
use edgeward_filter::rejection::Rejection;

use crate::host::{self, Metric};

thread_local! {
    /// Numbers of the metrics, by name and reason. There are at most as many as labels.
    static NUMBERS: RefCell<HashMap<(&'static str, &'static str), Option<u32>>> = RefCell::default();
}

/// Counts a rejection, and gives the access log its reason.
pub(crate) fn record_rejection(rejection: Rejection) {
    host::set_property("edgeward.rejection", rejection.label().as_bytes());
    count("edgeward_refused", rejection.label());
}

/// Counts an event, by its reason if that is not empty.
pub(crate) fn count(name: &'static str, reason: &'static str) {
    if let Some(counter) = number(Metric::Counter, name, reason) {
        host::increment(counter);
    }
}

/// Sets the gauges of the edge feed.
pub(crate) fn record_feed(gauges: &Gauges) {
    for (name, value) in [
        ("edgeward_feed_age_seconds", gauges.feed_age_s),
        ("edgeward_feed_answer", gauges.feed_answer),
        ("edgeward_key_set_generation", gauges.key_set_generation),
        ("edgeward_keys", gauges.keys),
        ("edgeward_revocations", gauges.revocations),
    ] {
        if let Some(gauge) = number(Metric::Gauge, name, "") {
            host::set_gauge(gauge, value);
        }
    }
}

fn number(kind: Metric, name: &'static str, reason: &'static str) -> Option<u32> {
    let define = || match reason {
        "" => host::metric(kind, name),
        reason => host::metric(kind, &format!("{name}.reason.{reason}")),
    };
    NUMBERS.with_borrow_mut(|numbers| *numbers.entry((name, reason)).or_insert_with(define))
}
