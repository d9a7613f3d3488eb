//! Protection of the last administrator, without whom nobody could use the admin API.

use crate::db::users::admins;
use crate::domain::UserId;
use crate::service::Error;
use crate::service::change::Change;

/// Consequence of a change that would leave no administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastAdmin {
    /// The change is rejected.
    Stays,
    /// The change is made.
    MayGo,
}

/// Requires that an administrator is left without this user, whose row is locked.
///
/// Of two changes at the same time, the second waits for the first one's commit, and reads the state after it. Whoever
/// waits here holds the row of one user, which the first does not need.
///
/// # Errors
/// [`Error::LastAdmin`] if no other user is an administrator, [`Error::Unavailable`] and [`Error::Database`] if the
/// database fails.
pub(super) async fn require_another(
    change: &mut Change<'_>,
    user_id: UserId,
    last_admin: LastAdmin,
) -> Result<(), Error> {
    let connection = change.connection();
    if last_admin == LastAdmin::MayGo || !admins::contain(connection, user_id).await? {
        return Ok(());
    }
    admins::lock(connection).await?;
    if admins::contain_another(connection, user_id).await? { Ok(()) } else { Err(Error::LastAdmin) }
}
