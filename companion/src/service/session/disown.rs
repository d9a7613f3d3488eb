//! "This wasn't me": the owner of an account disowns a sign-in, or a change of factors.

use time::OffsetDateTime;

use super::end_sessions;
use crate::db::one_time_tokens::OpenToken;
use crate::db::{factors, one_time_tokens, passwords, recovery_codes, users};
use crate::domain::audit::Event;
use crate::domain::session::Ending;
use crate::domain::token::one_time::{Proof, Purpose};
use crate::service::change::Change;
use crate::service::guard::Guard;
use crate::service::mail::{begin_use, open};
use crate::service::{Context, Error};

/// Ends the session that the mail tells of, or in which the factors were changed, and all others of the user: whoever is behind it
/// may know the password, which is of no use any more. The owner sets a new one by a mail.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link is not valid; [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "disown_sign_in", level = "debug", skip_all)]
pub async fn disown(context: &Context, guard: &Guard, proof: &Proof) -> Result<(), Error> {
    let token = open(context, guard, Purpose::DisownSignIn, proof).await?;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let now = context.now();
    let session_id = token.state.as_deref().and_then(|id| id.parse().ok());
    let sessions_ended = lock_out(&mut change, &token, now).await?;
    change.record(now, &Event::SignInDisowned { sessions_ended }, token.user_id, session_id);
    change.commit().await
}

/// Ends all sessions of a user, and what was begun in them: resets and changes of the address. Deletes the password, if a mail
/// sets a new one, and the factors that were added since the mail of this token: they are those of whoever it tells of. Returns
/// the number of sessions.
pub(in crate::service) async fn lock_out(
    change: &mut Change<'_>,
    token: &OpenToken,
    now: OffsetDateTime,
) -> Result<usize, Error> {
    let user_id = token.user_id;
    if change.context.mail.kinds.password_reset {
        passwords::delete(change.connection(), user_id).await?;
    }
    factors::delete_since(change.connection(), user_id, token.created_at).await?;
    if !factors::is_demanded(change.connection(), user_id).await? {
        recovery_codes::delete_all(change.connection(), user_id).await?;
    }
    one_time_tokens::delete_ended_by_password(change.connection(), user_id).await?;
    users::touch(change.connection(), user_id, now).await?;
    Ok(end_sessions(change, Ending::all(user_id), now).await?.len())
}
