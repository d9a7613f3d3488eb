//! Bans: networks whose attempts the gateway rejects itself.

use edgeward_wire::{BanScope, Network};
use time::{Duration, OffsetDateTime};

use super::limit::MAX_CLOCK_GAP;
use super::{AttemptRejection, Limit};

/// Number of rejections in a row after which the network is banned. Chosen: people give up earlier, programs do not.
const REJECTIONS: u32 = 20;
/// Maximum length of a ban. Chosen: neighbours behind the same address are rejected too.
const MAX_LENGTH: Duration = Duration::minutes(10);
/// Number of made-up refresh tokens of a client. Chosen: an office whose tokens were signed with a removed secret has many.
const MADE_UP_TOKENS: Limit = Limit::new(240, Duration::MINUTE);

/// Ban of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Network.
    pub network: Network,
    /// Requests that are rejected.
    pub scope: BanScope,
    /// End.
    pub until: OffsetDateTime,
}

impl Ban {
    /// Bans the network of a bucket with its 20th rejection in a row, until the bucket is full again or for ten minutes. If it
    /// is not banned until `banned_until`, the 40th tries again, and so on. An attempt that is admitted in between ends the row.
    #[must_use]
    pub fn for_rejections(
        rejection: &AttemptRejection,
        in_a_row: u32,
        banned_until: Option<OffsetDateTime>,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let is_banned = banned_until.is_some_and(|until| now < until && until <= Self::latest_end(now));
        let is_due = in_a_row > 0 && in_a_row.is_multiple_of(REJECTIONS) && !is_banned;
        let network = rejection.bucket.network.filter(|_| is_due)?;
        Some(Self { network, scope: BanScope::Credentials, until: rejection.full_at.min(now + MAX_LENGTH) })
    }

    /// Charges a made-up refresh token to a client. Returns the next arrival time of its bucket, or the ban.
    ///
    /// # Errors
    /// [`Ban`] if there were too many, until the bucket is full again.
    pub fn charge_made_up_token(
        network: Network,
        arrival: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, Self> {
        let charged = MADE_UP_TOKENS.charge(arrival, now);
        charged.map_err(|until| Self { network, scope: BanScope::Refresh, until })
    }

    /// Returns the latest end of a ban at `now`. One that ends later is of a clock that was ahead, and does not count.
    #[must_use]
    pub fn latest_end(now: OffsetDateTime) -> OffsetDateTime {
        now + MAX_LENGTH + MAX_CLOCK_GAP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guard::{Bucket, BucketState, Kind};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn rejection(network: Option<Network>, period: Duration) -> AttemptRejection {
        let bucket = Bucket { kind: Kind::Address, key: [0; 17], limit: Limit::new(10, period), network };
        AttemptRejection::new(bucket, BucketState { arrival: NOW + period, failures: 0 }, NOW)
    }

    fn network() -> Network {
        Network::of("203.0.113.7".parse().unwrap(), 32)
    }

    #[test]
    fn network_is_banned_with_the_twentieth_rejection_in_a_row() {
        for (period, length) in [(Duration::MINUTE, Duration::MINUTE), (Duration::DAY, MAX_LENGTH)] {
            let rejection = rejection(Some(network()), period);
            let bans: Vec<_> =
                (0..40).filter_map(|count| Ban::for_rejections(&rejection, count, None, NOW)).collect();
            assert_eq!(bans, [Ban { network: network(), scope: BanScope::Credentials, until: NOW + length }]);
        }
        let rejection = rejection(None, Duration::MINUTE);
        assert!((0..100).all(|count| Ban::for_rejections(&rejection, count, None, NOW).is_none()));
    }

    #[test]
    fn ban_is_tried_at_every_twentieth_rejection_while_there_is_none() {
        let rejection = rejection(Some(network()), Duration::DAY);
        for (banned_until, expected) in [
            (None, &[20, 40, 60][..]),
            (Some(NOW), &[20, 40, 60]),
            (Some(NOW + Duration::SECOND), &[]),
            (Some(NOW + MAX_LENGTH), &[]),
            // Set by a clock that was ahead.
            (Some(NOW + Duration::DAY), &[20, 40, 60]),
        ] {
            let is_tried = |count: &u32| Ban::for_rejections(&rejection, *count, banned_until, NOW).is_some();
            assert_eq!((0..80).filter(is_tried).collect::<Vec<_>>(), expected, "{banned_until:?}");
        }
    }

    #[test]
    fn client_with_too_many_made_up_tokens_is_banned_for_a_minute() {
        let mut arrival = NOW;
        for _ in 0..MADE_UP_TOKENS.burst() {
            arrival = Ban::charge_made_up_token(network(), arrival, NOW).unwrap();
        }
        let ban = Ban { network: network(), scope: BanScope::Refresh, until: NOW + Duration::MINUTE };
        assert_eq!(Ban::charge_made_up_token(network(), arrival, NOW), Err(ban));
        let of_a_clock_that_was_ahead = NOW + Duration::weeks(52);
        assert_eq!(Ban::charge_made_up_token(network(), of_a_clock_that_was_ahead, NOW), Err(ban));
    }
}
