//! The import of users from another system: every row is staged and compared, then all are written in batches.

use std::mem;

use crate::db::audit_log;
use crate::db::imports::{self, Conflict, Staged, Unique, Written};
use crate::db::pooled_connection::PooledConnection;
use crate::domain::UserId;
use crate::domain::account::import::{Column, Fault, Origin, Row, RowMistake};
use crate::domain::audit::{Entry, Event};
use crate::service::{Context, Error};

/// Number of rows of one transaction. Chosen: a batch takes some 50 ms, so that its locks are short, and the commits are
/// a small part of the whole.
const BATCH: usize = 1000;

/// Import under way: [`Import::add`] for every row, [`Import::compare`], [`Import::write`].
pub struct Import<'a> {
    context: &'a Context,
    connection: PooledConnection,
    origin: Origin,
    pending: Vec<Staged>,
    last_number: i64,
}

/// Numbers of rows after the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Rows that can be written.
    pub ready: u64,
    /// Rows of these without a password.
    pub without_password: u64,
    /// Rows whose e-mail address a user has, if they are skipped.
    pub existing: u64,
}

impl<'a> Import<'a> {
    /// Begins an import. Nothing of it can be seen by others before [`Import::write`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
    pub async fn begin(context: &'a Context, origin: Origin) -> Result<Self, Error> {
        let mut connection = context.connection().await?;
        imports::create_stage(&mut connection).await?;
        Ok(Self { context, connection, origin, pending: Vec::new(), last_number: 0 })
    }

    /// Adds a row, and returns its mistakes. A row with any is left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
    pub async fn add(&mut self, place: &str, row: &Row) -> Result<Vec<RowMistake>, Error> {
        let user = match row.read(self.origin) {
            Ok(user) => user,
            Err(mistakes) => return Ok(mistakes),
        };
        self.last_number += 1;
        self.pending.push(Staged { number: self.last_number, place: place.to_owned(), user });
        if self.pending.len() >= BATCH {
            self.stage().await?;
        }
        Ok(Vec::new())
    }

    async fn stage(&mut self) -> Result<(), Error> {
        Ok(imports::stage(&mut self.connection, &mem::take(&mut self.pending)).await?)
    }

    /// Compares all rows with each other and with the users, and passes each mistake and its place to `on_mistake`. Rows
    /// with any are left out. So are those whose e-mail address a user has: that is no mistake if `skip_existing`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
    pub async fn compare(
        &mut self,
        skip_existing: bool,
        on_mistake: &mut (dyn FnMut(&str, RowMistake) + Send),
    ) -> Result<Compared, Error> {
        self.stage().await?;
        let connection = &mut self.connection;
        for (unique, column) in [(Unique::Email, Column::Email), (Unique::Id, Column::Id)] {
            let mut on_conflict = |Conflict { place, first, .. }| {
                on_mistake(&place, RowMistake { column: Some(column), fault: Fault::SameAs(first) });
            };
            imports::remove_repeated(connection, unique, &mut on_conflict).await?;
        }
        let mut on_taken = |Conflict { place, user_id, .. }| {
            if !skip_existing {
                let fault = Fault::EmailTaken(user_id);
                on_mistake(&place, RowMistake { column: Some(Column::Email), fault });
            }
        };
        let taken = imports::remove_existing(connection, Unique::Email, &mut on_taken).await?;
        let mut on_taken = |Conflict { place, .. }| {
            on_mistake(&place, RowMistake { column: Some(Column::Id), fault: Fault::IdTaken });
        };
        imports::remove_existing(connection, Unique::Id, &mut on_taken).await?;
        let (ready, without_password) = imports::count(connection).await?;
        Ok(Compared { ready, without_password, existing: if skip_existing { taken } else { 0 } })
    }

    /// Writes all rows that are left, in transactions of their own with the audit events. Returns the number of new
    /// users. `on_progress` gets it after each batch; `on_mistake` gets what others have taken since the comparison.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Database`] if the database fails. The batches before stay.
    pub async fn write(
        mut self,
        on_progress: &mut (dyn FnMut(u64) + Send),
        on_mistake: &mut (dyn FnMut(&str, RowMistake) + Send),
    ) -> Result<u64, Error> {
        if self.origin.keep_ids {
            imports::reserve_ids(&mut self.connection).await?;
        }
        let mut imported = 0;
        for first in (1..=self.last_number).step_by(BATCH) {
            for Written { place, user_id, .. } in self.write_batch(first).await? {
                match user_id {
                    Some(_) => imported += 1,
                    None => on_mistake(&place, RowMistake { column: None, fault: Fault::TakenMeanwhile }),
                }
            }
            on_progress(imported);
        }
        Ok(imported)
    }

    async fn write_batch(&mut self, first: i64) -> Result<Vec<Written>, Error> {
        let numbers = first..=first.saturating_add(i64::try_from(BATCH).unwrap_or(i64::MAX) - 1);
        let connection = &mut self.connection;
        connection.begin().await?;
        let now = self.context.now();
        let written = imports::insert_users(connection, numbers.clone(), self.origin.keep_ids, now).await?;
        let users: Vec<UserId> = written.iter().filter_map(|row| row.user_id).collect();
        imports::insert_passwords(connection, numbers, &users, now).await?;
        let entries = written.iter().filter(|row| row.user_id.is_some()).map(|row| {
            let event = Event::UserImported(row.role.clone());
            Entry::new(now, &self.context.caller, &event, row.user_id, None)
        });
        // A running service logs and counts them, as it does for every command.
        audit_log::insert_all(connection, &entries.collect::<Vec<_>>(), false).await?;
        connection.commit().await?;
        Ok(written)
    }
}
