//! The deletion of old entries of the audit log, a batch at a time.

use time::Duration;

use crate::db::audit_log;
use crate::service::{Context, Error};

/// Maximum number of batches of one call, so that a log of millions does not keep the service from stopping. Chosen: more
/// than a service can write in a minute.
const BATCHES: usize = 100;

/// Deletes entries of the audit log that are older than `retention`, the oldest first, and counts them: at most 100,000.
/// Entries that no service has reported stay.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn delete_old_entries(context: &Context, retention: Duration) -> Result<(), Error> {
    let before = context.now() - retention;
    for _ in 0..BATCHES {
        // A connection for each batch, so that nobody waits for all of them.
        let deleted = audit_log::delete_before(&mut *context.connection().await?, before, retention).await?;
        context.metrics.count_deleted_entries(deleted);
        if deleted < audit_log::DELETED.unsigned_abs() {
            break;
        }
    }
    Ok(())
}
