//! The enabling of a disabled user.

use super::begin_change;
use crate::db::users;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::service::{Context, Error};

/// Enables the user with an e-mail address.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
pub async fn enable(context: &Context, email: &Email) -> Result<UserId, Error> {
    let (mut change, user_id) = begin_change(context, email).await?;
    let now = context.now();
    users::set_disabled(change.connection(), user_id, false, now).await?;
    change.record(now, &Event::UserEnabled, user_id, None);
    change.commit().await?;
    Ok(user_id)
}
