//! Use cases of accounts.

mod create;
mod delete;
mod disable;
mod enable;
mod list;
mod register;
mod set_password;
mod set_role;
mod unlock;

pub use self::create::create;
pub use self::delete::delete;
pub use self::disable::disable;
pub use self::enable::enable;
pub use self::list::list;
pub use self::register::register;
pub use self::set_password::set_password;
pub use self::set_role::set_role;
pub use self::unlock::unlock;

use super::change::Change;
use super::{Context, Error};
use crate::db::users::{self, InsertError};
use crate::domain::UserId;
use crate::domain::account::email::Email;

/// Begins a change of the user with an e-mail address, whose row is locked until it is committed.
async fn begin_change<'a>(context: &'a Context, email: &Email) -> Result<(Change<'a>, UserId), Error> {
    let mut change = context.begin().await?;
    let found = users::lock_by_email(change.connection(), email).await?;
    Ok((change, found.ok_or(Error::UserUnknown)?))
}

impl From<InsertError> for Error {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::EmailTaken => Self::EmailTaken,
            InsertError::Database(error) => error.into(),
        }
    }
}
