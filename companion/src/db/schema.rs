//! The schema: the migrations in this binary, and their comparison with a database.
//!
//! `_sqlx_migrations` is sqlx's own table and does not exist before the first migration, so these queries are not checked
//! at compile time.

use std::fmt;

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};
use thiserror::Error;

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
    /// Applied by a newer version of this binary.
    Unknown,
}

/// Difference between the database's schema and the expected one: the migrations that are not
/// [`MigrationState::Applied`].
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
pub async fn status(connection: &mut PgConnection) -> Result<Vec<MigrationStatus>, sqlx::Error> {
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
    for Applied { version, .. } in applied {
        if !MIGRATIONS.version_exists(version) {
            migrations.push(MigrationStatus { version, name: String::new(), state: MigrationState::Unknown });
        }
    }
    migrations.sort_by_key(|migration| migration.version);
    Ok(migrations)
}

/// Compares the database's schema with the expected one. `None` if they are equal.
///
/// # Errors
/// [`sqlx::Error`] if the query fails.
pub async fn compare(connection: &mut PgConnection) -> Result<Option<SchemaMismatch>, sqlx::Error> {
    let mut migrations = status(connection).await?;
    migrations.retain(|migration| migration.state != MigrationState::Applied);
    Ok((!migrations.is_empty()).then_some(SchemaMismatch(migrations)))
}

/// Applies the pending migrations. Concurrent calls wait for each other.
///
/// # Errors
/// [`MigrationError::Mismatch`] if the database has other migrations than this binary, [`MigrationError::Failed`] if a
/// migration fails.
pub async fn run(connection: &mut PgConnection) -> Result<(), MigrationError> {
    require_known(connection).await?;
    Ok(MIGRATIONS.run_direct(None, connection, false).await?)
}

/// Reverts the last migration, and returns its version. `None` if no migration is applied.
///
/// # Errors
/// [`MigrationError::Mismatch`] if the database has other migrations than this binary, [`MigrationError::Failed`] if
/// the migration fails.
pub async fn revert(connection: &mut PgConnection) -> Result<Option<i64>, MigrationError> {
    require_known(connection).await?;
    let mut applied = list_applied(connection).await?.into_iter().rev().map(|row| row.version);
    let Some(last) = applied.next() else { return Ok(None) };
    MIGRATIONS.undo(&mut *connection, applied.next().unwrap_or(0)).await?;
    Ok(Some(last))
}

/// Requires that the database and this binary differ by pending migrations at most.
async fn require_known(connection: &mut PgConnection) -> Result<(), MigrationError> {
    match compare(connection).await? {
        Some(mismatch) if !mismatch.is_pending() => Err(mismatch.into()),
        _ => Ok(()),
    }
}

/// Row of `_sqlx_migrations`.
#[derive(sqlx::FromRow)]
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

async fn list_applied(connection: &mut PgConnection) -> Result<Vec<Applied>, sqlx::Error> {
    let table: Option<String> = sqlx::query_scalar("select to_regclass('_sqlx_migrations')::text")
        .fetch_one(&mut *connection)
        .await?;
    if table.is_none() {
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
            MigrationState::Unknown => "applied by a version newer than this one",
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
            f.write_str("\nrun the version of edgeward that this database belongs to")
        }
    }
}
