//! The token mint: signing keys, valid tokens, and every way for a token to be bad, as data. It signs any input; whether a
//! token passes is for the tests to say.

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

/// The issuer and the audience of a good token.
pub const NAME: &str = "edgeward";

/// A signing key with its name.
pub struct Key {
    pair: KeyPair,
    /// Its name in the key set.
    pub kid: String,
}

/// A token that must be refused.
pub struct Bad {
    /// Defect of the token.
    pub name: String,
    /// The token.
    pub token: String,
    /// The label it must be refused with.
    pub label: &'static str,
}

impl Bad {
    /// Whether it is bad for what lies a little ahead of `now`, and is good when that has come.
    #[must_use]
    pub fn is_fleeting(&self, now: u64) -> bool {
        let value = self.name.rsplit(' ').next().and_then(|value| value.parse().ok());
        value.is_some_and(|value: u64| (now + 1..now + 100_000).contains(&value))
    }
}

impl Key {
    /// A new key of 2,048 bits.
    #[must_use]
    pub fn generate(kid: &str) -> Self {
        Self { pair: KeyPair::generate(KeySize::Rsa2048).unwrap(), kid: kid.to_owned() }
    }

    /// A new key of 2,048 bits, named as the companion names keys: by its thumbprint (RFC 7638 §3).
    #[must_use]
    pub fn named_by_thumbprint() -> Self {
        let key = Self::generate("");
        let jwk = key.jwk();
        let text = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]);
        key.renamed(&URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
    }

    /// The same key under another name.
    #[must_use]
    pub fn renamed(self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self }
    }

    /// Its public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let components: RsaPublicKeyComponents<Vec<u8>> = self.pair.public_key().into();
        json!({
            "kty": "RSA", "kid": self.kid, "alg": "RS256", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(components.n), "e": URL_SAFE_NO_PAD.encode(components.e),
        })
    }

    /// Its private half as PKCS#8 in PEM.
    #[must_use]
    pub fn private_pem(&self) -> String {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().unwrap();
        pem("PRIVATE KEY", der.as_ref())
    }

    /// Its public half as `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// The header of its good tokens.
    #[must_use]
    pub fn header(&self) -> String {
        json!({"alg": "RS256", "typ": "at+jwt", "kid": self.kid}).to_string()
    }

    /// A token with this header and payload, signed as RS256 is.
    #[must_use]
    pub fn token(&self, header: &str, payload: &str) -> String {
        self.seal(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)))
    }

    /// A token whose first two segments are these.
    #[must_use]
    pub fn seal(&self, input: &str) -> String {
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(self.sign(&RSA_PKCS1_SHA256, input)))
    }

    /// A good token at `now`: user 42, session 7, role `customer`.
    #[must_use]
    pub fn good(&self, now: u64) -> String {
        self.token(&self.header(), &payload(now))
    }

    /// A token that is good but for one claim, given as JSON; empty leaves it out.
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

/// A JWK set of these keys.
#[must_use]
pub fn jwks(keys: &[&Key]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

/// Every way to be bad, for a set of at least two keys of which `key` is one and `stranger` is none. The edge's
/// clock stands at `now` and may be 5 seconds off.
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
