//! Public keys as RFC 7517 writes them, and the limits of keys. One key beyond them makes the filter reject a whole
//! set, so the companion publishes none.

use std::ops::RangeInclusive;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// `kty` of every key (RFC 7518 §6.3).
pub const KEY_TYPE: &str = "RSA";

/// `use` of every key (RFC 7517 §4.2).
pub const USE: &str = "sig";

/// Maximum number of keys in a set. Chosen: more than a rotation ever needs, and few enough to search one by one.
pub const MAX_KEYS: usize = 32;

/// Maximum length of a `kid`, in bytes. Chosen: a thumbprint (RFC 7638) has 43; other issuers use a UUID or a date.
pub const MAX_KID_BYTES: usize = 128;

/// Sizes of a modulus, in bits. RFC 7518 §3.3 requires at least 2,048; verification with more than 8,192 costs more
/// than it guards.
pub const MODULUS_BITS: RangeInclusive<u32> = 2048..=8192;

/// Values of a public exponent, which is odd besides. NIST FIPS 186-5 §5.1: small exponents have no margin. Greater
/// ones than these are unknown in practice.
pub const EXPONENTS: RangeInclusive<u64> = 65_537..=u32::MAX as u64;

/// Reads a public exponent from its big-endian bytes. Returns `None` for an even one and for one that is not among
/// [`EXPONENTS`].
#[must_use]
pub fn read_exponent(big_endian: &[u8]) -> Option<u64> {
    let value =
        big_endian.iter().try_fold(0_u64, |value, &byte| value.checked_mul(256)?.checked_add(byte.into()))?;
    (EXPONENTS.contains(&value) && value % 2 == 1).then_some(value)
}

/// JWK set (RFC 7517 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// Keys, in no particular order.
    pub keys: Vec<Jwk>,
}

/// Public RSA key (RFC 7517 §4, RFC 7518 §6.3.1). Members of other key types are ignored. Of private members, only
/// the names are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// Key type: [`KEY_TYPE`] for keys of the companion.
    pub kty: String,
    /// Key ID: the RFC 7638 thumbprint for keys of the companion. At most [`MAX_KID_BYTES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Algorithm: [`ALGORITHM`](crate::access_token::ALGORITHM) for keys of the companion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Intended use: [`USE`] for keys of the companion.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
    /// Intended operations (RFC 7517 §4.3); absent for keys of the companion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    /// Modulus, of [`MODULUS_BITS`]: big-endian, base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Public exponent, of [`EXPONENTS`]: big-endian, base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Private members that are present. A public key has none.
    #[serde(flatten, skip_serializing)]
    pub private: PrivateMembers,
}

/// Presence of the private members of an RSA key (RFC 7518 §6.3.2). Any of them gives the private key away: the rest
/// can be computed from one prime, or from one exponent of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PrivateMembers {
    d: Option<Present>,
    p: Option<Present>,
    q: Option<Present>,
    dp: Option<Present>,
    dq: Option<Present>,
    qi: Option<Present>,
    oth: Option<Present>,
}

impl PrivateMembers {
    /// Names of all private members.
    pub const NAMES: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

    /// Returns the name of the first that is present.
    #[must_use]
    pub fn first(&self) -> Option<&'static str> {
        let members = [self.d, self.p, self.q, self.dp, self.dq, self.qi, self.oth];
        Self::NAMES.into_iter().zip(members).find_map(|(name, member)| member.map(|Present| name))
    }
}

/// Member whose value is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponent_is_odd_and_neither_small_nor_longer_than_four_bytes() {
        for (bytes, expected) in [
            (&[1, 0, 1][..], Some(65_537)),
            (&[0, 1, 0, 1], Some(65_537)),
            (&[255, 255, 255, 255], Some(u32::MAX.into())),
            (&[], None),
            (&[3], None),
            (&[1, 0, 0], None),
            (&[1, 0, 2], None),
            (&[1, 0, 0, 0, 1], None),
            (&[255; 9], None),
        ] {
            assert_eq!(read_exponent(bytes), expected, "{bytes:?}");
        }
    }
}
