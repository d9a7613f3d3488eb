//! Metrics for Prometheus, at `GET /metrics`. No client can choose the value of a label.

mod attempts;
mod database;
mod feed;
mod hashing;
mod http;
mod jobs;
mod mail;
#[cfg(target_os = "linux")]
mod process;

use std::fmt;

use edgeward_wire::VERSION;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use time::OffsetDateTime;

use self::attempts::Attempts;
use self::database::Database;
use self::feed::Feed;
pub use self::feed::FeedPoll;
use self::hashing::Hashing;
use self::http::Http;
pub(super) use self::http::known_method;
use self::jobs::Jobs;
use self::mail::Mail;

/// Media type of [`Metrics::write`]'s output.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics of the process.
pub struct Metrics {
    registry: Registry,
    http: Http,
    events: Family<Event, Counter>,
    attempts: Attempts,
    database: Database,
    jobs: Jobs,
    mail: Mail,
    feed: Feed,
    hashing: Hashing,
    keys: Gauge,
    keys_changed: Gauge,
    revocations: Gauge,
    sessions: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    event: &'static str,
    reason: &'static str,
}

/// Values that are read at the time of a scrape.
#[derive(Clone, Copy, Debug, Default)]
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
        let mut all = Registry::default();
        #[cfg(target_os = "linux")]
        process::register(&mut all);
        let registry = all.sub_registry_with_prefix("edgeward");
        let version = Info::new([("version", VERSION)]);
        registry.register("build", "Version of the companion", version);
        let metrics = Self {
            http: Http::register(registry),
            events: Family::default(),
            attempts: Attempts::register(registry),
            database: Database::register(registry),
            jobs: Jobs::register(registry),
            mail: Mail::register(registry),
            feed: Feed::register(registry),
            hashing: Hashing::register(registry),
            keys: Gauge::default(),
            keys_changed: Gauge::default(),
            revocations: Gauge::default(),
            sessions: Gauge::default(),
            registry: Registry::default(),
        };
        let events = metrics.events.clone();
        registry.register("events", "Audit events, by name and reason", events);
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
        registry.register(
            "sessions",
            "Sessions that have not expired, counted once a minute; Postgres' estimate if more than 100,000",
            metrics.sessions.clone(),
        );
        Self { registry: all, ..metrics }
    }

    /// Counts an audit event.
    pub fn count_event(&self, event: &'static str, reason: Option<&'static str>) {
        self.events.get_or_create(&Event { event, reason: reason.unwrap_or_default() }).inc();
    }

    /// Sets the time of the last change of keys.
    pub fn keys_changed(&self, now: OffsetDateTime) {
        self.keys_changed.set(now.unix_timestamp());
    }

    /// Sets the number of sessions that have not expired.
    pub fn set_sessions(&self, live: i64) {
        self.sessions.set(live);
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
        self.database.set_connections(open, idle);
        self.hashing.set_in_flight(count(gauges.password_hashes));
        self.keys.set(count(gauges.keys));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
