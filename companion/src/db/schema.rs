//! The schema: the migrations in this binary, and their comparison with a database.
//!
//! A version of this binary is known by its last migration. A database that has later ones is usable if it supports this
//! version: its table `oldest_version` says from which one on.
//!
//! `_sqlx_migrations` is sqlx's own table and does not exist before the first migration, so these queries are not checked
//! at compile time.

use std::fmt;

use sqlx::migrate::{MigrateError, Migrator};
use thiserror::Error;

use super::connection::Connection;

/// Migrations that this binary was built with.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// State of one migration, of this binary or of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Version number.
    pub version: i64,
    /// Name; empty if this binary does not have the migration.
    pub name: String,
    /// State in the database.
    pub state: MigrationState,
}

/// State of a migration in the database, compared with this binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// Applied with the same text.
    Applied,
    /// Not applied.
    Pending,
    /// Applied with another text.
    Changed,
    /// Begun and not finished.
    Unfinished,
    /// Applied by a newer version of this binary, in a way that this version can run with.
    Newer,
    /// Applied by a version that this one cannot run beside.
    Unknown,
}

/// Difference between the database's schema and the expected one: the migrations that are neither
/// [`MigrationState::Applied`] nor [`MigrationState::Newer`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct SchemaMismatch(pub Vec<MigrationStatus>);

/// Failure to apply or revert migrations.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// The database has other migrations than this binary.
    #[error(transparent)]
    Mismatch(#[from] SchemaMismatch),
    /// A migration failed.
    #[error(transparent)]
    Failed(#[from] MigrateError),
}

/// Lists every migration of this binary and of the database, by version.
///
/// # Errors
/// [`sqlx::Error`] if the query fails.
pub async fn status(connection: &mut Connection) -> Result<Vec<MigrationStatus>, sqlx::Error> {
    let applied = list_applied(connection).await?;
    let mut migrations: Vec<MigrationStatus> = MIGRATIONS
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
        .map(|migration| {
            let state = match applied.iter().find(|row| row.version == migration.version) {
                None => MigrationState::Pending,
                Some(row) if !row.success => MigrationState::Unfinished,
                Some(row) if row.checksum == migration.checksum.as_ref() => MigrationState::Applied,
                Some(_) => MigrationState::Changed,
            };
            MigrationStatus { version: migration.version, name: migration.description.to_string(), state }
        })
        .collect();
    let others: Vec<i64> = applied
        .iter()
        .map(|row| row.version)
        .filter(|version| !MIGRATIONS.version_exists(*version))
        .collect();
    if !others.is_empty() {
        let is_supported = oldest_version(connection).await?.is_some_and(|oldest| oldest <= last_version());
        migrations.extend(others.into_iter().map(|version| {
            let is_newer = is_supported && version > last_version();
            let state = if is_newer { MigrationState::Newer } else { MigrationState::Unknown };
            MigrationStatus { version, name: String::new(), state }
        }));
    }
    migrations.sort_by_key(|migration| migration.version);
    Ok(migrations)
}

/// Compares the database's schema with the expected one. `None` if this version can run with it.
///
/// # Errors
/// [`sqlx::Error`] if the query fails.
pub async fn compare(connection: &mut Connection) -> Result<Option<SchemaMismatch>, sqlx::Error> {
    let mut migrations = status(connection).await?;
    migrations
        .retain(|migration| !matches!(migration.state, MigrationState::Applied | MigrationState::Newer));
    Ok((!migrations.is_empty()).then_some(SchemaMismatch(migrations)))
}

/// Applies the pending migrations. Concurrent calls wait for each other. A newer schema that this version can run with
/// has none.
///
/// # Errors
/// [`MigrationError::Mismatch`] if the database has other migrations than this binary, [`MigrationError::Failed`] if a
/// migration fails.
pub async fn run(connection: &mut Connection) -> Result<(), MigrationError> {
    require_known(connection).await?;
    let newer = list_applied(connection).await?.iter().any(|row| row.version > last_version());
    if newer { Ok(()) } else { Ok(MIGRATIONS.run_direct(None, connection.raw(), false).await?) }
}

/// Reverts the last migration, and returns its version. `None` if no migration is applied.
///
/// # Errors
/// [`MigrationError::Mismatch`] if the database has other migrations than this binary, [`MigrationError::Failed`] if
/// the migration fails.
pub async fn revert(connection: &mut Connection) -> Result<Option<i64>, MigrationError> {
    require_known(connection).await?;
    require_no_newer(connection).await?;
    let mut applied = list_applied(connection).await?.into_iter().rev().map(|row| row.version);
    let Some(last) = applied.next() else { return Ok(None) };
    MIGRATIONS.undo(connection.raw(), applied.next().unwrap_or(0)).await?;
    Ok(Some(last))
}

/// Requires that the database and this binary differ by pending migrations at most.
async fn require_known(connection: &mut Connection) -> Result<(), MigrationError> {
    match compare(connection).await? {
        Some(mismatch) if !mismatch.is_pending() => Err(mismatch.into()),
        _ => Ok(()),
    }
}

/// Requires that no newer version has applied migrations: this binary cannot revert them.
async fn require_no_newer(connection: &mut Connection) -> Result<(), MigrationError> {
    let mut migrations = status(connection).await?;
    migrations.retain(|migration| migration.state == MigrationState::Newer);
    if migrations.is_empty() { Ok(()) } else { Err(SchemaMismatch(migrations).into()) }
}

/// Returns the version of this binary: its last migration.
fn last_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Returns the oldest version that the database supports; `None` if its schema is from before that was recorded.
async fn oldest_version(connection: &mut Connection) -> Result<Option<i64>, sqlx::Error> {
    if has_table(connection, "oldest_version").await? {
        sqlx::query_scalar("select migration from oldest_version").fetch_optional(connection).await
    } else {
        Ok(None)
    }
}

async fn has_table(connection: &mut Connection, table: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select to_regclass($1) is not null").bind(table).fetch_one(connection).await
}

/// Row of `_sqlx_migrations`.
#[derive(sqlx::FromRow)]
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

async fn list_applied(connection: &mut Connection) -> Result<Vec<Applied>, sqlx::Error> {
    if !has_table(connection, "_sqlx_migrations").await? {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, checksum, success from _sqlx_migrations order by version")
        .fetch_all(connection)
        .await
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for MigrationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            MigrationState::Applied => "applied",
            MigrationState::Pending => "pending",
            MigrationState::Changed => "applied with another text",
            MigrationState::Unfinished => "begun and not finished",
            MigrationState::Newer => "applied by a newer version, and this one can run with it",
            MigrationState::Unknown => "applied by another version, and this one cannot run with it",
        };
        let separator = if self.name.is_empty() { "" } else { " " };
        write!(f, "{:04}{separator}{}: {state}", self.version, self.name)
    }
}

impl SchemaMismatch {
    fn is_pending(&self) -> bool {
        self.0.iter().all(|migration| migration.state == MigrationState::Pending)
    }

    fn unfinished(&self) -> Option<&MigrationStatus> {
        self.0.iter().find(|migration| migration.state == MigrationState::Unfinished)
    }
}

impl fmt::Display for SchemaMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database's schema is not the one this version expects:")?;
        self.0.iter().try_for_each(|migration| write!(f, "\n  {migration}"))?;
        if self.is_pending() {
            f.write_str("\nrun: edgeward migrate run")
        } else if let Some(MigrationStatus { version, .. }) = self.unfinished() {
            write!(
                f,
                "\ncomplete or revert migration {version:04} by hand, then fix its row in _sqlx_migrations"
            )
        } else {
            f.write_str("\nrun the version of edgeward that migrated this database last")
        }
    }
}
