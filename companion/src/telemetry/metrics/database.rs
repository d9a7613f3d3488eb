//! Metrics of the connections to Postgres.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;

/// Upper bounds of the buckets of a wait for a connection, in seconds. Chosen: from a free connection, past the round
/// trip of a ping, to the time limit of the pool.
const WAITS: [f64; 8] = [0.000_1, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 5.0];

pub(super) struct Database {
    connections: Family<Connections, Gauge>,
    waits: Histogram,
    failures: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    state: &'static str,
}

impl Database {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let database = Self {
            connections: Family::default(),
            waits: Histogram::new(WAITS),
            failures: Counter::default(),
        };
        registry.register(
            "database_connections",
            "Open connections to Postgres",
            database.connections.clone(),
        );
        registry.register_with_unit(
            "database_acquire",
            "Waits for a connection to Postgres, failed ones included",
            Unit::Seconds,
            database.waits.clone(),
        );
        registry.register(
            "database_acquire_failures",
            "Waits for a connection to Postgres that ended without one",
            database.failures.clone(),
        );
        database
    }

    /// Sets the number of open connections, and how many of them are idle.
    pub(super) fn set_connections(&self, open: i64, idle: i64) {
        self.connections.get_or_create(&Connections { state: "idle" }).set(idle);
        self.connections.get_or_create(&Connections { state: "used" }).set(open - idle);
    }
}

impl Metrics {
    /// Counts a wait for a connection, and its failure if it ended without one.
    pub fn observe_acquire(&self, took: Duration, succeeded: bool) {
        self.database.waits.observe(took.as_secs_f64());
        if !succeeded {
            self.database.failures.inc();
        }
    }
}
