//! Counters and gauges for Prometheus, at `GET /metrics`. No label has a value that a client chooses.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use time::OffsetDateTime;

/// The media type of what [`Metrics::write`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper ends of a request's duration, in seconds: from a poll of the edge to a password at a high cost.
const DURATIONS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Histogram>,
    events: Family<Event, Counter>,
    connections: Family<Connections, Gauge>,
    hashing: Gauge,
    keys: Gauge,
    keys_changed: Gauge,
    revocations: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    status: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    event: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    state: &'static str,
}

/// Figures that are read at the moment of the scrape.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Open connections to Postgres.
    pub connections: u32,
    /// Those of them that nobody uses.
    pub idle_connections: usize,
    /// Password comparisons and hashes that run or wait.
    pub password_hashes: usize,
    /// Keys that access tokens may be signed with.
    pub keys: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers every metric.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("edgeward"),
            requests: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            events: Family::default(),
            connections: Family::default(),
            hashing: Gauge::default(),
            keys: Gauge::default(),
            keys_changed: Gauge::default(),
            revocations: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register_with_unit(
            "http_request_duration",
            "Requests by route and status; polls of the edge are those of /internal/edge-feed",
            Unit::Seconds,
            metrics.requests.clone(),
        );
        let events = metrics.events.clone();
        registry.register("events", "What happened to accounts, as the audit log has it", events);
        registry.register(
            "database_connections",
            "Open connections to Postgres",
            metrics.connections.clone(),
        );
        registry.register(
            "password_hashes_in_flight",
            "Password comparisons and hashes running or waiting",
            metrics.hashing.clone(),
        );
        // The former name, until the release after this one.
        registry.register(
            "passwords_in_work",
            "Renamed to edgeward_password_hashes_in_flight",
            metrics.hashing.clone(),
        );
        registry.register("keys", "Keys that access tokens may be signed with", metrics.keys.clone());
        registry.register_with_unit(
            "keys_changed_timestamp",
            "When the keys in use were read",
            Unit::Seconds,
            metrics.keys_changed.clone(),
        );
        let revocations = metrics.revocations.clone();
        registry.register(
            "revocations",
            "Revocations that have not expired, counted once a minute",
            revocations,
        );
        metrics
    }

    /// A request to a route was answered.
    pub fn observe_request(&self, route: &str, status: u16, took: Duration) {
        let labels = Request { route: route.to_owned(), status: status.into() };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Something happened to an account.
    pub fn count_event(&self, event: &'static str, reason: Option<&'static str>) {
        self.events.get_or_create(&Event { event, reason: reason.unwrap_or_default() }).inc();
    }

    /// Other keys are in use from now on.
    pub fn keys_changed(&self, now: OffsetDateTime) {
        self.keys_changed.set(now.unix_timestamp());
    }

    /// So many revocations have not expired.
    pub fn set_revocations(&self, live: i64) {
        self.revocations.set(live);
    }

    /// Writes every metric as Prometheus reads it.
    ///
    /// # Errors
    /// [`fmt::Error`] if a value cannot be written.
    pub fn write(&self, gauges: Gauges) -> Result<String, fmt::Error> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let (open, idle) = (i64::from(gauges.connections), count(gauges.idle_connections));
        self.connections.get_or_create(&Connections { state: "idle" }).set(idle);
        self.connections.get_or_create(&Connections { state: "used" }).set(open - idle);
        self.hashing.set(count(gauges.password_hashes));
        self.keys.set(count(gauges.keys));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
