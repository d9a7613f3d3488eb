//! The creation of an account by an operator.

use super::register::insert;
use crate::domain::UserId;
use crate::domain::account::NewUser;
use crate::domain::account::password::Password;
use crate::domain::account::password_policy::OwnWords;
use crate::domain::audit::Event;
use crate::hashing::PasswordHasher;
use crate::service::{Context, Error};

/// Creates an account, and returns the user's identifier.
///
/// # Errors
/// [`Error::PasswordWeak`] if the password is; [`Error::EmailTaken`] if another user has the address; [`Error::Hashing`] and
/// [`Error::Database`] if these fail.
pub async fn create(
    context: &Context,
    hasher: &PasswordHasher,
    user: &NewUser,
    password: Password,
) -> Result<UserId, Error> {
    // Before the transaction: it takes long.
    let own_words = OwnWords::of_user(&user.first_name, &user.last_name, &user.email);
    let hash = hasher.hash_new(password, own_words).await??;
    let mut change = context.begin().await?;
    let now = context.now();
    let user_id = insert(&mut change, user, &hash, now).await?;
    change.record(now, &Event::UserCreated(user.role.clone()), user_id, None);
    change.commit().await?;
    Ok(user_id)
}
