//! SQL over `refresh_tokens`, one row a session. Whether a refresh is granted is decided in `domain::session`.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::session::{Rotation, Session};
use crate::domain::{SessionId, UserId};

/// Starts a session. Its refresh token is the first generation.
pub async fn insert(
    connection: &mut PgConnection,
    user_id: UserId,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<SessionId, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into refresh_tokens (user_id, expires_at, created_at, updated_at)
         values ($1, $2, $3, $3) returning id",
        user_id,
        expires_at,
        now,
    )
    .fetch_one(connection)
    .await
}

/// A session as it stands, held until the transaction ends: of refreshes at the same time one is decided at a time.
pub async fn lock(
    connection: &mut PgConnection,
    session_id: SessionId,
) -> Result<Option<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        r#"select refresh_tokens.id, user_id, generation, expires_at,
                  disabled_at is not null as "user_disabled!"
           from refresh_tokens join users on users.id = user_id
           where refresh_tokens.id = $1
           for update of refresh_tokens"#,
        session_id,
    )
    .fetch_optional(connection)
    .await
}

/// Puts a session's new generation in place of the old one.
pub async fn rotate(
    connection: &mut PgConnection,
    rotation: Rotation,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refresh_tokens set generation = $2, expires_at = $3, updated_at = $4 where id = $1",
        rotation.session_id,
        rotation.generation,
        expires_at,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a user's session. Says whether there was one.
pub async fn delete(
    connection: &mut PgConnection,
    user_id: UserId,
    session_id: SessionId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from refresh_tokens where id = $1 and user_id = $2", session_id, user_id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends all of a user's sessions. Gives their number.
pub async fn delete_all(connection: &mut PgConnection, user_id: UserId) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query!("delete from refresh_tokens where user_id = $1", user_id).execute(connection).await?;
    Ok(done.rows_affected())
}
