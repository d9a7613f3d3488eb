//! SQL that makes users of staged rows.

use std::ops::RangeInclusive;

use sqlx::{Executor as _, FromRow};
use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::role::Role;

/// Row of a batch, after it was inserted.
#[derive(FromRow)]
pub struct Written {
    /// Place of the row in the source.
    pub place: String,
    /// Role of the user.
    pub role: Role,
    /// New user; `None` if another user has got the e-mail address or the ID meanwhile.
    pub user_id: Option<UserId>,
}

/// Moves the sequence of user IDs past those of the staged rows, so that no new user gets one of them.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn reserve_ids(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection
        .execute(
            "select setval(ids, highest) from (
                 select pg_get_serial_sequence('users', 'id')::regclass as ids, max(id) as highest from import_users)
                 as staged
             where highest > coalesce(pg_sequence_last_value(ids), 0)",
        )
        .await?;
    Ok(())
}

/// Inserts the users of the staged rows whose numbers are in a range, and returns these rows.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert_users(
    connection: &mut Connection,
    numbers: RangeInclusive<i64>,
    keep_ids: bool,
    now: OffsetDateTime,
) -> Result<Vec<Written>, sqlx::Error> {
    macro_rules! statement {
        ($id:literal, $overriding:literal) => {
            concat!(
                "with batch as (select * from import_users where number between $1 and $2),
                      inserted as (
                          insert into users (",
                $id,
                "first_name, last_name, email, role, disabled_at, created_at, updated_at) ",
                $overriding,
                " select ",
                $id,
                "first_name, last_name, email, role, case when is_disabled then coalesce(disabled_at, $3) end,
                         coalesce(created_at, $3), coalesce(updated_at, $3)
                  from batch order by number
                  on conflict do nothing
                  returning id, email)
                 select place, role, inserted.id as user_id from batch left join inserted using (email) order by number"
            )
        };
    }
    let statement = if keep_ids { statement!("id, ", "overriding system value") } else { statement!("", "") };
    sqlx::query_as(statement)
        .bind(*numbers.start())
        .bind(*numbers.end())
        .bind(now)
        .fetch_all(connection)
        .await
}

/// Sets the passwords of users that [`insert_users`] has inserted.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert_passwords(
    connection: &mut Connection,
    numbers: RangeInclusive<i64>,
    users: &[UserId],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into passwords (user_id, hash, scheme, changed_at)
         select users.id, hash, 'bcrypt', $4 from import_users join users using (email)
         where number between $1 and $2 and users.id = any($3) and hash is not null",
    )
    .bind(*numbers.start())
    .bind(*numbers.end())
    .bind(users.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
