//! SQL that only reads sessions.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::account::User;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::role::Role;
use crate::domain::session::SessionSummary;
use crate::domain::session::authentication::{Authentication, Methods};
use crate::domain::token::access_token::TokenSubject;
use crate::domain::{SessionId, UserId};

/// Maximum number of sessions in a list. The ones used last are kept.
const MAX_LISTED: i64 = 100;
/// Maximum number of sessions that are counted one by one. Chosen: some 20 ms of Postgres' time, once a minute.
const MAX_COUNTED: i64 = 100_000;

/// Lists at most 100 live sessions of a user: `own` first, if it is one of them, then by last use. A session that began at or
/// before
/// `oldest_start` has ended.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list(
    connection: &mut Connection,
    user_id: UserId,
    own: Option<SessionId>,
    now: OffsetDateTime,
    oldest_start: OffsetDateTime,
) -> Result<Vec<SessionSummary>, sqlx::Error> {
    sqlx::query_as!(
        SessionSummary,
        r#"select id as "id: SessionId", device, address_prefix, created_at, updated_at
           from refresh_tokens
           where user_id = $1 and expires_at > $3 and created_at > $4
           order by id = $2 desc, updated_at desc, id desc
           limit $5"#,
        user_id as UserId,
        own as Option<SessionId>,
        now,
        oldest_start,
        MAX_LISTED,
    )
    .fetch_all(connection)
    .await
}

/// Finds the user of an access token, and their last authentication. `None` if the session has ended, the user is disabled,
/// or the token is older than the user's last change.
///
/// A session younger than the token is another one with the same ID. A session that began at or before `oldest_start`
/// has ended.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find_user(
    connection: &mut Connection,
    subject: TokenSubject,
    now: OffsetDateTime,
    oldest_start: OffsetDateTime,
) -> Result<Option<(User, Authentication)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select users.id as "id: UserId", first_name as "first_name: Name", last_name as "last_name: Name",
                  email as "email: Email", role as "role: Role", disabled_at, users.created_at, users.updated_at,
                  coalesce(authenticated_at, refresh_tokens.created_at) as "authenticated_at!",
                  authentication_methods as "methods: Methods"
           from refresh_tokens join users on users.id = user_id
           where refresh_tokens.id = $1 and users.id = $2 and expires_at > $3 and disabled_at is null
               and greatest(floor(extract(epoch from refresh_tokens.created_at)),
                            extract(epoch from tokens_not_before)) <= $4::bigint
               and refresh_tokens.created_at > $5"#,
        subject.session_id as SessionId,
        subject.user_id as UserId,
        now,
        subject.issued_at,
        oldest_start,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
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
        (user, Authentication { time: row.authenticated_at, methods: row.methods })
    }))
}

/// Counts the sessions that have not expired. If there are more than 100,000, returns Postgres' estimate of all rows
/// instead: its last `analyze` counted them.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn count_live(connection: &mut Connection, now: OffsetDateTime) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select case when counted <= $2::bigint then counted
                  else greatest(counted, (select reltuples::bigint from pg_class where oid = 'refresh_tokens'::regclass))
                  end as "live!"
           from (select count(*) as counted
                 from (select from refresh_tokens where expires_at > $1 limit $2::bigint + 1) as live) as sessions"#,
        now,
        MAX_COUNTED,
    )
    .fetch_one(connection)
    .await
}
