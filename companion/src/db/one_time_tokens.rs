//! SQL over `one_time_tokens`: links and codes of mails, as digests.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::account::email::Email;
use crate::domain::token::one_time::{Digest, MAX_CODE_TRIES, Origin, Purpose};
use crate::domain::{FactorId, SessionId, UserId};

/// Token to store.
pub struct NewToken<'a> {
    /// Action that it permits.
    pub purpose: Purpose,
    /// User whom it is for; `None` for an address that nobody has.
    pub user_id: Option<UserId>,
    /// Address that it is sent to.
    pub email: &'a Email,
    /// State that it may change.
    pub state: Option<&'a str>,
    /// Session that its mail tells of.
    pub origin: Origin,
    /// Digest of the token.
    pub token_hash: Digest,
    /// Digests of the handle and of the code beside it, and the time until which the code counts.
    pub code: Option<(Digest, Digest, OffsetDateTime)>,
    /// Time until which the token counts.
    pub expires_at: OffsetDateTime,
}

/// Token that has not been used and not expired.
pub struct OpenToken {
    /// Number.
    pub id: i64,
    /// User whom it is for.
    pub user_id: UserId,
    /// Address that it was sent to.
    pub email: Email,
    /// State that it may change.
    pub state: Option<String>,
    /// Time at which its mail was written.
    pub created_at: OffsetDateTime,
    /// Session that its mail tells of.
    pub session_id: Option<SessionId>,
    /// Passkey of the session.
    pub passkey: Option<FactorId>,
}

impl OpenToken {
    /// Returns what its mail tells of.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { session_id: self.session_id, passkey: self.passkey }
    }
}

/// Stores a token.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    token: &NewToken<'_>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let (handle_hash, code_hash, code_expires_at) = match &token.code {
        Some((handle, code, expires_at)) => {
            (Some(handle.as_slice()), Some(code.as_slice()), Some(*expires_at))
        }
        None => (None, None, None),
    };
    sqlx::query!(
        "insert into one_time_tokens
             (purpose, user_id, email, state, token_hash, handle_hash, code_hash, code_expires_at, created_at, expires_at,
              session_id, factor_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        token.purpose.as_str(),
        token.user_id as Option<UserId>,
        token.email.as_str(),
        token.state,
        token.token_hash.as_slice(),
        handle_hash,
        code_hash,
        code_expires_at,
        now,
        token.expires_at,
        token.origin.session_id as Option<SessionId>,
        token.origin.passkey as Option<FactorId>,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds the token of a link, and changes nothing.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find(
    connection: &mut Connection,
    purpose: Purpose,
    token_hash: &Digest,
    now: OffsetDateTime,
) -> Result<Option<OpenToken>, sqlx::Error> {
    sqlx::query_as!(
        OpenToken,
        r#"select id, user_id as "user_id!: UserId", email as "email: Email", state, created_at,
                  session_id as "session_id: SessionId", factor_id as "passkey: FactorId"
           from one_time_tokens
           where token_hash = $2 and purpose = $1 and user_id is not null and used_at is null and expires_at > $3"#,
        purpose.as_str(),
        token_hash.as_slice(),
        now,
    )
    .fetch_optional(connection)
    .await
}

/// Counts a code that was typed beside a handle, and finds the token if the code is right. After five wrong ones no code
/// is. The count comes before the comparison, so that codes at the same time are no more than that.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn try_code(
    connection: &mut Connection,
    purpose: Purpose,
    handle_hash: &Digest,
    code_hash: &Digest,
    now: OffsetDateTime,
) -> Result<Option<OpenToken>, sqlx::Error> {
    sqlx::query!(
        "update one_time_tokens set code_tries = code_tries + 1 where handle_hash = $1",
        handle_hash.as_slice(),
    )
    .execute(&mut *connection)
    .await?;
    // The comparison may leak how many bytes of two digests are equal, which says nothing about the code.
    sqlx::query_as!(
        OpenToken,
        r#"update one_time_tokens set code_tries = 0
           where handle_hash = $2 and code_hash = $3 and purpose = $1 and user_id is not null and used_at is null
               and code_expires_at > $4 and code_tries <= $5
           returning id, user_id as "user_id!: UserId", email as "email: Email", state, created_at,
               session_id as "session_id: SessionId", factor_id as "passkey: FactorId""#,
        purpose.as_str(),
        handle_hash.as_slice(),
        code_hash.as_slice(),
        now,
        MAX_CODE_TRIES,
    )
    .fetch_optional(connection)
    .await
}

/// Uses a token. Returns `false` if it was used or has expired meanwhile.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn consume(connection: &mut Connection, id: i64, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    let used = sqlx::query_scalar!(
        "update one_time_tokens set used_at = $2 where id = $1 and used_at is null and expires_at > $2 returning id",
        id,
        now,
    );
    Ok(used.fetch_optional(connection).await?.is_some())
}

/// Deletes the tokens of a user that a new password ends ([`Purpose::ENDED_BY_PASSWORD`]).
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_ended_by_password(
    connection: &mut Connection,
    user_id: UserId,
) -> Result<(), sqlx::Error> {
    let purposes = Purpose::ENDED_BY_PASSWORD.map(Purpose::as_str);
    sqlx::query!(
        "delete from one_time_tokens where user_id = $1 and purpose = any($2::text[])",
        user_id as UserId,
        &purposes as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds the oldest open token by which a user gets an address back.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find_undo(
    connection: &mut Connection,
    user_id: UserId,
    email: &Email,
    now: OffsetDateTime,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select id from one_time_tokens
           where purpose = 'undo_email' and lower(email collate "C") = $2 and user_id = $1 and used_at is null
               and expires_at > $3
           order by id limit 1"#,
        user_id as UserId,
        email.as_str(),
        now,
    )
    .fetch_optional(connection)
    .await
}

/// Deletes the tokens of a user that give them another address than this one back, and are newer than one of theirs.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_other_undo(
    connection: &mut Connection,
    user_id: UserId,
    email: &Email,
    than: i64,
) -> Result<(), sqlx::Error> {
    let others = sqlx::query!(
        r#"delete from one_time_tokens
           where user_id = $1 and purpose = 'undo_email' and lower(email collate "C") <> $2 and id > $3"#,
        user_id as UserId,
        email.as_str(),
        than,
    );
    others.execute(connection).await?;
    Ok(())
}

/// Deletes the tokens of a user that are newer than one of theirs.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_newer(
    connection: &mut Connection,
    user_id: UserId,
    than: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from one_time_tokens where user_id = $1 and id > $2", user_id as UserId, than)
        .execute(connection)
        .await?;
    Ok(())
}
