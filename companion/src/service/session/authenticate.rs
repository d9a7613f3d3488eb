//! The authentication of a request by its tokens. Unlike at the gateway, the database is asked: a token that has not
//! expired is not enough.

use edgeward_wire::cookie::Repeated;

use super::refresh;
use crate::db::sessions;
use crate::domain::account::User;
use crate::domain::session::authentication::Authentication;
use crate::domain::token::access_token::{AccessTokenRejection, Expiry, TokenSubject};
use crate::service::guard::Guard;
use crate::service::{Context, Error, IssuedTokens, Tokens};

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// User and session of the token.
    pub subject: TokenSubject,
    /// The user as the database has them.
    pub user: User,
    /// Last proof of who they are, as the database has it: an access token may be from before.
    pub authentication: Authentication,
}

/// Tokens of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestTokens<'a> {
    /// Access token that a program sends on purpose (RFC 6750). It is accepted or rejected, and never made up for.
    pub bearer: Option<&'a str>,
    /// Access token in a cookie, which a browser sends with every request.
    pub access: Result<Option<&'a str>, Repeated>,
    /// Refresh token in a cookie.
    pub refresh: Result<Option<&'a str>, Repeated>,
}

/// Authenticates a request by its access token. If a refresh can help, because the token is missing, outdated or
/// expired, the session is refreshed by the refresh token, and its new tokens are returned too.
///
/// # Errors
/// [`Error::NotSignedIn`] if there is no valid token; [`Error::Signing`], [`Error::Unavailable`] and
/// [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn authenticate(
    context: &Context,
    guard: &Guard,
    tokens: &Tokens,
    request: RequestTokens<'_>,
) -> Result<(SignedIn, Option<IssuedTokens>), Error> {
    if let Some(token) = request.bearer {
        let signed_in = by_access_token(context, tokens, token).await?;
        return Ok((signed_in.ok_or(Error::NotSignedIn)?, None));
    }
    if let Some(token) = request.access.map_err(|Repeated| Error::NotSignedIn)?
        && let Some(signed_in) = by_access_token(context, tokens, token).await?
    {
        return Ok((signed_in, None));
    }
    // A request without a refresh token is no attempt, so it is not logged.
    if request.refresh == Ok(None) {
        return Err(Error::NotSignedIn);
    }
    let issued = refresh(context, guard, tokens, request.refresh).await?;
    let signed_in = find(context, tokens, issued.subject).await?.ok_or(Error::NotSignedIn)?;
    Ok((signed_in, Some(issued)))
}

/// Finds the user and session of an access token, if they are still signed in. `None` if a refresh can help: for the
/// same reasons the filter holds a request.
async fn by_access_token(context: &Context, tokens: &Tokens, token: &str) -> Result<Option<SignedIn>, Error> {
    match tokens.access.verify(&tokens.keys.current(), token, context.now(), Expiry::Enforced) {
        Ok(subject) => find(context, tokens, subject).await,
        Err(AccessTokenRejection::Expired { .. } | AccessTokenRejection::KeyUnknown) => Ok(None),
        Err(_) => Err(Error::NotSignedIn),
    }
}

/// Finds the user of a verified token, if they are still signed in.
async fn find(context: &Context, tokens: &Tokens, subject: TokenSubject) -> Result<Option<SignedIn>, Error> {
    let mut connection = context.connection().await?;
    let now = context.now();
    let oldest_start = tokens.lifetimes.oldest_start(now);
    let found = sessions::find_user(&mut connection, subject, now, oldest_start).await?;
    Ok(found.map(|(user, authentication)| SignedIn { subject, user, authentication }))
}
