//! The public keys that access tokens may be signed with, by `kid`: a JWK set is read whole or refused.
//! Where a set comes from is not known here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::ALGORITHM;
use edgeward_wire::jwk::{self, Jwk, JwkSet, MAX_KEYS, MAX_KID_BYTES, MODULUS_BITS};
use jsonwebtoken::DecodingKey;
use rsa::BoxedUint;
use rsa::pkcs8::EncodePublicKey;

use crate::rejection::Rejection;

/// A set of keys with distinct names.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<(Option<String>, DecodingKey)>,
}

/// Why a set is refused: the index of the key in it, and what is wrong with that key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The key's place in the set, from 0; absent when the set as a whole is meant.
    pub key: Option<usize>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a key or a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More than [`MAX_KEYS`] keys.
    TooMany,
    /// `kty` is not [`jwk::KEY_TYPE`].
    KtyUnexpected,
    /// A private member of this name is there.
    Private(&'static str),
    /// `use` is not [`jwk::USE`].
    UseUnexpected,
    /// `key_ops` is there, without `verify`.
    KeyOpsUnexpected,
    /// `alg` is not [`ALGORITHM`].
    AlgUnexpected,
    /// No `kid`, in a set of several keys.
    KidMissing,
    /// `kid` is empty.
    KidEmpty,
    /// `kid` is longer than [`MAX_KID_BYTES`].
    KidTooLong,
    /// `kid` is another key's too.
    KidRepeated,
    /// There is no `n`.
    ModulusMissing,
    /// `n` is not base64url without padding of an odd number without leading zeros.
    ModulusMalformed,
    /// The size of `n` is not among [`MODULUS_BITS`].
    ModulusSize,
    /// There is no `e`.
    ExponentMissing,
    /// `e` is not base64url without padding of an odd number among [`jwk::EXPONENTS`], without leading zeros.
    ExponentUnfit,
}

impl KeySet {
    /// Reads a set. A key that could not be used is a flaw and not skipped: a set that lost a key without
    /// a word is found out when people can't get in.
    pub fn read(set: &JwkSet) -> Result<Self, Flaw> {
        if set.keys.len() > MAX_KEYS {
            return Err(Flaw { key: None, fault: Fault::TooMany });
        }
        let mut keys: Vec<(Option<String>, DecodingKey)> = Vec::with_capacity(set.keys.len());
        for (at, jwk) in set.keys.iter().enumerate() {
            let flaw = |fault| Flaw { key: Some(at), fault };
            let key = read_key(jwk).map_err(flaw)?;
            match &jwk.kid {
                None if set.keys.len() > 1 => return Err(flaw(Fault::KidMissing)),
                Some(kid) if kid.is_empty() => return Err(flaw(Fault::KidEmpty)),
                Some(kid) if kid.len() > MAX_KID_BYTES => return Err(flaw(Fault::KidTooLong)),
                kid if kid.is_some() && keys.iter().any(|(other, _)| other == kid) => {
                    return Err(flaw(Fault::KidRepeated));
                }
                kid => keys.push((kid.clone(), key)),
            }
        }
        Ok(Self { keys })
    }

    /// Whether it holds no key, so that no token can be judged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key of exactly this name. A token that names none is served by a set of one key.
    pub(crate) fn find(&self, kid: Option<&str>) -> Result<&DecodingKey, Rejection> {
        match (kid, self.keys.as_slice()) {
            (None, [(_, only)]) => Ok(only),
            (None, _) => Err(Rejection::KidMissing),
            (kid, keys) => keys
                .iter()
                .find(|(name, _)| name.as_deref() == kid)
                .map(|(_, key)| key)
                .ok_or(Rejection::KeyUnknown),
        }
    }
}

fn read_key(jwk: &Jwk) -> Result<DecodingKey, Fault> {
    if jwk.kty != jwk::KEY_TYPE {
        return Err(Fault::KtyUnexpected);
    }
    if let Some(name) = jwk.private.first() {
        return Err(Fault::Private(name));
    }
    if jwk.use_.as_deref().is_some_and(|usage| usage != jwk::USE) {
        return Err(Fault::UseUnexpected);
    }
    // RFC 7517 §4.3: what a key is not for it must not be used for.
    if jwk
        .key_ops
        .as_ref()
        .is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
    {
        return Err(Fault::KeyOpsUnexpected);
    }
    if jwk.alg.as_deref().is_some_and(|alg| alg != ALGORITHM) {
        return Err(Fault::AlgUnexpected);
    }
    let modulus = jwk.n.as_deref().ok_or(Fault::ModulusMissing)?;
    let modulus = read_uint(modulus).ok_or(Fault::ModulusMalformed)?;
    let exponent = jwk.e.as_deref().ok_or(Fault::ExponentMissing)?;
    let exponent = read_uint(exponent).ok_or(Fault::ExponentUnfit)?;
    jwk::read_exponent(&exponent).ok_or(Fault::ExponentUnfit)?;
    let (modulus, exponent) =
        (BoxedUint::from_be_slice_vartime(&modulus), BoxedUint::from_be_slice_vartime(&exponent));
    if !MODULUS_BITS.contains(&modulus.bit_width_vartime()) {
        return Err(Fault::ModulusSize);
    }
    let key = rsa::PublicKey::new(modulus, exponent).map_err(|_| Fault::ModulusMalformed)?;
    let der = key.to_public_key_der().map_err(|_| Fault::ModulusMalformed)?;
    Ok(DecodingKey::from_rsa_der(der.as_bytes()))
}

/// A `Base64urlUInt` (RFC 7518 §2) that is odd, as a modulus and its exponent are.
fn read_uint(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let odd = bytes.last()? & 1 == 1;
    (odd && *bytes.first()? != 0).then_some(bytes)
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Private(name) => {
                return write!(
                    formatter,
                    "has the private member {name}: replace the key, which was shown, and give its public half alone"
                );
            }
            Self::TooMany => return write!(formatter, "has more than {MAX_KEYS} keys"),
            Self::KtyUnexpected => return write!(formatter, "has a kty other than \"{}\"", jwk::KEY_TYPE),
            Self::UseUnexpected => return write!(formatter, "has a use other than \"{}\"", jwk::USE),
            Self::KeyOpsUnexpected => "has key_ops without \"verify\"",
            Self::AlgUnexpected => return write!(formatter, "has an alg other than \"{ALGORITHM}\""),
            Self::KidMissing => "has no kid, which only the single key of a set may go without",
            Self::KidEmpty => "has an empty kid",
            Self::KidTooLong => return write!(formatter, "has a kid longer than {MAX_KID_BYTES} bytes"),
            Self::KidRepeated => "has the kid of another key",
            Self::ModulusMissing => "has no n",
            Self::ModulusMalformed => "has an n that is not base64url without padding of an RSA modulus",
            Self::ModulusSize => "has an n of fewer than 2,048 or more than 8,192 bits",
            Self::ExponentMissing => "has no e",
            Self::ExponentUnfit => "has an e that is not an odd number from 65,537 to 2^32 - 1 in base64url",
        })
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(at) => write!(formatter, "key {at} {}", self.fault),
            None => write!(formatter, "the set {}", self.fault),
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.iter().map(|(kid, _)| kid)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A well-formed 2,048-bit key: its modulus is odd and of full length, which is all that is judged.
    fn good(kid: &str) -> Jwk {
        modulus_of(2048, kid)
    }

    fn modulus_of(bits: usize, kid: &str) -> Jwk {
        let mut modulus = vec![0xff; bits / 8];
        if !bits.is_multiple_of(8) {
            modulus.insert(0, (1 << (bits % 8)) - 1);
        }
        Jwk {
            kty: "RSA".into(),
            kid: Some(kid.into()),
            alg: Some("RS256".into()),
            use_: Some("sig".into()),
            n: Some(URL_SAFE_NO_PAD.encode(modulus)),
            e: Some("AQAB".into()),
            ..Jwk::default()
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_named_with_its_fault() {
        fn check(change: impl FnOnce(&mut Jwk), expected: Fault) {
            let mut bad = good("b");
            change(&mut bad);
            let flaw = KeySet::read(&JwkSet { keys: vec![good("a"), bad] }).unwrap_err();
            assert_eq!(flaw, Flaw { key: Some(1), fault: expected });
        }
        check(|key| key.kty = "EC".into(), Fault::KtyUnexpected);
        check(|key| key.use_ = Some("enc".into()), Fault::UseUnexpected);
        check(|key| key.alg = Some("RS384".into()), Fault::AlgUnexpected);
        check(|key| key.kid = None, Fault::KidMissing);
        check(|key| key.kid = Some(String::new()), Fault::KidEmpty);
        check(|key| key.kid = Some("k".repeat(129)), Fault::KidTooLong);
        check(|key| key.kid = Some("a".into()), Fault::KidRepeated);
        for operations in [&[][..], &["encrypt"], &["sign", "wrapKey"]] {
            let operations = operations.iter().map(|&operation| operation.to_owned()).collect();
            check(|key| key.key_ops = Some(operations), Fault::KeyOpsUnexpected);
        }
        check(|key| key.n = None, Fault::ModulusMissing);
        check(|key| key.e = None, Fault::ExponentMissing);
        check(|key| key.n = Some(format!("{}=", "A".repeat(343))), Fault::ModulusMalformed);
        check(|key| key.n = Some(format!("AA{}", key.n.take().unwrap())), Fault::ModulusMalformed);
        check(|key| *key = modulus_of(1024, "b"), Fault::ModulusSize);
        check(|key| *key = modulus_of(2047, "b"), Fault::ModulusSize);
        check(|key| *key = modulus_of(8200, "b"), Fault::ModulusSize);
        for exponent in ["AQ", "Aw", "EQ", "AQAA", "AAEAAQ", "", "AQAB=", "AQAAAAE", "////"] {
            check(|key| key.e = Some(exponent.into()), Fault::ExponentUnfit);
        }
    }

    #[test]
    fn a_key_with_any_private_member_is_refused() {
        for name in jwk::PrivateMembers::NAMES {
            let text = format!(r#"{{"kty":"RSA","n":"AQAB","e":"AQAB","{name}":["any"]}}"#);
            let key: Jwk = serde_json::from_str(&text).unwrap();
            let flaw = KeySet::read(&JwkSet { keys: vec![key] }).unwrap_err();
            assert_eq!(flaw, Flaw { key: Some(0), fault: Fault::Private(name) });
        }
    }

    #[test]
    fn keys_at_every_edge_are_taken() {
        let one = |key: Jwk| KeySet::read(&JwkSet { keys: vec![key] }).map(|set| set.len());
        assert_eq!(one(good(&"k".repeat(128))), Ok(1));
        assert_eq!(one(modulus_of(8192, "a")), Ok(1));
        for exponent in ["AQAB", "_____w"] {
            assert_eq!(one(Jwk { e: Some(exponent.into()), ..good("a") }), Ok(1), "{exponent}");
        }
        assert_eq!(one(Jwk { alg: None, use_: None, ..good("a") }), Ok(1));
        let operations = vec!["sign".to_owned(), "verify".to_owned()];
        assert_eq!(one(Jwk { key_ops: Some(operations), ..good("a") }), Ok(1));
    }

    #[test]
    fn what_is_shown_of_a_set_is_its_names() {
        let set = KeySet::read(&JwkSet { keys: vec![good("a"), good("b")] }).unwrap();
        assert_eq!(format!("{set:?}"), r#"[Some("a"), Some("b")]"#);
    }

    #[test]
    fn a_set_holds_at_most_32_keys() {
        let keys = |count: usize| JwkSet { keys: (0..count).map(|at| good(&at.to_string())).collect() };
        assert_eq!(KeySet::read(&keys(32)).unwrap().len(), 32);
        assert_eq!(KeySet::read(&keys(33)).unwrap_err(), Flaw { key: None, fault: Fault::TooMany });
    }

    #[test]
    fn a_key_is_found_by_its_exact_name_only() {
        let one = KeySet::read(&JwkSet { keys: vec![good("a")] }).unwrap();
        let two = KeySet::read(&JwkSet { keys: vec![good("a"), good("b")] }).unwrap();
        assert!(one.find(None).is_ok());
        assert_eq!(two.find(None).unwrap_err(), Rejection::KidMissing);
        for set in [&one, &two] {
            assert!(set.find(Some("a")).is_ok());
            for kid in ["", "A", "a ", "aa", "c"] {
                assert_eq!(set.find(Some(kid)).unwrap_err(), Rejection::KeyUnknown, "{kid:?}");
            }
        }
        let nameless = KeySet::read(&JwkSet { keys: vec![Jwk { kid: None, ..good("") }] }).unwrap();
        assert!(nameless.find(None).is_ok());
        assert_eq!(nameless.find(Some("a")).unwrap_err(), Rejection::KeyUnknown);
    }
}
