//! The unlocking of an account by an operator.

use super::begin_change;
use crate::db::attempts;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::service::{Context, Error};

/// Forgets the failed logins of the user with an e-mail address, from every device. Limits on addresses stay.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
pub async fn unlock(context: &Context, email: &Email) -> Result<UserId, Error> {
    let (mut change, user_id) = begin_change(context, email).await?;
    attempts::clear_of_user(change.connection(), user_id).await?;
    change.record(context.now(), &Event::UserUnlocked, user_id, None);
    change.commit().await?;
    Ok(user_id)
}
