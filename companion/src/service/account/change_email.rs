//! The change of a user's address: the new one is confirmed by a mail, and the former one can undo it.

use secrecy::SecretString;
use time::OffsetDateTime;

use super::{begin_change, compare_password, find_locked, require_unreserved};
use crate::db::users::email;
use crate::db::{one_time_tokens, passwords, sessions};
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::account::email::Email;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::domain::mail::{Details, MailKind};
use crate::domain::token::access_token::TokenSubject;
use crate::domain::token::one_time::{OneTimeToken, Proof, Purpose};
use crate::hashing::PasswordHasher;
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::mail::{Recipient, begin_use, issue, open, write};
use crate::service::session::lock_out;
use crate::service::{Context, Error};

/// State of a token that gives back an address which had been verified.
const VERIFIED: &str = "verified";

/// Sends a link and a code to the new address of the signed-in user, who knows the password. Until it is confirmed nothing
/// changes. It does not matter who has the address: only its owner can find out. Returns the handle that the code counts beside.
///
/// # Errors
/// [`Error::MailOff`] if such mails are not sent; [`Error::TooManyAttempts`] if a limit rejects the request;
/// [`Error::WrongCredentials`] if the password is wrong; [`Error::PasswordChanged`] if it was changed meanwhile;
/// [`Error::Hashing`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn request_email_change(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    (user, by): (&User, TokenSubject),
    password: &SecretString,
    new: &Email,
) -> Result<OneTimeToken, Error> {
    let kind = MailKind::ChangeEmail;
    context.require_mail(kind)?;
    let attempt = guard.reauthentication(Authenticator::Password, &user.email, by.session_id);
    let permit = guard::admit(context, guard, attempt).await?;
    let compared = async {
        let changed_at = compare_password(context, hasher, (user, by), password).await?;
        permit.record_success(&mut *context.connection().await?).await?;
        Ok(changed_at)
    };
    let compared = compared.await;
    let changed_at = permit.settle(context, compared).await?;
    let permit = guard::admit(context, guard, guard.mail(context, kind, new)).await?;
    let requested = async {
        let (mut change, _) = begin_change(context, &UserRef::Id(user.id)).await?;
        // A new password ends such links: none comes after it that the former one has begun.
        if !passwords::is_unchanged(change.connection(), user.id, changed_at).await? {
            return Err(Error::PasswordChanged);
        }
        let now = context.now();
        let (to, details) = (Recipient { user_id: Some(user.id), email: new }, Details::of(now));
        let origin = sessions::find_origin(change.connection(), by.session_id).await?;
        let bound = (Some(user.email.as_str()), origin);
        let handle = issue(&mut change, kind, to, bound, &details, now).await?;
        change.record(now, &Event::EmailChangeRequested, user.id, Some(by.session_id));
        change.commit().await?;
        Ok(handle)
    };
    permit.settle(context, requested.await).await
}

/// Changes the address of a user to the one that the mail was sent to, and tells the former one, with a link that undoes it. As long
/// as that counts, nobody else takes the former one.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link or code is not valid, or the
/// address was changed since; [`Error::EmailTaken`] if another user has it; [`Error::Unavailable`] and [`Error::Database`] if
/// the database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn change_email(context: &Context, guard: &Guard, proof: &Proof) -> Result<(), Error> {
    context.require_mail(MailKind::ChangeEmail)?;
    let token = open(context, guard, Purpose::ChangeEmail, proof).await?;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let (user_id, now) = (token.user_id, context.now());
    let former = find_locked(&mut change, user_id).await?.email;
    if token.state.as_deref() != Some(former.as_str()) {
        return Err(Error::LinkInvalid);
    }
    let was_verified = email::is_verified(change.connection(), user_id).await?;
    email::set(change.connection(), user_id, &token.email, Some(now), now).await?;
    require_unreserved(&mut change, &token.email, user_id, now).await?;
    change.record(now, &Event::EmailChanged, user_id, None);
    let returned = one_time_tokens::find_undo(change.connection(), user_id, &token.email, now).await?;
    if let Some(undo) = returned {
        // Whoever had the addresses in between may be the reason, and gets no way back.
        one_time_tokens::delete_other_undo(change.connection(), user_id, &token.email, undo).await?;
        tell_former(&mut change, user_id, &former, &token.email, now).await?;
        return change.commit().await;
    }
    let (to, details) = notice_of_change(user_id, &former, &token.email, now);
    // Of the session that asked for the change, which may have ended.
    let bound = (was_verified.then_some(VERIFIED), token.origin());
    issue(&mut change, MailKind::EmailChanged, to, bound, &details, now).await?;
    change.commit().await
}

/// Gives a user the address back that the mail was sent to, whatever it has become since, and locks everybody out: the owner
/// sets a new password by way of the address. Whoever changed the address may have changed it again, so links that are newer
/// count no more. Nor does any other change of address, older ones included: what they may change is true again. The address that
/// goes is told.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link is not valid;
/// [`Error::EmailTaken`] if another user has the address; [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn undo_email_change(context: &Context, guard: &Guard, proof: &Proof) -> Result<(), Error> {
    let token = open(context, guard, Purpose::UndoEmail, proof).await?;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let (user_id, now) = (token.user_id, context.now());
    let former = find_locked(&mut change, user_id).await?.email;
    // Of an address that nobody had verified: a reset of the password removes all factors, of whoever registered it.
    let verified_at = token.state.is_some().then_some(now);
    email::set(change.connection(), user_id, &token.email, verified_at, now).await?;
    one_time_tokens::delete_newer(change.connection(), user_id, token.id).await?;
    let (removed, sessions_ended) = lock_out(&mut change, guard, Purpose::UndoEmail, &token, now).await?;
    change.record(now, &Event::EmailChangeUndone { removed, sessions_ended }, user_id, token.session_id);
    if former != token.email {
        tell_former(&mut change, user_id, &former, &token.email, now).await?;
    }
    change.commit().await
}

/// Tells the former address of a user of the change, without a link, unless such mails are off.
async fn tell_former(
    change: &mut Change<'_>,
    user_id: UserId,
    former: &Email,
    new: &Email,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let kind = MailKind::EmailChanged;
    if !change.context.mail.kinds.contain(kind) {
        return Ok(());
    }
    let (to, details) = notice_of_change(user_id, former, new, now);
    write(change, kind, to, &details, None, now).await
}

fn notice_of_change<'a>(
    user_id: UserId,
    former: &'a Email,
    new: &Email,
    now: OffsetDateTime,
) -> (Recipient<'a>, Details) {
    let new_email = Some(new.as_str().to_owned());
    (Recipient { user_id: Some(user_id), email: former }, Details { new_email, ..Details::of(now) })
}
