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
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if the link is not valid;
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "disown_sign_in", level = "debug", skip_all)]
pub async fn disown(context: &Context, guard: &Guard, proof: &Proof) -> Result<(), Error> {
    let token = open(context, guard, Purpose::DisownSignIn, proof).await?;
    let context = &context.as_user();
    let mut change = begin_use(context, &token).await?;
    let now = context.now();
    let sessions_ended = lock_out(&mut change, &token, now).await?;
    change.record(now, &Event::SignInDisowned { sessions_ended }, token.user_id, token.session_id);
    change.commit().await
}

/// Ends all sessions of a user, and what was begun in them: resets and changes of the address. Deletes the password, if a mail
/// sets a new one, and what the session of the token has added: factors, and recovery codes. A passkey that has begun it goes, too.
/// All others stay, so that the mails alone let nobody past them; without a factor, recovery codes of other sessions are demanded.
/// Returns the number of sessions.
pub(in crate::service) async fn lock_out(
    change: &mut Change<'_>,
    &OpenToken { user_id, session_id, factor_id, .. }: &OpenToken,
    now: OffsetDateTime,
) -> Result<usize, Error> {
    if change.context.mail.kinds.password_reset {
        passwords::delete(change.connection(), user_id).await?;
    }
    let removed = factors::delete_of_session(change.connection(), user_id, session_id, factor_id).await?;
    for kind in removed {
        change.record(now, &Event::FactorRemoved(kind), user_id, session_id);
    }
    if let Some(session_id) = session_id {
        recovery_codes::delete_of_session(change.connection(), user_id, session_id).await?;
    }
    one_time_tokens::delete_ended_by_password(change.connection(), user_id).await?;
    users::touch(change.connection(), user_id, now).await?;
    Ok(end_sessions(change, Ending::all(user_id), now).await?.len())
}
