//! SQL over `audit_log`. What is an entry is decided before it gets here.

use sqlx::PgConnection;

use crate::domain::audit::Entry;

/// Maximum number of entries that are claimed at once.
const BATCH: i64 = 100;

/// Adds an entry, in the transaction that does what it says.
pub async fn insert(connection: &mut PgConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_log (at, event, actor, user_id, session_id, request_id, client_prefix, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb)",
        entry.at,
        entry.event,
        entry.actor,
        entry.user_id,
        entry.session_id,
        entry.request_id,
        entry.client_prefix,
        entry.details,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Claims entries that no service has reported, in their order: nobody else claims them once this has returned.
pub async fn claim_unreported(connection: &mut PgConnection) -> Result<Vec<Entry>, sqlx::Error> {
    // Rows that another service is claiming are left to it.
    sqlx::query_as!(
        Entry,
        r#"with claimed as (
               update audit_log set reported = true where id = any(array(
                   select id from audit_log where not reported order by id limit $1 for update skip locked))
               returning *)
           select at as "at!", event as "event!", actor as "actor!", user_id, session_id, request_id, client_prefix,
                  details::text as "details!"
           from claimed order by id"#,
        BATCH,
    )
    .fetch_all(connection)
    .await
}
