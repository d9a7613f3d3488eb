//! The token mint: a key, a good token, and ways to be bad, as data. It signs whatever it is told to.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The issuer and the audience of a good token.
pub const NAME: &str = "edgeward";

/// A signing key with its name.
pub struct Key {
    pair: KeyPair,
    /// Its name in the key set.
    pub kid: String,
}

impl Key {
    /// A new key of 2,048 bits.
    #[must_use]
    pub fn generate(kid: &str) -> Self {
        Self { pair: KeyPair::generate(KeySize::Rsa2048).unwrap(), kid: kid.to_owned() }
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

    /// Its public half as `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        self.pair.public_key().as_der().unwrap().as_ref().to_vec()
    }

    fn sign(&self, padding: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }

    /// A token with this header and payload, signed as RS256 is.
    #[must_use]
    pub fn token(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.sign(&RSA_PKCS1_SHA256, &input);
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A good token at `now` with some claims changed; null removes one.
    #[must_use]
    pub fn good_with(&self, now: u64, changes: &Value) -> String {
        self.token(&self.header().to_string(), &merge(claims(now), changes).to_string())
    }

    /// A good token at `now`: user 42, session 7, role `customer`.
    #[must_use]
    pub fn good(&self, now: u64) -> String {
        self.good_with(now, &json!({}))
    }

    fn header(&self) -> Value {
        json!({"alg": "RS256", "typ": "at+jwt", "kid": self.kid})
    }
}

/// The claims of a good token at `now`.
#[must_use]
pub fn claims(now: u64) -> Value {
    json!({"iss": NAME, "aud": NAME, "sub": "42", "role": "customer", "sid": 7, "iat": now, "exp": now + 3600})
}

fn merge(mut whole: Value, changes: &Value) -> Value {
    let (Some(members), Some(changes)) = (whole.as_object_mut(), changes.as_object()) else { return whole };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    whole
}

/// A JWK set of these keys.
#[must_use]
pub fn jwks(keys: &[&Key]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

/// A token that must be refused.
pub struct Bad {
    /// What is bad about it.
    pub name: String,
    /// The token.
    pub token: String,
    /// The label it must be refused with.
    pub label: &'static str,
}

/// Ways to be bad, for a set of at least two keys of which `key` is one and `stranger` is none.
#[must_use]
pub fn bad_tokens(key: &Key, stranger: &Key, now: u64) -> Vec<Bad> {
    let mut all = bad_headers(key, now);
    all.extend(bad_signatures(key, stranger, now));
    all.extend(bad_claims(key, now));
    all
}

fn bad(name: impl Into<String>, token: String, label: &'static str) -> Bad {
    Bad { name: name.into(), token, label }
}

fn bad_headers(key: &Key, now: u64) -> Vec<Bad> {
    let good = key.header();
    let claims = claims(now).to_string();
    let with = |changes: Value| key.token(&merge(good.clone(), &changes).to_string(), &claims);
    let mut all: Vec<Bad> =
        ["none", "None", "NONE", "", "rs256", "RS384", "RS512", "PS256", "ES256", "HS256", "RS256 "]
            .into_iter()
            .map(|alg| bad(format!("alg {alg:?}"), with(json!({"alg": alg})), "alg_unexpected"))
            .collect();
    all.extend([
        bad("no alg", with(json!({"alg": null})), "alg_unexpected"),
        bad("typ of a refresh token", with(json!({"typ": "rt+jwt"})), "typ_unexpected"),
        bad("typ JWT", with(json!({"typ": "JWT"})), "typ_unexpected"),
        bad("no typ", with(json!({"typ": null})), "typ_unexpected"),
        bad("crit", with(json!({"crit": ["exp"], "exp": 1})), "crit_present"),
        bad("its own key", with(json!({"jwk": key.jwk()})), "header_member_unexpected"),
        bad("a key's URL", with(json!({"jku": "http://127.0.0.1/"})), "header_member_unexpected"),
        bad("b64 off", with(json!({"b64": false})), "header_member_unexpected"),
        bad("no kid among several keys", with(json!({"kid": null})), "kid_missing"),
        bad("empty kid", with(json!({"kid": ""})), "kid_malformed"),
        bad("huge kid", with(json!({"kid": "k".repeat(129)})), "kid_malformed"),
        bad("kid of nobody", with(json!({"kid": "../../etc/passwd"})), "kid_unknown"),
        bad(
            "alg twice",
            key.token(r#"{"alg":"RS256","alg":"RS256","typ":"at+jwt"}"#, &claims),
            "header_malformed",
        ),
        bad("no JSON header", key.token("x", &claims), "header_malformed"),
    ]);
    all
}

fn bad_signatures(key: &Key, stranger: &Key, now: u64) -> Vec<Bad> {
    let good = key.good(now);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |raw: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(raw));
    let mut flipped = raw.clone();
    flipped[100] ^= 1;
    let mut all = vec![
        bad("one bit flipped", signed(&flipped), "signature_invalid"),
        bad("signature cut short", signed(&raw[..255]), "signature_invalid"),
        bad("signature with a byte more", signed(&[&raw[..], &[0]].concat()), "signature_invalid"),
        bad("signature with a zero before", signed(&[&[0], &raw[..]].concat()), "signature_invalid"),
        bad("no signature", format!("{input}."), "signature_invalid"),
        bad("another's signature", signed(&stranger.sign(&RSA_PKCS1_SHA256, input)), "signature_invalid"),
        bad("SHA-384", signed(&key.sign(&RSA_PKCS1_SHA384, input)), "signature_invalid"),
        bad("PSS padding", signed(&key.sign(&RSA_PSS_SHA256, input)), "signature_invalid"),
        bad("signature with padding", format!("{input}.{}", URL_SAFE.encode(&raw)), "signature_malformed"),
        bad("signature with a space", format!("{good} x"), "signature_malformed"),
        bad("four segments", format!("{good}.AA"), "token_malformed"),
        bad("two segments", input.to_owned(), "token_malformed"),
        bad(
            "another payload",
            good.replacen(&payload_of(input), &URL_SAFE_NO_PAD.encode(claims(now + 1).to_string()), 1),
            "signature_invalid",
        ),
    ];
    for (name, secret) in [
        ("DER", key.public_der()),
        ("PEM", pem(&key.public_der()).into_bytes()),
        ("JWK", key.jwk().to_string().into_bytes()),
    ] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), input.as_bytes());
        all.push(bad(
            format!("HMAC keyed with the public key in {name}"),
            signed(tag.as_ref()),
            "signature_invalid",
        ));
    }
    all
}

fn payload_of(input: &str) -> String {
    input.split('.').nth(1).unwrap().to_owned()
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

fn bad_claims(key: &Key, now: u64) -> Vec<Bad> {
    let changed = |name: &str, value: Value, label| {
        bad(format!("{name} {value}"), key.good_with(now, &json!({ name: value })), label)
    };
    let payload = |name: &str, payload: &str| {
        bad(name, key.token(&key.header().to_string(), payload), "claims_malformed")
    };
    let mut all: Vec<Bad> = [
        ("iss", "iss_missing"),
        ("aud", "aud_missing"),
        ("exp", "exp_missing"),
        ("iat", "iat_missing"),
        ("sub", "sub_missing"),
        ("sid", "sid_missing"),
        ("role", "role_missing"),
    ]
    .into_iter()
    .map(|(claim, label)| changed(claim, Value::Null, label))
    .collect();
    all.extend([
        changed("iss", json!("other"), "iss_unexpected"),
        changed("aud", json!(["other"]), "aud_unexpected"),
        changed("exp", json!(now - 5), "exp_passed"),
        changed("exp", json!(now + 100_000), "exp_too_far"),
        changed("exp", json!((now + 60).to_string()), "exp_mistyped"),
        changed("exp", json!(1e300), "exp_mistyped"),
        changed("exp", json!(-1), "exp_mistyped"),
        changed("exp", json!(u64::MAX), "exp_mistyped"),
        changed("iat", json!(now + 60), "iat_in_future"),
        changed("nbf", json!(now + 60), "nbf_in_future"),
        changed("nbf", json!("1"), "nbf_mistyped"),
        changed("sub", json!(42), "sub_mistyped"),
        changed("sub", json!("42\r\nx-user-role: admin"), "sub_mistyped"),
        changed("sid", json!("7"), "sid_mistyped"),
        changed("role", json!("admin\n"), "role_mistyped"),
        changed("role", json!(["admin"]), "role_mistyped"),
        payload("no JSON payload", "x"),
        payload("a payload that is a list", "[]"),
        payload("a claim twice", &claims(now).to_string().replacen('{', r#"{"role":"admin","#, 1)),
        payload("text after the payload", &format!("{} x", claims(now))),
    ]);
    all
}
