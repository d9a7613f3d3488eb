//! Columns of an import, and the names that they may have.

use thiserror::Error;

/// Column of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Identifier of the user, which is kept if the operator says so.
    Id,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// E-mail address.
    Email,
    /// Bcrypt hash of the password.
    PasswordHash,
    /// Role.
    Role,
    /// `true` or `false`: the user may not sign in.
    Disabled,
    /// Time from which on the user may not sign in.
    DisabledAt,
    /// Time of creation.
    CreatedAt,
    /// Time of the last change.
    UpdatedAt,
}

/// Number of columns.
pub(super) const COUNT: usize = 10;

/// Every column with its names: the one that an export writes, then those of other systems.
const NAMES: [(Column, &[&str]); COUNT] = [
    (Column::Id, &["id"]),
    (Column::FirstName, &["first_name", "firstName"]),
    (Column::LastName, &["last_name", "lastName"]),
    (Column::Email, &["email"]),
    (Column::PasswordHash, &["password_hash", "passwordHash", "password"]),
    (Column::Role, &["role"]),
    (Column::Disabled, &["disabled"]),
    (Column::DisabledAt, &["disabled_at", "disabledAt"]),
    (Column::CreatedAt, &["created_at", "createdAt"]),
    (Column::UpdatedAt, &["updated_at", "updatedAt"]),
];

/// Columns that every row has.
const REQUIRED: [Column; 3] = [Column::FirstName, Column::LastName, Column::Email];

/// Names of a header or a table that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidColumns {
    /// These are no columns of an import.
    #[error(
        "unknown columns: {}; remove or rename them, or leave them out with --ignore-unknown-columns (known are: {})",
        .0.join(", "),
        known()
    )]
    Unknown(Vec<String>),
    /// Two names mean the same column.
    #[error("the column {} is there twice", .0.name())]
    Repeated(Column),
    /// A column that every row has is missing.
    #[error("the column {} is missing", .0.name())]
    Missing(Column),
}

impl Column {
    /// Reads the name of a column, in either spelling. `None` if an import does not know it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(column, _)| *column)
    }

    /// Returns the name of the column in an export.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).and_then(|(_, names)| names.first()).copied().unwrap_or_default()
    }
}

/// Maps the names of a header or a table to columns. `None` stands for an unknown name, if these are ignored.
///
/// # Errors
/// [`InvalidColumns`] names the first kind of fault that is found, with all unknown names.
pub fn map_columns(
    names: &[String],
    are_unknown_ignored: bool,
) -> Result<Vec<Option<Column>>, InvalidColumns> {
    let columns: Vec<_> = names.iter().map(|name| Column::parse(name)).collect();
    let is_there = |column: Column| columns.iter().flatten().filter(|found| **found == column).count();
    let unknown = names.iter().zip(&columns).filter(|(_, column)| column.is_none());
    let unknown: Vec<_> = unknown.map(|(name, _)| quote_name(name)).collect();
    if !are_unknown_ignored && !unknown.is_empty() {
        return Err(InvalidColumns::Unknown(unknown));
    }
    if let Some((column, _)) = NAMES.iter().find(|(column, _)| is_there(*column) > 1) {
        return Err(InvalidColumns::Repeated(*column));
    }
    match REQUIRED.into_iter().find(|column| is_there(*column) == 0) {
        Some(column) => Err(InvalidColumns::Missing(column)),
        None => Ok(columns),
    }
}

/// Returns an unknown name for a message. What does not look like a name is not shown: without a header, the first row is
/// taken for one, and may hold a hash.
#[must_use]
pub fn quote_name(name: &str) -> String {
    /// Maximum length of a name that is shown, in bytes. A bcrypt hash has 60.
    const MAX_BYTES: usize = 40;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte);
    if name.len() <= MAX_BYTES && name.bytes().all(is_part) {
        name.to_owned()
    } else {
        "(no name)".to_owned()
    }
}

fn known() -> String {
    NAMES.map(|(_, names)| names.first().copied().unwrap_or_default()).join(", ")
}
