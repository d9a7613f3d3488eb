//! SQL over `factors` that are passkeys.

use time::OffsetDateTime;
use webauthn_rs::prelude::Passkey;

use crate::db::connection::Connection;
use crate::domain::account::name::Name;
use crate::domain::factor::passkey::StoredPasskey;
use crate::domain::{FactorId, UserId};

/// Inserts a passkey, and returns its ID. `None` if it is there already.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    user_id: UserId,
    name: &Name,
    is_demanded: bool,
    passkey: &Passkey,
    now: OffsetDateTime,
) -> Result<Option<FactorId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"insert into factors (user_id, kind, name, created_at, is_demanded, credential_id, credential)
           values ($1, 'passkey', $2, $3, $4, $5, $6::text::jsonb)
           on conflict (credential_id) do nothing returning id as "id: FactorId""#,
        user_id as UserId,
        name.as_str(),
        now,
        is_demanded,
        passkey.cred_id().as_slice(),
        encode(passkey)?,
    )
    .fetch_optional(connection)
    .await
}

/// Lists the passkeys of a user.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails, or a row is no passkey.
pub async fn list(connection: &mut Connection, user_id: UserId) -> Result<Vec<StoredPasskey>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: FactorId", credential::text as "credential!" from factors
           where user_id = $1 and kind = 'passkey' order by id"#,
        user_id as UserId,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| Ok(StoredPasskey { id: row.id, user_id, passkey: decode(&row.credential)? }))
        .collect()
}

/// Finds a passkey by its own ID.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails, or the row is no passkey.
pub async fn find(
    connection: &mut Connection,
    credential_id: &[u8],
) -> Result<Option<StoredPasskey>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: FactorId", user_id as "user_id: UserId", credential::text as "credential!" from factors
           where credential_id = $1"#,
        credential_id,
    );
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some(StoredPasskey { id: row.id, user_id: row.user_id, passkey: decode(&row.credential)? }))
}

/// Replaces a passkey by the same one after a use, with its new counter and flags. Returns `false` if it is gone, or was used
/// meanwhile with another result: of two copies with the same counter, one is rejected.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn record_use(
    connection: &mut Connection,
    StoredPasskey { id, passkey, .. }: &StoredPasskey,
    used: &Passkey,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update factors set credential = $3::text::jsonb, last_used_at = $4
         where id = $1 and credential = $2::text::jsonb",
        *id as FactorId,
        encode(passkey)?,
        encode(used)?,
        now,
    );
    Ok(done.execute(connection).await?.rows_affected() > 0)
}

fn encode(passkey: &Passkey) -> Result<String, sqlx::Error> {
    serde_json::to_string(passkey).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn decode(credential: &str) -> Result<Passkey, sqlx::Error> {
    serde_json::from_str(credential).map_err(|error| sqlx::Error::Decode(error.into()))
}
