//! SQL that deletes expired rows, a batch at a time.

use time::OffsetDateTime;

use crate::db::connection::Connection;

/// Maximum number of rows that one statement deletes. Chosen: its locks are short.
const BATCH: i64 = 1000;

/// Rows that expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Sessions, which need no revocation any more.
    Sessions,
    /// Revocations.
    Revocations,
    /// Buckets of attempts that are full and have no failures.
    FullBuckets,
    /// Failures of accounts that do not exist, a day after the last attempt: anybody could fill the table with them. Those of a user
    /// are kept until they are cleared.
    FailuresOfNobody,
    /// Links and codes of mails.
    OneTimeTokens,
    /// Logins that wait for a factor.
    PendingLogins,
    /// Challenges of factors.
    Challenges,
}

impl Expired {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Sessions,
        Self::Revocations,
        Self::FullBuckets,
        Self::FailuresOfNobody,
        Self::OneTimeTokens,
        Self::PendingLogins,
        Self::Challenges,
    ];
}

/// Deletes at most 1,000 rows that have expired at `now`. Returns `true` if there may be more.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete(
    connection: &mut Connection,
    expired: Expired,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    // The array is computed once, before the deletion. `skip locked`: rows that another service is deleting stay with it, and any
    // other locked row is deleted later.
    macro_rules! delete {
        ($table:literal, $key:literal, $chosen:literal) => {
            sqlx::query!(
                "delete from "
                    + $table
                    + " where "
                    + $key
                    + " = any(array(select "
                    + $key
                    + " from "
                    + $table
                    + " where "
                    + $chosen
                    + " limit $2 for update skip locked))",
                now,
                BATCH,
            )
        };
    }
    let done = match expired {
        Expired::Sessions => delete!("refresh_tokens", "id", "expires_at <= $1 order by expires_at"),
        Expired::Revocations => delete!("revocations", "id", "expires_at <= $1 order by expires_at"),
        Expired::FullBuckets => delete!("attempts", "key", "failures = 0 and tat <= $1"),
        Expired::FailuresOfNobody => {
            delete!(
                "attempts",
                "key",
                "failures > 0 and user_id is null and tat <= $1::timestamptz - interval '24 hours'"
            )
        }
        Expired::OneTimeTokens => delete!("one_time_tokens", "id", "expires_at <= $1 order by expires_at"),
        Expired::PendingLogins => {
            delete!("pending_logins", "token_hash", "expires_at <= $1 order by expires_at")
        }
        Expired::Challenges => {
            delete!("factor_challenges", "token_hash", "expires_at <= $1 order by expires_at")
        }
    };
    Ok(done.execute(connection).await?.rows_affected() == BATCH.unsigned_abs())
}
