//! The end of sessions, here and at the edge.

use time::OffsetDateTime;

use crate::db::{revocations, sessions};
use crate::domain::SessionId;
use crate::domain::audit::Event;
use crate::domain::edge::revocation;
use crate::domain::session::{Chosen, Ending};
use crate::domain::token::access_token::TokenSubject;
use crate::service::change::Change;
use crate::service::{Context, Error, detached};

/// Ends a session of the caller's by its number.
///
/// # Errors
/// [`Error::SessionUnknown`] if the user has no such session, [`Error::Unavailable`] and [`Error::Database`] if the
/// database fails.
pub async fn end(context: &Context, by: TokenSubject, session_id: SessionId) -> Result<(), Error> {
    let ending = Ending::one(by.user_id, session_id);
    match detached(end_and_record(context.clone(), vec![ending], Event::SessionEnded)).await? {
        0 => Err(Error::SessionUnknown),
        _ => Ok(()),
    }
}

/// Ends all sessions of the caller's but the one that the call is made from.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn end_others(context: &Context, by: TokenSubject) -> Result<(), Error> {
    let ending = Ending::others(by.user_id, by.session_id);
    detached(end_and_record(context.clone(), vec![ending], Event::SessionEnded)).await?;
    Ok(())
}

/// Ends sessions in one change, each with the event, and returns their number.
pub(super) async fn end_and_record(
    context: Context,
    endings: Vec<Ending>,
    event: Event,
) -> Result<usize, Error> {
    let mut change = context.begin().await?;
    let now = context.now();
    let mut count = 0;
    for ending in endings {
        for session_id in end_sessions(&mut change, ending, now).await? {
            change.record(now, &event, ending.user_id, Some(session_id));
            count += 1;
        }
    }
    change.commit().await?;
    Ok(count)
}

/// Ends sessions, and revokes their tokens for as long as these may live. Returns the sessions
/// that existed.
///
/// The end of all of a user's sessions revokes the user, which includes the tokens of sessions that are gone already.
/// The caller has locked the user's row before, and read `now` after that. Other endings revoke session by session.
pub(in crate::service) async fn end_sessions(
    change: &mut Change<'_>,
    ending: Ending,
    now: OffsetDateTime,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let revoked_until = if ending.chosen == Chosen::All {
        // Before the sessions are deleted: their last use counts.
        revocations::revoke_user(change.connection(), ending.user_id, now).await?;
        None
    } else {
        Some(revocation::until(now, change.context.access_ttl))
    };
    sessions::end(change.connection(), ending, revoked_until).await
}
