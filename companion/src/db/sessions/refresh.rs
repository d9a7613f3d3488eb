//! SQL of a refresh. The rule is in `domain::session`; docs/design/refresh.md describes it.
//!
//! Nearly every refresh presents the live token and rotates it. In this case the rule is short enough to be a condition
//! of the statement that writes. In all other cases the session is read, `domain::session` decides, and the decision is
//! written if the session is still the same.
//!
//! Each write locks the user's row before the session's, as every change of a user does: no deadlock. Concurrent writes
//! come one after the other, and after a concurrent change of the user. They do not share the lock of the user's row
//! (`for share`): enough of them would keep a change of the user waiting forever.

use sqlx::postgres::types::PgInterval;
use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::account::role::Role;
use crate::domain::session::authentication::{Authentication, Methods};
use crate::domain::session::{Lifetimes, MAX_SUPERSEDED, Session};
use crate::domain::token::refresh_token::RefreshClaims;
use crate::domain::{SessionId, UserId};

/// Rotates the live token if it is the one presented, and returns the session's new state. `None` in any other case, and
/// where the clocks of two companions differ; nothing is written then.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn rotate_live(
    connection: &mut Connection,
    presented: RefreshClaims,
    lifetimes: &Lifetimes,
    now: OffsetDateTime,
) -> Result<Option<Session>, sqlx::Error> {
    let absolute = PgInterval::try_from(lifetimes.absolute).map_err(sqlx::Error::Encode)?;
    let row = sqlx::query!(
        r#"with person as (
               select id, role, tokens_not_before from users
               where id = $2 and disabled_at is null for no key update)
           update refresh_tokens
           set generation = generation + 1, updated_at = $5, expires_at = least($6, created_at + $7),
               superseded = ($5::timestamptz || case when superseded[1] > $8 then superseded else '{}' end)[:$10]
           from person
           where refresh_tokens.id = $1 and user_id = person.id
               and floor(extract(epoch from created_at)) <= $3::bigint
               and generation = $4
               and (superseded[$10] > $8) is not true and (superseded[1] > $5) is not true
               and created_at <= $5 and created_at > $9 and expires_at > $5
           returning user_id as "user_id: UserId", generation, superseded, created_at, updated_at, expires_at,
               role as "role: Role", tokens_not_before, coalesce(authenticated_at, created_at) as "authenticated_at!",
               authentication_methods as "methods: Methods""#,
        presented.session_id as SessionId,
        presented.user_id as UserId,
        presented.issued_at,
        presented.generation,
        now,
        now + lifetimes.idle,
        absolute,
        now - lifetimes.grace,
        lifetimes.oldest_start(now),
        i32::try_from(MAX_SUPERSEDED).unwrap_or(i32::MAX),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Session {
        user_id: row.user_id,
        generation: row.generation,
        superseded: row.superseded,
        created_at: row.created_at,
        updated_at: row.updated_at,
        expires_at: row.expires_at,
        user_disabled: false,
        role: row.role,
        tokens_not_before: row.tokens_not_before,
        authentication: Authentication { time: row.authenticated_at, methods: row.methods },
    }))
}

/// Reads a session with its user. `None` if it does not exist.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn read(
    connection: &mut Connection,
    session_id: SessionId,
) -> Result<Option<Session>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select user_id as "user_id: UserId", generation, superseded, refresh_tokens.created_at,
                  refresh_tokens.updated_at, expires_at, disabled_at is not null as "user_disabled!",
                  role as "role: Role", tokens_not_before,
                  coalesce(authenticated_at, refresh_tokens.created_at) as "authenticated_at!",
                  authentication_methods as "methods: Methods"
           from refresh_tokens join users on users.id = user_id
           where refresh_tokens.id = $1"#,
        session_id as SessionId,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Session {
        user_id: row.user_id,
        generation: row.generation,
        superseded: row.superseded,
        created_at: row.created_at,
        updated_at: row.updated_at,
        expires_at: row.expires_at,
        user_disabled: row.user_disabled,
        role: row.role,
        tokens_not_before: row.tokens_not_before,
        authentication: Authentication { time: row.authenticated_at, methods: row.methods },
    }))
}

/// Writes `after` if the session is still as [`read`] found it, `before`, and the user may sign in. Returns the session
/// with what is true of the user now. `None` if something has changed; nothing is written then.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn write(
    connection: &mut Connection,
    session_id: SessionId,
    before: &Session,
    after: Session,
) -> Result<Option<Session>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with person as (
               select id, role, tokens_not_before from users
               where id = $2 and disabled_at is null for no key update)
           update refresh_tokens
           set generation = $6, superseded = $7, created_at = $8, updated_at = $9, expires_at = $10,
               authenticated_at = $11, authentication_methods = $12
           from person
           where refresh_tokens.id = $1 and user_id = person.id
               and generation = $3 and superseded = $4 and updated_at = $5
           returning role as "role: Role", tokens_not_before"#,
        session_id as SessionId,
        before.user_id as UserId,
        before.generation,
        &before.superseded,
        before.updated_at,
        after.generation,
        &after.superseded,
        after.created_at,
        after.updated_at,
        after.expires_at,
        after.authentication.time,
        &after.authentication.methods as &Methods,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Session { role: row.role, tokens_not_before: row.tokens_not_before, ..after }))
}
