//! Tokens that must not pass: of another kind, of another signer, for somebody else, or tampered with.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_companion::domain::access_token::AccessTokens;
use edgeward_companion::domain::clock::Clock as _;
use edgeward_companion::domain::key_set::KeySet;
use edgeward_companion::domain::keys::PrivateKey;
use edgeward_companion::domain::refresh_token::{RefreshClaims, RefreshTokens};
use edgeward_companion::domain::role::Role;
use edgeward_tests::api::{Api, Client, signing_key};
use time::Duration;

async fn check_self(client: &Client, token: &str, expected: u16) {
    let mut client = client.clone();
    client.cookies = BTreeMap::from([("access_token".to_owned(), token.to_owned())]);
    assert_eq!(client.get("/api/auth/self").await.status, expected, "{token}");
}

async fn check_refresh(client: &Client, token: &str, expected: u16) {
    let mut client = client.clone();
    client.cookies = BTreeMap::from([("refresh_token".to_owned(), token.to_owned())]);
    assert_eq!(client.post("/api/auth/refresh").await.status, expected, "{token}");
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

/// An access token of Ada's session, by a mint of the test's making.
fn sign_access(api: &Api, key: PrivateKey, issuer: &str, audience: &str) -> String {
    let mint = AccessTokens {
        keys: KeySet::new(key, Vec::new()),
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
        ttl: Duration::hours(1),
    };
    mint.sign(1, 1, &Role::parse("customer").expect("a role"), api.clock.now()).expect("a token")
}

#[tokio::test]
async fn an_access_token_of_another_signer_or_for_somebody_else_is_refused() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let other = PrivateKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
    check_self(&ada, &sign_access(&api, signing_key(), "edgeward", "edgeward"), 200).await;
    check_self(&ada, &sign_access(&api, signing_key(), "edgeward", "others"), 401).await;
    check_self(&ada, &sign_access(&api, signing_key(), "others", "edgeward"), 401).await;
    check_self(&ada, &sign_access(&api, other, "edgeward", "edgeward"), 401).await;
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let token = &ada.cookies["access_token"];
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let rewrite = |part: &str, from: &str, to: &str| {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON");
        assert!(json.contains(from), "{json}");
        URL_SAFE_NO_PAD.encode(json.replace(from, to))
    };
    let kid = api.app.access_tokens.keys.published().keys[0].kid.clone().expect("a kid");
    for forged in [
        format!("{header}.{}.{signature}", rewrite(claims, "customer", "admin")),
        format!("{}.{claims}.{signature}", rewrite(header, "at+jwt", "JWT")),
        format!("{}.{claims}.{signature}", rewrite(header, &kid, "unknown")),
        format!("{}.{claims}.{signature}", rewrite(header, "RS256", "HS256")),
        format!("{}.{claims}.", rewrite(header, "RS256", "none")),
        format!("{}.{claims}.{signature}", rewrite(header, "{", r#"{"crit":["exp"],"#)),
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

/// The refresh token of Ada's session, by a mint of the test's making.
fn sign_refresh(api: &Api, secret: &str, issuer: &str, named: RefreshClaims) -> String {
    let secrets = [secret.to_owned().into()];
    let mint = RefreshTokens::new(issuer.to_owned(), Duration::days(30), &secrets).expect("a secret");
    mint.sign(named, api.clock.now()).expect("a token")
}

#[tokio::test]
async fn a_refresh_token_of_another_signer_or_session_is_refused() {
    const SECRET: &str = "a secret of the tests that is long enough";
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let first = RefreshClaims { user_id: 1, session_id: 1, generation: 1 };
    let cases = [
        ("a secret of somebody else that is as long", "edgeward", first),
        (SECRET, "others", first),
        (SECRET, "edgeward", RefreshClaims { user_id: 2, ..first }),
        (SECRET, "edgeward", RefreshClaims { session_id: 2, ..first }),
        (SECRET, "edgeward", RefreshClaims { generation: 2, ..first }),
    ];
    for (secret, issuer, named) in cases {
        check_refresh(&ada, &sign_refresh(&api, secret, issuer, named), 401).await;
    }
    check_refresh(&ada, &sign_refresh(&api, SECRET, "edgeward", first), 200).await;
}

#[tokio::test]
async fn a_refresh_secret_is_replaced_without_ending_sessions() {
    const OLD: &str = "the old secret that is long enough too";
    let both = format!("the new secret that is long enough too,{OLD}");
    let api = Api::start_with(&[("REFRESH_JWT_SECRET", &both)]).await;
    let ada = api.registered("ada@example.com").await;
    let first = RefreshClaims { user_id: 1, session_id: 1, generation: 1 };
    check_refresh(&ada, &sign_refresh(&api, OLD, "edgeward", first), 200).await;
}

#[tokio::test]
async fn a_token_stays_below_one_kibibyte() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let longest = "a".repeat(64);
    sqlx::query("update users set role = $1").bind(&longest).execute(&api.pool).await.expect("an update");
    assert_eq!(ada.post("/api/auth/refresh").await.status, 200);
    assert!(ada.cookies.values().all(|token| token.len() < 1024));
}
