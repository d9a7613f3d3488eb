//! SQL over the passkeys that sessions were proved by.

use crate::db::connection::Connection;
use crate::domain::token::one_time::Origin;
use crate::domain::{FactorId, SessionId};

/// Finds the origin of a mail that tells of what a session does.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find_origin(connection: &mut Connection, session_id: SessionId) -> Result<Origin, sqlx::Error> {
    let passkey = sqlx::query_scalar!(
        r#"select passkey_id as "passkey: FactorId" from refresh_tokens where id = $1"#,
        session_id as SessionId,
    );
    let passkey = passkey.fetch_optional(connection).await?.flatten();
    Ok(Origin { session_id: Some(session_id), passkey })
}

/// Sets the passkey that a session was last proved by.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn set_passkey(
    connection: &mut Connection,
    session_id: SessionId,
    passkey: FactorId,
) -> Result<(), sqlx::Error> {
    let done = sqlx::query!(
        "update refresh_tokens set passkey_id = $2 where id = $1",
        session_id as SessionId,
        passkey as FactorId,
    );
    done.execute(connection).await?;
    Ok(())
}
