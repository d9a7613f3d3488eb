//! The registration of an account by its owner, who is logged in.

use time::OffsetDateTime;

use super::require_unreserved;
use super::verify_email::write_verification;
use crate::db::users::InsertError;
use crate::db::{passwords, users};
use crate::domain::UserId;
use crate::domain::account::NewUser;
use crate::domain::account::password::{Password, PasswordHash};
use crate::domain::account::password_policy::OwnWords;
use crate::domain::audit::Event;
use crate::domain::mail::MailKind;
use crate::domain::session::authentication::Proof;
use crate::domain::session::device::Device;
use crate::hashing::PasswordHasher;
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::mail::Recipient;
use crate::service::session::start;
use crate::service::{Context, Error, IssuedTokens, Tokens};

/// Account to register.
pub struct Registration {
    /// User.
    pub user: NewUser,
    /// Password.
    pub password: Password,
    /// Device tokens of the request.
    pub device_tokens: Vec<String>,
}

/// Creates an account and its first session.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::PasswordWeak`] if the password is;
/// [`Error::EmailTaken`] if another user has the address; [`Error::Hashing`], [`Error::Signing`] and [`Error::Database`]
/// if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn register(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    tokens: &Tokens,
    registration: Registration,
    device: &Device,
) -> Result<IssuedTokens, Error> {
    let Registration { user, password, device_tokens } = registration;
    let permit = guard::admit(context, guard, guard.registration(context)).await?;
    let registered = async {
        let hash = hash(hasher, &user, password).await?;
        let mut change = context.begin().await?;
        let user_id = insert(&mut change, &user, &hash, context.now()).await?;
        let started =
            start(&mut change, tokens, user_id, device, Proof::Password, &Event::Registered).await?;
        verify(&mut change, user_id, &user).await?;
        change.commit().await?;
        Ok(started)
    };
    let granted = permit.settle(context, registered.await).await?;
    let device = guard.device_token(context, &user.email, granted.claims.session_id, &device_tokens)?;
    Ok(IssuedTokens { device: Some(device), ..tokens.sign(&granted)? })
}

/// Writes the mail that verifies the address of a new user, unless such mails are off.
pub(super) async fn verify(change: &mut Change<'_>, user_id: UserId, user: &NewUser) -> Result<(), Error> {
    if change.context.mail.kinds.contain(MailKind::VerifyEmail) {
        write_verification(change, Recipient { user_id: Some(user_id), email: &user.email }).await?;
    }
    Ok(())
}

/// Hashes the password, if it is strong enough.
pub(super) async fn hash(
    hasher: &PasswordHasher,
    user: &NewUser,
    password: Password,
) -> Result<PasswordHash, Error> {
    let own_words = OwnWords::of_user(&user.first_name, &user.last_name, &user.email);
    Ok(hasher.hash_new(password, own_words).await??)
}

/// Inserts a user with their password. An address that a link may give back to another user is taken.
pub(super) async fn insert(
    change: &mut Change<'_>,
    user: &NewUser,
    hash: &PasswordHash,
    now: OffsetDateTime,
) -> Result<UserId, InsertError> {
    let user_id = users::insert(change.connection(), user, now).await?;
    require_unreserved(change, &user.email, user_id, now).await?;
    passwords::set(change.connection(), user_id, hash, now).await?;
    Ok(user_id)
}
