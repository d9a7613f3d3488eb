//! The list of users.

use crate::db::users;
use crate::domain::account::User;
use crate::service::{Context, Error};

/// Lists every user, in order of creation.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn list(context: &Context) -> Result<Vec<User>, Error> {
    Ok(users::list(&mut *context.connection().await?).await?)
}
