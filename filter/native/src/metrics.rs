//! Metrics of the module in Envoy's. Envoy lets them be defined only while a configuration starts.

use edgeward_filter::VERSION;
use edgeward_filter::rejection::Rejection;

use crate::abi::{Counter, Gauge, Host};

/// Counter of rejections.
const REFUSED: &str = "edgeward_refused";
/// Label of the counters that are divided.
const REASON: &str = "reason";
/// Counters, and whether they are divided by a reason.
const COUNTERS: [(&str, bool); 5] = [
    (REFUSED, true),
    ("edgeward_feed_failed", true),
    ("edgeward_feed_polls", false),
    ("edgeward_streams_closed", true),
    ("edgeward_streams_unfollowed", false),
];
const GAUGES: [&str; 6] = [
    "edgeward_bans",
    "edgeward_feed_age_seconds",
    "edgeward_feed_answer",
    "edgeward_key_set_generation",
    "edgeward_keys",
    "edgeward_revocations",
];

/// Metrics of a configuration.
pub(crate) struct Metrics {
    host: Host,
    counters: [Option<Counter>; COUNTERS.len()],
    gauges: [Option<Gauge>; GAUGES.len()],
}

impl Metrics {
    /// Defines the metrics, and records the version of this build.
    pub(crate) fn define(host: Host) -> Self {
        if let Some(build) = host.define_gauge("edgeward_build_info", Some("version")) {
            host.set_gauge(&build, Some(VERSION), 1);
        }
        Self {
            host,
            counters: COUNTERS.map(|(name, divided)| host.define_counter(name, divided.then_some(REASON))),
            gauges: GAUGES.map(|name| host.define_gauge(name, None)),
        }
    }

    /// Counts a rejection.
    pub(crate) fn count_rejection(&self, rejection: Rejection) {
        self.count((REFUSED, rejection.label()), 1);
    }

    /// Increments a counter: its name, and the reason by which it is divided, empty if it is not.
    pub(crate) fn count(&self, (name, reason): (&str, &str), by: u64) {
        let at = COUNTERS.iter().position(|(counter, _)| *counter == name);
        if let Some(counter) = at.and_then(|at| self.counters.get(at)?.as_ref()) {
            self.host.increment(counter, (!reason.is_empty()).then_some(reason), by);
        }
    }

    /// Sets a gauge.
    pub(crate) fn record(&self, (name, value): (&str, u64)) {
        let at = GAUGES.iter().position(|gauge| *gauge == name);
        if let Some(gauge) = at.and_then(|at| self.gauges.get(at)?.as_ref()) {
            self.host.set_gauge(gauge, None, value);
        }
    }
}
