//! Lifetimes of revocations, and the dates of tokens after one. The use cases that end a session or change a user
//! decide what is revoked.

use edgeward_wire::access_token::MAX_LIFETIME_S;
use edgeward_wire::clock::MAX_SKEW_S;
use time::{Duration, OffsetDateTime};

/// [`MAX_SKEW_S`] as a duration.
pub const MAX_SKEW: Duration = Duration::seconds(MAX_SKEW_S as i64);

/// [`MAX_LIFETIME_S`] as a duration: the maximum of `ACCESS_TTL_SECONDS`.
pub const MAX_ACCESS_TTL: Duration = Duration::seconds(MAX_LIFETIME_S as i64);

/// Returns the time at which every token issued by `now` has expired at every gateway, whose clocks may differ by
/// [`MAX_SKEW`]. A token may also be dated ahead of `now` by that and a second, see `db::revocations::revoke_user`.
#[must_use]
pub fn until(now: OffsetDateTime, access_ttl: Duration) -> OffsetDateTime {
    now + access_ttl + MAX_SKEW * 2 + Duration::SECOND
}

/// Returns the time until which the gateways reject all of a user's tokens issued by `now`.
///
/// It allows for [`MAX_ACCESS_TTL`], not for the configured lifetime: after `ACCESS_TTL_SECONDS` was lowered, earlier
/// tokens live on for the old time, and other companions may still run with the old setting. Such revocations are
/// rare, so this costs nothing. For a single session [`until`] takes the configured lifetime: logouts are so frequent
/// that the memory of the gateways would grow with the factor.
#[must_use]
pub fn user_until(now: OffsetDateTime) -> OffsetDateTime {
    until(now, MAX_ACCESS_TTL)
}

/// Returns the `iat` of a token issued at `now`, in seconds since 1970. The user's tokens are valid from `not_before`
/// on. As the times in tokens are whole seconds, that can be the next second.
#[must_use]
pub fn issued_at(now: OffsetDateTime, not_before: Option<OffsetDateTime>) -> i64 {
    not_before.map_or(now, |not_before| now.max(not_before)).unix_timestamp()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn token_is_never_dated_before_the_tokens_of_its_user_are_valid() {
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
