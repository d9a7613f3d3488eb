//! The list of users.

use crate::db::users;
use crate::domain::account::User;
use crate::domain::account::search::{UserCursor, UserFilter};
use crate::domain::page::{Page, PageSize};
use crate::service::{Context, Error};

/// Lists a page of users: in order of creation, or with a search in alphabetical order of what it has found.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "list_users", level = "debug", skip_all)]
pub async fn list(
    context: &Context,
    filter: &UserFilter,
    after: &UserCursor,
    size: PageSize,
) -> Result<Page<User, UserCursor>, Error> {
    let mut connection = context.connection().await?;
    Ok(Page::of_rows(users::list(&mut connection, filter, after, size.rows()).await?, size))
}
