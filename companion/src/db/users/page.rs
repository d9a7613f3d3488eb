//! SQL that lists users, a page at a time. Migration 0010 has the indexes.

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::role::Role;
use crate::domain::account::search::{Search, UserCursor, UserFilter};

/// Character that is after every other one of a text.
const LAST_CHAR: char = char::MAX;

/// Lists at most `rows` users after a cursor, each with its own: in order of their IDs, or with a prefix in order of
/// what begins with it.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list(
    connection: &mut Connection,
    filter: &UserFilter,
    after: &UserCursor,
    rows: i64,
) -> Result<Vec<(UserCursor, User)>, sqlx::Error> {
    match &filter.search {
        Some(Search::Prefix(prefix)) => list_by_prefix(connection, prefix, filter, after, rows).await,
        Some(Search::Id(id)) => list_by_id(connection, Some(*id), filter, after, rows).await,
        None => list_by_id(connection, None, filter, after, rows).await,
    }
}

async fn list_by_id(
    connection: &mut Connection,
    only: Option<UserId>,
    filter: &UserFilter,
    after: &UserCursor,
    rows: i64,
) -> Result<Vec<(UserCursor, User)>, sqlx::Error> {
    let listed = sqlx::query_as!(
        User,
        r#"select id as "id: UserId", first_name as "first_name: Name", last_name as "last_name: Name",
                  email as "email: Email", role as "role: Role", disabled_at, created_at, updated_at
           from users
           where id > $1 and ($2::bigint is null or id = $2) and ($3::text is null or role = $3)
               and ($4::boolean is null or (disabled_at is not null) = $4)
           order by id limit $5"#,
        after.id,
        only as Option<UserId>,
        filter.role.as_ref().map(Role::as_str),
        filter.disabled,
        rows,
    );
    let listed = listed.fetch_all(connection).await?;
    Ok(listed.into_iter().map(|user| (UserCursor { key: String::new(), id: user.id.0 }, user)).collect())
}

/// One bound below, of the prefix and the cursor: of two, Postgres may begin at the lower one.
///
/// Both halves give their rows in the order of an index, so that no more than a page of each is read, however many users
/// have the prefix.
async fn list_by_prefix(
    connection: &mut Connection,
    prefix: &str,
    filter: &UserFilter,
    after: &UserCursor,
    rows: i64,
) -> Result<Vec<(UserCursor, User)>, sqlx::Error> {
    let listed = sqlx::query!(
        r#"(select lower(email collate "C") as "key!", id as "id!: UserId", first_name as "first_name!: Name",
                   last_name as "last_name!: Name", email as "email!: Email", role as "role!: Role", disabled_at,
                   created_at as "created_at!", updated_at as "updated_at!"
            from users
            where (lower(email collate "C"), id) > (greatest($3, lower($1 collate "C")), $4)
                and lower(email collate "C") <= lower($2 collate "C")
                and ($5::text is null or role = $5) and ($6::boolean is null or (disabled_at is not null) = $6)
            order by lower(email collate "C"), id limit $7)
           union all
           (select lower(last_name) collate "C", id, first_name, last_name, email, role, disabled_at, created_at, updated_at
            from users
            where (lower(last_name) collate "C", id) > (greatest($3, lower($1)) collate "C", $4)
                and lower(last_name) collate "C" <= lower($2)
                -- These are listed by their addresses.
                and not lower(email collate "C") between lower($1 collate "C") and lower($2 collate "C")
                and ($5::text is null or role = $5) and ($6::boolean is null or (disabled_at is not null) = $6)
            order by lower(last_name) collate "C", id limit $7)
           order by 1, 2 limit $7"#,
        prefix,
        format!("{prefix}{LAST_CHAR}"),
        after.key,
        after.id,
        filter.role.as_ref().map(Role::as_str),
        filter.disabled,
        rows,
    );
    let listed = listed.fetch_all(connection).await?.into_iter().map(|row| {
        let cursor = UserCursor { key: row.key, id: row.id.0 };
        let user = User {
            id: row.id,
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            role: row.role,
            disabled_at: row.disabled_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        (cursor, user)
    });
    Ok(listed.collect())
}
