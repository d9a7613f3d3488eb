//! Job that deletes old entries of the audit log once a minute, where `AUDIT_RETENTION_DAYS` is set.

use super::Job;
use crate::service::{Context, maintenance};

/// Job that deletes old entries of the audit log.
pub struct DeleteOldEntries {
    /// Context of its use case.
    pub context: Context,
    /// Age at which an entry is deleted.
    pub retention: time::Duration,
}

impl Job for DeleteOldEntries {
    const NAME: &'static str = "delete old audit entries";

    fn interval(&self) -> std::time::Duration {
        std::time::Duration::from_mins(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        Ok(maintenance::delete_old_entries(&self.context, self.retention).await?)
    }
}
