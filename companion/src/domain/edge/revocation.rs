//! How long a revocation matters, and how a user's new tokens are told from the revoked ones. What is revoked when is
//! decided by whoever ends a session or changes a user.

use edgeward_wire::access_token::MAX_LIFETIME_S;
use edgeward_wire::clock::MAX_SKEW_S;
use time::{Duration, OffsetDateTime};

/// [`MAX_SKEW_S`] as a duration.
pub const MAX_SKEW: Duration = Duration::seconds(MAX_SKEW_S as i64);

/// [`MAX_LIFETIME_S`] as a duration: the maximum of `ACCESS_TTL_SECONDS`.
pub const MAX_ACCESS_TTL: Duration = Duration::seconds(MAX_LIFETIME_S as i64);

/// When the last of the tokens made until now has expired everywhere, the edge's allowance for clocks included. A
/// token may be dated ahead of now by as much and a second, see `db::revocations::revoke_user`.
#[must_use]
pub fn until(now: OffsetDateTime, access_ttl: Duration) -> OffsetDateTime {
    now + access_ttl + MAX_SKEW * 2 + Duration::SECOND
}

/// Until when the tokens of a whole user are refused that were made until now, by whatever door they are ended.
///
/// By the greatest lifetime there may be and not the configured one: after `ACCESS_TTL_SECONDS` was lowered, tokens
/// from before live on for the old time, and other companions may still run with the old setting. Such revocations are
/// rare, so it costs nothing. Of a single session it is the configured one, [`until`]: logouts are so many that what
/// the edge keeps in memory would grow with the factor.
#[must_use]
pub fn user_until(now: OffsetDateTime) -> OffsetDateTime {
    until(now, MAX_ACCESS_TTL)
}

/// The `iat` of a token made now for a user whose tokens count from `not_before` on: as the times in tokens are whole
/// seconds, that can be the second to come.
#[must_use]
pub fn issued_at(now: OffsetDateTime, not_before: Option<OffsetDateTime>) -> i64 {
    not_before.map_or(now, |not_before| now.max(not_before)).unix_timestamp()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_token_is_never_dated_before_its_users_tokens_count() {
        let now = datetime!(2030-01-01 00:00:07.9 UTC);
        let check = |not_before: Option<OffsetDateTime>, expected: OffsetDateTime| {
            assert_eq!(issued_at(now, not_before), expected.unix_timestamp(), "{not_before:?}");
        };
        check(None, datetime!(2030-01-01 00:00:07 UTC));
        check(Some(datetime!(2030-01-01 00:00:07 UTC)), datetime!(2030-01-01 00:00:07 UTC));
        check(Some(datetime!(2030-01-01 00:00:08 UTC)), datetime!(2030-01-01 00:00:08 UTC));
        check(Some(datetime!(2029-12-31 00:00:00 UTC)), datetime!(2030-01-01 00:00:07 UTC));
    }
}
