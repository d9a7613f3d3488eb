//! The refresh of a session. `domain::session` decides what a token is worth; docs/design/refresh.md has the rule and
//! the reasons.

use edgeward_wire::cookie::Repeated;

use super::end_sessions;
use crate::db::sessions;
use crate::domain::audit::Event;
use crate::domain::session::{Ending, RefreshRejection, Session, Step};
use crate::domain::token::refresh_token::RefreshClaims;
use crate::service::{Context, Error, TokenPair, Tokens, detached};

/// Refreshes the session of the refresh token in a request's cookie. A rejection leaves the cookies alone: another tab
/// may just have got better ones.
///
/// # Errors
/// [`Error::NotSignedIn`] if the token is rejected, for a reason that the log has; [`Error::Signing`],
/// [`Error::Database`] and [`Error::Panicked`] if these fail.
pub async fn refresh(
    context: &Context,
    tokens: &Tokens,
    cookie: Result<Option<&str>, Repeated>,
) -> Result<TokenPair, Error> {
    let reject = |reason| {
        context.report(&Event::RefreshRefused(reason), None, None);
        Err(Error::NotSignedIn)
    };
    let token = match cookie {
        Ok(Some(token)) => token,
        Ok(None) => return reject("token_missing"),
        Err(Repeated) => return reject("token_repeated"),
    };
    let Ok(presented) = tokens.refresh.verify(token) else { return reject("token_invalid") };
    let (user_id, session_id) = (Some(presented.user_id), Some(presented.session_id));
    match present(context, tokens, presented).await? {
        Ok(session) => {
            // The role of now, not the one that the session began with.
            let pair = tokens.sign(session.live_token(presented.session_id), &session.role)?;
            context.as_user().report(&Event::Refreshed, user_id, session_id);
            Ok(pair)
        }
        Err(rejection) => {
            if rejection == RefreshRejection::TokenReused {
                detached(end_reused(context.clone(), presented)).await?;
            }
            context.report(&Event::RefreshRefused(rejection.label()), user_id, session_id);
            Err(Error::NotSignedIn)
        }
    }
}

/// Presents a token to its session, and returns the session as it is then. A client that does not receive the response
/// presents the same token again, and gets the same tokens.
async fn present(
    context: &Context,
    tokens: &Tokens,
    presented: RefreshClaims,
) -> Result<Result<Session, RefreshRejection>, Error> {
    let mut connection = context.db.acquire().await?;
    // After the wait for a connection: by then others may have refreshed.
    let now = context.now();
    let plain = sessions::refresh::rotate_plain(&mut connection, presented, &tokens.lifetimes, now).await?;
    drop(connection);
    match plain {
        Some(session) => Ok(Ok(session)),
        None => present_locked(context, tokens, presented).await,
    }
}

/// The same for any case, with the session locked while it is decided on.
async fn present_locked(
    context: &Context,
    tokens: &Tokens,
    presented: RefreshClaims,
) -> Result<Result<Session, RefreshRejection>, Error> {
    let mut change = context.begin().await?;
    let Some(session) = sessions::refresh::lock(change.connection(), presented.session_id).await? else {
        return Ok(Err(RefreshRejection::SessionUnknown));
    };
    let now = context.now();
    let step = match session.decide_refresh(presented, &tokens.lifetimes, now) {
        Ok(step) => step,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let session = session.apply(step, presented.generation, &tokens.lifetimes, now);
    if step != Step::Repeat {
        sessions::refresh::store(change.connection(), presented.session_id, &session).await?;
    }
    change.commit().await?;
    Ok(Ok(session))
}

/// Ends a session of which two parties hold tokens, for both of them and at the edge.
async fn end_reused(context: Context, presented: RefreshClaims) -> Result<(), Error> {
    let mut change = context.begin().await?;
    let now = context.now();
    for session_id in end_sessions(&mut change, Ending::of_token(presented.subject()), now).await? {
        change.record(now, &Event::RefreshTokenReused, presented.user_id, Some(session_id));
    }
    change.commit().await
}
