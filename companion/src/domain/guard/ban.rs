//! Bans: networks whose attempts the gateway refuses itself.

use time::{Duration, OffsetDateTime};

use super::{Limit, Refusal};
use crate::domain::network::Network;

/// Number of refusals in a row after which the network is banned. Chosen: people give up earlier, programs do not.
const REFUSALS: u32 = 20;
/// Maximum length of a ban. Chosen: neighbours behind the same address are refused too.
const MAX_LENGTH: Duration = Duration::minutes(10);
/// Number of made-up refresh tokens of a client. Chosen: a client has one, and repeats it for every request of a page;
/// an office whose tokens were signed with a removed secret has many.
const MADE_UP_TOKENS: Limit = Limit::new(240, Duration::MINUTE);

/// Requests that a ban refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Logins and registrations.
    Credentials,
    /// Requests that the gateway would hold for a refresh.
    Refresh,
}

/// Ban of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Network.
    pub network: Network,
    /// Requests that are refused.
    pub door: Door,
    /// End.
    pub until: OffsetDateTime,
}

impl Door {
    /// Every door.
    pub const ALL: [Self; 2] = [Self::Credentials, Self::Refresh];

    /// Returns the value of `bans.door`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Refresh => "refresh",
        }
    }
}

impl Ban {
    /// Bans the network of a bucket with its 20th refusal in a row, until the bucket is full again or for ten minutes.
    /// An attempt that is admitted in between ends the row.
    #[must_use]
    pub fn for_refusals(refusal: &Refusal, in_a_row: u32, now: OffsetDateTime) -> Option<Self> {
        let network = refusal.bucket.network.filter(|_| in_a_row == REFUSALS)?;
        Some(Self { network, door: Door::Credentials, until: refusal.full_at.min(now + MAX_LENGTH) })
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
        let ban = Self { network, door: Door::Refresh, until: arrival };
        MADE_UP_TOKENS.charge(arrival, now).ok_or(ban)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guard::{Bucket, BucketState, Kind};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn refusal(network: Option<Network>, period: Duration) -> Refusal {
        let bucket = Bucket { kind: Kind::Address, key: [0; 17], limit: Limit::new(10, period), network };
        Refusal::new(bucket, BucketState { arrival: NOW + period, failures: 0 }, NOW)
    }

    fn network() -> Network {
        Network::of_client("203.0.113.7".parse().unwrap())
    }

    #[test]
    fn network_is_banned_with_the_twentieth_refusal_in_a_row() {
        for (period, length) in [(Duration::MINUTE, Duration::MINUTE), (Duration::DAY, MAX_LENGTH)] {
            let refusal = refusal(Some(network()), period);
            let bans: Vec<_> = (1..100).filter_map(|count| Ban::for_refusals(&refusal, count, NOW)).collect();
            assert_eq!(bans, [Ban { network: network(), door: Door::Credentials, until: NOW + length }]);
        }
        assert!(
            (1..100).all(|count| Ban::for_refusals(&refusal(None, Duration::MINUTE), count, NOW).is_none())
        );
    }

    #[test]
    fn client_with_too_many_made_up_tokens_is_banned_for_a_minute() {
        let mut arrival = NOW;
        for _ in 0..MADE_UP_TOKENS.burst() {
            arrival = Ban::charge_made_up_token(network(), arrival, NOW).unwrap();
        }
        let ban = Ban { network: network(), door: Door::Refresh, until: NOW + Duration::MINUTE };
        assert_eq!(Ban::charge_made_up_token(network(), arrival, NOW), Err(ban));
    }
}
