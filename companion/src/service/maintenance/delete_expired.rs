//! The deletion of expired rows, a batch at a time. Its time does not matter: an expired row is rejected in any case.

use crate::db::expired::{self, Expired};
use crate::db::{bans, outbox, revocations, sessions};
use crate::service::{Context, Error};

/// Number of rows that have not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Number of sessions; an estimate if there are more than 100,000.
    pub sessions: i64,
    /// Number of revocations.
    pub revocations: i64,
}

/// Deletes sessions, revocations, buckets of attempts, bans, links, pending logins and challenges that have expired, and
/// counts the sessions and revocations that have not.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn delete_expired(context: &Context) -> Result<Live, Error> {
    let now = context.now();
    // A connection for each batch, so that nobody waits for all of them.
    for expired in Expired::ALL {
        while expired::delete(&mut *context.connection().await?, expired, now).await? {}
    }
    let mut connection = context.connection().await?;
    outbox::delete_old(&mut connection, now).await?;
    bans::delete_expired(&mut connection, now).await?;
    Ok(Live {
        sessions: sessions::count_live(&mut connection, now).await?,
        revocations: revocations::count_live(&mut connection, now).await?,
    })
}
