//! The authentication of a request by its access token. Unlike at the edge, the database is asked: a token that has not
//! expired is not enough.

use crate::db::sessions;
use crate::domain::account::User;
use crate::domain::token::access_token::{AccessTokenRejection, Expiry, TokenSubject};
use crate::service::{Context, Error, Tokens};

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// User and session of the token.
    pub subject: TokenSubject,
    /// The user as the database has them.
    pub user: User,
}

/// Finds the user and session of an access token, if they are still signed in. `None` if a refresh can
/// help: for the same reasons the edge holds a request.
///
/// # Errors
/// [`Error::NotSignedIn`] if the token is none of ours, [`Error::Unavailable`] and [`Error::Database`] if the
/// database fails.
pub async fn authenticate(
    context: &Context,
    tokens: &Tokens,
    token: &str,
) -> Result<Option<SignedIn>, Error> {
    match tokens.access.verify(token, context.now(), Expiry::Enforced) {
        Ok(subject) => find_signed_in(context, tokens, subject).await,
        Err(AccessTokenRejection::Expired { .. } | AccessTokenRejection::KeyUnknown) => Ok(None),
        Err(_) => Err(Error::NotSignedIn),
    }
}

/// Finds the user that a verified token speaks of, if they are still signed in.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn find_signed_in(
    context: &Context,
    tokens: &Tokens,
    subject: TokenSubject,
) -> Result<Option<SignedIn>, Error> {
    let mut connection = context.db.acquire().await?;
    let now = context.now();
    let user =
        sessions::read::find_user(&mut connection, subject, now, tokens.lifetimes.oldest_start(now)).await?;
    Ok(user.map(|user| SignedIn { subject, user }))
}
