//! Rotation of the signing key: announced → signing → retired → gone. [`plan`] decides for every store of keys; `keys::rotation`
//! carries the plan out in a folder, `service::keys` in the database.

use aws_lc_rs::rsa::KeySize;
use edgeward_wire::edge_feed::DEFAULT_MAX_STALENESS_S;
use edgeward_wire::jwk::MAX_KEYS;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::key_set::MAX_CACHE_AGE_S;
use crate::domain::edge::revocation::{MAX_ACCESS_TTL, MAX_SKEW};
use crate::domain::time::format_seconds;

/// Time for which a key is announced before it signs. Chosen: twice the default of the filter's
/// `max_staleness_seconds`, for which a gateway may use an old feed, and longer than
/// [`MAX_CACHE_AGE_S`].
pub const ANNOUNCED_FOR: Duration = Duration::seconds(2 * DEFAULT_MAX_STALENESS_S as i64);
const _: () = assert!(ANNOUNCED_FOR.whole_seconds() > MAX_CACHE_AGE_S);
/// Time for which a key is accepted after it signed: the lifetime of its last token, by any clock. Chosen besides: five
/// minutes in which a companion may not have read the new keys yet.
pub const RETIRED_FOR: Duration =
    MAX_ACCESS_TTL.saturating_add(MAX_SKEW).saturating_add(Duration::minutes(5));

/// Phase of a key that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It signs.
    Signing,
    /// It is announced, and signs after the next rotation.
    Announced,
    /// It signed, and is still accepted.
    Retired,
}

/// State of a key in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Phase.
    pub phase: Phase,
    /// Time at which the phase began.
    pub since: OffsetDateTime,
    /// Key ID (`kid`).
    pub kid: String,
    /// Size of the modulus, in bits.
    pub bits: u32,
}

/// Changes of a rotation, besides the key that it announces. Each key is given by its ID (`kid`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Keys that are no longer accepted.
    pub gone: Vec<String>,
    /// Key that signed until now, and is still accepted; `None` if the signing key stays.
    pub retired: Option<String>,
    /// Key that signs.
    pub signing: String,
    /// Size of the key to announce.
    pub size: KeySize,
}

/// Rotation that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Plan of it.
    pub plan: Plan,
    /// ID of the key that signs after the next rotation.
    pub announced: String,
}

/// Reason for not rotating.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RotationRejection {
    /// There is no key to follow.
    #[error("there is no signing key; run: edgeward keys generate")]
    NoSigningKey,
    /// Some gateways may not know the next key yet.
    #[error(
        "the key {kid} was announced at {} and may sign {} minutes later, when every gateway knows it; with --force it \
         signs now, and gateways that do not know it reject its tokens",
        format_seconds(*announced_at),
        ANNOUNCED_FOR.whole_minutes()
    )]
    TooSoon {
        /// ID of the announced key.
        kid: String,
        /// Time at which it was announced.
        announced_at: OffsetDateTime,
    },
    /// There would be more keys than the filter accepts.
    #[error(
        "there are {MAX_KEYS} keys, and gateways accept no more; rotate when the oldest retired one has expired"
    )]
    TooMany,
}

/// Plans a rotation: the announced key signs, the signing one retires, and retired keys go whose last token has expired.
/// If no key is announced, the signing key stays. With `force` the announced key signs even if some gateways may not know
/// it yet.
///
/// # Errors
/// [`RotationRejection::NoSigningKey`] if no key signs, [`RotationRejection::TooSoon`] without `force` until
/// [`ANNOUNCED_FOR`] has passed, [`RotationRejection::TooMany`] if [`MAX_KEYS`] would be exceeded.
pub fn plan(keys: &[KeyState], now: OffsetDateTime, force: bool) -> Result<Plan, RotationRejection> {
    let of_phase = |phase| keys.iter().filter(move |key| key.phase == phase);
    let signing = of_phase(Phase::Signing).next().ok_or(RotationRejection::NoSigningKey)?;
    let gone: Vec<String> = keys.iter().filter(|key| key.is_gone(now)).map(|key| key.kid.clone()).collect();
    let size = if signing.bits > 2048 { KeySize::Rsa3072 } else { KeySize::Rsa2048 };
    // The same key in both places is left of an interrupted rotation of a folder.
    let Some(next) = of_phase(Phase::Announced).find(|next| next.kid != signing.kid) else {
        return Ok(Plan { gone, retired: None, signing: signing.kid.clone(), size });
    };
    if !force && next.since + ANNOUNCED_FOR > now {
        return Err(RotationRejection::TooSoon { kid: next.kid.clone(), announced_at: next.since });
    }
    // The rotation adds one.
    if keys.len() - gone.len() >= MAX_KEYS {
        return Err(RotationRejection::TooMany);
    }
    Ok(Plan { gone, retired: Some(signing.kid.clone()), signing: next.kid.clone(), size })
}

impl Phase {
    /// Parses the name of a phase.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Signing, Self::Announced, Self::Retired].into_iter().find(|phase| phase.as_str() == name)
    }

    /// Returns the name of the phase, in lists and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Announced => "announced",
            Self::Retired => "retired",
        }
    }
}

impl KeyState {
    /// Returns `true` if the key is retired and the last token that it signed has expired.
    #[must_use]
    pub fn is_gone(&self, now: OffsetDateTime) -> bool {
        self.phase == Phase::Retired && self.since + RETIRED_FOR <= now
    }
}

#[cfg(test)]
mod tests;
