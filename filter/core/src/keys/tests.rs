//! Key sets that are read, and key sets that are rejected.

use super::*;

/// Returns a well-formed 2,048-bit key: its modulus is odd and of full length, and nothing else is checked.
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
fn unusable_key_is_named_with_its_fault() {
    fn check(change: impl FnOnce(&mut Jwk), expected: InvalidKey) {
        let mut bad = good("b");
        change(&mut bad);
        let invalid = KeySet::read(&JwkSet { keys: vec![good("a"), bad] }).unwrap_err();
        assert_eq!(invalid, InvalidKeySet::Key { index: 1, fault: expected });
    }
    check(|key| key.kty = "EC".into(), InvalidKey::KtyUnexpected);
    check(|key| key.use_ = Some("enc".into()), InvalidKey::UseUnexpected);
    check(|key| key.alg = Some("RS384".into()), InvalidKey::AlgUnexpected);
    check(|key| key.kid = None, InvalidKey::KidMissing);
    check(|key| key.kid = Some(String::new()), InvalidKey::KidEmpty);
    check(|key| key.kid = Some("k".repeat(129)), InvalidKey::KidTooLong);
    check(|key| key.kid = Some("a".into()), InvalidKey::KidRepeated);
    for operations in [&[][..], &["encrypt"], &["sign", "wrapKey"]] {
        let operations = operations.iter().map(|&operation| operation.to_owned()).collect();
        check(|key| key.key_ops = Some(operations), InvalidKey::KeyOpsUnexpected);
    }
    check(|key| key.n = None, InvalidKey::ModulusMissing);
    check(|key| key.e = None, InvalidKey::ExponentMissing);
    check(|key| key.n = Some(format!("{}=", "A".repeat(343))), InvalidKey::ModulusMalformed);
    check(|key| key.n = Some(format!("AA{}", key.n.take().unwrap())), InvalidKey::ModulusMalformed);
    check(|key| *key = modulus_of(1024, "b"), InvalidKey::ModulusSize);
    check(|key| *key = modulus_of(2047, "b"), InvalidKey::ModulusSize);
    check(|key| *key = modulus_of(8200, "b"), InvalidKey::ModulusSize);
    for exponent in ["AQ", "Aw", "EQ", "AQAA", "AAEAAQ", "", "AQAB=", "AQAAAAE", "////"] {
        check(|key| key.e = Some(exponent.into()), InvalidKey::ExponentUnfit);
    }
}

#[test]
fn key_with_any_private_member_is_rejected() {
    for name in jwk::PrivateMembers::NAMES {
        let text = format!(r#"{{"kty":"RSA","n":"AQAB","e":"AQAB","{name}":["any"]}}"#);
        let key: Jwk = serde_json::from_str(&text).unwrap();
        let invalid = KeySet::read(&JwkSet { keys: vec![key] }).unwrap_err();
        assert_eq!(invalid, InvalidKeySet::Key { index: 0, fault: InvalidKey::Private(name) });
    }
}

#[test]
fn keys_at_every_limit_are_accepted() {
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
fn debug_output_of_a_set_is_its_key_ids() {
    let set = KeySet::read(&JwkSet { keys: vec![good("a"), good("b")] }).unwrap();
    assert_eq!(format!("{set:?}"), r#"[Some("a"), Some("b")]"#);
}

// holds: invariant 3, promise 6
#[test]
fn a_set_holds_at_most_32_keys() {
    let keys = |count: usize| JwkSet { keys: (0..count).map(|at| good(&at.to_string())).collect() };
    assert_eq!(KeySet::read(&keys(32)).unwrap().len(), 32);
    assert_eq!(KeySet::read(&keys(33)).unwrap_err(), InvalidKeySet::TooManyKeys);
}

#[test]
fn key_is_found_by_its_exact_key_id_only() {
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
