//! Mistakes of a row, named by column. None holds a hash.

use std::fmt;

use thiserror::Error;

use super::{Column, InvalidHash};
use crate::domain::UserId;
use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::role::InvalidRole;
use crate::domain::id::InvalidUserId;

/// Mistake of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowMistake {
    /// Column of the fault; `None` if the row as a whole has it.
    pub column: Option<Column>,
    /// Fault.
    pub fault: Fault,
}

/// Fault of a row or of one of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The field is missing or empty.
    #[error("is required")]
    Missing,
    /// A name cannot be read.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The e-mail address cannot be read.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// The role cannot be read.
    #[error(transparent)]
    Role(#[from] InvalidRole),
    /// The user ID cannot be read.
    #[error(transparent)]
    UserId(#[from] InvalidUserId),
    /// The user ID is a number that JSON does not carry (RFC 8259 §6).
    #[error("a user ID is at most 9007199254740991")]
    UserIdTooLarge,
    /// The hash cannot be imported.
    #[error(transparent)]
    Hash(#[from] InvalidHash),
    /// A time cannot be read.
    #[error("is not a time like 2026-01-31T12:00:00Z")]
    Time,
    /// The field is neither `true` nor `false`.
    #[error("is neither true nor false")]
    Flag,
    /// The user is not disabled, but since a time.
    #[error("is false, but disabled_at is set")]
    NotDisabled,
    /// A field is not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A member of a JSON object is an object or an array.
    #[error("is neither text, number nor boolean")]
    NotText,
    /// Two fields of the row are of the same column.
    #[error("is there twice")]
    Repeated,
    /// A field is of no column that an import knows.
    #[error("unknown column \"{0}\": remove it, or leave it out with --ignore-unknown-columns")]
    UnknownColumn(String),
    /// The row has another number of fields than the header.
    #[error("has {found} fields, but the header has {expected}")]
    FieldCount {
        /// Number of fields of the row.
        found: usize,
        /// Number of fields of the header.
        expected: usize,
    },
    /// The line is not a JSON object.
    #[error("is not a JSON object")]
    NotJson,
    /// An earlier row has the same value.
    #[error("is the same as in {0}")]
    SameAs(String),
    /// The e-mail address belongs to a user.
    #[error("belongs to user {0} already")]
    EmailTaken(UserId),
    /// The e-mail address or the ID was given to another user during the import.
    #[error("was given to another user during the import")]
    TakenMeanwhile,
    /// A user with another e-mail address has the ID.
    #[error("belongs to a user with another e-mail address already")]
    IdTaken,
}

impl fmt::Display for RowMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "{}: {}", column.name(), self.fault),
            None => self.fault.fmt(f),
        }
    }
}
