//! Claims that are accepted, and claims that are rejected.

use super::*;

const NOW: u64 = 1_800_000_000;

fn check(payload: &str, expected: Result<(), Rejection>) {
    let ours = Expected { issuer: "edgeward".into(), audience: "shop".into(), clock_skew_s: 5 };
    let judged = Identity::judge(&Verified::for_test(payload), &ours, NOW);
    assert_eq!(judged.map(|_| ()), expected, "{payload}");
}

/// Returns good claims with one of them replaced, or left out if `value` is empty.
fn with(name: &str, value: &str) -> String {
    let exp = (NOW + 60).to_string();
    let iat = NOW.to_string();
    let mut claims = vec![
        ("iss", r#""edgeward""#),
        ("aud", r#""shop""#),
        ("exp", &exp),
        ("iat", &iat),
        ("sub", r#""42""#),
        ("sid", "7"),
        ("role", r#""customer""#),
    ];
    claims.retain(|(this, _)| *this != name);
    if !value.is_empty() {
        claims.push((name, value));
    }
    let members: Vec<String> = claims.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn claims_are_read_as_the_companion_writes_them() {
    let claims = edgeward_wire::AccessClaims {
        iss: "edgeward".into(),
        aud: "shop".into(),
        sub: i64::MAX.to_string(),
        role: "customer".into(),
        sid: i64::MAX,
        iat: NOW.cast_signed(),
        exp: NOW.cast_signed() + 60,
        auth_time: None,
        amr: None,
        jti: None,
        client_id: None,
    };
    let identity = |claims: &edgeward_wire::AccessClaims| {
        let ours = Expected { issuer: "edgeward".into(), audience: "shop".into(), clock_skew_s: 5 };
        let payload = serde_json::to_string(claims).unwrap();
        Identity::judge(&Verified::for_test(&payload), &ours, NOW).unwrap()
    };
    let of_former_companion = identity(&claims);
    assert_eq!((of_former_companion.authenticated_at(), of_former_companion.methods()), (None, ""));
    let claims = edgeward_wire::AccessClaims {
        auth_time: Some(NOW.cast_signed() - 7),
        amr: Some(["pwd", "otp", "mfa"].map(str::to_owned).into()),
        jti: Some("abc".into()),
        client_id: Some("edgeward".into()),
        ..claims
    };
    let current = identity(&claims);
    assert_eq!((current.authenticated_at(), current.methods()), (Some(NOW - 7), "pwd,otp,mfa"));
}

#[test]
fn good_claims_become_an_identity() {
    let ours = Expected { issuer: "edgeward".into(), audience: "shop".into(), clock_skew_s: 5 };
    let identity = Identity::judge(&Verified::for_test(&with("", "")), &ours, NOW).unwrap();
    assert_eq!((identity.user_id(), identity.role(), identity.session_id()), (42, "customer", 7));
    assert_eq!((identity.issued_at(), identity.expires_at()), (NOW, NOW + 60));
    assert!(!identity.has_expired(&ours, NOW + 64));
    assert!(identity.has_expired(&ours, NOW + 65));
    check(&with("aud", r#"["other","shop"]"#), Ok(()));
    check(&with("nbf", &NOW.to_string()), Ok(()));
    check(&with("sub", r#""9223372036854775807""#), Ok(()));
    check(&with("unknown", "null"), Ok(()));
}

#[test]
fn every_claim_is_required_and_of_its_type() {
    for (claim, bad) in [
        (Claim::Iss, &["1", "[]", r#"["edgeward"]"#, "null"][..]),
        (Claim::Aud, &["1", "null", "{}", r#"["shop",1]"#]),
        (
            Claim::Exp,
            &["\"1800000060\"", "1800000060.0", "18e8", "-1", "null", "true", "9223372036854775808"],
        ),
        (Claim::Iat, &["\"1\"", "1.5", "-1", "null", "18446744073709551616"]),
        (
            Claim::Sub,
            &[
                "42",
                r#""""#,
                r#""042""#,
                r#""4 2""#,
                r#""-4""#,
                r#""12345678901234567890""#,
                r#""٤٢""#,
                "null",
            ],
        ),
        (Claim::Sid, &[r#""7""#, "-7", "7.0", "null", "9223372036854775808"]),
        (
            Claim::Role,
            &["1", r#""""#, r#""Admin""#, r#""_x""#, r#""a b""#, r#""a\n""#, "null", r#"["admin"]"#],
        ),
    ] {
        check(&with(claim.name(), ""), Err(Rejection::ClaimMissing(claim)));
        for value in bad {
            check(&with(claim.name(), value), Err(Rejection::ClaimMistyped(claim)));
        }
    }
    check(&with("role", &format!("\"{}\"", "a".repeat(65))), Err(Rejection::ClaimMistyped(Claim::Role)));
    for value in ["\"1\"", "1.0", "null", "-1"] {
        check(&with("nbf", value), Err(Rejection::ClaimMistyped(Claim::Nbf)));
        check(&with("auth_time", value), Err(Rejection::ClaimMistyped(Claim::AuthTime)));
    }
    let many = format!("[{}]", [r#""x""#; 9].join(","));
    for value in
        [r#""pwd""#, "1", "null", "{}", "[1]", r#"[""]"#, r#"["a b"]"#, r#"["a,b"]"#, r#"["MFA"]"#, &many]
    {
        check(&with("amr", value), Err(Rejection::ClaimMistyped(Claim::Amr)));
    }
    check(&with("amr", "[]"), Ok(()));
    check(&with("amr", r#"["hwk","of_a_later_one"]"#), Ok(()));
}

// holds: invariant 6
#[test]
fn times_are_checked_to_the_second_with_the_allowed_clock_skew() {
    let expired = |expired_at| Err(Rejection::Expired { expired_at, now: NOW });
    let too_far = |expires_at| Err(Rejection::ExpiryTooFar { expires_at, now: NOW });
    for (claim, value, expected) in [
        ("exp", NOW - 4, Ok(())),
        ("exp", NOW - 5, expired(NOW - 5)),
        ("exp", 0, expired(0)),
        ("exp", NOW + 86_460, Ok(())),
        ("exp", NOW + 86_461, too_far(NOW + 86_461)),
        ("exp", u64::MAX >> 1, too_far(u64::MAX >> 1)),
        ("iat", NOW + 60, Ok(())),
        ("iat", NOW + 61, Err(Rejection::IssuedInFuture { issued_at: NOW + 61, now: NOW })),
        ("iat", 0, Ok(())),
        ("nbf", NOW + 60, Ok(())),
        ("nbf", NOW + 61, Err(Rejection::NotYetValid { not_before: NOW + 61, now: NOW })),
    ] {
        check(&with(claim, &value.to_string()), expected);
    }
}

#[test]
fn another_issuer_or_audience_is_rejected() {
    check(&with("iss", r#""Edgeward""#), Err(Rejection::IssuerUnexpected));
    check(&with("aud", r#""other""#), Err(Rejection::AudienceUnexpected));
    check(&with("aud", "[]"), Err(Rejection::AudienceUnexpected));
}

#[test]
fn payload_that_is_not_one_object_with_distinct_members_is_rejected() {
    for payload in ["", "[]", "\"x\"", "{", "{} {}", r#"{"iss":"edgeward","iss":"edgeward"}"#] {
        check(payload, Err(Rejection::ClaimsMalformed));
    }
}

#[test]
fn identities_share_a_bounded_number_of_words() {
    let new = |number: usize| {
        Shared::new(Words { role: format!("role-{number}").into(), methods: format!("m{number}").into() })
    };
    let all: Vec<_> = (0..=SHARED.len()).map(new).collect();
    let shared = all.iter().filter(|words| matches!(words, Shared::Static(_))).count();
    // Other tests have words too.
    assert!((1..=SHARED.len()).contains(&shared), "{shared} are shared");
    assert!(all.iter().enumerate().all(|(number, words)| {
        (&*words.get().role, &*words.get().methods) == (&format!("role-{number}"), &format!("m{number}"))
    }));
    if let (Shared::Static(first), Shared::Static(again)) = (&all[0], new(0)) {
        assert!(std::ptr::eq(*first, again));
    }
}

#[test]
fn an_identity_takes_no_more_than_56_bytes() {
    assert!(size_of::<Identity>() <= 56, "{} bytes, a hundred thousand times", size_of::<Identity>());
}
