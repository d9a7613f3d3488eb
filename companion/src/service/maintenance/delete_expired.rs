//! The deletion of expired rows, a batch at a time. Its time does not matter: an expired row is rejected in any case.

use crate::db::{revocations, sessions};
use crate::service::{Context, Error};

/// Deletes sessions and revocations that have expired, and returns the number of revocations that have not.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn delete_expired(context: &Context) -> Result<i64, Error> {
    let (db, now) = (&context.db, context.now());
    // A connection for each batch, so that nobody waits for all of them.
    while sessions::delete_expired(&mut *db.acquire().await?, now).await? {}
    while revocations::delete_expired(&mut *db.acquire().await?, now).await? {}
    Ok(revocations::count_live(&mut *db.acquire().await?, now).await?)
}
