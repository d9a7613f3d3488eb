//! Token mint: signing keys, valid tokens, and tokens with every kind of defect, as data. It signs any input.

mod claims;
mod encodings;
mod headers;
mod published;
mod signatures;
mod weak;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub use claims::{good_payloads, payload, payload_with};

/// Issuer and audience of a good token.
pub const NAME: &str = "edgeward";

/// Signing key with its name.
pub struct Key {
    pair: KeyPair,
    /// Name in the key set.
    pub kid: String,
}

/// Token that must be rejected.
pub struct Bad {
    /// Defect of the token.
    pub name: String,
    /// Token.
    pub token: String,
    /// Label of its rejection.
    pub label: &'static str,
}

impl Bad {
    /// `true` if the token is rejected only for a time shortly after `now`, and becomes good then.
    #[must_use]
    pub fn becomes_good_soon(&self, now: u64) -> bool {
        let value = self.name.rsplit(' ').next().and_then(|value| value.parse().ok());
        value.is_some_and(|value: u64| (now + 1..now + 100_000).contains(&value))
    }
}

impl Key {
    /// Generates a key of 2,048 bits.
    #[must_use]
    pub fn generate(kid: &str) -> Self {
        Self { pair: KeyPair::generate(KeySize::Rsa2048).unwrap(), kid: kid.to_owned() }
    }

    /// Generates a key of 2,048 bits that is named by its thumbprint (RFC 7638 §3), as the companion names keys.
    #[must_use]
    pub fn named_by_thumbprint() -> Self {
        let key = Self::generate("");
        let jwk = key.jwk();
        let text = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]);
        key.renamed(&URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
    }

    /// Returns the same key under another name.
    #[must_use]
    pub fn renamed(self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self }
    }

    /// Returns the public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let components: RsaPublicKeyComponents<Vec<u8>> = self.pair.public_key().into();
        json!({
            "kty": "RSA", "kid": self.kid, "alg": "RS256", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(components.n), "e": URL_SAFE_NO_PAD.encode(components.e),
        })
    }

    /// Returns the private half as PKCS#8 in PEM.
    #[must_use]
    pub fn private_pem(&self) -> String {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().unwrap();
        pem("PRIVATE KEY", der.as_ref())
    }

    /// Returns the public half as `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// Returns the header of good tokens.
    #[must_use]
    pub fn header(&self) -> String {
        json!({"alg": "RS256", "typ": "at+jwt", "kid": self.kid}).to_string()
    }

    /// Returns a token with this header and payload, and an RS256 signature.
    #[must_use]
    pub fn token(&self, header: &str, payload: &str) -> String {
        self.seal(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)))
    }

    /// Returns a token with these first two segments, and an RS256 signature.
    #[must_use]
    pub fn seal(&self, input: &str) -> String {
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(self.sign(&RSA_PKCS1_SHA256, input)))
    }

    /// Returns a good token at `now`: user 42, session 7, role `customer`.
    #[must_use]
    pub fn good(&self, now: u64) -> String {
        self.token(&self.header(), &payload(now))
    }

    /// Returns a good token with one claim replaced or added. Its value is JSON; an empty one removes the claim.
    #[must_use]
    pub fn good_with(&self, now: u64, claim: &str, value: &str) -> String {
        self.token(&self.header(), &payload_with(now, claim, value))
    }

    fn sign(&self, padding: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }
}

/// Returns the JWK set of these keys.
#[must_use]
pub fn jwks(keys: &[&Key]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

/// Returns tokens with every kind of defect, for a set of at least two keys that has `key` and lacks `stranger`. The
/// edge's clock is at `now` and may be 5 seconds off.
#[must_use]
pub fn bad_tokens(key: &Key, stranger: &Key, now: u64) -> Vec<Bad> {
    let mut all = headers::bad(key, now);
    all.extend(encodings::bad(key, now));
    all.extend(signatures::bad(key, stranger, now));
    all.extend(weak::bad(key, now));
    all.extend(claims::bad(key, now));
    all
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
