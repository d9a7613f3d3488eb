//! Metrics for Prometheus, at `GET /metrics`. No client can choose the value of a label.

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

/// Media type of [`Metrics::write`]'s output.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of a request's duration, in seconds. Chosen: from a poll of the edge to a login with a
/// high `BCRYPT_COST`.
const DURATIONS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Metrics of the process.
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

/// Values that are read at the time of a scrape.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Number of open connections to Postgres.
    pub connections: u32,
    /// Number of them that are idle.
    pub idle_connections: usize,
    /// Number of password comparisons and hashes that run or wait.
    pub password_hashes: usize,
    /// Number of keys that access tokens may be signed with.
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
        registry.register("events", "Audit events, by name and reason", events);
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
        // Former name, kept for one release.
        registry.register(
            "passwords_in_work",
            "Renamed to edgeward_password_hashes_in_flight",
            metrics.hashing.clone(),
        );
        registry.register("keys", "Keys that access tokens may be signed with", metrics.keys.clone());
        registry.register_with_unit(
            "keys_changed_timestamp",
            "Time at which the keys in use were read",
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

    /// Counts a response, with its route, status and duration.
    pub fn observe_request(&self, route: &str, status: u16, took: Duration) {
        let labels = Request { route: route.to_owned(), status: status.into() };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts an audit event.
    pub fn count_event(&self, event: &'static str, reason: Option<&'static str>) {
        self.events.get_or_create(&Event { event, reason: reason.unwrap_or_default() }).inc();
    }

    /// Sets the time of the last change of keys.
    pub fn keys_changed(&self, now: OffsetDateTime) {
        self.keys_changed.set(now.unix_timestamp());
    }

    /// Sets the number of revocations that have not expired.
    pub fn set_revocations(&self, live: i64) {
        self.revocations.set(live);
    }

    /// Writes every metric in the text format of [`CONTENT_TYPE`].
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
