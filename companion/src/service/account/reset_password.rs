//! A new password in place of a forgotten one.

use time::OffsetDateTime;

use super::{find, find_locked};
use crate::db::one_time_tokens::OpenToken;
use crate::db::users::email;
use crate::db::{attempts, passwords, users};
use crate::domain::account::User;
use crate::domain::account::password::Password;
use crate::domain::account::password_policy::OwnWords;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::factor::Removed;
use crate::domain::guard::Authenticator;
use crate::domain::mail::MailKind;
use crate::domain::session::Ending;
use crate::domain::time::format_exactly;
use crate::domain::token::one_time::{Proof, Purpose};
use crate::hashing::PasswordHasher;
use crate::service::factor::delete_factors;
use crate::service::guard::Guard;
use crate::service::mail::{begin_use, open};
use crate::service::session::end_sessions;
use crate::service::{Context, Error};

/// Sets the password of the user who received the mail, and ends all their sessions. It starts none: the user signs in, by the
/// same gate as everybody, so that a reset is no way around another factor. Factors of an address that nobody had verified go.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link or code is not valid, or the
/// password or address was changed since; then also [`Error::PasswordWeak`], which leaves the link valid; [`Error::Hashing`],
/// [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn reset_password(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    proof: &Proof,
    new: Password,
) -> Result<(), Error> {
    context.require_mail(MailKind::ResetPassword)?;
    // Before the password is hashed: only the holder of a link that still counts costs us that.
    let token = open(context, guard, Purpose::ResetPassword, proof).await?;
    let user = match find(context, &UserRef::Id(token.user_id)).await {
        Err(Error::UserUnknown) => return Err(Error::LinkInvalid),
        found => found?,
    };
    let changed_at = passwords::changed_at(&mut *context.connection().await?, token.user_id).await?;
    if !is_current(&token, &user, changed_at) {
        return Err(Error::LinkInvalid);
    }
    let own_words = OwnWords::of_user(&user.first_name, &user.last_name, &user.email);
    let hash = hasher.hash_new(new, own_words).await??;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let (user_id, now) = (token.user_id, context.now());
    let user = find_locked(&mut change, user_id).await?;
    let changed_at = passwords::changed_at(change.connection(), user_id).await?;
    if !is_current(&token, &user, changed_at) {
        return Err(Error::LinkInvalid);
    }
    passwords::set(change.connection(), user_id, &hash, now).await?;
    // A new password is a new authenticator: nobody has failed to guess it. Failures of another factor stay.
    attempts::clear_of_user(change.connection(), user_id, &[Authenticator::Password]).await?;
    users::touch(change.connection(), user_id, now).await?;
    let sessions_ended = end_sessions(&mut change, Ending::all(user_id), now).await?.len();
    if !email::is_verified(change.connection(), user_id).await? {
        // Whoever registered an address that is not theirs may have added a factor, which would keep its owner out.
        let removed = delete_factors(&mut change, user_id).await?;
        if removed != Removed::default() {
            change.record(now, &Event::FactorsReset { removed, sessions_ended }, user_id, None);
        }
    }
    email::mark_verified(change.connection(), user_id, now).await?;
    change.record(now, &Event::PasswordReset { sessions_ended }, user_id, None);
    change.commit().await
}

/// Returns `true` if neither the password nor the address has changed since a link was sent.
fn is_current(token: &OpenToken, user: &User, changed_at: Option<OffsetDateTime>) -> bool {
    changed_at.map(format_exactly) == token.state && user.email == token.email
}
