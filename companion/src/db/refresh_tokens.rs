//! SQL over `refresh_tokens`, one row a session. Whether a refresh is granted is decided in `domain::session`.

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::users::read_role;
use crate::domain::access_token::Bearer;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::revocation;
use crate::domain::role::Role;
use crate::domain::session::Session;
use crate::domain::{SessionId, UserId};

/// Starts a session: gives what its first refresh token says, and the user's role now. `None`: the user may not
/// sign in, or is gone. The user's row is held until the transaction ends, so nobody is disabled or promoted
/// between the look and the insert; whoever disables waits, and then finds this session to end.
pub async fn insert(
    connection: &mut PgConnection,
    user_id: UserId,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<(RefreshClaims, Role)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with person as (select id, role, tokens_not_before from users where id = $1 and disabled_at is null for share)
           insert into refresh_tokens (user_id, expires_at, created_at, updated_at)
           select id, $2, $3, $3 from person
           returning id, generation, (select role from person) as "role!",
               (select tokens_not_before from person)"#,
        user_id,
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

/// A session as it stands, held until the transaction ends, and its user before it: of refreshes at the same time
/// one is decided at a time, and each after whoever is just changing the user.
pub async fn lock(
    connection: &mut PgConnection,
    session_id: SessionId,
) -> Result<Option<Session>, sqlx::Error> {
    // The locks are taken in the order they are named, which is that of `edgeward user disable`: no deadlock.
    let row = sqlx::query!(
        r#"select user_id, generation, refresh_tokens.created_at, expires_at, role, tokens_not_before,
                  disabled_at is not null as "user_disabled!"
           from refresh_tokens join users on users.id = user_id
           where refresh_tokens.id = $1
           for share of users for update of refresh_tokens"#,
        session_id,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Session {
            user_id: row.user_id,
            generation: row.generation,
            created_at: row.created_at,
            expires_at: row.expires_at,
            user_disabled: row.user_disabled,
            role: read_role(&row.role)?,
            tokens_not_before: row.tokens_not_before,
        })
    })
    .transpose()
}

/// Puts a session's new generation in place of the old one.
pub async fn rotate(
    connection: &mut PgConnection,
    next: RefreshClaims,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refresh_tokens set generation = $2, expires_at = $3, updated_at = $4 where id = $1",
        next.session_id,
        next.generation,
        expires_at,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
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
