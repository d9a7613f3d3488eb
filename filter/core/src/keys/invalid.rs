//! Faults of keys and key sets.

use edgeward_wire::access_token::ALGORITHM;
use edgeward_wire::jwk::{self, MAX_KEYS, MAX_KID_BYTES};
use thiserror::Error;

/// Fault of a JWK set (RFC 7517 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidKeySet {
    /// More than [`MAX_KEYS`] keys.
    #[error("the set has more than {MAX_KEYS} keys")]
    TooManyKeys,
    /// One of the keys is unusable.
    #[error("key {index} {fault}")]
    Key {
        /// Index of the key in the set, from 0.
        index: usize,
        /// Fault of the key.
        fault: InvalidKey,
    },
}

/// Fault of a key in a JWK set (RFC 7517 §4, RFC 7518 §6.3.1), in words that follow the key's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidKey {
    /// `kty` is not [`jwk::KEY_TYPE`].
    #[error("has a kty other than \"{}\"", jwk::KEY_TYPE)]
    KtyUnexpected,
    /// A private member of this name is present.
    #[error("has the private member {0}: replace the key, which was shown, and give its public half alone")]
    Private(&'static str),
    /// `use` is not [`jwk::USE`].
    #[error("has a use other than \"{}\"", jwk::USE)]
    UseUnexpected,
    /// `key_ops` is present without `verify`.
    #[error("has key_ops without \"verify\"")]
    KeyOpsUnexpected,
    /// `alg` is not [`ALGORITHM`].
    #[error("has an alg other than \"{ALGORITHM}\"")]
    AlgUnexpected,
    /// There is no `kid`, in a set of several keys.
    #[error("has no kid, which only the single key of a set may go without")]
    KidMissing,
    /// `kid` is empty.
    #[error("has an empty kid")]
    KidEmpty,
    /// `kid` is longer than [`MAX_KID_BYTES`].
    #[error("has a kid longer than {MAX_KID_BYTES} bytes")]
    KidTooLong,
    /// Another key of the set has the same `kid`.
    #[error("has the kid of another key")]
    KidRepeated,
    /// There is no `n`.
    #[error("has no n")]
    ModulusMissing,
    /// `n` is not base64url without padding of an odd number without leading zeros.
    #[error("has an n that is not base64url without padding of an RSA modulus")]
    ModulusMalformed,
    /// The size of `n` is not among [`MODULUS_BITS`](jwk::MODULUS_BITS).
    #[error("has an n of fewer than 2,048 or more than 8,192 bits")]
    ModulusSize,
    /// There is no `e`.
    #[error("has no e")]
    ExponentMissing,
    /// `e` is not base64url without padding of an odd number among [`jwk::EXPONENTS`], without leading zeros.
    #[error("has an e that is not an odd number from 65,537 to 2^32 - 1 in base64url")]
    ExponentUnfit,
}
