//! SQL over `audit_log`.

use sqlx::postgres::types::PgInterval;
use time::{Duration, OffsetDateTime};

use crate::db::connection::Connection;
use crate::domain::audit::Entry;
use crate::domain::audit::list::{AuditCursor, AuditFilter, ListedEntry};
use crate::domain::{SessionId, UserId};

/// Maximum number of entries that one call claims.
const BATCH: i64 = 100;
/// Maximum number of entries that one call deletes.
pub const DELETED: i64 = 1000;

/// Row of the table.
struct Row {
    id: i64,
    at: OffsetDateTime,
    event: String,
    actor: String,
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    request_id: Option<String>,
    client_prefix: Option<String>,
    details: String,
}

impl Row {
    fn into_listed(self) -> ListedEntry {
        let Self { id, at, event, actor, user_id, session_id, request_id, client_prefix, details } = self;
        // Rejections have reasons, and no rows.
        let reason = None;
        let entry =
            Entry { at, event, reason, actor, user_id, session_id, request_id, client_prefix, details };
        ListedEntry { id, entry }
    }
}

/// Inserts entries, in the transaction of the events, in one statement however many there are.
///
/// `is_reported`: `true` if the caller logs and counts the entries; `false` if a running service is to.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert_all(
    connection: &mut Connection,
    entries: &[Entry],
    is_reported: bool,
) -> Result<(), sqlx::Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let column = |value: fn(&Entry) -> Option<String>| entries.iter().map(value).collect::<Vec<_>>();
    let id = |value: fn(&Entry) -> Option<i64>| entries.iter().map(value).collect::<Vec<_>>();
    sqlx::query!(
        "insert into audit_log (at, event, actor, user_id, session_id, request_id, client_prefix, details, reported)
         select at, event, actor, user_id, session_id, request_id, client_prefix, details::jsonb, $9
         from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
                     $8::text[])
              as entry (at, event, actor, user_id, session_id, request_id, client_prefix, details)",
        &entries.iter().map(|entry| entry.at).collect::<Vec<_>>(),
        &column(|entry| Some(entry.event.clone())) as &[Option<String>],
        &column(|entry| Some(entry.actor.clone())) as &[Option<String>],
        &id(|entry| entry.user_id.map(|id| id.0)) as &[Option<i64>],
        &id(|entry| entry.session_id.map(|id| id.0)) as &[Option<i64>],
        &column(|entry| entry.request_id.clone()) as &[Option<String>],
        &column(|entry| entry.client_prefix.clone()) as &[Option<String>],
        &column(|entry| Some(entry.details.clone())) as &[Option<String>],
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
pub async fn claim_unreported(connection: &mut Connection) -> Result<Vec<Entry>, sqlx::Error> {
    // `skip locked`: rows that another service is claiming stay with it.
    let rows = sqlx::query_as!(
        Row,
        r#"with claimed as (
               update audit_log set reported = true where id = any(array(
                   select id from audit_log where not reported order by id limit $1 for update skip locked))
               returning *)
           select id as "id!", at as "at!", event as "event!", actor as "actor!", user_id as "user_id: UserId",
                  session_id as "session_id: SessionId", request_id, client_prefix, details::text as "details!"
           from claimed order by id"#,
        BATCH,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.into_listed().entry).collect())
}

/// Lists at most `rows` entries, newest first, each with its cursor: those before `before`, or the newest of all.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list(
    connection: &mut Connection,
    filter: &AuditFilter,
    before: Option<AuditCursor>,
    rows: i64,
) -> Result<Vec<(AuditCursor, ListedEntry)>, sqlx::Error> {
    // One bound above, of the cursor and the filter: of two, Postgres may begin at the later one. No entry has the ID 0.
    let until = filter.until.map(|at| AuditCursor { at, id: 0 });
    let before = [before, until].into_iter().flatten().min();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, at, event, actor, user_id as "user_id: UserId", session_id as "session_id: SessionId", request_id,
                  client_prefix, details::text as "details!"
           from audit_log
           where (at, id) < (coalesce($1, 'infinity'::timestamptz), coalesce($2::bigint, 0))
               and at >= coalesce($3, '-infinity'::timestamptz) and ($4::bigint is null or user_id = $4)
               and ($5::text is null or event = $5) and ($6::text is null or actor = $6)
           order by at desc, id desc limit $7"#,
        before.map(|before| before.at),
        before.map(|before| before.id),
        filter.from,
        filter.user_id as Option<UserId>,
        filter.event,
        filter.actor,
        rows,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (AuditCursor { at: row.at, id: row.id }, row.into_listed())).collect())
}

/// Deletes the oldest entries before `before`, at most [`DELETED`], but those that no service has reported. Returns their
/// number. None is younger than `retention` by the clock of the database: that of this process may be ahead.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_before(
    connection: &mut Connection,
    before: OffsetDateTime,
    retention: Duration,
) -> Result<u64, sqlx::Error> {
    let retention = PgInterval::try_from(retention).map_err(sqlx::Error::Encode)?;
    // `skip locked`: rows that another service is deleting stay with it.
    let done = sqlx::query!(
        "delete from audit_log where id = any(array(
             select id from audit_log where at < least($1, now() - $3::interval) and reported
             order by at, id limit $2 for update skip locked))",
        before,
        DELETED,
        retention,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
