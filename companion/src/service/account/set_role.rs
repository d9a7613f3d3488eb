//! The change of a user's role.

use super::begin_change;
use crate::db::{revocations, users};
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::account::role::Role;
use crate::domain::audit::Event;
use crate::service::{Context, Error};

/// Sets the role of the user with an e-mail address. Sessions go on, with new tokens: the edge rejects those with the
/// former role.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
pub async fn set_role(context: &Context, email: &Email, role: &Role) -> Result<UserId, Error> {
    let (mut change, user_id) = begin_change(context, email).await?;
    // After the lock: nobody makes a token of this user's between this moment and the commit.
    let now = context.now();
    revocations::revoke_user(change.connection(), user_id, now).await?;
    users::set_role(change.connection(), user_id, role, now).await?;
    change.record(now, &Event::RoleChanged(role.clone()), user_id, None);
    change.commit().await?;
    Ok(user_id)
}
