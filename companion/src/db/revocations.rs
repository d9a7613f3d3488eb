//! SQL that revokes: what the edge must refuse though it has not expired. A session is revoked where it is ended, in
//! `refresh_tokens` and `sessions`; until when, says `domain::edge::revocation`. How the edge hears of it is in `edge_feed`.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::UserId;
use crate::domain::edge::revocation::{self, MAX_SKEW};

/// The most rows that are deleted at once: few enough that nobody waits for it.
const BATCH: i64 = 1000;

/// Has every token of a user refused that was made until now. In the transaction that changes the user, which holds
/// the user's row and took the time after it had it: whoever makes a token holds the row too, so each token is made
/// before this or dated after it. Before the user's sessions are deleted, too.
pub async fn revoke_user(
    connection: &mut PgConnection,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    // The second after the last one that a token can be dated: now, the one that tokens were last dated ahead to, or
    // that of another machine whose clock is ahead. A clock that is ahead by more than the edge allows does not count.
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

/// How many have not expired.
pub async fn count_live(connection: &mut PgConnection, now: OffsetDateTime) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from revocations where expires_at > $1"#, now)
        .fetch_one(connection)
        .await
}

/// Deletes some of what has expired. Says whether there may be more.
pub async fn delete_expired(connection: &mut PgConnection, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    // Rows that somebody else is deleting are left to them.
    let done = sqlx::query!(
        "delete from revocations where id = any(array(
             select id from revocations where expires_at <= $1 order by expires_at limit $2 for update skip locked))",
        now,
        BATCH,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == BATCH.unsigned_abs())
}
