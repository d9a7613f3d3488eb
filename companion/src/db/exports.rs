//! SQL of an export: all users, page by page in the order of their IDs.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::password::PasswordHash;
use crate::domain::account::role::Role;

/// Maximum number of users of a page. Chosen: a page is some 200 kB.
const PAGE: i64 = 1000;

/// User of an export. It has no `Debug`: it holds a hash.
pub struct Exported {
    /// Identifier.
    pub id: UserId,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// E-mail address.
    pub email: Email,
    /// Role.
    pub role: Role,
    /// Time from which on the user may not sign in; `None` if the user may.
    pub disabled_at: Option<OffsetDateTime>,
    /// Time of creation.
    pub created_at: OffsetDateTime,
    /// Time of the last change.
    pub updated_at: OffsetDateTime,
    /// Hash of the password, if hashes are exported and the user has one.
    pub hash: Option<PasswordHash>,
}

/// Reads the next users after an ID; none after the last one.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn page(
    connection: &mut Connection,
    after: UserId,
    with_hashes: bool,
) -> Result<Vec<Exported>, sqlx::Error> {
    sqlx::query_as!(
        Exported,
        r#"select id as "id: UserId", first_name as "first_name: Name", last_name as "last_name: Name",
                  email as "email: Email", role as "role: Role", disabled_at, created_at, updated_at,
                  case when $2 then hash end as "hash: PasswordHash"
           from users left join passwords on user_id = id and scheme = 'bcrypt'
           where id > $1 order by id limit $3"#,
        after as UserId,
        with_hashes,
        PAGE,
    )
    .fetch_all(connection)
    .await
}
