//! One RSA key, private or public: how it is made, read, written and named. Which keys are in use is in `key_set`.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::ALGORITHM;
use edgeward_wire::jwk::{self, Jwk, MODULUS_BITS};
use jsonwebtoken::DecodingKey;
use pem_rfc7468::LineEnding;
use secrecy::SecretString;

use super::jws::SigningError;
use super::pem;

/// Maximum size of a signing key, in bits: with a larger one a token could exceed [`MAX_ISSUED_BYTES`].
///
/// [`MAX_ISSUED_BYTES`]: edgeward_wire::access_token::MAX_ISSUED_BYTES
const MAX_SIGNING_BITS: u32 = 3072;

/// A public key and the name that it is found by.
#[derive(Clone)]
pub struct PublicKey {
    pub(super) jwk: Jwk,
    kid: String,
    pub(super) verifying: DecodingKey,
    spki: Vec<u8>,
    bits: u32,
}

/// A private key. It has no `Debug`.
pub struct PrivateKey {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    public: PublicKey,
}

/// Why a file's content is not a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// Not PEM (RFC 7468).
    NotPem,
    /// PEM of something else than what is wanted here.
    WrongLabel,
    /// A certificate, which has a public key in it but is none.
    Certificate,
    /// A private key that a password is needed for.
    Encrypted,
    /// A key of this kind, which is not RSA.
    OtherAlgorithm(&'static str),
    /// More than one key.
    SeveralKeys,
    /// A key in the binary form, DER.
    Der,
    /// Text in UTF-16.
    Utf16,
    /// Not an RSA key, or a damaged one.
    NotRsa,
    /// Smaller than 2,048 or larger than 8,192 bits.
    WrongSize,
    /// A private key of more than 3,072 bits.
    TooLargeToSign,
    /// Its public exponent is not an odd number from 65,537 to 2^32 - 1.
    WrongExponent,
}

impl PrivateKey {
    /// Makes a new key. Takes about 0.1 s for 2,048 bits; `None` if it fails.
    #[must_use]
    pub fn generate(size: KeySize) -> Option<Self> {
        let pair = KeyPair::generate(size).ok()?;
        Self::from_pkcs8(AsDer::as_der(&pair).ok()?.as_ref()).ok()
    }

    /// Reads PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidKey> {
        let (label, der) = pem::find(pem, &["PRIVATE KEY", "RSA PRIVATE KEY"])?;
        if label == "PRIVATE KEY" {
            return Self::from_pkcs8(&der);
        }
        let pair = KeyPair::from_der(&der).map_err(|_| InvalidKey::NotRsa)?;
        Self::from_pkcs8(AsDer::as_der(&pair).map_err(|_| InvalidKey::NotRsa)?.as_ref())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, InvalidKey> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| pem::judge_key(der))?;
        let public = PublicKey::new(pair.public_key())?;
        if public.bits > MAX_SIGNING_BITS {
            return Err(InvalidKey::TooLargeToSign);
        }
        Ok(Self { pair, pkcs8: der.to_vec(), public })
    }

    /// The key as PKCS#8 PEM; `None` only if it is too large to be written.
    #[must_use]
    pub fn to_pem(&self) -> Option<SecretString> {
        pem_rfc7468::encode_string("PRIVATE KEY", LineEnding::LF, &self.pkcs8).ok().map(SecretString::from)
    }

    /// An RS256 signature (RFC 7518 §3.3). Takes some 0.3 ms for 2,048 bits. The key is parsed once and kept:
    /// jsonwebtoken parses and checks it for every signature, which takes five times as long as signing.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SigningError)?;
        Ok(signature)
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl PublicKey {
    fn new(key: &RsaPublicKey) -> Result<Self, InvalidKey> {
        let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let (modulus, exponent) = (key.modulus(), key.exponent());
        let (n_bytes, e_bytes) =
            (modulus.big_endian_without_leading_zero(), exponent.big_endian_without_leading_zero());
        let leading_zeros = n_bytes.first().map_or(0, |byte| byte.leading_zeros());
        let bits = u32::try_from(n_bytes.len() * 8).ok().map(|bits| bits - leading_zeros);
        let bits = bits.filter(|bits| MODULUS_BITS.contains(bits)).ok_or(InvalidKey::WrongSize)?;
        jwk::read_exponent(e_bytes).ok_or(InvalidKey::WrongExponent)?;
        let (n, e) = (encode(n_bytes), encode(e_bytes));
        // RFC 7638 §3.2: these members, in this order, without white space.
        let thumbprint = digest(&SHA256, format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes());
        let kid = encode(thumbprint.as_ref());
        let verifying = DecodingKey::from_rsa_components(&n, &e).map_err(|_| InvalidKey::NotRsa)?;
        let jwk = Jwk {
            kty: jwk::KEY_TYPE.to_owned(),
            kid: Some(kid.clone()),
            alg: Some(ALGORITHM.to_owned()),
            use_: Some(jwk::USE.to_owned()),
            n: Some(n),
            e: Some(e),
            ..Jwk::default()
        };
        let spki = AsDer::as_der(key).map_err(|_| InvalidKey::NotRsa)?.as_ref().to_vec();
        Ok(Self { jwk, kid, verifying, spki, bits })
    }

    /// Reads `SubjectPublicKeyInfo` (`PUBLIC KEY`) or PKCS#1 (`RSA PUBLIC KEY`).
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidKey> {
        let (_, der) = pem::find(pem, &["PUBLIC KEY", "RSA PUBLIC KEY"])?;
        Self::new(&RsaPublicKey::from_der(&der).map_err(|_| pem::judge_key(&der))?)
    }

    /// The key as PEM; `None` only if it is too large to be written.
    #[must_use]
    pub fn to_pem(&self) -> Option<String> {
        pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &self.spki).ok()
    }

    /// Its name: the RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its size.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPem => "not a PEM file",
            Self::Certificate => {
                "a certificate and not a key; take its key out with: openssl x509 -pubkey -noout -in … -out …"
            }
            Self::Encrypted => "encrypted with a password; decrypt it with: openssl pkey -in … -out …",
            Self::OtherAlgorithm(name) => return write!(f, "{name}; RSA is wanted: edgeward keys generate"),
            Self::SeveralKeys => "has several keys; leave one",
            Self::Der => "binary (DER); convert it with: openssl pkey -inform DER -in … -out …",
            Self::Utf16 => "UTF-16; save it as UTF-8",
            Self::WrongLabel => "a PEM file of another kind",
            Self::NotRsa => "not an RSA key, or a damaged one",
            Self::WrongSize => "not of 2048 to 8192 bits",
            Self::TooLargeToSign => "a key to sign with has at most 3072 bits: tokens must stay below 1 KiB",
            Self::WrongExponent => "its public exponent is not an odd number from 65537 to 2^32 - 1",
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_name_of_a_key_is_its_rfc_7638_thumbprint() {
        // RFC 7638 §3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let modulus = URL_SAFE_NO_PAD.decode(n).unwrap();
        let mut pkcs1 = vec![0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
        pkcs1.extend_from_slice(&modulus);
        pkcs1.extend_from_slice(&[0x02, 0x03, 0x01, 0x00, 0x01]);
        let key = PublicKey::new(&RsaPublicKey::from_der(&pkcs1).unwrap()).unwrap();
        assert_eq!(key.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(key.bits(), 2048);
    }

    #[test]
    fn a_key_that_the_edge_would_refuse_is_refused() {
        let check = |bits: usize, exponent: &[u8], expected| {
            let length = |bytes: &[u8]| match u8::try_from(bytes.len()) {
                Ok(short @ ..0x80) => vec![short],
                _ => [&[0x82][..], &u16::try_from(bytes.len()).unwrap().to_be_bytes()].concat(),
            };
            let number = |bytes: &[u8]| [&[0x02], &length(bytes)[..], bytes].concat();
            let numbers = [number(&[vec![0], vec![0xff; bits / 8]].concat()), number(exponent)].concat();
            let der = [&[0x30], &length(&numbers)[..], &numbers].concat();
            let pem = pem_rfc7468::encode_string("RSA PUBLIC KEY", LineEnding::LF, &der).unwrap();
            assert_eq!(PublicKey::from_pem(pem.as_bytes()).err(), expected, "{bits} {exponent:?}");
        };
        check(2048, &[1, 0, 1], None);
        check(8192, &[1, 0, 1], None);
        check(8200, &[1, 0, 1], Some(InvalidKey::WrongSize));
        check(2048, &[3], Some(InvalidKey::WrongExponent));
        check(2048, &[1, 0, 0, 0, 1], Some(InvalidKey::WrongExponent));
        assert!(PrivateKey::generate(KeySize::Rsa4096).is_none());
    }

    #[test]
    fn a_key_survives_being_written_and_read_in_either_form() {
        let key = PrivateKey::generate(KeySize::Rsa2048).unwrap();
        let pem = key.to_pem().unwrap();
        let again = PrivateKey::from_pem(pem.expose_secret().as_bytes()).unwrap();
        assert_eq!(again.public().kid(), key.public().kid());
        let public = PublicKey::from_pem(key.public().to_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(public.kid(), key.public().kid());

        // PKCS#8 wraps PKCS#1 in a version, an algorithm and a length: 26 bytes for a key of this size.
        let pem = pem_rfc7468::encode_string("RSA PRIVATE KEY", LineEnding::LF, &key.pkcs8[26..]).unwrap();
        assert_eq!(PrivateKey::from_pem(pem.as_bytes()).unwrap().public().kid(), key.public().kid());
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let check =
            |pem: &str, expected| assert_eq!(PrivateKey::from_pem(pem.as_bytes()).err(), Some(expected));
        check("", InvalidKey::NotPem);
        check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", InvalidKey::Certificate);
        check("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", InvalidKey::NotRsa);
        let public = PrivateKey::generate(KeySize::Rsa2048).unwrap().public().to_pem().unwrap();
        check(&public, InvalidKey::WrongLabel);
    }

    #[test]
    fn key_is_found_in_a_file_as_tools_write_it() {
        let key = PrivateKey::generate(KeySize::Rsa2048).unwrap();
        let (private, public) = (key.to_pem().unwrap(), key.public().to_pem().unwrap());
        let private = private.expose_secret();
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let bags = "Bag Attributes\n    friendlyName: \u{fc}\nKey Attributes: <No Attributes>\n";
        let on_one_line = private.replace("KEY-----\n", "KEY-----|").replace('\n', "").replace('|', "\n");
        for file in [
            format!("\u{feff}{private}"),
            private.replace('\n', "\r\n"),
            format!("{bags}{private}{certificate}"),
            format!("{certificate}{public}{private}Private-Key: (2048 bit)\nmodulus:\n    00:b2\n"),
            private.replace('\n', "\n  "),
            on_one_line.replace("-----END", "\n-----END"),
        ] {
            let found = PrivateKey::from_pem(file.as_bytes()).map(|found| found.public().kid().to_owned());
            assert_eq!(found.as_deref(), Ok(key.public().kid()), "{file}");
        }
        let both = format!("{private}{public}");
        assert_eq!(PublicKey::from_pem(both.as_bytes()).unwrap().kid(), key.public().kid());
        let check = |file: &[u8], expected| assert_eq!(PrivateKey::from_pem(file).err(), Some(expected));
        check(format!("{private}{private}").as_bytes(), InvalidKey::SeveralKeys);
        check(&key.pkcs8, InvalidKey::Der);
        check(private.replace("-----END", "").as_bytes(), InvalidKey::NotPem);
        check(b"\xff\xfe-\0", InvalidKey::Utf16);
        let headers = "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
        check(private.replacen("KEY-----\n", headers, 1).as_bytes(), InvalidKey::Encrypted);
        check(private.replace("PRIVATE", "ENCRYPTED PRIVATE").as_bytes(), InvalidKey::Encrypted);
        check(private.replace("PRIVATE", "EC PRIVATE").as_bytes(), InvalidKey::OtherAlgorithm("an EC key"));
        // RFC 8410 §10.3.
        let ed25519 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let ed25519 = format!("-----BEGIN PRIVATE KEY-----\n{ed25519}\n-----END PRIVATE KEY-----\n");
        check(ed25519.as_bytes(), InvalidKey::OtherAlgorithm("an Ed25519 key"));
    }
}
