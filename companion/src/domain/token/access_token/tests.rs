//! Tokens that are accepted, and the reason for each rejection. `tests/system/tests/api_tokens.rs` presents forged ones by
//! HTTP.

use std::sync::LazyLock;

use aws_lc_rs::rsa::KeySize;

use super::*;
use crate::domain::account::role::Role;
use crate::domain::session::authentication::{Authentication, Proof};
use crate::domain::token::refresh_token::RefreshClaims;
use crate::domain::token::rsa_key::PrivateKey;

const NOW: OffsetDateTime = time::macros::datetime!(2030-01-01 00:00 UTC);
const SUBJECT: TokenSubject =
    TokenSubject { user_id: UserId(3), session_id: SessionId(7), issued_at: NOW.unix_timestamp() };

/// Private key in PEM: generating one for each test takes long.
static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| pem(&PrivateKey::generate(KeySize::Rsa2048).unwrap()));

fn pem(key: &PrivateKey) -> Vec<u8> {
    use secrecy::ExposeSecret;
    key.to_pem().unwrap().expose_secret().as_bytes().to_vec()
}

fn tokens(issuer: &str, audience: &str) -> AccessTokens {
    AccessTokens { issuer: issuer.to_owned(), audience: audience.to_owned(), ttl: Duration::hours(1) }
}

fn keys() -> KeySet {
    KeySet::new(PrivateKey::from_pem(&KEY).unwrap(), Vec::new())
}

fn content(role: &str, proof: Proof) -> TokenContent {
    let TokenSubject { user_id, session_id, issued_at } = SUBJECT;
    TokenContent {
        claims: RefreshClaims { user_id, session_id, generation: 1, issued_at },
        role: Role::parse(role).unwrap(),
        authentication: Authentication::new(NOW - Duration::MINUTE, proof),
    }
}

fn sign(tokens: &AccessTokens) -> String {
    tokens.sign(&keys(), &content("customer", Proof::Password)).unwrap()
}

fn claims_of(token: &str) -> AccessClaims {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

fn check(
    token: &str,
    now: OffsetDateTime,
    expiry: Expiry,
    expected: Result<TokenSubject, AccessTokenRejection>,
) {
    assert_eq!(tokens("issuer", "audience").verify(&keys(), token, now, expiry), expected, "{token}");
}

#[test]
fn token_is_valid_until_it_expires() {
    let token = sign(&tokens("issuer", "audience"));
    let expired_at = NOW + Duration::hours(1);
    check(&token, expired_at - Duration::SECOND, Expiry::Enforced, Ok(SUBJECT));
    let now = expired_at.unix_timestamp();
    let expired = AccessTokenRejection::Expired { expired_at: now, now };
    check(&token, expired_at, Expiry::Enforced, Err(expired));
    check(&token, expired_at, Expiry::Ignored, Ok(SUBJECT));
}

#[test]
fn token_of_another_issuer_audience_or_key_is_rejected() {
    let check = |token: &str, expected| check(token, NOW, Expiry::Enforced, Err(expected));
    check(&sign(&tokens("another", "audience")), AccessTokenRejection::IssuerUnexpected);
    check(&sign(&tokens("issuer", "another")), AccessTokenRejection::AudienceUnexpected);
    let other = KeySet::new(PrivateKey::generate(KeySize::Rsa2048).unwrap(), Vec::new());
    let token = tokens("issuer", "audience").sign(&other, &content("customer", Proof::Password));
    check(&token.unwrap(), AccessTokenRejection::KeyUnknown);
}

#[test]
fn token_with_another_header_or_claim_is_rejected() {
    let check = |token: &str, expected| check(token, NOW, Expiry::Enforced, Err(expected));
    let sign = |change: fn(&mut Header, &mut AccessClaims)| {
        let keys = keys();
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN_TYP.to_owned());
        header.kid = Some(keys.signing_kid().to_owned());
        let mut claims = AccessClaims {
            iss: "issuer".to_owned(),
            aud: "audience".to_owned(),
            sub: "3".to_owned(),
            role: "customer".to_owned(),
            sid: 7,
            iat: NOW.unix_timestamp(),
            exp: NOW.unix_timestamp() + 1,
            auth_time: None,
            amr: None,
            jti: None,
            client_id: None,
        };
        change(&mut header, &mut claims);
        jws::sign(&header, &claims, |message| keys.signing().sign(message)).unwrap()
    };
    check(&sign(|header, _| header.alg = Algorithm::HS256), AccessTokenRejection::AlgorithmUnexpected);
    check(&sign(|header, _| header.typ = Some("rt+jwt".to_owned())), AccessTokenRejection::TypUnexpected);
    check(&sign(|header, _| header.typ = None), AccessTokenRejection::TypUnexpected);
    check(&sign(|header, _| header.crit = Some(vec!["exp".to_owned()])), AccessTokenRejection::CritPresent);
    check(&sign(|header, _| header.kid = None), AccessTokenRejection::KeyUnknown);
    check(&sign(|_, claims| claims.sub = "+3".to_owned()), AccessTokenRejection::SubjectMalformed);
    let token = sign(|_, _| {});
    let (message, _) = token.rsplit_once('.').unwrap();
    check(message, InvalidJws::Malformed.into());
    check(&format!("{message}.AAAA"), InvalidJws::SignatureInvalid.into());
    check(&"a".repeat(edgeward_wire::access_token::MAX_BYTES + 1), InvalidJws::Malformed.into());
}

#[test]
fn token_has_the_claims_of_rfc_9068_and_of_its_authentication() {
    let tokens = tokens("issuer", "audience");
    let sign = |content: &TokenContent| claims_of(&tokens.sign(&keys(), content).unwrap());
    let claims = sign(&content("customer", Proof::PasswordAndCode));
    assert_eq!(claims.auth_time, Some(NOW.unix_timestamp() - 60));
    assert_eq!(claims.amr.as_deref(), Some(&["pwd", "otp", "mfa"].map(str::to_owned)[..]));
    assert_eq!(claims.client_id.as_deref(), Some("edgeward"));
    let again = sign(&content("customer", Proof::PasswordAndCode));
    assert_eq!(claims.jti, again.jti, "a repeated token is the same");
    for other in [content("admin", Proof::PasswordAndCode), content("customer", Proof::Password)] {
        assert_ne!(claims.jti, sign(&other).jti, "another token has another ID");
    }
}

#[test]
fn token_that_would_be_too_large_has_fewer_claims() {
    let keys = KeySet::new(PrivateKey::generate(KeySize::Rsa3072).unwrap(), Vec::new());
    let sign = |name: &str, role: &str| {
        let token = tokens(name, name).sign(&keys, &content(role, Proof::PasswordAndCode)).unwrap();
        assert!(token.len() <= MAX_ISSUED_BYTES, "{name}: {}", token.len());
        claims_of(&token)
    };
    let usual = sign(&"i".repeat(24), "customer");
    assert!(usual.auth_time.is_some() && usual.amr.is_some() && usual.jti.is_some());
    let long = sign(&"i".repeat(56), &"r".repeat(20));
    assert!(long.auth_time.is_some() && long.amr.is_some() && long.jti.is_none() && long.client_id.is_none());
    let longest = sign(&"i".repeat(56), &"r".repeat(64));
    assert!(longest.auth_time.is_none() && longest.amr.is_none());
}
