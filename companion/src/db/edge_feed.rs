//! SQL that reads the edge feed: revocations by the transactions that a cursor does not cover.

use edgeward_wire::{Revoked, RevokedSession, RevokedUser};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::edge::feed_cursor::{Position, RowKey};
use crate::domain::edge::snapshot::Snapshot;

/// Page of the feed.
pub struct Page {
    /// Name of the current history of transaction numbers; `None` before [`begin_history`].
    pub history: Option<String>,
    /// Snapshot that the page was read in.
    pub present: Snapshot,
    /// Revocations.
    pub revoked: Revoked,
    /// Last row of a full page, which other rows may follow.
    pub last: Option<RowKey>,
}

/// Reads at most `limit` revocations after a position that have not expired at `now`, in the order of their
/// transactions.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails. It always fails on a standby, which may lack revocations that it has not
/// received yet.
pub async fn read(
    connection: &mut PgConnection,
    position: &Position,
    now: OffsetDateTime,
    limit: usize,
) -> Result<Page, sqlx::Error> {
    let (after, after_among_later) = (position.after(), position.after_among_later());
    let target = position.bound().map(Snapshot::as_str);
    // A snapshot does not cover the transactions that were open then, and those that began later. Both are few, and
    // found by the index. One query for each, because an index scan uses one lower bound: with two, each page would
    // scan all the pages before it. Every row is visible to this statement, so the first page needs no upper bound.
    let row = sqlx::query!(
        r#"with page as materialized (
               (select * from revocations
                where xact = any(array(select pg_snapshot_xip($1::text::pg_snapshot)))
                    and (xact, id) > ($3::text::xid8, $4::bigint) and expires_at > $5
                    and ($2::text is null or pg_visible_in_snapshot(xact, $2::text::pg_snapshot))
                order by xact, id limit $6)
               union all
               (select * from revocations
                where (xact, id) > ($7::text::xid8, $8::bigint) and expires_at > $5
                    and ($2::text is null or pg_visible_in_snapshot(xact, $2::text::pg_snapshot))
                order by xact, id limit $6)
               order by xact, id limit $6)
           select (select system_identifier from pg_control_system()) || '-' || (select name from edge_feed_history)
                      as history,
                  pg_current_snapshot()::text as "present!",
                  (select page.xact::text from page order by page.xact desc, page.id desc limit 1) as last_xact,
                  (select page.id from page order by page.xact desc, page.id desc limit 1) as last_id,
                  count(*) as "rows!",
                  coalesce(array_agg(session_id) filter (where session_id is not null), '{}') as "sessions!",
                  coalesce(array_agg(ceil(extract(epoch from expires_at))::bigint) filter (where session_id is not null),
                           '{}') as "sessions_until!",
                  coalesce(array_agg(user_id) filter (where user_id is not null), '{}') as "users!",
                  coalesce(array_agg(ceil(extract(epoch from not_before))::bigint) filter (where user_id is not null),
                           '{}') as "users_not_before!",
                  coalesce(array_agg(ceil(extract(epoch from expires_at))::bigint) filter (where user_id is not null),
                           '{}') as "users_until!"
           from page"#,
        position.from.as_str(),
        target,
        after.xact.to_string(),
        after.id,
        now,
        i64::try_from(limit).unwrap_or(i64::MAX),
        after_among_later.xact.to_string(),
        after_among_later.id,
    )
    .fetch_one(connection)
    .await?;
    let sessions = row.sessions.iter().zip(&row.sessions_until);
    let users = row.users.iter().zip(row.users_not_before.iter().zip(&row.users_until));
    let last_xact = row.last_xact.and_then(|xact| xact.parse().ok());
    Ok(Page {
        history: row.history,
        present: row.present.parse().map_err(|_| sqlx::Error::Decode("not a snapshot".into()))?,
        revoked: Revoked {
            sessions: sessions
                .map(|(id, until)| RevokedSession(id.unsigned_abs(), to_seconds(*until)))
                .collect(),
            users: users
                .map(|(id, (not_before, until))| {
                    RevokedUser(id.unsigned_abs(), to_seconds(*not_before), to_seconds(*until))
                })
                .collect(),
        },
        last: last_xact
            .zip(row.last_id)
            .filter(|_| row.rows.unsigned_abs() >= limit as u64)
            .map(|(xact, id)| RowKey { xact, id }),
    })
}

/// Names the history of transaction numbers, unless it has a name. A new history begins with a database, after a crash
/// and with a failover.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn begin_history(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into edge_feed_history default values on conflict do nothing")
        .execute(connection)
        .await?;
    Ok(())
}

/// Assigns a transaction of this server to rows that were restored from another server's dump, and returns their
/// number. Their own transaction numbers lie in the future here, so that no snapshot covers them.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn adopt_restored(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "update revocations set xact = pg_current_xact_id() where xact >= pg_snapshot_xmax(pg_current_snapshot())",
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

fn to_seconds(seconds: i64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
