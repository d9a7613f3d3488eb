//! The comparison of a signed-in user's password, for use cases that demand it again.

use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;

use crate::db::passwords;
use crate::domain::account::User;
use crate::domain::account::password::PresentedPassword;
use crate::domain::audit::Event;
use crate::domain::token::access_token::TokenSubject;
use crate::hashing::{PasswordHasher, Verdict};
use crate::service::{Context, Error};

/// Compares the password of an admitted attempt. Returns the time of its last change, which a change that follows requires
/// to be the same.
///
/// # Errors
/// [`Error::WrongCredentials`] if it is wrong, or the user has none; [`Error::Hashing`], [`Error::Unavailable`] and
/// [`Error::Database`] if these fail.
pub(in crate::service) async fn compare_password(
    context: &Context,
    hasher: &PasswordHasher,
    (user, by): (&User, TokenSubject),
    password: &SecretString,
) -> Result<Option<OffsetDateTime>, Error> {
    // The connection goes back before the password is compared: that takes long.
    let found = passwords::find(&mut *context.connection().await?, &user.email).await?;
    let found = found.filter(|found| found.user_id == user.id).ok_or(Error::WrongCredentials)?;
    let presented = PresentedPassword::new(password.expose_secret());
    let Verdict::Match { .. } = hasher.verify(presented, found.hash.as_ref()).await? else {
        context.report(&Event::LoginRejected("password_wrong"), Some(user.id), Some(by.session_id));
        return Err(Error::WrongCredentials);
    };
    Ok(found.changed_at)
}
