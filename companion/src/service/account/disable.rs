//! The disabling of a user.

use super::begin_change;
use crate::db::users;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::domain::session::Ending;
use crate::service::session::end_sessions;
use crate::service::{Context, Error};

/// Disables the user with an e-mail address, and ends their sessions. Returns the user and the number of sessions that
/// ended.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
pub async fn disable(context: &Context, email: &Email) -> Result<(UserId, usize), Error> {
    let (mut change, user_id) = begin_change(context, email).await?;
    let now = context.now();
    users::set_disabled(change.connection(), user_id, true, now).await?;
    let sessions_ended = end_sessions(&mut change, Ending::all(user_id), now).await?.len();
    change.record(now, &Event::UserDisabled { sessions_ended }, user_id, None);
    change.commit().await?;
    Ok((user_id, sessions_ended))
}
