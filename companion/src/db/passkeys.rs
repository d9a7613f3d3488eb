//! SQL over `factors` that are passkeys.

use time::OffsetDateTime;
use webauthn_rs::prelude::Passkey;

use crate::db::connection::Connection;
use crate::domain::account::name::Name;
use crate::domain::factor::passkey::StoredPasskey;
use crate::domain::factor::user_handle::UserHandle;
use crate::domain::token::access_token::TokenSubject;
use crate::domain::{FactorId, SessionId, UserId};

/// Inserts a passkey of a domain that a session has added, and returns its ID. `None` if it is there already.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    by: TokenSubject,
    name: &Name,
    is_demanded: bool,
    (passkey, rp_id): (&Passkey, &str),
    now: OffsetDateTime,
) -> Result<Option<FactorId>, sqlx::Error> {
    let credential = encode(passkey)?;
    sqlx::query_scalar!(
        r#"insert into factors
               (user_id, session_id, kind, name, created_at, is_demanded, credential_id, credential, rp_id)
           values ($1, $2, 'passkey', $3, $4, $5, $6, $7::text::jsonb, $8)
           on conflict (credential_id) do nothing returning id as "id: FactorId""#,
        by.user_id as UserId,
        by.session_id as SessionId,
        name.as_str(),
        now,
        is_demanded,
        passkey.cred_id().as_slice(),
        credential,
        rp_id,
    )
    .fetch_optional(connection)
    .await
}

/// Lists the IDs of a user's passkeys of a domain.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list_ids(
    connection: &mut Connection,
    user_id: UserId,
    rp_id: &str,
) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select credential_id as "credential_id!" from factors
           where user_id = $1 and kind = 'passkey' and rp_id = $2 order by id"#,
        user_id as UserId,
        rp_id,
    )
    .fetch_all(connection)
    .await
}

/// Finds a passkey of a domain by its own ID.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails, or the row is no passkey.
pub async fn find(
    connection: &mut Connection,
    credential_id: &[u8],
    rp_id: &str,
) -> Result<Option<StoredPasskey>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: FactorId", factors.user_id as "user_id: UserId", handle as "handle: UserHandle",
                  credential::text as "credential!"
           from factors join user_handles on user_handles.user_id = factors.user_id
           where credential_id = $1 and rp_id = $2"#,
        credential_id,
        rp_id,
    );
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    let passkey = serde_json::from_str(&row.credential).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(StoredPasskey {
        id: row.id,
        user_id: row.user_id,
        user_handle: row.handle,
        passkey,
        text: row.credential,
    }))
}

/// Replaces a passkey by the same one after a use, with its new counter and flags. Returns `false` if it is gone, or was used
/// meanwhile with another result: of two copies with the same counter, one is rejected. The text that was read is compared, as
/// another release of the library may write the same passkey in another way.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn record_use(
    connection: &mut Connection,
    StoredPasskey { id, text, .. }: &StoredPasskey,
    used: &Passkey,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update factors set credential = $3::text::jsonb, last_used_at = $4
         where id = $1 and credential = $2::text::jsonb",
        *id as FactorId,
        text,
        encode(used)?,
        now,
    );
    Ok(done.execute(connection).await?.rows_affected() > 0)
}

/// Deletes the passkeys of a user that browsers have created by themselves in other sessions than this one, and returns their
/// number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_automatic_of_others(
    connection: &mut Connection,
    by: TokenSubject,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from factors
         where user_id = $1 and kind = 'passkey' and not is_demanded and session_id is distinct from $2",
        by.user_id as UserId,
        by.session_id as SessionId,
    );
    Ok(done.execute(connection).await?.rows_affected())
}

fn encode(passkey: &Passkey) -> Result<String, sqlx::Error> {
    serde_json::to_string(passkey).map_err(|error| sqlx::Error::Encode(error.into()))
}
