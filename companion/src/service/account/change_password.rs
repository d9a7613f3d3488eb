//! The change of a user's password by the user, who knows the current one.

use secrecy::SecretString;

use super::{begin_change, compare_password};
use crate::db::{attempts, passwords, users};
use crate::domain::account::User;
use crate::domain::account::password::Password;
use crate::domain::account::password_policy::OwnWords;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::domain::session::Ending;
use crate::domain::token::access_token::TokenSubject;
use crate::hashing::PasswordHasher;
use crate::service::guard::{self, Guard, Permit};
use crate::service::session::end_sessions;
use crate::service::{Context, Error};

/// Replaces the password of the signed-in user, and ends all their sessions but this one.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::WrongCredentials`] if the current password is wrong;
/// [`Error::PasswordWeak`] if the new one is; [`Error::PasswordChanged`] if it was changed meanwhile; [`Error::Hashing`],
/// [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn change_password(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    (user, by): (&User, TokenSubject),
    current: &SecretString,
    new: Password,
) -> Result<(), Error> {
    let attempt = guard.reauthentication(Authenticator::Password, &user.email, by.session_id);
    let permit = guard::admit(context, guard, attempt).await?;
    let changed = compare_and_change(context, hasher, &permit, (user, by), current, new).await;
    permit.settle(context, changed).await
}

/// Compares the current password of an admitted attempt, and sets the new one.
async fn compare_and_change(
    context: &Context,
    hasher: &PasswordHasher,
    permit: &Permit,
    (user, by): (&User, TokenSubject),
    current: &SecretString,
    new: Password,
) -> Result<(), Error> {
    let changed_at = compare_password(context, hasher, (user, by), current).await?;
    // Now, and not with the change: whoever tries one weak password after the other has not guessed.
    permit.record_success(&mut *context.connection().await?).await?;
    let own_words = OwnWords::of_user(&user.first_name, &user.last_name, &user.email);
    // Before the transaction: it takes long.
    let hash = hasher.hash_new(new, own_words).await??;
    let (mut change, user_id) = begin_change(context, &UserRef::Id(user.id)).await?;
    if !passwords::is_unchanged(change.connection(), user_id, changed_at).await? {
        return Err(Error::PasswordChanged);
    }
    let now = context.now();
    passwords::set(change.connection(), user_id, &hash, now).await?;
    // A new password is a new authenticator: nobody has failed to guess it.
    attempts::clear_of_user(change.connection(), user_id, &[Authenticator::Password]).await?;
    users::touch(change.connection(), user_id, now).await?;
    let others = Ending::others(user_id, by.session_id);
    let sessions_ended = end_sessions(&mut change, others, now).await?.len();
    change.record(now, &Event::PasswordChanged { sessions_ended }, user_id, Some(by.session_id));
    change.commit().await
}
