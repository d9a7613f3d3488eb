//! The login with a password.

use secrecy::{ExposeSecret, SecretString};

use super::announce::announce;
use super::gate::{self, Passed, PendingLogin};
use crate::db::{passwords, users};
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::account::password::{Password, PasswordHash, PresentedPassword};
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::domain::session::device::Device;
use crate::hashing::{PasswordHasher, Verdict};
use crate::service::factor::Factors;
use crate::service::guard::{self, Guard, Permit};
use crate::service::mail::Recipient;
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

/// Outcome of a login whose password was right.
pub enum SignIn {
    /// A session has started.
    Started(IssuedTokens),
    /// A second factor is needed.
    Pending(PendingLogin),
}

/// Compares the password and starts a session, or a pending login if a second factor is demanded.
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
    factors: &Factors,
    credentials: &Credentials,
    device: &Device,
) -> Result<SignIn, Error> {
    let Credentials { email, device_tokens, .. } = credentials;
    let attempt = guard.login(context, Authenticator::Password, email, device_tokens);
    let permit = guard::admit(context, guard, attempt).await?;
    let passed =
        compare_and_pass(context, (hasher, guard), tokens, factors, credentials, device, &permit).await;
    match permit.settle(context, passed).await? {
        Passed::Session(granted) => {
            let device = guard.device_token(context, email, granted.claims.session_id, device_tokens)?;
            Ok(SignIn::Started(IssuedTokens { device: Some(device), ..tokens.sign(&granted)? }))
        }
        Passed::Pending(pending) => Ok(SignIn::Pending(pending)),
    }
}

/// Compares the password of an admitted attempt and passes the gate.
async fn compare_and_pass(
    context: &Context,
    (hasher, guard): (&PasswordHasher, &Guard),
    tokens: &Tokens,
    factors: &Factors,
    Credentials { email, password, device_tokens }: &Credentials,
    device: &Device,
    permit: &Permit,
) -> Result<Passed, Error> {
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
    let passed = gate::pass(&mut change, tokens, factors, user_id, found.changed_at, device).await?;
    permit.record_success(change.connection()).await?;
    if let Passed::Session(granted) = &passed {
        let to = Recipient { user_id: Some(user_id), email };
        announce(&mut change, guard, to, device_tokens, granted.claims.session_id, device).await?;
    }
    change.commit().await?;
    if let Passed::Pending(_) = &passed {
        context.report(&Event::LoginPending, Some(user_id), None);
    }
    if let Some(hash) = found.hash.filter(|_| outdated)
        && let Err(cause) = rehash(context, hasher, user_id, password, &hash).await
    {
        // The login is good either way.
        tracing::warn!(user_id = user_id.0, %cause, "the password keeps its old hash");
    }
    Ok(passed)
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
