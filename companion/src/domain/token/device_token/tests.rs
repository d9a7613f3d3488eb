//! Device tokens: their content, their lifetime, and tokens that are none.

use super::*;
use crate::domain::UserId;
use crate::domain::token::refresh_token::{RefreshClaims, RefreshTokens};

const NOW: OffsetDateTime = time::macros::datetime!(2030-01-01 00:00 UTC);
const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

fn secret(letter: &str) -> SecretString {
    letter.repeat(32).into()
}

fn tokens(letters: &[&str]) -> DeviceTokens {
    DeviceTokens::new(&letters.iter().map(|letter| secret(letter)).collect::<Vec<_>>()).unwrap()
}

/// Signs the token of a device that had this one before.
fn sign(tokens: &DeviceTokens, before: &str, email: &str, session: i64, now: OffsetDateTime) -> String {
    let known = tokens.read(&[before.to_owned()], now);
    tokens.sign(known, &Email::parse(email).unwrap(), SessionId(session), now).unwrap()
}

/// Finds the session that the holder of a token became known to an account by.
fn find(tokens: &DeviceTokens, token: &str, email: &str, now: OffsetDateTime) -> Option<i64> {
    let known = tokens.read(&[token.to_owned()], now);
    tokens.find(&known, &Email::parse(email).unwrap()).map(|SessionId(session)| session)
}

#[test]
fn device_is_known_to_its_account_for_a_year() {
    let tokens = tokens(&["a"]);
    let token = sign(&tokens, "", ADA, 7, NOW);
    assert_eq!(find(&tokens, &token, ADA, NOW), Some(7));
    assert_eq!(find(&tokens, &token, BOB, NOW), None);
    assert_eq!(find(&tokens, &token, ADA, NOW + LIFETIME - Duration::SECOND), Some(7));
    assert_eq!(find(&tokens, &token, ADA, NOW + LIFETIME), None);
}

#[test]
fn device_keeps_its_identity_for_each_of_its_last_accounts() {
    let tokens = tokens(&["a"]);
    let mut token = sign(&tokens, "", ADA, 7, NOW);
    let later = NOW + Duration::days(300);
    token = sign(&tokens, &token, BOB, 8, later);
    token = sign(&tokens, &token, ADA, 9, later + Duration::SECOND);
    let check = |token: &str, accounts: &[(&str, Option<i64>)]| {
        for (email, expected) in accounts {
            assert_eq!(find(&tokens, token, email, later + Duration::days(100)), *expected, "{email}");
        }
    };
    check(&token, &[(ADA, Some(7)), (BOB, Some(8))]);
    for (number, email) in ["c@example.com", "d@example.com", "e@example.com"].iter().enumerate() {
        let now = later + Duration::minutes(1 + i64::try_from(number).unwrap());
        token = sign(&tokens, &token, email, 10, now);
    }
    check(&token, &[("e@example.com", Some(10)), ("c@example.com", Some(10)), (ADA, Some(7)), (BOB, None)]);
    assert!(token.len() < 1024, "{}", token.len());
    let known = tokens.read(&[token], later);
    assert_eq!(known.last().map(|(_, session)| session), Some(SessionId(10)), "of the last account");
}

#[test]
fn one_token_of_several_is_enough_and_planted_ones_are_few() {
    let tokens = tokens(&["a"]);
    let (ada, bob) = (sign(&tokens, "", ADA, 7, NOW), sign(&tokens, "", BOB, 8, NOW));
    let email = Email::parse(ADA).unwrap();
    let find = |all: &[&String]| {
        let all: Vec<String> = all.iter().map(|token| (*token).clone()).collect();
        tokens.find(&tokens.read(&all, NOW), &email)
    };
    assert_eq!(find(&[&bob, &String::new(), &ada]), Some(SessionId(7)));
    assert_eq!(find(&[&bob, &bob, &bob, &bob, &ada]), None);
}

#[test]
fn newest_secret_signs_and_all_of_them_verify() {
    let (former, current) = (tokens(&["a"]), tokens(&["b", "a"]));
    let old = sign(&former, &sign(&former, "", ADA, 7, NOW), BOB, 8, NOW);
    assert_eq!(find(&current, &old, ADA, NOW), Some(7));
    let new = sign(&current, &old, BOB, 9, NOW);
    assert_eq!((find(&current, &new, ADA, NOW), find(&current, &new, BOB, NOW)), (Some(7), Some(8)));
    assert_eq!(find(&former, &new, ADA, NOW), None);
    assert!(DeviceTokens::new(&[]).is_none());
}

#[test]
fn other_tokens_and_changed_ones_are_no_device_tokens() {
    let tokens = tokens(&["a"]);
    let device = sign(&tokens, "", ADA, 7, NOW);
    let refresh = RefreshTokens::new("issuer".to_owned(), LIFETIME, &[secret("a")]).unwrap();
    let claims = RefreshClaims { user_id: UserId(1), session_id: SessionId(7), generation: 1, issued_at: 0 };
    let (message, _) = device.rsplit_once('.').unwrap();
    let unsigned = Unverified::split(&device).unwrap();
    assert!(refresh.verify(&device).is_err(), "{:?}", unsigned.header());
    for token in [&refresh.sign(claims).unwrap(), "", "a.b.c", message, &format!("{message}.AAAA")] {
        assert_eq!(find(&tokens, token, ADA, NOW), None, "{token}");
    }
}
