//! SQL over administrators: users with the role who may sign in.

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::role::Role;

/// Key of the lock: any number that nobody else locks in this database; sqlx locks one while it migrates.
const LOCK: i64 = 0x6564_6765_6164_6d6e;

/// Returns `true` if a user is an administrator.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn contain(connection: &mut Connection, user_id: UserId) -> Result<bool, sqlx::Error> {
    let role = Role::admin();
    let found = sqlx::query!(
        "select id from users where id = $1 and role = $2 and disabled_at is null",
        user_id as UserId,
        role.as_str(),
    );
    Ok(found.fetch_optional(connection).await?.is_some())
}

/// Waits until no other transaction removes administrators, and keeps others waiting until this one ends.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails, or if another transaction takes too long.
pub async fn lock(connection: &mut Connection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(connection).await?;
    Ok(())
}

/// Returns `true` if there is an administrator other than this user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn contain_another(connection: &mut Connection, user_id: UserId) -> Result<bool, sqlx::Error> {
    let role = Role::admin();
    let found = sqlx::query!(
        "select id from users where role = $2 and disabled_at is null and id <> $1 limit 1",
        user_id as UserId,
        role.as_str(),
    );
    Ok(found.fetch_optional(connection).await?.is_some())
}
