//! The schema: the migrations in this binary, and how a database compares with them.
//!
//! `_sqlx_migrations` is sqlx's own table and not there before the first migration, so these queries are the
//! ones that are not checked at compile time.

use std::fmt;

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

/// The migrations that this binary was built with.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// One migration, here or in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub version: i64,
    /// Its name, where this binary knows it.
    pub name: String,
    /// How far it is.
    pub state: State,
}

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the database as it is here.
    Applied,
    /// Not in the database.
    Pending,
    /// In the database, but with another text.
    Changed,
    /// Begun in the database and not finished.
    Unfinished,
    /// In the database, but not here: a newer version was at work.
    Unknown,
}

/// Why the database's schema is not the one expected: the steps that are not applied as they are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(pub Vec<Step>);

/// Why migrations were not applied or taken back.
#[derive(Debug)]
pub enum MigrationError {
    /// The database has others than this binary.
    Mismatch(Mismatch),
    /// One of them failed.
    Failed(MigrateError),
}

/// Every migration known here or there, in order.
pub async fn status(connection: &mut PgConnection) -> Result<Vec<Step>, sqlx::Error> {
    let applied = list_applied(connection).await?;
    let mut steps: Vec<Step> = MIGRATIONS
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
        .map(|migration| {
            let state = match applied.iter().find(|row| row.version == migration.version) {
                None => State::Pending,
                Some(row) if !row.success => State::Unfinished,
                Some(row) if row.checksum == migration.checksum.as_ref() => State::Applied,
                Some(_) => State::Changed,
            };
            Step { version: migration.version, name: migration.description.to_string(), state }
        })
        .collect();
    for Applied { version, .. } in applied {
        if !MIGRATIONS.version_exists(version) {
            steps.push(Step { version, name: String::new(), state: State::Unknown });
        }
    }
    steps.sort_by_key(|step| step.version);
    Ok(steps)
}

/// Whether the schema is the one expected: `None`, or what differs.
pub async fn compare(connection: &mut PgConnection) -> Result<Option<Mismatch>, sqlx::Error> {
    let mut steps = status(connection).await?;
    steps.retain(|step| step.state != State::Applied);
    Ok((!steps.is_empty()).then_some(Mismatch(steps)))
}

/// Applies what is pending. Two that run at once wait for each other.
pub async fn run(connection: &mut PgConnection) -> Result<(), MigrationError> {
    require_ours(connection).await?;
    Ok(MIGRATIONS.run_direct(None, connection, false).await?)
}

/// Takes back the last migration. Gives its number; `None` if there was none.
pub async fn revert(connection: &mut PgConnection) -> Result<Option<i64>, MigrationError> {
    require_ours(connection).await?;
    let mut applied = list_applied(connection).await?.into_iter().rev().map(|row| row.version);
    let Some(last) = applied.next() else { return Ok(None) };
    MIGRATIONS.undo(&mut *connection, applied.next().unwrap_or(0)).await?;
    Ok(Some(last))
}

/// Nothing but pending migrations may stand between the database and this binary.
async fn require_ours(connection: &mut PgConnection) -> Result<(), MigrationError> {
    match compare(connection).await? {
        Some(mismatch) if !mismatch.is_pending() => Err(MigrationError::Mismatch(mismatch)),
        _ => Ok(()),
    }
}

/// What sqlx keeps of one migration.
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

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Applied => "applied",
            State::Pending => "pending",
            State::Changed => "applied with another text",
            State::Unfinished => "begun and not finished",
            State::Unknown => "applied by a version newer than this one",
        };
        write!(f, "{:04} {}: {state}", self.version, self.name)
    }
}

impl Mismatch {
    fn is_pending(&self) -> bool {
        self.0.iter().all(|step| step.state == State::Pending)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database's schema is not the one this version expects:")?;
        self.0.iter().try_for_each(|step| write!(f, "\n  {step}"))?;
        f.write_str(if self.is_pending() {
            "\nrun: edgeward migrate run"
        } else if self.0.iter().any(|step| step.state == State::Unfinished) {
            "\nfinish or take back by hand what was begun, and mend its row of _sqlx_migrations"
        } else {
            "\nrun the version of edgeward that this database belongs to"
        })
    }
}

impl std::error::Error for Mismatch {}

impl From<MigrateError> for MigrationError {
    fn from(error: MigrateError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MigrationError {}
