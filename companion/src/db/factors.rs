//! SQL over `factors`.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::account::name::Name;
use crate::domain::factor::disowned::Disowned;
use crate::domain::factor::user_handle::UserHandle;
use crate::domain::factor::{Factor, FactorKind, FactorList};
use crate::domain::token::access_token::TokenSubject;
use crate::domain::{FactorId, SessionId, UserId};

/// Number of rows that are resealed at once. Chosen: its locks are short.
const BATCH: i64 = 1000;

/// Authenticator app, with its sealed secret.
pub struct SealedTotp {
    /// Factor ID.
    pub id: FactorId,
    /// User.
    pub user_id: UserId,
    /// Secret, sealed for the user.
    pub sealed: Vec<u8>,
    /// Last time step whose code was accepted.
    pub last_step: i64,
}

/// Lists the factors of a user in the order of their creation, and the other ways to sign in that the user has.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn list(connection: &mut Connection, user_id: UserId) -> Result<FactorList, sqlx::Error> {
    let factors = sqlx::query_as!(
        Factor,
        r#"select id as "id: FactorId", kind as "kind: FactorKind", name as "name: Name", is_demanded, created_at,
                  last_used_at, credential_id, rp_id
           from factors where user_id = $1 order by id"#,
        user_id as UserId,
    )
    .fetch_all(&mut *connection)
    .await?;
    let others = sqlx::query!(
        r#"select (select count(*) from recovery_codes where user_id = $1) as "recovery_codes!",
                  exists (select from passwords where user_id = $1) as "has_password!",
                  (select handle from user_handles where user_id = $1) as "user_handle: UserHandle""#,
        user_id as UserId,
    )
    .fetch_one(connection)
    .await?;
    let recovery_codes = usize::try_from(others.recovery_codes).unwrap_or_default();
    let (has_password, user_handle) = (others.has_password, others.user_handle);
    Ok(FactorList { factors, recovery_codes, has_password, user_handle })
}

/// Returns `true` if a password alone does not sign a user in: as [`FactorList::is_demanded`].
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn is_demanded(connection: &mut Connection, user_id: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from factors where user_id = $1 and is_demanded)
               or exists (select from recovery_codes where user_id = $1) as "is_demanded!""#,
        user_id as UserId,
    )
    .fetch_one(connection)
    .await
}

/// Inserts an authenticator app that a session has added, and returns its ID. The code of `last_step` was its first.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert_totp(
    connection: &mut Connection,
    by: TokenSubject,
    name: &Name,
    sealed: &[u8],
    last_step: i64,
    now: OffsetDateTime,
) -> Result<FactorId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"insert into factors (user_id, session_id, kind, name, created_at, is_demanded, sealed, last_step)
           values ($1, $2, 'totp', $3, $4, true, $5, $6) returning id as "id: FactorId""#,
        by.user_id as UserId,
        by.session_id as SessionId,
        name.as_str(),
        now,
        sealed,
        last_step,
    )
    .fetch_one(connection)
    .await
}

/// Lists the authenticator apps of a user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list_totp(connection: &mut Connection, user_id: UserId) -> Result<Vec<SealedTotp>, sqlx::Error> {
    sqlx::query_as!(
        SealedTotp,
        r#"select id as "id: FactorId", user_id as "user_id: UserId", sealed as "sealed!", last_step as "last_step!"
           from factors where user_id = $1 and kind = 'totp' order by id"#,
        user_id as UserId,
    )
    .fetch_all(connection)
    .await
}

/// Uses a time step of an authenticator app, and all before it. Returns `false` if it is used already.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn use_step(
    connection: &mut Connection,
    id: FactorId,
    step: i64,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update factors set last_step = $2, last_used_at = $3 where id = $1 and last_step < $2",
        id as FactorId,
        step,
        now,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Sets the name of a factor of a user. Returns `false` if the user has no such factor.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn rename(
    connection: &mut Connection,
    user_id: UserId,
    id: FactorId,
    name: &Name,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update factors set name = $3 where user_id = $1 and id = $2",
        user_id as UserId,
        id as FactorId,
        name.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes a factor of a user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete(connection: &mut Connection, user_id: UserId, id: FactorId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from factors where user_id = $1 and id = $2", user_id as UserId, id as FactorId,)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the factors of a user that are disowned, and returns their number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_disowned(
    connection: &mut Connection,
    user_id: UserId,
    disowned: &Disowned,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from factors
         where user_id = $1 and (session_id = $2 and created_at >= $3 or created_at >= $4 or id = $5)",
        user_id as UserId,
        disowned.session_id as Option<SessionId>,
        disowned.session_since,
        disowned.all_since,
        disowned.passkey as Option<FactorId>,
    );
    Ok(done.execute(connection).await?.rows_affected())
}

/// Deletes all factors of a user, and returns their number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_all(connection: &mut Connection, user_id: UserId) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("delete from factors where user_id = $1", user_id as UserId);
    Ok(done.execute(connection).await?.rows_affected())
}

/// Lists at most 1,000 authenticator apps of all users, those after `after` in the order of their IDs.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list_sealed(
    connection: &mut Connection,
    after: FactorId,
) -> Result<Vec<SealedTotp>, sqlx::Error> {
    sqlx::query_as!(
        SealedTotp,
        r#"select id as "id: FactorId", user_id as "user_id: UserId", sealed as "sealed!", last_step as "last_step!"
           from factors where kind = 'totp' and id > $1 order by id limit $2"#,
        after as FactorId,
        BATCH,
    )
    .fetch_all(connection)
    .await
}

/// Replaces a seal by another one of the same secret.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn reseal(connection: &mut Connection, id: FactorId, sealed: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query!("update factors set sealed = $2 where id = $1", id as FactorId, sealed)
        .execute(connection)
        .await?;
    Ok(())
}
