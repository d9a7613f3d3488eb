//! The lists of a user's sessions: the user's own, and the one for operators and administrators.

use time::Duration;

use crate::db::{sessions, users};
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::session::{Lifetimes, SessionSummary};
use crate::domain::token::access_token::TokenSubject;
use crate::service::{Context, Error};

/// Lists the hundred sessions of the caller's that were used last, the one that asks first.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "list_sessions", level = "debug", skip_all)]
pub async fn list(
    context: &Context,
    lifetimes: &Lifetimes,
    by: TokenSubject,
) -> Result<Vec<SessionSummary>, Error> {
    let mut connection = context.connection().await?;
    let now = context.now();
    let (own, oldest_start) = (Some(by.session_id), lifetimes.oldest_start(now));
    Ok(sessions::list(&mut connection, by.user_id, own, now, oldest_start).await?)
}

/// Lists the hundred sessions of a user that were used last. Those older than `max_age` have ended.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "list_sessions_of_user", level = "debug", skip_all)]
pub async fn list_of(
    context: &Context,
    user: &UserRef,
    max_age: Duration,
) -> Result<(User, Vec<SessionSummary>), Error> {
    let mut connection = context.connection().await?;
    let user = users::find(&mut connection, user).await?.ok_or(Error::UserUnknown)?;
    let now = context.now();
    let listed = sessions::list(&mut connection, user.id, None, now, now - max_age).await?;
    Ok((user, listed))
}
