//! SQL that ends sessions, and revokes their tokens in the same statement.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::session::{Chosen, Ending};
use crate::domain::{SessionId, UserId};

/// Ends sessions of a user, and returns those that existed. The edge rejects their tokens until `revoked_until`; `None`
/// if the whole user is revoked.
///
/// The rows are locked in order of their IDs, so that concurrent calls wait for each other without a deadlock.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn end(
    connection: &mut Connection,
    ending: Ending,
    revoked_until: Option<OffsetDateTime>,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let (only, except) = match ending.chosen {
        Chosen::All => (None, None),
        Chosen::Only(session_id) => (Some(session_id), None),
        Chosen::Except(session_id) => (None, Some(session_id)),
    };
    // A session younger than the token that names it is another one with the same ID.
    sqlx::query_scalar!(
        r#"with ended as (
               delete from refresh_tokens where id = any(array(
                   select id from refresh_tokens
                   where user_id = $1 and ($2::bigint is null or id = $2) and ($3::bigint is null or id <> $3)
                       and ($4::bigint is null or floor(extract(epoch from created_at)) <= $4)
                   order by id for update))
               returning id),
           revoked as (
               insert into revocations (session_id, expires_at)
               select id, $5::timestamptz from ended where $5::timestamptz is not null)
           select id as "id!: SessionId" from ended order by id"#,
        ending.user_id as UserId,
        only as Option<SessionId>,
        except as Option<SessionId>,
        ending.begun_by,
        revoked_until,
    )
    .fetch_all(connection)
    .await
}
