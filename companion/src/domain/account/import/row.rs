//! A row of texts, as every source has it, and its parsing.

use super::column::COUNT;
use super::{Column, Fault, ImportedUser, RowMistake, hash};
use crate::domain::UserId;
use crate::domain::account::NewUser;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::role::Role;
use crate::domain::time::parse_foreign_time;

/// Maximum user ID: the greatest integer that every JSON reader has exactly (RFC 8259 §6).
const MAX_USER_ID: i64 = (1 << 53) - 1;

/// Texts of a row, by column. It has no `Debug`: it holds a hash.
#[derive(Clone, Default)]
pub struct Row([Option<String>; COUNT]);

/// Statements of the operator about the rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// `true` if the users keep their IDs.
    pub keep_ids: bool,
    /// `true` if `$2b$` hashes were made by Edgeward, which hashes no truncated password.
    pub own_hashes: bool,
}

impl Row {
    /// Sets the text of a column. An empty one counts as missing.
    ///
    /// # Errors
    /// [`RowMistake`] if the column has a text already.
    pub fn set(&mut self, column: Column, text: String) -> Result<(), RowMistake> {
        match self.0.get_mut(column as usize) {
            Some(field @ None) => {
                *field = Some(text).filter(|text| !text.is_empty());
                Ok(())
            }
            _ => Err(RowMistake { column: Some(column), fault: Fault::Repeated }),
        }
    }

    fn text(&self, column: Column) -> Option<&str> {
        self.0.get(column as usize)?.as_deref()
    }

    /// Reads the row as a user.
    ///
    /// # Errors
    /// Every mistake of the row, at least one.
    pub fn read(&self, origin: Origin) -> Result<ImportedUser, Vec<RowMistake>> {
        let mut fields = Fields { row: self, mistakes: Vec::new() };
        let id = fields.optional(Column::Id, |text| if origin.keep_ids { read_id(text) } else { Ok(None) });
        if origin.keep_ids && self.text(Column::Id).is_none() {
            fields.add(Column::Id, Fault::Missing);
        }
        let first_name = fields.required(Column::FirstName, |text| Ok(Name::parse(text)?));
        let last_name = fields.required(Column::LastName, |text| Ok(Name::parse(text)?));
        let email = fields.required(Column::Email, |text| Ok(Email::parse(text)?));
        let role = fields.optional(Column::Role, |text| Ok(Role::parse(text)?));
        let hash = fields.optional(Column::PasswordHash, |text| Ok(hash::parse(text, origin.own_hashes)?));
        let disabled = fields.optional(Column::Disabled, read_flag);
        let mut read_time =
            |column| fields.optional(column, |text| parse_foreign_time(text).ok_or(Fault::Time));
        let [disabled_at, created_at, updated_at] =
            [Column::DisabledAt, Column::CreatedAt, Column::UpdatedAt].map(&mut read_time);
        if disabled == Some(false) && disabled_at.is_some() {
            fields.add(Column::Disabled, Fault::NotDisabled);
        }
        match (first_name, last_name, email) {
            (Some(first_name), Some(last_name), Some(email)) if fields.mistakes.is_empty() => {
                let role = role.unwrap_or_else(Role::initial);
                Ok(ImportedUser {
                    id: id.flatten(),
                    user: NewUser { first_name, last_name, email, role },
                    hash,
                    is_disabled: disabled == Some(true) || disabled_at.is_some(),
                    disabled_at,
                    created_at,
                    updated_at,
                })
            }
            _ => Err(fields.mistakes),
        }
    }
}

/// Fields of a row that is being read, and the mistakes so far.
struct Fields<'a> {
    row: &'a Row,
    mistakes: Vec<RowMistake>,
}

impl Fields<'_> {
    fn add(&mut self, column: Column, fault: Fault) {
        self.mistakes.push(RowMistake { column: Some(column), fault });
    }

    fn optional<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        match parse(self.row.text(column)?) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.add(column, fault);
                None
            }
        }
    }

    fn required<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        if self.row.text(column).is_none() {
            self.add(column, Fault::Missing);
        }
        self.optional(column, parse)
    }
}

fn read_id(text: &str) -> Result<Option<UserId>, Fault> {
    let id: UserId = text.parse()?;
    if id.0 <= MAX_USER_ID { Ok(Some(id)) } else { Err(Fault::UserIdTooLarge) }
}

fn read_flag(text: &str) -> Result<bool, Fault> {
    text.parse().map_err(|_| Fault::Flag)
}
