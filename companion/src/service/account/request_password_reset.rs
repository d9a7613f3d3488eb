//! The request for a mail that sets a new password.

use crate::db::passwords;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::domain::mail::{Details, MailKind};
use crate::domain::time::format_exactly;
use crate::domain::token::one_time::{OneTimeToken, Origin};
use crate::service::guard::{self, Guard};
use crate::service::mail::{Recipient, issue};
use crate::service::{Context, Error};

/// Sends a link and a code to an address, if a user who may sign in has it. The statements are the same in any case, and the
/// mail is made out later: neither the result nor its time tells if the address is known. Returns the handle that the code
/// counts beside.
///
/// # Errors
/// [`Error::MailOff`] if such mails are not sent; [`Error::TooManyAttempts`] if a limit rejects the request;
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn request_password_reset(
    context: &Context,
    guard: &Guard,
    email: &Email,
) -> Result<OneTimeToken, Error> {
    let kind = MailKind::ResetPassword;
    context.require_mail(kind)?;
    let permit = guard::admit(context, guard, guard.mail(context, kind, email)).await?;
    let requested = async {
        let mut change = context.begin().await?;
        let found = passwords::find(change.connection(), email).await?.filter(|found| !found.is_disabled);
        let user_id = found.as_ref().map(|found| found.user_id);
        // A password that is changed meanwhile makes the link worthless.
        let state = found.and_then(|found| found.changed_at).map(format_exactly);
        let (to, now) = (Recipient { user_id, email }, context.now());
        let details = Details::of(now);
        let handle =
            issue(&mut change, kind, to, (state.as_deref(), Origin::default()), &details, now).await?;
        change.commit().await?;
        context.report(&Event::PasswordResetRequested, user_id, None);
        Ok(handle)
    };
    permit.settle(context, requested.await).await
}
