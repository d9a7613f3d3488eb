//! The unlocking of an account by an operator.

use super::{begin_change, find_locked};
use crate::db::attempts;
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::service::{Context, Error};

/// Forgets the failed logins of a user, from every device. Limits on addresses stay.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
pub async fn unlock(context: &Context, user: &UserRef) -> Result<User, Error> {
    let (mut change, user_id) = begin_change(context, user).await?;
    attempts::clear_of_user(change.connection(), user_id, &Authenticator::ALL).await?;
    change.record(context.now(), &Event::UserUnlocked, user_id, None);
    let user = find_locked(&mut change, user_id).await?;
    change.commit().await?;
    Ok(user)
}
