//! SQL over `bans`: networks that the edge refuses itself.

use edgeward_wire::Door;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::guard::Ban;

/// Maximum number of rows. Chosen: more than a flood from one provider has. The edge feed carries those 4,096 of them that
/// end last; beyond both, the companion refuses alone.
const MAX_ROWS: i64 = 10_000;

/// Inserts or extends a ban.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn set(connection: &mut PgConnection, ban: &Ban) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into bans (network, door, until)
         select $1::text::cidr, $2, $3 where (select count(*) from bans) < $4
         on conflict (network, door) do update set until = greatest(bans.until, excluded.until)",
        ban.network.to_string(),
        ban.door.as_str(),
        ban.until,
        MAX_ROWS,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the bans that are over.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_expired(connection: &mut PgConnection, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from bans where until <= $1", now).execute(connection).await?;
    Ok(())
}

/// Reads at most `limit` bans that have not ended at `now`: those that end last, in a fixed order.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list(
    connection: &mut PgConnection,
    now: OffsetDateTime,
    limit: usize,
) -> Result<Vec<edgeward_wire::Ban>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select network::text as "network!", door, ceil(extract(epoch from until))::bigint as "until!"
           from bans where until > $1 order by until desc, network, door limit $2"#,
        now,
        i64::try_from(limit).unwrap_or(i64::MAX),
    )
    .fetch_all(connection)
    .await?;
    let ban = |door: &str, network, until| {
        let door = match door {
            "credentials" => Door::Credentials,
            "refresh" => Door::Refresh,
            _ => Door::Unknown,
        };
        edgeward_wire::Ban(network, door, u32::try_from(until).unwrap_or(u32::MAX))
    };
    Ok(rows.into_iter().map(|row| ban(&row.door, row.network, row.until)).collect())
}
