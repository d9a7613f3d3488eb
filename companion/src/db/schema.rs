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
    /// In the database, but not here: a newer version was at work.
    Unknown,
}

/// Why the database's schema is not the one expected: the steps that are not applied as they are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(pub Vec<Step>);

/// Every migration known here or there, in order.
pub async fn status(connection: &mut PgConnection) -> Result<Vec<Step>, sqlx::Error> {
    let applied = list_applied(connection).await?;
    let mut steps: Vec<Step> = MIGRATIONS
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
        .map(|migration| {
            let state = match applied.iter().find(|(version, _)| *version == migration.version) {
                None => State::Pending,
                Some((_, checksum)) if *checksum == migration.checksum.as_ref() => State::Applied,
                Some(_) => State::Changed,
            };
            Step { version: migration.version, name: migration.description.to_string(), state }
        })
        .collect();
    for (version, _) in applied {
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
pub async fn run(connection: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATIONS.run_direct(None, connection, false).await
}

/// Takes back the last migration. Gives its number; `None` if there was none.
pub async fn revert(connection: &mut PgConnection) -> Result<Option<i64>, MigrateError> {
    let applied = list_applied(connection).await?;
    let Some((last, _)) = applied.last() else { return Ok(None) };
    let before = applied.iter().rev().nth(1).map_or(0, |(version, _)| *version);
    MIGRATIONS.undo(&mut *connection, before).await?;
    Ok(Some(*last))
}

async fn list_applied(connection: &mut PgConnection) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let table: Option<String> = sqlx::query_scalar("select to_regclass('_sqlx_migrations')::text")
        .fetch_one(&mut *connection)
        .await?;
    if table.is_none() {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, checksum from _sqlx_migrations order by version")
        .fetch_all(connection)
        .await
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Applied => "applied",
            State::Pending => "pending",
            State::Changed => "applied with another text",
            State::Unknown => "applied by a version newer than this one",
        };
        write!(f, "{:04} {}: {state}", self.version, self.name)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database's schema is not the one this version expects:")?;
        self.0.iter().try_for_each(|step| write!(f, "\n  {step}"))?;
        if self.0.iter().all(|step| step.state == State::Pending) {
            f.write_str("\nrun: edgeward migrate run")
        } else {
            f.write_str("\nrun the version of edgeward that this database belongs to")
        }
    }
}

impl std::error::Error for Mismatch {}
