//! SQL over `signing_keys`.

use edgeward_wire::jwk::MAX_KEYS;

use crate::db::connection::Connection;
use crate::domain::token::rotation::Phase;
use crate::domain::token::sealed_key::SealedKey;

/// Maximum number of rows that are read: one more than may be in use.
const MAX_ROWS: usize = MAX_KEYS + 1;

/// Version of the table: the newest version of a row, and the number of rows. It changes with every change of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysVersion {
    newest: i64,
    count: i64,
}

/// Keeps all others from changing keys until the end of the transaction. Readers go on.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails, also because another one holds the lock for too long.
pub async fn lock(connection: &mut Connection) -> Result<(), sqlx::Error> {
    sqlx::query!("lock table signing_keys in share row exclusive mode").execute(connection).await?;
    Ok(())
}

/// Reads the version of the table.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn version(connection: &mut Connection) -> Result<KeysVersion, sqlx::Error> {
    sqlx::query_as!(
        KeysVersion,
        r#"select coalesce(max(version), 0) as "newest!", count(*) as "count!" from signing_keys"#,
    )
    .fetch_one(connection)
    .await
}

/// Lists the keys, and the version of the table that has them. More than [`MAX_KEYS`] are as good as any number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list(connection: &mut Connection) -> Result<(KeysVersion, Vec<SealedKey>), sqlx::Error> {
    // In the order of the rotation, and the version of the same moment.
    let rows = sqlx::query!(
        r#"select kid, phase as "phase: Phase", since, public_key, sealed,
                  max(version) over () as "newest!", count(*) over () as "count!"
           from signing_keys order by array_position(array['signing', 'announced'], phase), since, kid limit $1"#,
        i64::try_from(MAX_ROWS).unwrap_or(i64::MAX),
    )
    .fetch_all(connection)
    .await?;
    let version = rows.first().map_or(KeysVersion { newest: 0, count: 0 }, |row| KeysVersion {
        newest: row.newest,
        count: row.count,
    });
    let keys = rows.into_iter().map(|row| SealedKey {
        kid: row.kid,
        phase: row.phase,
        since: row.since,
        public_key: row.public_key,
        sealed: row.sealed,
    });
    Ok((version, keys.collect()))
}

/// Inserts a key.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(connection: &mut Connection, key: &SealedKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into signing_keys (kid, phase, since, public_key, sealed) values ($1, $2, $3, $4, $5)",
        key.kid,
        key.phase as Phase,
        key.since,
        key.public_key,
        key.sealed,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Updates phase, time and seal of a key.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn update(connection: &mut Connection, key: &SealedKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update signing_keys set phase = $2, since = $3, sealed = $4, version = default where kid = $1",
        key.kid,
        key.phase as Phase,
        key.since,
        key.sealed,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes keys.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete(connection: &mut Connection, kids: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from signing_keys where kid = any($1)", kids).execute(connection).await?;
    Ok(())
}

/// Deletes all keys.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_all(connection: &mut Connection) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from signing_keys").execute(connection).await?;
    Ok(())
}
