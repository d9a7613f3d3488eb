//! Users of another system: the columns that an import knows, and a row of texts that becomes a user, or is named with
//! all its mistakes.

mod column;
mod hash;
mod mistake;
mod row;

pub use self::column::{Column, InvalidColumns, map_columns, quote_name};
pub use self::hash::InvalidHash;
pub use self::mistake::{Fault, RowMistake};
pub use self::row::{Origin, Row};

use time::OffsetDateTime;

use super::NewUser;
use super::password::PasswordHash;
use crate::domain::UserId;

/// User to be imported. It has no `Debug`: it holds a hash.
#[derive(Clone)]
pub struct ImportedUser {
    /// Identifier to keep; `None` for a new one.
    pub id: Option<UserId>,
    /// Names, e-mail address and role.
    pub user: NewUser,
    /// Hash of the password; `None` for a user who must be given one.
    pub hash: Option<PasswordHash>,
    /// `true` if the user may not sign in.
    pub is_disabled: bool,
    /// Time from which on the user may not sign in. `None` of a disabled user is the time of the import.
    pub disabled_at: Option<OffsetDateTime>,
    /// Time of creation; `None` is the time of the import.
    pub created_at: Option<OffsetDateTime>,
    /// Time of the last change; `None` is the time of the import.
    pub updated_at: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests;
