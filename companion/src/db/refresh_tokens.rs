//! SQL over `refresh_tokens`, one row a session. Whether a refresh is granted is decided in `domain::session`.

use sqlx::PgConnection;
use sqlx::postgres::types::PgInterval;
use time::OffsetDateTime;

use super::users::read_role;
use crate::domain::UserId;
use crate::domain::access_token::Bearer;
use crate::domain::device::Device;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::revocation;
use crate::domain::role::Role;
use crate::domain::session::{Lifetimes, MAX_SUPERSEDED, Session};

/// The most rows that are deleted at once: few enough that nobody waits for it.
const BATCH: i64 = 1000;

/// Starts a session: gives what its first refresh token says, and the user's role now. `None`: the user may not
/// sign in, or is gone. The user's row is held until the transaction ends, so nobody is disabled or promoted
/// between the look and the insert; whoever disables waits, and then finds this session to end.
pub async fn insert(
    connection: &mut PgConnection,
    user_id: UserId,
    device: &Device,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<(RefreshClaims, Role)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with person as (select id, role, tokens_not_before from users where id = $1 and disabled_at is null for share)
           insert into refresh_tokens (user_id, device, address_prefix, expires_at, created_at, updated_at)
           select id, $2, $3, $4, $5, $5 from person
           returning id, generation, (select role from person) as "role!",
               (select tokens_not_before from person)"#,
        user_id,
        device.name,
        device.address_prefix,
        expires_at,
        now,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let issued_at = revocation::issued_at(now, row.tokens_not_before);
        let said = RefreshClaims { user_id, session_id: row.id, generation: row.generation, issued_at };
        Ok((said, read_role(&row.role)?))
    })
    .transpose()
}

/// A session as a refresh found it, and whether the row was changed.
pub struct Found {
    /// As it stood before.
    pub session: Session,
    /// Whether it went on.
    pub written: bool,
}

/// Has a session go on, if it may, and gives what it was before. `domain::session` decides the same of that, and the
/// two are compared: this is its `judge` and `after` for the cases in which something is written, so that the refresh
/// is one statement, which happens or does not.
///
/// The rows are held until it ends, the user's before the session's: of refreshes at the same time one is decided at
/// a time, and each after whoever is just changing the user.
pub async fn go_on(
    connection: &mut PgConnection,
    presented: RefreshClaims,
    lifetimes: &Lifetimes,
    now: OffsetDateTime,
) -> Result<Option<Found>, sqlx::Error> {
    let absolute = PgInterval::try_from(lifetimes.absolute).map_err(sqlx::Error::Encode)?;
    // The locks are taken in the order they are named, which is that of `edgeward user disable`: no deadlock.
    let row = sqlx::query!(
        r#"with session as (
               select refresh_tokens.id, user_id, generation, superseded, refresh_tokens.created_at,
                      refresh_tokens.updated_at, expires_at, role, tokens_not_before,
                      disabled_at is not null as user_disabled
               from refresh_tokens join users on users.id = user_id
               where refresh_tokens.id = $1
               for share of users for update of refresh_tokens),
           written as (
               update refresh_tokens
               set generation = session.generation + (session.generation = $4)::int,
                   superseded = case
                       when session.generation <> $4 then array_prepend($5, session.superseded[2:])
                       when session.superseded[1] > $6 then (array_prepend($5, session.superseded))[:$10]
                       else array[$5] end,
                   updated_at = $5,
                   expires_at = least($8, session.created_at + $9)
               from session
               where refresh_tokens.id = session.id
                   and session.user_id = $2
                   and floor(extract(epoch from session.created_at)) <= $3::bigint
                   and not session.user_disabled
                   and least(session.expires_at, session.created_at + $9) > $5
                   and (session.generation = $4
                        or session.generation - 1 = $4 and session.updated_at <= $7)
               returning true)
           select user_id, generation, superseded, created_at, updated_at, expires_at, role, tokens_not_before,
                  user_disabled as "user_disabled!", exists(select from written) as "written!"
           from session"#,
        presented.session_id,
        presented.user_id,
        presented.issued_at,
        presented.generation,
        now,
        now - lifetimes.grace,
        lifetimes.repeated_since(now),
        now + lifetimes.idle,
        absolute,
        i32::try_from(MAX_SUPERSEDED).unwrap_or(i32::MAX),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let session = Session {
            user_id: row.user_id,
            generation: row.generation,
            superseded: row.superseded,
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            user_disabled: row.user_disabled,
            role: read_role(&row.role)?,
            tokens_not_before: row.tokens_not_before,
        };
        Ok(Found { session, written: row.written })
    })
    .transpose()
}

/// Ends the session that a token speaks of. Says whether there was one. A session younger than the token is
/// another one of the same number.
pub async fn delete(connection: &mut PgConnection, bearer: Bearer) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "delete from refresh_tokens
         where id = $1 and user_id = $2 and floor(extract(epoch from created_at)) <= $3::bigint",
        bearer.session_id,
        bearer.user_id,
        bearer.issued_at,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends all of a user's sessions. Gives their number.
pub async fn delete_all(connection: &mut PgConnection, user_id: UserId) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query!("delete from refresh_tokens where user_id = $1", user_id).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Deletes some sessions that have expired. Says whether there may be more.
pub async fn delete_expired(connection: &mut PgConnection, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    // A row that somebody holds is left for later. The array is made first, and once.
    let done = sqlx::query!(
        "delete from refresh_tokens where id = any(array(
             select id from refresh_tokens where expires_at <= $1 order by expires_at limit $2
             for update skip locked))",
        now,
        BATCH,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == BATCH.unsigned_abs())
}
