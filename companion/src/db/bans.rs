//! SQL over `bans`: networks that the edge refuses itself.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::guard::Ban;

/// Maximum number of bans. Chosen: more than a flood from one provider has; beyond it, the companion refuses alone.
const MAX_BANS: i64 = 10_000;

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
        MAX_BANS,
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
