//! The login with a password.

use secrecy::{ExposeSecret, SecretString};

use super::start;
use crate::db::{passwords, users};
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::account::password::{Password, PasswordHash, PresentedPassword};
use crate::domain::audit::Event;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::Proof;
use crate::domain::session::device::Device;
use crate::hashing::{PasswordHasher, Verdict};
use crate::service::guard::{self, Guard, Permit};
use crate::service::{Context, Error, IssuedTokens, Tokens};

/// Credentials of a login. The password is compared, and not held to the rules for new ones.
pub struct Credentials {
    /// E-mail address.
    pub email: Email,
    /// Password as it was typed.
    pub password: SecretString,
    /// Device tokens of the request.
    pub device_tokens: Vec<String>,
}

/// Compares the password and starts a session.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::WrongCredentials`] if the address or the password is
/// wrong, with the same work for both.
/// [`Error::Disabled`] if the password is right and the user may not sign in; [`Error::PasswordChanged`] if it was
/// changed meanwhile; [`Error::Hashing`], [`Error::Signing`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn log_in(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    tokens: &Tokens,
    credentials: &Credentials,
    device: &Device,
) -> Result<IssuedTokens, Error> {
    let Credentials { email, device_tokens, .. } = credentials;
    let permit = guard::admit(context, guard, guard.login(context, email, device_tokens)).await?;
    let started = compare_and_start(context, hasher, tokens, credentials, device, &permit).await;
    let granted = permit.settle(context, started).await?;
    let device = guard.device_token(context, email, granted.claims.session_id, device_tokens)?;
    Ok(IssuedTokens { device: Some(device), ..tokens.sign(&granted)? })
}

/// Compares the password of an admitted attempt and starts a session. Returns the content of its first tokens.
async fn compare_and_start(
    context: &Context,
    hasher: &PasswordHasher,
    tokens: &Tokens,
    Credentials { email, password, .. }: &Credentials,
    device: &Device,
    permit: &Permit,
) -> Result<TokenContent, Error> {
    // The connection goes back before the password is compared: that takes long.
    let found = passwords::find(&mut *context.connection().await?, email).await?;
    let hash = found.as_ref().and_then(|found| found.hash.as_ref());
    let verdict = hasher.verify(PresentedPassword::new(password.expose_secret()), hash).await?;

    let Some(found) = found else {
        return Err(reject(context, None, "user_unknown", Error::WrongCredentials));
    };
    let user_id = found.user_id;
    let Verdict::Match { outdated } = verdict else {
        return Err(reject(context, Some(user_id), "password_wrong", Error::WrongCredentials));
    };
    // From here on the caller has proved who they are.
    let context = &context.as_user();
    if found.is_disabled {
        return Err(reject(context, Some(user_id), "user_disabled", Error::Disabled));
    }
    let mut change = context.begin().await?;
    // A change of the password has ended all sessions meanwhile; this would be one more.
    // A user who is gone is left to `start`, which finds nobody to start a session for.
    if users::lock_shared(change.connection(), user_id).await?
        && !passwords::is_unchanged(change.connection(), user_id, found.changed_at).await?
    {
        return Err(reject(context, Some(user_id), "password_changed", Error::PasswordChanged));
    }
    let granted = start(&mut change, tokens, user_id, device, Proof::Password, &Event::LoggedIn).await?;
    permit.record_success(change.connection()).await?;
    change.commit().await?;
    if let Some(hash) = found.hash.filter(|_| outdated)
        && let Err(cause) = rehash(context, hasher, user_id, password, &hash).await
    {
        // The login is good either way.
        tracing::warn!(user_id = user_id.0, %cause, "the password keeps its old hash");
    }
    Ok(granted)
}

/// Reports a rejected login.
fn reject(context: &Context, user_id: Option<UserId>, reason: &'static str, error: Error) -> Error {
    context.report(&Event::LoginRejected(reason), user_id, None);
    error
}

/// Hashes the password again, as a new one would be. No audit event: the password stays what it is.
async fn rehash(
    context: &Context,
    hasher: &PasswordHasher,
    user_id: UserId,
    password: &SecretString,
    old: &PasswordHash,
) -> Result<(), Error> {
    // A password shorter than today's rules keeps its old hash.
    let Ok(password) = Password::parse(password.expose_secret()) else { return Ok(()) };
    let new = hasher.hash(password).await?;
    let mut change = context.begin().await?;
    users::lock(change.connection(), user_id).await?;
    passwords::rehash(change.connection(), user_id, old, &new).await?;
    change.commit().await
}
