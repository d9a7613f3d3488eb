//! The deletion of a user.

use super::begin_change;
use crate::db::{attempts, sessions, users};
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::domain::session::Ending;
use crate::service::{Context, Error};

/// Deletes the user with an e-mail address, and ends their sessions. Returns the user and the number of sessions that
/// ended. What the audit log has of them stays.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
pub async fn delete(context: &Context, email: &Email) -> Result<(UserId, usize), Error> {
    let (mut change, user_id) = begin_change(context, email).await?;
    let now = context.now();
    // A trigger revokes the user's tokens, also for a row that is deleted by hand.
    let sessions_ended = sessions::end(change.connection(), Ending::all(user_id), None).await?.len();
    attempts::clear_of_user(change.connection(), user_id).await?;
    users::delete(change.connection(), user_id).await?;
    change.record(now, &Event::UserDeleted { sessions_ended }, user_id, None);
    change.commit().await?;
    Ok((user_id, sessions_ended))
}
