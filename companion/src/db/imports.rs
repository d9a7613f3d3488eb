//! SQL of an import: its rows wait in a temporary table, are compared there with each other and with the users, and become
//! users in batches. The table belongs to the connection, and ends with it.
//!
//! It does not exist when the companion is compiled, so that these queries are not checked then.

mod write;

pub use self::write::{Written, insert_passwords, insert_users, reserve_ids};

use futures_util::TryStreamExt as _;
use sqlx::{Executor as _, FromRow};

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::import::ImportedUser;

/// Row of an import with its number, by which batches are formed, and its place in the source, for messages.
pub struct Staged {
    /// Number, from 1.
    pub number: i64,
    /// Place in the source, such as `line 12`.
    pub place: String,
    /// User of the row.
    pub user: ImportedUser,
}

/// Columns whose values no two users share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// E-mail address.
    Email,
    /// Identifier.
    Id,
}

/// Row that cannot be imported, because of another row or of a user.
#[derive(FromRow)]
pub struct Conflict {
    /// Place of the row in the source.
    pub place: String,
    /// Place of the first row with the value; empty for a conflict with a user.
    pub first: String,
    /// User with the value; 0 for a conflict with a row.
    pub user_id: UserId,
}

/// Creates the table of staged rows, and lifts the connection's limit on statements: the comparison of a million rows
/// takes longer than a request may.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn create_stage(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection
        .execute(
            "set statement_timeout = 0;
             create temporary table import_users (
                 number bigint primary key, place text not null, id bigint, first_name text not null,
                 last_name text not null, email text not null, role text not null, hash text,
                 is_disabled boolean not null, disabled_at timestamptz, created_at timestamptz, updated_at timestamptz)",
        )
        .await?;
    Ok(())
}

/// Stages rows, in one statement however many there are.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn stage(connection: &mut Connection, rows: &[Staged]) -> Result<(), sqlx::Error> {
    fn column<T>(rows: &[Staged], value: impl Fn(&Staged) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    sqlx::query(
        "insert into import_users
         select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                              $8::text[], $9::boolean[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])",
    )
    .bind(column(rows, |row| row.number))
    .bind(column(rows, |row| row.place.clone()))
    .bind(column(rows, |row| row.user.id.map(|id| id.0)))
    .bind(column(rows, |row| row.user.user.first_name.as_str().to_owned()))
    .bind(column(rows, |row| row.user.user.last_name.as_str().to_owned()))
    .bind(column(rows, |row| row.user.user.email.as_str().to_owned()))
    .bind(column(rows, |row| row.user.user.role.as_str().to_owned()))
    .bind(column(rows, |row| row.user.hash.as_ref().map(|hash| hash.expose().to_owned())))
    .bind(column(rows, |row| row.user.is_disabled))
    .bind(column(rows, |row| row.user.disabled_at))
    .bind(column(rows, |row| row.user.created_at))
    .bind(column(rows, |row| row.user.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes staged rows whose value an earlier one has, and passes each to `on_conflict`, in their order. Returns their
/// number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn remove_repeated(
    connection: &mut Connection,
    unique: Unique,
    on_conflict: &mut (dyn FnMut(Conflict) + Send),
) -> Result<u64, sqlx::Error> {
    /// The statement for one column. A value that is null has no other like it.
    macro_rules! statement {
        ($column:literal) => {
            concat!(
                "with repeated as (
                     select number, place, first_value(place) over same as first, row_number() over same as nth
                     from import_users where ",
                $column,
                " is not null window same as (partition by ",
                $column,
                " order by number)),
                 removed as (
                     delete from import_users using repeated
                     where nth > 1 and import_users.number = repeated.number)
                 select place, first, 0::bigint as user_id from repeated where nth > 1 order by number"
            )
        };
    }
    let statement = match unique {
        Unique::Email => statement!("email"),
        Unique::Id => statement!("id"),
    };
    report(connection, statement, on_conflict).await
}

/// Removes staged rows whose value a user has, and passes each to `on_conflict`, in their order. Returns their number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn remove_existing(
    connection: &mut Connection,
    unique: Unique,
    on_conflict: &mut (dyn FnMut(Conflict) + Send),
) -> Result<u64, sqlx::Error> {
    macro_rules! statement {
        ($condition:literal) => {
            concat!(
                "with taken as (
                     select number, place, users.id as user_id from import_users join users on ",
                $condition,
                "),
                 removed as (delete from import_users using taken where import_users.number = taken.number)
                 select place, '' as first, user_id from taken order by number"
            )
        };
    }
    let statement = match unique {
        Unique::Email => statement!("lower(users.email collate \"C\") = import_users.email"),
        Unique::Id => statement!("users.id = import_users.id"),
    };
    report(connection, statement, on_conflict).await
}

async fn report(
    connection: &mut Connection,
    statement: &'static str,
    on_conflict: &mut (dyn FnMut(Conflict) + Send),
) -> Result<u64, sqlx::Error> {
    // The planner knows nothing of a temporary table until then.
    connection.execute("analyze import_users").await?;
    let mut conflicts = sqlx::query_as::<_, Conflict>(statement).fetch(connection);
    let mut count = 0;
    while let Some(conflict) = conflicts.try_next().await? {
        on_conflict(conflict);
        count += 1;
    }
    Ok(count)
}

/// Counts the staged rows, and those of them without a password.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn count(connection: &mut Connection) -> Result<(u64, u64), sqlx::Error> {
    let query = sqlx::query_as("select count(*), count(*) filter (where hash is null) from import_users");
    let (all, without_password): (i64, i64) = query.fetch_one(connection).await?;
    Ok((all.unsigned_abs(), without_password.unsigned_abs()))
}
