//! Metrics of password hashing.

use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;

/// Upper bounds of the buckets of a hash's time and of its wait, in seconds. Chosen: from a hash of the least
/// `BCRYPT_COST` in production to a full queue.
const DURATIONS: [f64; 8] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

pub(super) struct Hashing {
    in_flight: Gauge,
    waits: Histogram,
    times: Histogram,
}

impl Hashing {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let hashing = Self {
            in_flight: Gauge::default(),
            waits: Histogram::new(DURATIONS),
            times: Histogram::new(DURATIONS),
        };
        registry.register(
            "password_hashes_in_flight",
            "Password comparisons and hashes running or waiting",
            hashing.in_flight.clone(),
        );
        // Former name, kept for one release.
        registry.register(
            "passwords_in_work",
            "Renamed to edgeward_password_hashes_in_flight",
            hashing.in_flight.clone(),
        );
        registry.register_with_unit(
            "password_queue",
            "Time for which password comparisons and hashes waited for a worker",
            Unit::Seconds,
            hashing.waits.clone(),
        );
        registry.register_with_unit(
            "password_hash",
            "Time that a worker took for a password comparison or a hash",
            Unit::Seconds,
            hashing.times.clone(),
        );
        hashing
    }

    pub(super) fn set_in_flight(&self, count: i64) {
        self.in_flight.set(count);
    }
}

impl Metrics {
    /// Adds a password comparison or a hash: its wait for a worker, and its time on the worker.
    pub fn observe_hash(&self, waited: Duration, took: Duration) {
        self.hashing.waits.observe(waited.as_secs_f64());
        self.hashing.times.observe(took.as_secs_f64());
    }
}
