//! The confirmation of a signed-in user by the password.

use secrecy::SecretString;

use super::prove;
use crate::db::passwords;
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::Proof;
use crate::domain::token::access_token::TokenSubject;
use crate::hashing::PasswordHasher;
use crate::service::account::{begin_change, compare_password};
use crate::service::guard::{self, Guard, Permit};
use crate::service::{Context, Error, Tokens};

/// Compares the password of the signed-in user, and makes it the authentication of their session. Returns the access
/// token that tells of it.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::WrongCredentials`] if the password is wrong;
/// [`Error::PasswordChanged`] if it was changed meanwhile; [`Error::NotSignedIn`] if the session has ended meanwhile;
/// [`Error::Hashing`], [`Error::Signing`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn confirm(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    tokens: &Tokens,
    (user, by): (&User, TokenSubject),
    password: &SecretString,
) -> Result<String, Error> {
    let permit = guard::admit(context, guard, guard.reauthentication(&user.email, by.session_id)).await?;
    let proved = compare_and_prove(context, hasher, tokens, &permit, (user, by), password).await;
    Ok(tokens.sign_access(&permit.settle(context, proved).await?)?)
}

/// Compares the password of an admitted attempt, and renews the authentication.
async fn compare_and_prove(
    context: &Context,
    hasher: &PasswordHasher,
    tokens: &Tokens,
    permit: &Permit,
    (user, by): (&User, TokenSubject),
    password: &SecretString,
) -> Result<TokenContent, Error> {
    let changed_at = compare_password(context, hasher, (user, by), password).await?;
    let (mut change, user_id) = begin_change(context, &UserRef::Id(user.id)).await?;
    if !passwords::is_unchanged(change.connection(), user_id, changed_at).await? {
        return Err(Error::PasswordChanged);
    }
    let proved = prove(&mut change, tokens, by, Proof::Password).await?;
    permit.record_success(change.connection()).await?;
    change.commit().await?;
    Ok(proved)
}
