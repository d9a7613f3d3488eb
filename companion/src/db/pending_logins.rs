//! SQL over `pending_logins`.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::factor::ticket::TicketHash;

/// Login whose password was right, and that waits for a factor.
pub struct PendingLogin {
    /// User.
    pub user_id: UserId,
    /// E-mail address of the user.
    pub email: Email,
}

/// Inserts a pending login.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    hash: &TicketHash,
    user_id: UserId,
    password_changed_at: Option<OffsetDateTime>,
    device: Option<&str>,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into pending_logins (token_hash, user_id, password_changed_at, device, expires_at)
         values ($1, $2, $3, $4, $5)",
        hash.as_slice(),
        user_id as UserId,
        password_changed_at,
        device,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a pending login. `None` if it is unknown, used, expired, of another device, or of a password that has changed.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find(
    connection: &mut Connection,
    hash: &TicketHash,
    device: Option<&str>,
    now: OffsetDateTime,
) -> Result<Option<PendingLogin>, sqlx::Error> {
    sqlx::query_as!(
        PendingLogin,
        r#"select users.id as "user_id: UserId", email as "email: Email"
           from pending_logins
           join users on users.id = pending_logins.user_id
           join passwords on passwords.user_id = users.id and changed_at = password_changed_at
           where token_hash = $1 and device is not distinct from $2 and expires_at > $3"#,
        hash.as_slice(),
        device,
        now,
    )
    .fetch_optional(connection)
    .await
}

/// Uses a pending login, which is deleted. Returns `false` if it cannot be found any more: by the rules of [`find`], which hold
/// until the transaction ends, as the user's row is locked.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn use_up(
    connection: &mut Connection,
    hash: &TicketHash,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "delete from pending_logins using passwords
         where token_hash = $1 and expires_at > $2 and passwords.user_id = pending_logins.user_id
             and changed_at = password_changed_at",
        hash.as_slice(),
        now,
    );
    Ok(done.execute(connection).await?.rows_affected() > 0)
}
