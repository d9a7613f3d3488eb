//! SQL over `recovery_codes`: their hashes alone.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::factor::disowned::Disowned;
use crate::domain::factor::recovery_code::RecoveryCodeHash;
use crate::domain::token::access_token::TokenSubject;
use crate::domain::{SessionId, UserId};

/// Replaces the recovery codes of a user by those of a session.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn replace(
    connection: &mut Connection,
    by: TokenSubject,
    hashes: &[RecoveryCodeHash],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    delete_all(connection, by.user_id).await?;
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    sqlx::query!(
        "insert into recovery_codes (user_id, session_id, created_at, hash) select $1, $2, $3, unnest($4::bytea[])",
        by.user_id as UserId,
        by.session_id as SessionId,
        now,
        &hashes as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a recovery code, which is deleted. Returns the number of codes that are left; `None` if the user has no such code.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn use_up(
    connection: &mut Connection,
    user_id: UserId,
    hash: &RecoveryCodeHash,
) -> Result<Option<usize>, sqlx::Error> {
    let used = sqlx::query!(
        "delete from recovery_codes where user_id = $1 and hash = $2",
        user_id as UserId,
        hash.as_slice(),
    );
    if used.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(None);
    }
    let left = sqlx::query_scalar!(
        r#"select count(*) as "left!" from recovery_codes where user_id = $1"#,
        user_id as UserId,
    );
    Ok(Some(usize::try_from(left.fetch_one(connection).await?).unwrap_or_default()))
}

/// Deletes the recovery codes of a user that are disowned, and returns their number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_disowned(
    connection: &mut Connection,
    user_id: UserId,
    disowned: &Disowned,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from recovery_codes
         where user_id = $1 and (session_id = $2 and created_at >= $3 or created_at >= $4)",
        user_id as UserId,
        disowned.session_id as Option<SessionId>,
        disowned.session_since,
        disowned.all_since,
    );
    Ok(done.execute(connection).await?.rows_affected())
}

/// Deletes all recovery codes of a user, and returns their number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_all(connection: &mut Connection, user_id: UserId) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("delete from recovery_codes where user_id = $1", user_id as UserId);
    Ok(done.execute(connection).await?.rows_affected())
}
