//! Reports what commands wrote into the audit log: of several services exactly one logs and counts each entry.

use std::time::Duration;

use super::Job;
use crate::service::{Context, maintenance};

/// The job.
pub struct ReportAudit {
    /// What it acts on.
    pub context: Context,
}

impl Job for ReportAudit {
    const NAME: &'static str = "report the audit log";

    /// One look costs one read of an index that is empty nearly always.
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        Ok(maintenance::report_audit(&self.context).await?)
    }
}
