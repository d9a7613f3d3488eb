//! Statuses, labels and messages of rejections.

use super::*;

const NOW: u64 = 1_800_000_000;

const CLAIMS: [Claim; 10] = [
    Claim::Iss,
    Claim::Aud,
    Claim::Exp,
    Claim::Iat,
    Claim::Nbf,
    Claim::Sub,
    Claim::Sid,
    Claim::Role,
    Claim::AuthTime,
    Claim::Amr,
];

const AMBIGUITIES: [Ambiguity; 13] = [
    Ambiguity::NotAbsolute,
    Ambiguity::ForbiddenByte,
    Ambiguity::Backslash,
    Ambiguity::Parameter,
    Ambiguity::BrokenEscape,
    Ambiguity::EscapedSlash,
    Ambiguity::EscapedControl,
    Ambiguity::DoubleEscape,
    Ambiguity::NotUtf8,
    Ambiguity::EmptySegment,
    Ambiguity::DotSegment,
    Ambiguity::LetterCase,
    Ambiguity::Delimiter,
];

const OVERSIZE: Rejection = Rejection::TokenOversize { bytes: 4097, max_bytes: 4096 };
const STALE: Rejection = Rejection::FeedStale { age_s: 301, max_age_s: 300 };
const EXPIRED: Rejection = Rejection::Expired { expired_at: NOW, now: NOW + 35 };
const TOO_FAR: Rejection = Rejection::ExpiryTooFar { expires_at: NOW + 90_000, now: NOW };
const IN_FUTURE: Rejection = Rejection::IssuedInFuture { issued_at: NOW + 70, now: NOW };
const NOT_YET: Rejection = Rejection::NotYetValid { not_before: NOW + 70, now: NOW };
const ENDED: Rejection = Rejection::SessionEnded { session_id: 7 };
const LONG_AGO: Rejection =
    Rejection::AuthenticationOutdated { authenticated_at: Some(NOW - 301), max_age_s: 300, now: NOW };
const UNKNOWN: Rejection =
    Rejection::AuthenticationOutdated { authenticated_at: None, max_age_s: 300, now: NOW };
const ONE_FACTOR: Rejection = Rejection::AuthenticationInsufficient { method: "mfa" };
const OUTDATED: Rejection = Rejection::TokenOutdated { issued_at: NOW, not_before: NOW + 1 };

fn banned() -> Rejection {
    Rejection::NetworkBanned { network: "192.0.2.0/24".parse().unwrap(), until: NOW + 42, now: NOW }
}

/// Returns every rejection with its status.
fn all() -> Vec<(u16, Rejection)> {
    let bad_requests =
        [Rejection::MethodMalformed, Rejection::TraceUnexpected, Rejection::UpgradeUnexpected, OVERSIZE];
    let forbidden = [Rejection::CrossSite, Rejection::RoleInsufficient];
    let unavailable = [
        Rejection::HostFailed,
        Rejection::KeysUnknown,
        STALE,
        Rejection::RevocationsUnknown,
        Rejection::RefreshUnavailable,
        Rejection::ClocksApart,
    ];
    let unauthorized = [
        Rejection::CookieMissing,
        Rejection::CookieRepeated,
        Rejection::TokenMalformed,
        Rejection::HeaderMalformed,
        Rejection::AlgorithmUnexpected,
        Rejection::TypUnexpected,
        Rejection::CritPresent,
        Rejection::HeaderMemberUnexpected,
        Rejection::KidMissing,
        Rejection::KidMalformed,
        Rejection::KeyUnknown,
        Rejection::SignatureMalformed,
        Rejection::SignatureInvalid,
        Rejection::ClaimsMalformed,
        Rejection::IssuerUnexpected,
        Rejection::AudienceUnexpected,
        EXPIRED,
        TOO_FAR,
        IN_FUTURE,
        NOT_YET,
        ENDED,
        OUTDATED,
        LONG_AGO,
        ONE_FACTOR,
    ];
    let mut all: Vec<(u16, Rejection)> = Vec::new();
    all.extend(bad_requests.map(|rejection| (400, rejection)));
    all.extend(AMBIGUITIES.map(|ambiguity| (400, Rejection::Path(ambiguity))));
    all.extend(forbidden.map(|rejection| (403, rejection)));
    all.push((429, banned()));
    all.extend(unavailable.map(|rejection| (503, rejection)));
    all.extend(unauthorized.map(|rejection| (401, rejection)));
    all.extend(CLAIMS.map(|claim| (401, Rejection::ClaimMissing(claim))));
    all.extend(CLAIMS.map(|claim| (401, Rejection::ClaimMistyped(claim))));
    all
}

#[test]
fn every_rejection_has_its_status_and_a_label_and_message_of_its_own() {
    let (mut labels, mut messages) = (Vec::new(), Vec::new());
    for (status, rejection) in all() {
        assert_eq!(rejection.status(), status, "{rejection:?}");
        let label = rejection.label();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(!label.is_empty() && label.bytes().all(plain), "{label}");
        assert!(!labels.contains(&label), "{label} is the label of two rejections");
        labels.push(label);
        let message = rejection.to_string();
        assert!(!messages.contains(&message), "{message} is the message of two rejections");
        messages.push(message);
    }
}

// holds: invariant 7
#[test]
fn message_of_a_rejection_is_one_sentence_with_its_evidence() {
    for (rejection, expected) in [
        (OVERSIZE, "the access token has 4097 bytes, and at most 4096 are allowed"),
        (banned(), "the client's network 192.0.2.0/24 is banned for another 42 s (until 1800000042)"),
        (STALE, "the last response of the edge feed is 301 s old, and at most 300 s are allowed"),
        (EXPIRED, "the access token expired 35 s ago (exp 1800000000)"),
        (TOO_FAR, "the access token expires in 90000 s (exp 1800090000), and at most 86400 s are allowed"),
        (IN_FUTURE, "the access token was issued 70 s in the future (iat 1800000070)"),
        (NOT_YET, "the access token is valid in 70 s only (nbf 1800000070)"),
        (ENDED, "the session 7 has ended"),
        (
            LONG_AGO,
            "the user's last authentication was 301 s ago (auth_time 1799999699), and at most 300 s are allowed",
        ),
        (UNKNOWN, "the user's last authentication was at an unknown time, and at most 300 s are allowed"),
        (ONE_FACTOR, "the user's last authentication (amr) lacks mfa, which the rule requires"),
        (
            OUTDATED,
            "the access token was issued at 1800000000, and those of its user from before 1800000001 are revoked",
        ),
        (Rejection::Path(Ambiguity::BrokenEscape), "the path has a % without two hexadecimal digits"),
        (Rejection::ClaimMissing(Claim::Sid), "the claim sid is missing"),
        (Rejection::AlgorithmUnexpected, "the algorithm (alg) is not RS256"),
    ] {
        assert_eq!(rejection.to_string(), expected);
    }
}
