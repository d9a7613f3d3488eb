//! The verification of a user's address.

use super::find_locked;
use crate::db::users::email;
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::audit::Event;
use crate::domain::mail::{Details, MailKind};
use crate::domain::token::one_time::{OneTimeToken, Origin, Proof, Purpose};
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::mail::{Recipient, begin_use, issue, open};
use crate::service::{Context, Error};

/// Sends a mail with a link and a code to the address of the signed-in user. Returns the handle that the code counts beside.
///
/// # Errors
/// [`Error::MailOff`] if such mails are not sent; [`Error::TooManyAttempts`] if a limit rejects the request;
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn request_verification(
    context: &Context,
    guard: &Guard,
    user: &User,
) -> Result<OneTimeToken, Error> {
    let kind = MailKind::VerifyEmail;
    context.require_mail(kind)?;
    let permit = guard::admit(context, guard, guard.mail(context, kind, &user.email)).await?;
    let requested = async {
        let mut change = context.begin().await?;
        let to = Recipient { user_id: Some(user.id), email: &user.email };
        let handle = write_verification(&mut change, to).await?;
        change.commit().await?;
        Ok(handle)
    };
    permit.settle(context, requested.await).await
}

/// Returns `true` if the address of a user is verified, or need not be: such mails are off.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn is_email_verified(context: &Context, user_id: UserId) -> Result<bool, Error> {
    if !context.mail.kinds.verification {
        return Ok(true);
    }
    Ok(email::is_verified(&mut *context.connection().await?, user_id).await?)
}

/// Writes the mail that verifies an address.
pub(super) async fn write_verification(
    change: &mut Change<'_>,
    to: Recipient<'_>,
) -> Result<OneTimeToken, Error> {
    let now = change.context.now();
    let details = Details::of(now);
    issue(change, MailKind::VerifyEmail, to, (None, Origin::default()), &details, now).await
}

/// Records that mails to the address of a user arrive.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link or code is not valid, or the
/// address was changed since; [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn verify_email(context: &Context, guard: &Guard, proof: &Proof) -> Result<(), Error> {
    context.require_mail(MailKind::VerifyEmail)?;
    let token = open(context, guard, Purpose::VerifyEmail, proof).await?;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let now = context.now();
    let user = find_locked(&mut change, token.user_id).await?;
    if user.email != token.email {
        return Err(Error::LinkInvalid);
    }
    email::mark_verified(change.connection(), user.id, now).await?;
    change.record(now, &Event::EmailVerified, user.id, None);
    change.commit().await
}
