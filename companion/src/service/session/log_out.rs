//! The logout.

use super::end::end_and_record;
use crate::domain::audit::Event;
use crate::domain::session::Ending;
use crate::domain::token::access_token::{Expiry, TokenSubject};
use crate::service::{Context, Error, Tokens, detached};

/// Every token of a request: each can end its own session and no other.
#[derive(Clone, Debug, Default)]
pub struct PresentedTokens<'a> {
    /// Access tokens.
    pub access: Vec<&'a str>,
    /// Refresh tokens.
    pub refresh: Vec<&'a str>,
}

/// Ends the sessions of all valid tokens, expired ones and former generations included. Repeatable.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn log_out(
    context: &Context,
    tokens: &Tokens,
    presented: &PresentedTokens<'_>,
) -> Result<(), Error> {
    let subjects = verify_all(context, tokens, presented);
    if subjects.is_empty() {
        return Ok(());
    }
    let endings = subjects.into_iter().map(Ending::of_token).collect();
    // A token proves whose session it is.
    detached(context, end_and_record(context.as_user(), endings, Event::LoggedOut)).await?;
    Ok(())
}

fn verify_all(context: &Context, tokens: &Tokens, presented: &PresentedTokens<'_>) -> Vec<TokenSubject> {
    let (now, keys) = (context.now(), tokens.keys.current());
    let refresh =
        presented.refresh.iter().filter_map(|token| Some(tokens.refresh.verify(token).ok()?.subject()));
    let access = presented
        .access
        .iter()
        .filter_map(|token| tokens.access.verify(&keys, token, now, Expiry::Ignored).ok());
    let mut subjects: Vec<_> = refresh.chain(access).collect();
    // In the same order for all: of two that end the same sessions, neither waits for the other.
    subjects.sort_by_key(|subject| subject.session_id);
    subjects
}
