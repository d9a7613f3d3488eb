//! SQL over `factor_challenges`.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::factor::challenge::{ChallengeOwner, ChallengePurpose};
use crate::domain::factor::ticket::TicketHash;
use crate::domain::{SessionId, UserId};

/// Inserts a challenge. `owner` is `None` for a sign-in. Another one of the same purpose
/// and session is replaced.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn insert(
    connection: &mut Connection,
    hash: &TicketHash,
    purpose: ChallengePurpose,
    owner: Option<ChallengeOwner>,
    state: &[u8],
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let (user_id, session_id) = parts(owner);
    if let Some(session_id) = session_id {
        let former = sqlx::query!(
            "delete from factor_challenges where session_id = $1 and purpose = $2",
            session_id as SessionId,
            purpose.as_str(),
        );
        former.execute(&mut *connection).await?;
    }
    sqlx::query!(
        "insert into factor_challenges (token_hash, purpose, user_id, session_id, state, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        hash.as_slice(),
        purpose.as_str(),
        user_id as Option<UserId>,
        session_id as Option<SessionId>,
        state,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads the state of a challenge. `None` if it is unknown, used, expired, or of another purpose or owner.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn read(
    connection: &mut Connection,
    hash: &TicketHash,
    purpose: ChallengePurpose,
    owner: Option<ChallengeOwner>,
    now: OffsetDateTime,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let (user_id, session_id) = parts(owner);
    sqlx::query_scalar!(
        "select state from factor_challenges
         where token_hash = $1 and purpose = $2 and user_id is not distinct from $3
             and session_id is not distinct from $4 and expires_at > $5",
        hash.as_slice(),
        purpose.as_str(),
        user_id as Option<UserId>,
        session_id as Option<SessionId>,
        now,
    )
    .fetch_optional(connection)
    .await
}

/// Uses a challenge, which is deleted, and returns its state. `None` in the cases of [`read`].
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn use_up(
    connection: &mut Connection,
    hash: &TicketHash,
    purpose: ChallengePurpose,
    owner: Option<ChallengeOwner>,
    now: OffsetDateTime,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let state = read(&mut *connection, hash, purpose, owner, now).await?;
    let deleted = sqlx::query!("delete from factor_challenges where token_hash = $1", hash.as_slice());
    // Of two at the same time, one deletes it.
    let is_used = state.is_some() && deleted.execute(connection).await?.rows_affected() == 1;
    Ok(state.filter(|_| is_used))
}

fn parts(owner: Option<ChallengeOwner>) -> (Option<UserId>, Option<SessionId>) {
    (owner.map(|(user_id, _)| user_id), owner.and_then(|(_, session_id)| session_id))
}
