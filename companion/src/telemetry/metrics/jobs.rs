//! Metrics of the background jobs.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use time::OffsetDateTime;

use super::Metrics;

pub(super) struct Jobs {
    succeeded_at: Family<Job, Gauge>,
    failures: Family<Job, Counter>,
    deleted_entries: Counter,
}

/// Not `job`: Prometheus has a label of that name for the scraped service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    name: &'static str,
}

impl Jobs {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let jobs = Self {
            succeeded_at: Family::default(),
            failures: Family::default(),
            deleted_entries: Counter::default(),
        };
        registry.register_with_unit(
            "job_last_success_timestamp",
            "Time at which a background job last succeeded, or was started",
            Unit::Seconds,
            jobs.succeeded_at.clone(),
        );
        registry.register(
            "job_failures",
            "Steps of background jobs that failed or panicked",
            jobs.failures.clone(),
        );
        registry.register(
            "audit_entries_deleted",
            "Entries of the audit log that were deleted, being older than AUDIT_RETENTION_DAYS",
            jobs.deleted_entries.clone(),
        );
        jobs
    }
}

impl Metrics {
    /// Begins the metrics of a job: without failures, and as if it had just succeeded.
    pub fn job_started(&self, name: &'static str, now: OffsetDateTime) {
        // A counter that begins with its first failure would hide it: `increase` needs a value before.
        drop(self.jobs.failures.get_or_create(&Job { name }));
        self.job_succeeded(name, now);
    }

    /// Sets the time of the last success of a job.
    pub fn job_succeeded(&self, name: &'static str, now: OffsetDateTime) {
        self.jobs.succeeded_at.get_or_create(&Job { name }).set(now.unix_timestamp());
    }

    /// Counts a failure of a job.
    pub fn job_failed(&self, name: &'static str) {
        self.jobs.failures.get_or_create(&Job { name }).inc();
    }

    /// Counts entries of the audit log that were deleted.
    pub fn count_deleted_entries(&self, entries: u64) {
        self.jobs.deleted_entries.inc_by(entries);
    }
}
