//! Audit entries of commands, reported by one of the running services.

use crate::db::audit_log;
use crate::service::{Context, Error};
use crate::telemetry::audit;

/// Logs and counts the entries that no service has reported. They are claimed first, so a service that ends in between
/// leaves them in the table alone.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn report_audit(context: &Context) -> Result<(), Error> {
    loop {
        let entries = audit_log::claim_unreported(&mut *context.connection().await?).await?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in &entries {
            audit::report(&context.metrics, entry, &context.caller);
        }
    }
}
