//! SQL over `attempts`: the buckets of attempts to guess a secret. `domain::guard` has the rules, the one of a charge
//! included: it is a condition of the statement that charges, so that attempts at the same time cannot slip through.

use std::collections::HashSet;

use sqlx::postgres::types::PgInterval;
use time::{Duration, OffsetDateTime};

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::guard::{Authenticator, Bucket, BucketKey, BucketState, MAX_FAILURES};

/// Charges an attempt to all of its buckets in one statement, and returns those that reject it. A bucket that rejects is
/// not charged; the others are. `email` is the account of the buckets that count failures.
///
/// Rows are locked in the order of their keys, so that statements at the same time cannot deadlock.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn charge(
    connection: &mut Connection,
    buckets: &[Bucket],
    email: Option<&Email>,
    now: OffsetDateTime,
) -> Result<Vec<Bucket>, sqlx::Error> {
    let keys: Vec<&[u8]> = buckets.iter().map(|bucket| bucket.key.as_slice()).collect();
    let steps = intervals(buckets.iter().map(|bucket| bucket.limit.interval()))?;
    let latest: Vec<_> = buckets.iter().map(|bucket| bucket.limit.latest_arrival(now)).collect();
    let counts: Vec<_> = buckets.iter().map(|bucket| i32::from(bucket.kind.counts_failures())).collect();
    // Failures before the address belonged to this user do not count for them.
    let admitted = sqlx::query_scalar!(
        r#"with bucket as (
               select key, step, latest, failures,
                   case when failures > 0 then (select id from users where lower(email collate "C") = $6) end as user_id
               from unnest($1::bytea[], $2::interval[], $3::timestamptz[], $4::integer[])
                   as given (key, step, latest, failures))
           insert into attempts (key, tat, failures, user_id)
           select key, $5::timestamptz + step, failures, user_id from bucket order by key
           on conflict (key) do update
           set tat = greatest(attempts.tat, $5) + (excluded.tat - $5),
               failures = excluded.failures
                   + case when attempts.user_id is not distinct from excluded.user_id then attempts.failures else 0 end,
               user_id = excluded.user_id
           where (select attempts.tat <= latest from bucket where bucket.key = excluded.key)
               and (attempts.failures < $7 or attempts.user_id is distinct from excluded.user_id)
           returning key"#,
        &keys as &[&[u8]],
        &steps,
        &latest,
        &counts,
        now,
        email.map(Email::as_str),
        MAX_FAILURES,
    )
    .fetch_all(connection)
    .await?;
    let admitted: HashSet<Vec<u8>> = admitted.into_iter().collect();
    Ok(buckets.iter().filter(|bucket| !admitted.contains(bucket.key.as_slice())).copied().collect())
}

/// Reads the state of a bucket; `None` if it is full.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn read(connection: &mut Connection, key: &BucketKey) -> Result<Option<BucketState>, sqlx::Error> {
    sqlx::query_as!(BucketState, "select tat as arrival, failures from attempts where key = $1", key)
        .fetch_optional(connection)
        .await
}

/// Sets the arrival time of a bucket to an earlier one, if a clock that was ahead has stored a later one.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn clamp(
    connection: &mut Connection,
    key: &BucketKey,
    arrival: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update attempts set tat = least(tat, $2) where key = $1", key, arrival)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes the charge of an attempt back.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn refund(connection: &mut Connection, buckets: &[Bucket]) -> Result<(), sqlx::Error> {
    let keys: Vec<&[u8]> = buckets.iter().map(|bucket| bucket.key.as_slice()).collect();
    let steps = intervals(buckets.iter().map(|bucket| bucket.limit.interval()))?;
    sqlx::query!(
        "with charged as (select key from attempts where key = any($1) order by key for update)
         update attempts set tat = tat - step, failures = greatest(failures - 1, 0)
         from charged join unnest($1::bytea[], $2::interval[]) as given (key, step) using (key)
         where attempts.key = charged.key",
        &keys as &[&[u8]],
        &steps,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Fills a bucket, and forgets its failures.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn clear(connection: &mut Connection, key: &BucketKey) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from attempts where key = $1", key).execute(connection).await?;
    Ok(())
}

/// Forgets the failures of a bucket, and leaves the rest as it is.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn forget_failures(connection: &mut Connection, key: &BucketKey) -> Result<(), sqlx::Error> {
    sqlx::query!("update attempts set failures = 0 where key = $1 and failures > 0", key)
        .execute(connection)
        .await?;
    Ok(())
}

/// Fills every bucket of a user's account for these authenticators, and forgets their failures.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn clear_of_user(
    connection: &mut Connection,
    user_id: UserId,
    authenticators: &[Authenticator],
) -> Result<(), sqlx::Error> {
    let prefixes: Vec<i32> = authenticators.iter().flat_map(|one| one.key_prefixes()).collect();
    sqlx::query!(
        "delete from attempts where user_id = $1 and get_byte(key, 0) = any($2)",
        user_id as UserId,
        &prefixes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn intervals(durations: impl Iterator<Item = Duration>) -> Result<Vec<PgInterval>, sqlx::Error> {
    durations.map(PgInterval::try_from).collect::<Result<_, _>>().map_err(sqlx::Error::Encode)
}
