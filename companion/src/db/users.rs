//! SQL over `users`.

pub mod admins;
pub mod email;
mod page;

pub use self::page::list;

use thiserror::Error;
use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::role::Role;
use crate::domain::account::user_ref::UserRef;
use crate::domain::account::{NewUser, User};

/// Failure to insert a user.
#[derive(Debug, Error)]
pub enum InsertError {
    /// The e-mail address belongs to another user, compared without case.
    #[error("the e-mail address belongs to another user")]
    EmailTaken,
    /// The statement failed.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for InsertError {
    fn from(error: sqlx::Error) -> Self {
        let constraint = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
        if constraint == Some("users_email_key") { Self::EmailTaken } else { Self::Database(error) }
    }
}

/// Inserts a user without a password, and returns their ID and role. The unique index decides if the address is free,
/// so there is no race between a check and the insert.
///
/// # Errors
/// [`InsertError::EmailTaken`] if another user has the address, [`InsertError::Database`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    user: &NewUser,
    now: OffsetDateTime,
) -> Result<UserId, InsertError> {
    let inserted = sqlx::query_scalar!(
        r#"insert into users (first_name, last_name, email, role, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $5)
           returning id as "id: UserId""#,
        user.first_name.as_str(),
        user.last_name.as_str(),
        user.email.as_str(),
        user.role.as_str(),
        now,
    );
    Ok(inserted.fetch_one(connection).await?)
}

/// Locks a user's row until the transaction ends. Starts and refreshes of the user's sessions wait for that.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn lock(connection: &mut Connection, user_id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from users where id = $1 for no key update", user_id as UserId)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// Locks a user's row until the transaction ends, so that nobody changes the user meanwhile; others may do the same at
/// the same time. Returns `false` if there is no such user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn lock_shared(connection: &mut Connection, user_id: UserId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query!("select id from users where id = $1 for share", user_id as UserId);
    Ok(found.fetch_optional(connection).await?.is_some())
}

/// Locks the row of a user, as [`lock`] does. `None` if there is no such user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn lock_by_ref(connection: &mut Connection, user: &UserRef) -> Result<Option<UserId>, sqlx::Error> {
    let (id, email) = columns(user);
    sqlx::query_scalar!(
        r#"select id as "id: UserId" from users where id = $1 or lower(email collate "C") = $2 for no key update"#,
        id as Option<UserId>,
        email,
    )
    .fetch_optional(connection)
    .await
}

/// Finds a user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find(connection: &mut Connection, user: &UserRef) -> Result<Option<User>, sqlx::Error> {
    let (id, email) = columns(user);
    sqlx::query_as!(
        User,
        r#"select id as "id: UserId", first_name as "first_name: Name", last_name as "last_name: Name",
                  email as "email: Email", role as "role: Role", disabled_at, created_at, updated_at
           from users where id = $1 or lower(email collate "C") = $2"#,
        id as Option<UserId>,
        email,
    )
    .fetch_optional(connection)
    .await
}

/// Returns the columns of a reference. One of them is null, and equal to none.
fn columns(user: &UserRef) -> (Option<UserId>, Option<&str>) {
    match user {
        UserRef::Id(id) => (Some(*id), None),
        UserRef::Email(email) => (None, Some(email.as_str())),
    }
}

/// Sets a user's role.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn set_role(
    connection: &mut Connection,
    user_id: UserId,
    role: &Role,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set role = $2, updated_at = $3 where id = $1",
        user_id as UserId,
        role.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Disables or enables a user. The time of an earlier disabling is kept.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn set_disabled(
    connection: &mut Connection,
    user_id: UserId,
    disabled: bool,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set disabled_at = case when $2 then coalesce(disabled_at, $3) end, updated_at = $3
         where id = $1",
        user_id as UserId,
        disabled,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sets a user's names. `None` keeps the one there is.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn set_names(
    connection: &mut Connection,
    user_id: UserId,
    first_name: Option<&Name>,
    last_name: Option<&Name>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set first_name = coalesce($2, first_name), last_name = coalesce($3, last_name), updated_at = $4
         where id = $1",
        user_id as UserId,
        first_name.map(Name::as_str),
        last_name.map(Name::as_str),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sets the time of a user's last change, for changes in other tables, such as a new password.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn touch(
    connection: &mut Connection,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set updated_at = $2 where id = $1", user_id as UserId, now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes all devices of a user unknown.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn forget_devices(
    connection: &mut Connection,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let done = sqlx::query!(
        "update users set devices_not_before = $2, updated_at = $2 where id = $1",
        user_id as UserId,
        now,
    );
    done.execute(connection).await?;
    Ok(())
}

/// Returns the time at which all devices of a user became unknown; `None` if they never did.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn devices_not_before(
    connection: &mut Connection,
    user_id: UserId,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    let found = sqlx::query_scalar!("select devices_not_before from users where id = $1", user_id as UserId);
    Ok(found.fetch_optional(connection).await?.flatten())
}

/// Deletes a user, their password and their sessions. A trigger revokes all their tokens.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete(connection: &mut Connection, user_id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from users where id = $1", user_id as UserId).execute(connection).await?;
    Ok(())
}
