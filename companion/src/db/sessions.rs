//! SQL for what people see of their sessions and end of them. What ends here ends at the edge in the same statement.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::{SessionId, UserId};

/// The most sessions that are listed, the latest used ones.
const MAX_LISTED: i64 = 100;

/// A session as its user is shown it.
pub struct Listed {
    /// The session's number.
    pub id: SessionId,
    /// What the client called itself that started it.
    pub device: Option<String>,
    /// The network that it was started from.
    pub address_prefix: Option<String>,
    /// When it was started.
    pub created_at: OffsetDateTime,
    /// When it last went on.
    pub updated_at: OffsetDateTime,
}

/// A user's sessions that live, `own` first and then by their last use. One that began by `too_old` has ended.
pub async fn list(
    connection: &mut PgConnection,
    user_id: UserId,
    own: SessionId,
    now: OffsetDateTime,
    too_old: OffsetDateTime,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query_as!(
        Listed,
        "select id, device, address_prefix, created_at, updated_at
         from refresh_tokens
         where user_id = $1 and expires_at > $3 and created_at > $4
         order by id = $2 desc, updated_at desc, id desc
         limit $5",
        user_id,
        own,
        now,
        too_old,
        MAX_LISTED,
    )
    .fetch_all(connection)
    .await
}

/// Ends a session of a user's; its tokens are refused `until`. Says whether there was one.
pub async fn end(
    connection: &mut PgConnection,
    user_id: UserId,
    session_id: SessionId,
    until: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "with ended as (delete from refresh_tokens where id = $1 and user_id = $2 returning id)
         insert into revocations (session_id, expires_at) select id, $3 from ended",
        session_id,
        user_id,
        until,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends a user's sessions but this one, in the order in which a logout ends several; their tokens are refused `until`.
/// Gives those that were ended.
pub async fn end_others(
    connection: &mut PgConnection,
    user_id: UserId,
    kept: SessionId,
    until: OffsetDateTime,
) -> Result<Vec<SessionId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with ended as (
               delete from refresh_tokens where id = any(array(
                   select id from refresh_tokens where user_id = $1 and id <> $2 order by id for update))
               returning id)
           insert into revocations (session_id, expires_at) select id, $3 from ended
           returning session_id as "session_id!""#,
        user_id,
        kept,
        until,
    )
    .fetch_all(connection)
    .await
}
