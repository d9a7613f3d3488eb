//! Public keys as RFC 7517 writes them.

use serde::{Deserialize, Serialize};

/// A JWK set (RFC 7517 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys, in no particular order.
    pub keys: Vec<Jwk>,
}

/// One public RSA key (RFC 7517 §4, RFC 7518 §6.3.1). Members of other key types are not kept.
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
    /// The modulus: big-endian, base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The public exponent: big-endian, base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}
