//! The deletion of a user.

use super::last_admin::{LastAdmin, require_another};
use super::{begin_change, find_locked};
use crate::db::{attempts, one_time_tokens, outbox, sessions, users};
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::domain::session::Ending;
use crate::service::{Context, Error};

/// Deletes a user, and ends their sessions. Returns the user as they were and the number of sessions that ended. What the
/// audit log has of them stays.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::LastAdmin`] if no administrator would be left and the last one
/// stays, [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "delete_user", level = "debug", skip_all)]
pub async fn delete(
    context: &Context,
    user: &UserRef,
    last_admin: LastAdmin,
) -> Result<(User, usize), Error> {
    let (mut change, user_id) = begin_change(context, user).await?;
    require_another(&mut change, user_id, last_admin).await?;
    let now = context.now();
    let user = find_locked(&mut change, user_id).await?;
    // A trigger revokes the user's tokens, also for a row that is deleted by hand.
    let sessions_ended = sessions::end(change.connection(), Ending::all(user_id), None).await?.len();
    attempts::clear_of_user(change.connection(), user_id, &Authenticator::ALL).await?;
    one_time_tokens::delete_newer(change.connection(), user_id, 0).await?;
    outbox::delete_of_user(change.connection(), user_id).await?;
    users::delete(change.connection(), user_id).await?;
    change.record(now, &Event::UserDeleted { sessions_ended }, user_id, None);
    change.commit().await?;
    Ok((user, sessions_ended))
}
