//! SQL over `audit_log`.

use sqlx::PgConnection;

use crate::domain::audit::Entry;
use crate::domain::{SessionId, UserId};

/// Maximum number of entries that are claimed at once.
const BATCH: i64 = 100;

/// Adds an entry, in the transaction of what it tells of.
///
/// `is_reported`: `true` if the caller writes the entry into its log and counts it; `false` if a running service is to.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut PgConnection,
    entry: &Entry,
    is_reported: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_log (at, event, actor, user_id, session_id, request_id, client_prefix, details, reported)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9)",
        entry.at,
        entry.event,
        entry.actor,
        entry.user_id as Option<UserId>,
        entry.session_id as Option<SessionId>,
        entry.request_id,
        entry.client_prefix,
        entry.details,
        is_reported,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Claims entries that no service has reported, in their order: no other service claims them once this has returned.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn claim_unreported(connection: &mut PgConnection) -> Result<Vec<Entry>, sqlx::Error> {
    // Rows that another service is claiming are left to it.
    let rows = sqlx::query!(
        r#"with claimed as (
               update audit_log set reported = true where id = any(array(
                   select id from audit_log where not reported order by id limit $1 for update skip locked))
               returning *)
           select at as "at!", event as "event!", actor as "actor!", user_id as "user_id: UserId",
                  session_id as "session_id: SessionId", request_id, client_prefix, details::text as "details!"
           from claimed order by id"#,
        BATCH,
    )
    .fetch_all(connection)
    .await?;
    let entries = rows.into_iter().map(|row| Entry {
        at: row.at,
        event: row.event,
        reason: None,
        actor: row.actor,
        user_id: row.user_id,
        session_id: row.session_id,
        request_id: row.request_id,
        client_prefix: row.client_prefix,
        details: row.details,
    });
    Ok(entries.collect())
}
