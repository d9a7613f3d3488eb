//! Public keys as RFC 7517 writes them.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// A JWK set (RFC 7517 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys, in no particular order.
    pub keys: Vec<Jwk>,
}

/// One public RSA key (RFC 7517 §4, RFC 7518 §6.3.1). Members of other key types are not kept; of the private members
/// of this one only which are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The key's type, `RSA` for every key of ours.
    pub kty: String,
    /// The key's name: its RFC 7638 thumbprint for every key of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The algorithm it is for, `RS256` for every key of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// What it is for, `sig` for every key of ours.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
    /// The operations that it is for (RFC 7517 §4.3); absent for every key of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    /// The modulus: big-endian, base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The public exponent: big-endian, base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// The private members that are there. A public key has none.
    #[serde(flatten, skip_serializing)]
    pub private: PrivateMembers,
}

/// Private members of an RSA key (RFC 7518 §6.3.2) that are there. Any of them gives the private key away: from one
/// prime or one exponent of the others the rest can be computed.
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
    /// The names of all of them.
    pub const NAMES: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

    /// The name of the first that is there.
    #[must_use]
    pub fn first(&self) -> Option<&'static str> {
        let members = [self.d, self.p, self.q, self.dp, self.dq, self.qi, self.oth];
        Self::NAMES.into_iter().zip(members).find_map(|(name, member)| member.map(|Present| name))
    }
}

/// A member whose value is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
