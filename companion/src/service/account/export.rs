//! The export of all users.

use crate::db::exports::{self, Exported};
use crate::domain::UserId;
use crate::service::{Context, Error};

/// Passes every user to `on_user`, in the order of their IDs. Users who are created or deleted meanwhile may be missing.
///
/// `with_hashes`: `true` if the hashes of the passwords are read too.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails; what `on_user` returns.
pub async fn export<E: From<Error>>(
    context: &Context,
    with_hashes: bool,
    mut on_user: impl FnMut(Exported) -> Result<(), E>,
) -> Result<(), E> {
    let mut connection = context.connection().await.map_err(Error::from)?;
    let mut after = UserId(i64::MIN);
    loop {
        let page = exports::page(&mut connection, after, with_hashes).await.map_err(Error::from)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        page.into_iter().try_for_each(&mut on_user)?;
    }
}
