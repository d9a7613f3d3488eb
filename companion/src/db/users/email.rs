//! SQL over the e-mail addresses of users.

use time::OffsetDateTime;

use super::InsertError;
use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::email::Email;

/// Changes the address of a user, which mails arrive at from `verified_at` on. The unique index decides if the address is free.
///
/// # Errors
/// [`InsertError::EmailTaken`] if another user has the address, [`InsertError::Database`] if the statement fails.
pub async fn set(
    connection: &mut Connection,
    user_id: UserId,
    email: &Email,
    verified_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), InsertError> {
    sqlx::query!(
        "update users set email = $2, email_verified_at = $3, updated_at = $4 where id = $1",
        user_id as UserId,
        email.as_str(),
        verified_at,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns `true` if a link may give the address back to another user who had it before.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn is_reserved(
    connection: &mut Connection,
    email: &Email,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
               select from one_time_tokens join users on users.id = user_id
               where purpose = 'undo_email' and lower(one_time_tokens.email collate "C") = $1 and user_id <> $2 and used_at is null
                   and expires_at > $3) as "is_reserved!""#,
        email.as_str(),
        user_id as UserId,
        now,
    )
    .fetch_one(connection)
    .await
}

/// Records that mails to the address of a user arrive. An earlier time is kept.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn mark_verified(
    connection: &mut Connection,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set email_verified_at = coalesce(email_verified_at, $2) where id = $1",
        user_id as UserId,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns `true` if mails to the address of a user have arrived.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn is_verified(connection: &mut Connection, user_id: UserId) -> Result<bool, sqlx::Error> {
    let verified = sqlx::query_scalar!(
        r#"select email_verified_at is not null as "is_verified!" from users where id = $1"#,
        user_id as UserId,
    );
    Ok(verified.fetch_optional(connection).await?.unwrap_or(false))
}
