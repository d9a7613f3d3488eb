//! SQL that reads the edge feed: its cuts, and the revocations from one to another.

use std::io;

use edgeward_wire::{RevokedSession, RevokedUser};
use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::edge::feed_cursor::{Cut, RowKey};
use crate::domain::edge::feed_log::{Entry, KEPT_FOR_S, KnownCut, Row};
use crate::domain::edge::snapshot::Snapshot;

/// Maximum difference between the clocks of two database servers, in seconds, for which a cursor survives a failover that
/// has lost its cut. Chosen: far more than machines that keep time are apart, and a few pages of revocations.
const MAX_FAILOVER_GAP_S: i64 = 300;

/// Revocations, and the snapshot that they were read in.
pub struct Page {
    /// Snapshot that the page was read in.
    pub present: Snapshot,
    /// Revocations in the order of their transactions.
    pub rows: Vec<Row>,
}

/// Row of `edge_feed_cuts`.
struct CutRow {
    id: i64,
    second: i64,
    tag: String,
    snapshot: String,
}

impl TryFrom<CutRow> for KnownCut {
    type Error = sqlx::Error;

    fn try_from(CutRow { id, second, tag, snapshot }: CutRow) -> Result<Self, sqlx::Error> {
        let snapshot = snapshot.parse().map_err(|_| sqlx::Error::Decode("not a snapshot".into()))?;
        Ok(Self { id, name: Cut { second, tag }, snapshot })
    }
}

/// Reads at most `limit` revocations that `from` does not see and `to` sees, if it is given, after the row `after`. They
/// have not expired at `now`.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails. It always fails on a standby, which may lack revocations that it has not
/// received yet.
pub async fn read(
    connection: &mut Connection,
    (from, to): (&Snapshot, Option<&Snapshot>),
    after: Option<RowKey>,
    now: OffsetDateTime,
    limit: usize,
) -> Result<Page, sqlx::Error> {
    // Rows are numbered from 1.
    let after = after.unwrap_or(RowKey { xact: 0, id: 0 });
    let after_among_later = after.max(RowKey { xact: from.xmax(), id: 0 });
    // A snapshot does not cover the transactions that were open then, and those that began later. Both are few, and
    // found by the index. One query for each, because an index scan uses one lower bound: with two, each page would
    // scan all the pages before it.
    let page = sqlx::query!(
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
           select pg_current_snapshot()::text as "present!", pg_is_in_recovery() as "is_standby!",
                  coalesce(array_agg(xact::text::bigint order by xact, id), '{}') as "xacts!",
                  coalesce(array_agg(id order by xact, id), '{}') as "ids!",
                  coalesce(array_agg(session_id order by xact, id), '{}') as "sessions!: Vec<Option<i64>>",
                  coalesce(array_agg(user_id order by xact, id), '{}') as "users!: Vec<Option<i64>>",
                  coalesce(array_agg(ceil(extract(epoch from not_before))::bigint order by xact, id), '{}')
                      as "not_before!: Vec<Option<i64>>",
                  coalesce(array_agg(ceil(extract(epoch from expires_at))::bigint order by xact, id), '{}') as "until!"
           from page"#,
        from.as_str(),
        to.map(Snapshot::as_str),
        after.xact.to_string(),
        after.id,
        now,
        i64::try_from(limit).unwrap_or(i64::MAX),
        after_among_later.xact.to_string(),
        after_among_later.id,
    )
    .fetch_one(connection)
    .await?;
    if page.is_standby {
        return Err(sqlx::Error::Io(io::Error::other("the edge feed is not read from a standby")));
    }
    let keys =
        page.xacts.iter().zip(&page.ids).map(|(xact, id)| RowKey { xact: xact.unsigned_abs(), id: *id });
    let users = page.users.iter().zip(&page.not_before);
    let subjects = page.sessions.iter().zip(users).zip(&page.until);
    let entries = subjects.map(|((session, (user, not_before)), until)| match session {
        Some(session) => Entry::Session(RevokedSession(session.unsigned_abs(), to_seconds(*until))),
        None => Entry::User(RevokedUser(
            user.unwrap_or_default().unsigned_abs(),
            to_seconds(not_before.unwrap_or_default()),
            to_seconds(*until),
        )),
    });
    Ok(Page {
        present: page.present.parse().map_err(|_| sqlx::Error::Decode("not a snapshot".into()))?,
        rows: keys.zip(entries).map(|(key, entry)| Row { key, entry }).collect(),
    })
}

/// Lists a cut and the cuts that were made after it, in this order. Without the cut itself, it is not of this server,
/// or a failover has lost it.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list_cuts_from(connection: &mut Connection, id: i64) -> Result<Vec<KnownCut>, sqlx::Error> {
    let rows = sqlx::query_as!(
        CutRow,
        r#"select id, second, tag::text as "tag!", snapshot::text as "snapshot!" from edge_feed_cuts
           where server = (select system_identifier from pg_control_system()) and id >= $1 order by id"#,
        id,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Returns the latest cut. Makes the first one if there is none, which sees nothing.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn latest_cut(connection: &mut Connection) -> Result<KnownCut, sqlx::Error> {
    let latest = async |connection: &mut Connection| {
        sqlx::query_as!(
            CutRow,
            r#"select id, second, tag::text as "tag!", snapshot::text as "snapshot!" from edge_feed_cuts
               where server = (select system_identifier from pg_control_system()) order by id desc limit 1"#,
        )
        .fetch_optional(connection)
        .await
    };
    if let Some(row) = latest(connection).await? {
        return row.try_into();
    }
    insert_cut(connection, 0, 0, &Snapshot::empty()).await?;
    latest(connection).await?.ok_or(sqlx::Error::RowNotFound)?.try_into()
}

/// Makes a cut after the cut `previous`, and deletes those that are no longer kept. `None` if another companion has made
/// one meanwhile. The seconds of cuts do not decrease, whatever a companion's clock says.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert_cut(
    connection: &mut Connection,
    previous: i64,
    second: i64,
    snapshot: &Snapshot,
) -> Result<Option<KnownCut>, sqlx::Error> {
    let row = sqlx::query_as!(
        CutRow,
        r#"with server as materialized (select system_identifier as id from pg_control_system()),
                old as (delete from edge_feed_cuts where id < (
                    select max(cut.id) from edge_feed_cuts as cut, server where cut.server = server.id and second < $4))
           insert into edge_feed_cuts (previous, second, server, snapshot)
           select $1, greatest($2, last.second), server.id, $3::text::pg_snapshot
           from server left join lateral (
               select id, second from edge_feed_cuts where edge_feed_cuts.server = server.id order by id desc limit 1)
               as last on true
           where $1 = coalesce(last.id, 0)
           on conflict (server, previous) do nothing
           returning id, second, tag::text as "tag!", snapshot::text as "snapshot!""#,
        previous,
        second,
        snapshot.as_str(),
        second - KEPT_FOR_S,
    )
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Finds a cut by its name.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find_cut(connection: &mut Connection, name: &Cut) -> Result<Option<KnownCut>, sqlx::Error> {
    let row = sqlx::query_as!(
        CutRow,
        r#"select id, second, tag::text as "tag!", snapshot::text as "snapshot!" from edge_feed_cuts
           where server = (select system_identifier from pg_control_system()) and second = $1 and tag = $2::text::uuid"#,
        name.second,
        name.tag,
    )
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Finds a cut that a gateway has everything of whose own cut is unknown: one that was made long before it. `None` if
/// there is none.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn find_cut_before(
    connection: &mut Connection,
    name: &Cut,
) -> Result<Option<KnownCut>, sqlx::Error> {
    let row = sqlx::query_as!(
        CutRow,
        r#"select id, second, tag::text as "tag!", snapshot::text as "snapshot!" from edge_feed_cuts
           where server = (select system_identifier from pg_control_system()) and second <= $1
           order by id desc limit 1"#,
        name.second.saturating_sub(MAX_FAILOVER_GAP_S),
    )
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Assigns a transaction of this server to rows that were restored from another server's dump, and returns their
/// number. Their own transaction numbers lie in the future here, so that no snapshot covers them.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn adopt_restored(connection: &mut Connection) -> Result<u64, sqlx::Error> {
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
