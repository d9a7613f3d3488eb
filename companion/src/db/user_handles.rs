//! SQL over `user_handles`.

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::factor::user_handle::UserHandle;

/// Returns the handle of a user, which is the new one if there is none yet.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn find_or_insert(
    connection: &mut Connection,
    user_id: UserId,
    new: UserHandle,
) -> Result<UserHandle, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into user_handles (user_id, handle) values ($1, $2) on conflict (user_id) do nothing",
        user_id as UserId,
        new.as_bytes(),
    );
    inserted.execute(&mut *connection).await?;
    // Another statement: the first one does not see a row that was inserted at the same time.
    sqlx::query_scalar!(
        r#"select handle as "handle: UserHandle" from user_handles where user_id = $1"#,
        user_id as UserId,
    )
    .fetch_one(connection)
    .await
}

/// Returns `true` if a user has the handle.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn is_known(connection: &mut Connection, handle: UserHandle) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from user_handles where handle = $1) as "is_known!""#,
        handle.as_bytes(),
    )
    .fetch_one(connection)
    .await
}
