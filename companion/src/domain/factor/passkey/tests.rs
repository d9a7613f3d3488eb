//! Requests for passkeys.

use super::*;

fn party(id: &str, origins: &[&str]) -> Option<RelyingParty> {
    let origins: Vec<Origin> = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    RelyingParty::new(id, &origins)
}

#[test]
fn one_origin_is_at_the_domain_or_below_it() {
    for (id, origins, expected) in [
        ("example.com", &["https://example.com"][..], true),
        ("example.com", &["https://example.org", "https://app.example.com"], true),
        ("localhost", &["http://localhost:8080"], true),
        ("example.com", &["https://example.org"], false),
        ("example.com", &["https://badexample.com"], false),
        ("app.example.com", &["https://example.com"], false),
        ("127.0.0.1", &["http://127.0.0.1:8080"], false),
        ("example.com", &[], false),
    ] {
        assert_eq!(party(id, origins).is_some(), expected, "{id} {origins:?}");
    }
}

#[test]
fn user_of_a_passkey_is_verified() {
    let party = party("example.com", &["https://example.com"]).unwrap();
    let request = party.begin_use(&[]).unwrap();
    assert_eq!(request.options["userVerification"], "required");
    assert_eq!(request.options["rpId"], "example.com");
    assert_eq!(request.options["allowCredentials"], json!([]));
}

#[test]
fn flags_of_presence_follow_the_hash_of_the_id() {
    let party = party("example.com", &["https://example.com"]).unwrap();
    let hash = digest(&SHA256, b"example.com");
    let mut object = [b"before", hash.as_ref(), &[0x40, 1]].concat();
    party.ignore_absence(&mut object);
    assert!(object.ends_with(&[0x45, 1]));
    let mut other = vec![0; 64];
    party.ignore_absence(&mut other);
    assert_eq!(other, [0; 64]);
}
