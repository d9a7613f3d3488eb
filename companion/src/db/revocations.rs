//! SQL over `revocations`: access tokens that the edge rejects though they have not expired. Sessions are revoked by
//! the statement that ends them, in `sessions::end`. `domain::edge::revocation` has the lifetime of a revocation, and
//! `edge_feed` sends it to the edge.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::edge::revocation::{self, MAX_SKEW};

/// Revokes every token of a user that was made until `now`.
///
/// Runs in the transaction that changes the user, before the user's sessions are deleted. That transaction has locked
/// the user's row and read `now` afterwards. A session's start and refresh lock the row as well, so each token is
/// either made before this statement or dated after it.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn revoke_user(
    connection: &mut Connection,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    // The second after the latest `iat` that a token can have: now, the second that tokens were last dated ahead to, or
    // that of another machine with a fast clock. A clock that is fast by more than the edge tolerates does not count.
    sqlx::query!(
        "with person as (
             update users
             set tokens_not_before = date_trunc('second', least($3, greatest($2, tokens_not_before,
                 (select max(updated_at) from refresh_tokens where user_id = $1)))) + interval '1 second'
             where id = $1
             returning id, tokens_not_before)
         insert into revocations (user_id, not_before, expires_at)
         select id, tokens_not_before, $4 from person",
        user_id as UserId,
        now,
        now + MAX_SKEW,
        revocation::user_until(now),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts the revocations that have not expired.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn count_live(connection: &mut Connection, now: OffsetDateTime) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from revocations where expires_at > $1"#, now)
        .fetch_one(connection)
        .await
}
