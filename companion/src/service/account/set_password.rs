//! The change of a user's password by an operator.

use super::{begin_change, find, find_locked};
use crate::db::{attempts, passwords, users};
use crate::domain::account::User;
use crate::domain::account::password::Password;
use crate::domain::account::password_policy::OwnWords;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::domain::session::Ending;
use crate::hashing::PasswordHasher;
use crate::service::session::end_sessions;
use crate::service::{Context, Error};

/// Sets the password of a user, and ends their sessions. Returns the user and the number of sessions that ended.
///
/// # Errors
/// [`Error::PasswordWeak`] if the password is; [`Error::UserUnknown`] if there is no such user; [`Error::Hashing`] and
/// [`Error::Database`] if these fail.
pub async fn set_password(
    context: &Context,
    hasher: &PasswordHasher,
    user: &UserRef,
    password: Password,
) -> Result<(User, usize), Error> {
    let found = find(context, user).await?;
    let own_words = OwnWords::of_user(&found.first_name, &found.last_name, &found.email);
    // Before the transaction: it takes long.
    let hash = hasher.hash_new(password, own_words).await??;
    let (mut change, user_id) = begin_change(context, user).await?;
    let now = context.now();
    passwords::set(change.connection(), user_id, &hash, now).await?;
    // A new password is a new authenticator: nobody has failed to guess it.
    attempts::clear_of_user(change.connection(), user_id, &[Authenticator::Password]).await?;
    users::touch(change.connection(), user_id, now).await?;
    let sessions_ended = end_sessions(&mut change, Ending::all(user_id), now).await?.len();
    change.record(now, &Event::PasswordChanged { sessions_ended }, user_id, None);
    let user = find_locked(&mut change, user_id).await?;
    change.commit().await?;
    Ok((user, sessions_ended))
}
