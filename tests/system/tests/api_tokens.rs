//! Tokens that must be rejected: of another kind, of another signer, for another audience, or tampered with.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA384;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edgeward_companion::clock::Clock as _;
use edgeward_companion::domain::account::role::Role;
use edgeward_companion::domain::session::TokenContent;
use edgeward_companion::domain::session::authentication::{Authentication, Proof};
use edgeward_companion::domain::token::access_token::AccessTokens;
use edgeward_companion::domain::token::key_set::KeySet;
use edgeward_companion::domain::token::refresh_token::{RefreshClaims, RefreshTokens};
use edgeward_companion::domain::token::rsa_key::PrivateKey;
use edgeward_companion::domain::{SessionId, UserId};
use edgeward_kit::api::{Api, REFRESH_SECRET, mint};
use edgeward_kit::client::Client;
use edgeward_kit::mint::Key;
use edgeward_wire::access_token::MAX_ISSUED_BYTES;
use edgeward_wire::role;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

async fn check_self(client: &Client, token: &str, expected: u16) {
    let mut client = client.clone();
    client.cookies = BTreeMap::from([("access_token".to_owned(), token.to_owned())]);
    assert_eq!(client.get("/api/auth/self").await.status, expected, "{token}");
}

async fn check_refresh(client: &Client, token: &str, expected: u16) {
    let mut client = client.clone();
    client.cookies = BTreeMap::from([("refresh_token".to_owned(), token.to_owned())]);
    assert_eq!(client.refresh().await.status, expected, "{token}");
}

#[tokio::test]
async fn one_kind_of_token_never_passes_as_the_other() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    check_self(&ada, &ada.cookies["refresh_token"], 401).await;
    check_refresh(&ada, &ada.cookies["access_token"], 401).await;
    check_self(&ada, &ada.cookies["access_token"], 200).await;
    check_refresh(&ada, &ada.cookies["refresh_token"], 200).await;
}

/// Returns the claims of a valid access token of Ada's session.
fn good_claims(api: &Api) -> Value {
    let now = api.clock.now().unix_timestamp();
    json!({"iss": "edgeward", "aud": "edgeward", "sub": "1", "role": "customer", "sid": 1,
           "iat": now, "exp": now + 60})
}

/// Returns the same with one member replaced. Null removes it.
fn but(mut good: Value, member: &str, value: Value) -> String {
    match value {
        Value::Null => _ = good.as_object_mut().expect("an object").remove(member),
        value => good[member] = value,
    }
    good.to_string()
}

#[tokio::test]
async fn foreign_header_is_rejected_though_the_right_key_signed_it() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let claims = good_claims(&api).to_string();
    let good = json!({"alg": "RS256", "typ": "at+jwt", "kid": mint().kid});
    check_self(&ada, &mint().token(&good.to_string(), &claims), 200).await;
    for (member, value) in [
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!("RS384")),
        ("alg", Value::Null),
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", Value::Null),
        ("kid", json!("unknown")),
        ("kid", Value::Null),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
    ] {
        check_self(&ada, &mint().token(&but(good.clone(), member, value), &claims), 401).await;
    }
    // A signature by the algorithm of the header.
    let input = [but(good, "alg", json!("RS384")), claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let pem = mint().private_pem();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = KeyPair::from_pkcs8(&STANDARD.decode(der).expect("base64")).expect("a key");
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA384, &SystemRandom::new(), input.as_bytes(), &mut signature)
        .expect("a signature");
    check_self(&ada, &format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)), 401).await;
}

#[tokio::test]
async fn foreign_claims_are_rejected_though_the_right_key_signed_them() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let now = api.clock.now().unix_timestamp();
    for (claim, value) in [
        ("iss", json!("others")),
        ("aud", json!("others")),
        ("sub", json!("ada")),
        ("sub", json!("2")),
        ("sub", json!(1)),
        ("sid", json!(2)),
        ("sid", json!("1")),
        ("iat", json!(now - 1)),
        ("exp", json!(now)),
        ("exp", Value::Null),
    ] {
        let token = mint().token(&mint().header(), &but(good_claims(&api), claim, value.clone()));
        check_self(&ada, &token, 401).await;
    }
    check_self(&ada, &Key::generate("").token(&mint().header(), &good_claims(&api).to_string()), 401).await;
}

#[tokio::test]
async fn tampered_token_is_rejected() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let token = &ada.cookies["access_token"];
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let rewrite = |part: &str, from: &str, to: &str| {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON");
        assert!(json.contains(from), "{json}");
        URL_SAFE_NO_PAD.encode(json.replace(from, to))
    };
    for forged in [
        format!("{header}.{}.{signature}", rewrite(claims, "customer", "admin")),
        format!("{}.{claims}.", rewrite(header, "RS256", "none")),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{token}."),
        format!(".{token}"),
        "a".repeat(5000),
        "...".to_owned(),
    ] {
        check_self(&ada, &forged, 401).await;
    }
}

/// Returns a refresh token with an HMAC signature.
fn sign_refresh(algorithm: hmac::Algorithm, secret: &str, header: &str, claims: &str) -> String {
    let input = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn foreign_refresh_token_is_rejected_though_the_secret_signed_it() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let now = api.clock.now().unix_timestamp();
    let header = json!({"alg": "HS256", "typ": "rt+jwt"});
    let claims = json!({"iss": "edgeward", "sub": "1", "jti": "1.1", "iat": now, "exp": now + 60});
    let sign = |header: &str, claims: &str| sign_refresh(hmac::HMAC_SHA256, REFRESH_SECRET, header, claims);
    for (member, value) in [
        ("alg", json!("HS384")),
        ("alg", json!("none")),
        ("alg", json!("RS256")),
        ("typ", json!("at+jwt")),
        ("typ", json!("JWT")),
        ("typ", Value::Null),
        ("crit", json!(["exp"])),
    ] {
        check_refresh(&ada, &sign(&but(header.clone(), member, value), &claims.to_string()), 401).await;
    }
    for (claim, value) in [
        ("iss", json!("others")),
        ("sub", json!("2")),
        ("sub", json!("ada")),
        ("jti", json!("2.1")),
        ("jti", json!("1.0")),
        ("jti", json!("1.-1")),
        ("jti", json!("1.9223372036854775807")),
        ("jti", json!("1")),
        ("jti", json!("1.1.1")),
        ("iat", json!(now - 1)),
        ("iat", Value::Null),
    ] {
        check_refresh(&ada, &sign(&header.to_string(), &but(claims.clone(), claim, value)), 401).await;
    }
    let other = but(header.clone(), "alg", json!("HS384"));
    let right = sign_refresh(hmac::HMAC_SHA384, REFRESH_SECRET, &other, &claims.to_string());
    check_refresh(&ada, &right, 401).await;
    let (header, claims) = (header.to_string(), claims.to_string());
    let foreign =
        sign_refresh(hmac::HMAC_SHA256, "a secret of somebody else that is as long", &header, &claims);
    check_refresh(&ada, &foreign, 401).await;
    check_refresh(&ada, &sign(&header, &claims), 200).await;
}

#[tokio::test]
async fn a_refresh_secret_is_replaced_without_ending_sessions() {
    const OLD: &str = "the old secret that is long enough too";
    let both = format!("the new secret that is long enough too,{OLD}");
    let api = Api::start_with(&[("REFRESH_JWT_SECRET", &both)]).await;
    let ada = api.registered("ada@example.com").await;
    let now = api.clock.now().unix_timestamp();
    let first = RefreshClaims { user_id: UserId(1), session_id: SessionId(1), generation: 1, issued_at: now };
    let earlier = RefreshTokens::new("edgeward".to_owned(), Duration::days(30), &[OLD.to_owned().into()]);
    check_refresh(&ada, &earlier.expect("a secret").sign(first).expect("a token"), 200).await;
}

#[test]
fn the_largest_token_stays_below_one_kibibyte() {
    // The maximum of the settings; see `ISSUER`.
    let longest = "é".repeat(28);
    let role = Role::parse(&"a".repeat(role::MAX_BYTES)).expect("a role");
    let key = PrivateKey::generate(KeySize::Rsa3072).expect("a key");
    let (issued_at, ttl) = (9_999_999_999 - 86_400, Duration::days(365));
    let mint = AccessTokens { issuer: longest.clone(), audience: longest.clone(), ttl: Duration::days(1) };
    let (user_id, session_id) = (UserId(i64::MAX), SessionId(i64::MAX));
    let claims = RefreshClaims { user_id, session_id, generation: i64::MAX, issued_at };
    let authentication = Authentication {
        time: OffsetDateTime::from_unix_timestamp(issued_at).expect("a time"),
        methods: Proof::PasswordAndCode.methods(),
    };
    let content = TokenContent { claims, role, authentication };
    assert!(mint.sign(&KeySet::new(key, Vec::new()), &content).expect("a token").len() <= MAX_ISSUED_BYTES);
    let mint = RefreshTokens::new(longest, ttl, &[REFRESH_SECRET.to_owned().into()]).expect("a secret");
    assert!(mint.sign(claims).expect("a token").len() <= MAX_ISSUED_BYTES);
}
