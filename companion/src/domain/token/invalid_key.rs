//! Faults of key files, and the limit of signing keys. `wire` has the limits of all keys.

use edgeward_wire::jwk::{EXPONENTS, MODULUS_BITS};
use thiserror::Error;

/// Maximum size of a signing key, in bits: with a larger one a token could exceed [`MAX_ISSUED_BYTES`].
///
/// [`MAX_ISSUED_BYTES`]: edgeward_wire::access_token::MAX_ISSUED_BYTES
pub const MAX_SIGNING_BITS: u32 = 3072;

/// Fault of a file that does not hold a usable RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidKey {
    /// The file is not PEM (RFC 7468).
    #[error("not a PEM file")]
    NotPem,
    /// The file is PEM with another label than the one that is wanted.
    #[error("a PEM file of another kind")]
    WrongLabel,
    /// The file is a certificate, which contains a public key but is none.
    #[error("a certificate and not a key; take its key out with: openssl x509 -pubkey -noout -in … -out …")]
    Certificate,
    /// The private key is encrypted with a password.
    #[error("encrypted with a password; decrypt it with: openssl pkey -in … -out …")]
    Encrypted,
    /// The key has this algorithm, which is not RSA.
    #[error("{0}; RSA is wanted: edgeward keys generate")]
    OtherAlgorithm(&'static str),
    /// The file has more than one key.
    #[error("has several keys; leave one")]
    SeveralKeys,
    /// The key is in the binary form, DER.
    #[error("binary (DER); convert it with: openssl pkey -inform DER -in … -out …")]
    Der,
    /// The text is UTF-16.
    #[error("UTF-16; save it as UTF-8")]
    Utf16,
    /// The key is not an RSA key, or damaged.
    #[error("not an RSA key, or a damaged one")]
    NotRsa,
    /// The size of the modulus is not in [`MODULUS_BITS`].
    #[error("not of {} to {} bits", MODULUS_BITS.start(), MODULUS_BITS.end())]
    WrongSize,
    /// The private key has more than [`MAX_SIGNING_BITS`].
    #[error("a key to sign with has at most {MAX_SIGNING_BITS} bits: tokens must stay below 1 KiB")]
    TooLargeToSign,
    /// The public exponent is even, or not in [`EXPONENTS`].
    #[error("its public exponent is not an odd number from {} to 2^32 - 1", EXPONENTS.start())]
    WrongExponent,
}
