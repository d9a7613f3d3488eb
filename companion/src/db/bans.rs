//! SQL over `bans`: networks that the edge rejects itself.

use edgeward_wire::BanScope;
use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::guard::Ban;

/// Maximum number of rows. Chosen: more than a flood from one provider has. The edge feed carries those 4,096 of them that
/// end last; beyond both, the companion rejects alone.
const MAX_ROWS: i64 = 10_000;

/// Inserts a ban, or sets its new end. Returns `false` if the table is full.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn set(connection: &mut Connection, ban: &Ban) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into bans (network, scope, until)
         select $1::text::cidr, $2, $3
         where (select count(*) from bans) < $4
             or exists (select from bans where network = $1::text::cidr and scope = $2)
         on conflict (network, scope) do update set until = excluded.until",
        ban.network.to_string(),
        ban.scope.as_str(),
        ban.until,
        MAX_ROWS,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes the bans that do not count at `now`.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_expired(connection: &mut Connection, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from bans where until <= $1 or until > $2", now, Ban::latest_end(now))
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads at most `limit` bans that count at `now`: those that end last, in a fixed order.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list(
    connection: &mut Connection,
    now: OffsetDateTime,
    limit: usize,
) -> Result<Vec<edgeward_wire::Ban>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select network::text as "network!", scope, ceil(extract(epoch from until))::bigint as "until!"
           from bans where until > $1 and until <= $2 order by until desc, network, scope limit $3"#,
        now,
        Ban::latest_end(now),
        i64::try_from(limit).unwrap_or(i64::MAX),
    )
    .fetch_all(connection)
    .await?;
    let until = |until| u32::try_from(until).unwrap_or(u32::MAX);
    Ok(rows
        .into_iter()
        .map(|row| edgeward_wire::Ban(row.network, BanScope::parse(&row.scope), until(row.until)))
        .collect())
}
