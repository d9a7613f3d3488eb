//! Metrics of the filter in the host's, each defined at its first use.

use std::cell::RefCell;
use std::collections::HashMap;

use edgeward_filter::rejection::Rejection;
use proxy_wasm::types::MetricType;

use crate::host;

/// Counter of rejections.
pub(crate) const REFUSED: &str = "edgeward_refused";

thread_local! {
    /// Numbers of the metrics, by name and reason. There are at most as many as labels.
    static NUMBERS: RefCell<HashMap<(&'static str, &'static str), Option<u32>>> = RefCell::default();
}

/// Counts a rejection, and gives the access log its label and its evidence.
pub(crate) fn record_rejection(rejection: Rejection) {
    host::set_property("edgeward.rejection", rejection.label().as_bytes());
    host::set_property("edgeward.rejection_details", rejection.to_string().as_bytes());
    count((REFUSED, rejection.label()), 1);
}

/// Increments a counter: its name, and the reason by which it is divided, empty if it is not.
pub(crate) fn count((name, reason): (&'static str, &'static str), by: u64) {
    if let Some(counter) = number(MetricType::Counter, name, reason) {
        host::increment(counter, by);
    }
}

/// Sets a gauge.
pub(crate) fn record((name, value): (&'static str, u64)) {
    if let Some(gauge) = number(MetricType::Gauge, name, "") {
        host::set_gauge(gauge, value);
    }
}

fn number(kind: MetricType, name: &'static str, reason: &'static str) -> Option<u32> {
    let define = || match reason {
        "" => host::metric(kind, name),
        reason => host::metric(kind, &format!("{name}.reason.{reason}")),
    };
    NUMBERS.with_borrow_mut(|numbers| *numbers.entry((name, reason)).or_insert_with(define))
}
