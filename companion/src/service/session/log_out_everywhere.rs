//! The logout from all sessions.

use super::end_sessions;
use crate::db::{sessions, users};
use crate::domain::audit::Event;
use crate::domain::session::{Ending, Lifetimes};
use crate::domain::token::access_token::TokenSubject;
use crate::service::{Context, Error, Tokens, detached};

/// Ends all sessions of the caller's, and has the edge reject every token of theirs.
///
/// # Errors
/// [`Error::NotSignedIn`] if their session has ended meanwhile, [`Error::Unavailable`] and [`Error::Database`] if the
/// database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn log_out_everywhere(context: &Context, tokens: &Tokens, by: TokenSubject) -> Result<(), Error> {
    detached(context, end_all(context.clone(), tokens.lifetimes, by)).await
}

async fn end_all(context: Context, lifetimes: Lifetimes, by: TokenSubject) -> Result<(), Error> {
    let mut change = context.begin().await?;
    users::lock(change.connection(), by.user_id).await?;
    // Nobody makes a token of this user's between this moment and the commit.
    let now = context.now();
    let oldest_start = lifetimes.oldest_start(now);
    let user = sessions::find_user(change.connection(), by, now, oldest_start).await?;
    user.ok_or(Error::NotSignedIn)?;
    end_sessions(&mut change, Ending::all(by.user_id), now).await?;
    change.record(now, &Event::LoggedOutEverywhere, by.user_id, Some(by.session_id));
    change.commit().await
}
