//! Use cases of accounts.

mod change_email;
mod change_password;
mod compare_password;
mod create;
mod delete;
mod export;
mod find;
mod import;
mod last_admin;
mod list;
mod register;
mod register_discreetly;
mod request_password_reset;
mod reset_password;
mod set_password;
mod unlock;
mod update;
mod verify_email;

pub use self::change_email::{change_email, request_email_change, undo_email_change};
pub use self::change_password::change_password;
pub use self::create::create;
pub use self::delete::delete;
pub use self::export::export;
pub use self::find::find;
pub use self::import::{Compared, Import};
pub use self::last_admin::LastAdmin;
pub use self::list::list;
pub use self::register::{Registration, register};
pub use self::register_discreetly::register_discreetly;
pub use self::request_password_reset::request_password_reset;
pub use self::reset_password::reset_password;
pub use self::set_password::set_password;
pub use self::unlock::unlock;
pub use self::update::update;
pub use self::verify_email::{is_email_verified, request_verification, verify_email};

pub(super) use self::compare_password::compare_password;

use time::OffsetDateTime;

use super::change::Change;
use super::{Context, Error};
use crate::db::users::{self, InsertError, email};
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::account::email::Email;
use crate::domain::account::user_ref::UserRef;

/// Begins a change of a user, whose row is locked until it is committed.
pub(super) async fn begin_change<'a>(
    context: &'a Context,
    user: &UserRef,
) -> Result<(Change<'a>, UserId), Error> {
    let mut change = context.begin().await?;
    let found = users::lock_by_ref(change.connection(), user).await?;
    Ok((change, found.ok_or(Error::UserUnknown)?))
}

/// Finds the user whose row a change has locked, as the change has made them.
pub(super) async fn find_locked(change: &mut Change<'_>, user_id: UserId) -> Result<User, Error> {
    users::find(change.connection(), &UserRef::Id(user_id)).await?.ok_or(Error::UserUnknown)
}

/// Requires that no link may give the address, which a user has just got in this change, back to another one. A check before that
/// would miss the one that has left the address meanwhile.
async fn require_unreserved(
    change: &mut Change<'_>,
    email: &Email,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), InsertError> {
    if email::is_reserved(change.connection(), email, user_id, now).await? {
        return Err(InsertError::EmailTaken);
    }
    Ok(())
}

impl From<InsertError> for Error {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::EmailTaken => Self::EmailTaken,
            InsertError::Database(error) => error.into(),
        }
    }
}
