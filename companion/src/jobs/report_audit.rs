//! Job that reports the audit entries of commands. Exactly one of several services logs and counts each entry.

use std::time::Duration;

use super::Job;
use crate::service::{Context, maintenance};

/// Audit reporting job.
pub struct ReportAudit {
    /// Context of its use case.
    pub context: Context,
}

impl Job for ReportAudit {
    const NAME: &'static str = "report the audit log";

    /// One second: a step costs one read of an index that is nearly always empty.
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        Ok(maintenance::report_audit(&self.context).await?)
    }
}
