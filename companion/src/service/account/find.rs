//! The look at one user.

use crate::db::users;
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::service::{Context, Error};

/// Finds a user.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "find_user", level = "debug", skip_all)]
pub async fn find(context: &Context, user: &UserRef) -> Result<User, Error> {
    users::find(&mut *context.connection().await?, user).await?.ok_or(Error::UserUnknown)
}
