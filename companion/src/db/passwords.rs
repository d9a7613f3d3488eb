//! SQL over `passwords`: at most one row a user. Hashes are computed and compared in `hashing`.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::db::one_time_tokens;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::account::password::PasswordHash;

/// Scheme of new hashes.
const BCRYPT: &str = "bcrypt";

/// Data that a login is decided by.
pub struct Credentials {
    /// User with the e-mail address.
    pub user_id: UserId,
    /// Hash of the password; `None` for a user without one.
    pub hash: Option<PasswordHash>,
    /// Time of the last change of the password.
    pub changed_at: Option<OffsetDateTime>,
    /// `true` if the user may not sign in.
    pub is_disabled: bool,
}

/// Finds the credentials of the user with an e-mail address.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find(connection: &mut Connection, email: &Email) -> Result<Option<Credentials>, sqlx::Error> {
    sqlx::query_as!(
        Credentials,
        r#"select id as "user_id: UserId", hash as "hash?: PasswordHash", changed_at as "changed_at?",
                  disabled_at is not null as "is_disabled!"
           from users left join passwords on user_id = id
           where lower(email collate "C") = $1"#,
        email.as_str(),
    )
    .fetch_optional(connection)
    .await
}

/// Sets or replaces a user's password, and ends resets and changes of the address that somebody has begun before.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn set(
    connection: &mut Connection,
    user_id: UserId,
    hash: &PasswordHash,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into passwords (user_id, hash, scheme, changed_at) values ($1, $2, $3, $4)
         on conflict (user_id) do update
         set hash = excluded.hash, scheme = excluded.scheme, changed_at = excluded.changed_at",
        user_id as UserId,
        hash.expose(),
        BCRYPT,
        now,
    )
    .execute(&mut *connection)
    .await?;
    one_time_tokens::delete_ended_by_password(connection, user_id).await
}

/// Deletes a user's password: nobody signs in with it any more.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete(connection: &mut Connection, user_id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from passwords where user_id = $1", user_id as UserId).execute(connection).await?;
    Ok(())
}

/// Returns the time of the last change of a user's password; `None` if there is none.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn changed_at(
    connection: &mut Connection,
    user_id: UserId,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!("select changed_at from passwords where user_id = $1", user_id as UserId)
        .fetch_optional(connection)
        .await
}

/// Replaces a hash by another one of the same password, unless the password has changed.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn rehash(
    connection: &mut Connection,
    user_id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update passwords set hash = $3, scheme = $4 where user_id = $1 and hash = $2",
        user_id as UserId,
        old.expose(),
        new.expose(),
        BCRYPT,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns `true` if a user has a password that has not changed since `changed_at`, which stays so until the
/// transaction ends. The user's row is locked already, as in every change of a password.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn is_unchanged(
    connection: &mut Connection,
    user_id: UserId,
    changed_at: Option<OffsetDateTime>,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select changed_at = $2 as "is_unchanged!" from passwords where user_id = $1 for share"#,
        user_id as UserId,
        changed_at,
    );
    Ok(found.fetch_optional(connection).await?.unwrap_or(false))
}
