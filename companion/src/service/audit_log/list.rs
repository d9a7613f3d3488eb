//! The list of the audit log.

use crate::db::audit_log;
use crate::domain::audit::list::{AuditCursor, AuditFilter, ListedEntry};
use crate::domain::page::{Page, PageSize};
use crate::service::{Context, Error};

/// Lists a page of the audit log, newest first.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "list_audit_log", level = "debug", skip_all)]
pub async fn list(
    context: &Context,
    filter: &AuditFilter,
    before: Option<AuditCursor>,
    size: PageSize,
) -> Result<Page<ListedEntry, AuditCursor>, Error> {
    let mut connection = context.connection().await?;
    Ok(Page::of_rows(audit_log::list(&mut connection, filter, before, size.rows()).await?, size))
}
