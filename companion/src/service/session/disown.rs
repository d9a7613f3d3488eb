//! "It was not you": the owner of an account disowns a sign-in, or a change of factors.

use time::OffsetDateTime;

use super::end_sessions;
use crate::db::one_time_tokens::OpenToken;
use crate::db::{factors, one_time_tokens, passwords, recovery_codes, users};
use crate::domain::audit::Event;
use crate::domain::factor::Removed;
use crate::domain::factor::disowned::Disowned;
use crate::domain::mail::MailKind;
use crate::domain::session::Ending;
use crate::domain::token::one_time::{Proof, Purpose};
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::mail::{begin_use, open};
use crate::service::{Context, Error};

/// Ends the session that the mail tells of, or in which the factors were changed, and all others of the user: whoever is behind it
/// may know the password, which is of no use any more. The owner sets a new one by a mail.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link is not valid;
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "disown_sign_in", level = "debug", skip_all)]
pub async fn disown(context: &Context, guard: &Guard, proof: &Proof) -> Result<(), Error> {
    let token = open(context, guard, Purpose::DisownSignIn, proof).await?;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let now = context.now();
    let (removed, sessions_ended) = lock_out(&mut change, guard, Purpose::DisownSignIn, &token, now).await?;
    let event = Event::SignInDisowned { removed, sessions_ended };
    change.record(now, &event, token.user_id, token.session_id);
    change.commit().await
}

/// Locks everybody out of an account by a link: ends all sessions, and what was begun in them, resets and changes of the address.
/// Deletes the password, if a mail sets a new one, and the factors and recovery codes that are [`Disowned`]. All others stay, so
/// that the mails alone let nobody past them; without a factor, recovery codes are demanded.
///
/// Devices that were known are unknown, so that the next sign-in of each is told.
///
/// Returns the numbers of what went. No mail tells of the factors: its link would take more.
pub(in crate::service) async fn lock_out(
    change: &mut Change<'_>,
    guard: &Guard,
    purpose: Purpose,
    token: &OpenToken,
    now: OffsetDateTime,
) -> Result<(Removed, usize), Error> {
    let user_id = token.user_id;
    if change.context.mail.kinds.password_reset {
        passwords::delete(change.connection(), user_id).await?;
    }
    let disowned = Disowned::by(purpose, token.origin(), token.created_at);
    let removed = Removed {
        factors: factors::delete_disowned(change.connection(), user_id, &disowned).await?,
        recovery_codes: recovery_codes::delete_disowned(change.connection(), user_id, &disowned).await?,
    };
    one_time_tokens::delete_ended_by_password(change.connection(), user_id).await?;
    users::forget_devices(change.connection(), user_id, now).await?;
    guard::forget_notices(change.connection(), guard, MailKind::NewSignIn, &token.email).await?;
    let sessions_ended = end_sessions(change, Ending::all(user_id), now).await?.len();
    Ok((removed, sessions_ended))
}
