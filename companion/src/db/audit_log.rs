//! SQL over `audit_log`.

use sqlx::PgConnection;

use crate::domain::audit::Entry;
use crate::domain::{SessionId, UserId};

/// Maximum number of entries that one call claims.
const BATCH: i64 = 100;

/// Inserts an entry, in the transaction of the change that it records.
///
/// `is_reported`: `true` if the caller logs and counts the entry itself; `false` if a running service has to.
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

/// Claims the oldest entries that no service has reported, in their order. No other service can claim them afterwards.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn claim_unreported(connection: &mut PgConnection) -> Result<Vec<Entry>, sqlx::Error> {
    // `skip locked`: rows that another service is claiming stay with it.
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
