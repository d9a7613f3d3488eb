//! The end of sessions, here and at the edge.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::db::{revocations, sessions};
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::edge::revocation;
use crate::domain::session::{Chosen, Ending};
use crate::domain::token::access_token::TokenSubject;
use crate::domain::{SessionId, UserId};
use crate::service::account::begin_change;
use crate::service::change::Change;
use crate::service::{Context, Error, detached};

/// Ends a session of the caller's by its number.
///
/// # Errors
/// [`Error::SessionUnknown`] if the user has no such session, [`Error::Unavailable`] and [`Error::Database`] if the
/// database fails.
#[tracing::instrument(name = "end_session", level = "debug", skip_all)]
pub async fn end(context: &Context, by: TokenSubject, session_id: SessionId) -> Result<(), Error> {
    let ending = Ending::one(by.user_id, session_id);
    match detached(context, end_and_record(context.clone(), vec![ending], Event::SessionEnded)).await? {
        0 => Err(Error::SessionUnknown),
        _ => Ok(()),
    }
}

/// Ends all sessions of the caller's but the one that the call is made from.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "end_other_sessions", level = "debug", skip_all)]
pub async fn end_others(context: &Context, by: TokenSubject) -> Result<(), Error> {
    let ending = Ending::others(by.user_id, by.session_id);
    detached(context, end_and_record(context.clone(), vec![ending], Event::SessionEnded)).await?;
    Ok(())
}

/// Ends sessions of a user for them: the chosen ones, or all without a choice. Returns the user's ID and the number of
/// sessions that ended; IDs of no session of this user's have no effect.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "end_sessions_of_user", level = "debug", skip_all)]
pub async fn end_of(
    context: &Context,
    user: &UserRef,
    chosen: Option<&BTreeSet<SessionId>>,
) -> Result<(UserId, usize), Error> {
    let (mut change, user_id) = begin_change(context, user).await?;
    let now = context.now();
    let sessions_ended = match chosen {
        None => {
            let sessions_ended = end_sessions(&mut change, Ending::all(user_id), now).await?.len();
            change.record(now, &Event::SessionsEnded { sessions_ended }, user_id, None);
            sessions_ended
        }
        Some(chosen) => {
            let endings = chosen.iter().map(|session_id| Ending::one(user_id, *session_id));
            end_each(&mut change, endings, &Event::SessionEnded, now).await?
        }
    };
    change.commit().await?;
    Ok((user_id, sessions_ended))
}

/// Ends sessions in one change, each with the event, and returns their number.
pub(super) async fn end_and_record(
    context: Context,
    endings: Vec<Ending>,
    event: Event,
) -> Result<usize, Error> {
    let mut change = context.begin().await?;
    let now = context.now();
    let count = end_each(&mut change, endings.into_iter(), &event, now).await?;
    change.commit().await?;
    Ok(count)
}

/// Ends sessions as a part of a change, each with the event, and returns their number. The caller has locked the user's row
/// before, and read `now` after that.
pub(in crate::service) async fn end_each(
    change: &mut Change<'_>,
    endings: impl Iterator<Item = Ending>,
    event: &Event,
    now: OffsetDateTime,
) -> Result<usize, Error> {
    let mut count = 0;
    for ending in endings {
        for session_id in end_sessions(change, ending, now).await? {
            change.record(now, event, ending.user_id, Some(session_id));
            count += 1;
        }
    }
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
