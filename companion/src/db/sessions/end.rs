//! The SQL that sessions end with, at the edge in the same statement.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::session::Ending;
use crate::domain::{SessionId, UserId};

/// Maximum number of rows that are deleted at once: few enough that nobody waits for it.
const BATCH: i64 = 1000;

/// Ends sessions of a user, and returns those that were there. The edge rejects their tokens until `revoked_until`;
/// `None` if a revocation of the whole user does that.
///
/// The rows are locked in order of their numbers: of two that end the same sessions, one waits for the other.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn end(
    connection: &mut PgConnection,
    ending: Ending,
    revoked_until: Option<OffsetDateTime>,
) -> Result<Vec<SessionId>, sqlx::Error> {
    // A session younger than the token that names it is another one with the same number.
    sqlx::query_scalar!(
        r#"with ended as (
               delete from refresh_tokens where id = any(array(
                   select id from refresh_tokens
                   where user_id = $1 and (id = $2) is not false and (id <> $3) is not false
                       and (floor(extract(epoch from created_at)) <= $4::bigint) is not false
                   order by id for update))
               returning id),
           revoked as (
               insert into revocations (session_id, expires_at)
               select id, $5::timestamptz from ended where $5::timestamptz is not null)
           select id as "id!: SessionId" from ended order by id"#,
        ending.user_id as UserId,
        ending.only as Option<SessionId>,
        ending.except as Option<SessionId>,
        ending.begun_by,
        revoked_until,
    )
    .fetch_all(connection)
    .await
}

/// Deletes some sessions that have expired, which need no revocation. Returns `true` if there may be more.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_expired(connection: &mut PgConnection, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    // A row that is locked is left for later. The array is made first, and once.
    let done = sqlx::query!(
        "delete from refresh_tokens where id = any(array(
             select id from refresh_tokens where expires_at <= $1 order by expires_at limit $2
             for update skip locked))",
        now,
        BATCH,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == BATCH.unsigned_abs())
}
