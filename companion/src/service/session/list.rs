//! The list of a user's sessions.

use crate::db::sessions;
use crate::domain::session::SessionSummary;
use crate::domain::token::access_token::TokenSubject;
use crate::service::{Context, Error, Tokens};

/// Lists the hundred sessions of the caller's that were used last, the one that asks first.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn list(
    context: &Context,
    tokens: &Tokens,
    by: TokenSubject,
) -> Result<Vec<SessionSummary>, Error> {
    let mut connection = context.connection().await?;
    let now = context.now();
    let oldest_start = tokens.lifetimes.oldest_start(now);
    Ok(sessions::list(&mut connection, by.user_id, by.session_id, now, oldest_start).await?)
}
