//! Why a request was refused, in the order of the checks, and what a refusal shows: its status to the
//! client, its label to the log and the metrics. The client never learns more (invariant 7).

use crate::path::Ambiguity;

/// One reason to refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The host did not hand over, or did not take, what a decision needs.
    HostFailed,
    /// The method has lower-case letters: methods are told apart by case (RFC 9110 §9.1), servers may not.
    MethodMalformed,
    /// An upgrade by another method than GET.
    UpgradeUnexpected,
    /// The path has more than one reading.
    Path(Ambiguity),
    /// No key is known yet, so no token can be judged.
    KeysUnknown,
    /// What the feed told is older than `max_staleness_seconds`.
    FeedStale,
    /// What was revoked before the start is not known yet.
    RevocationsUnknown,
    /// The request has no access token.
    CookieMissing,
    /// It has several, and they differ.
    CookieRepeated,
    /// The token is longer than `max_token_bytes`.
    TokenOversize,
    /// Not three segments of base64url without padding (RFC 7515 §3.1).
    TokenMalformed,
    /// The header is not one JSON object with distinct members.
    HeaderMalformed,
    /// `alg` is not [`ALGORITHM`](edgeward_wire::access_token::ALGORITHM).
    AlgorithmUnexpected,
    /// `typ` is not [`ACCESS_TOKEN_TYP`](edgeward_wire::ACCESS_TOKEN_TYP).
    TypUnexpected,
    /// `crit` is there: no extension is understood (RFC 7515 §4.1.11).
    CritPresent,
    /// A header member besides `alg`, `typ` and `kid`.
    HeaderMemberUnexpected,
    /// No `kid`, and the key set does not have exactly one key.
    KidMissing,
    /// `kid` is not a string of 1 to [`MAX_KID_BYTES`](edgeward_wire::jwk::MAX_KID_BYTES) bytes.
    KidMalformed,
    /// `kid` names no key of the set.
    KeyUnknown,
    /// The signature is not base64url without padding.
    SignatureMalformed,
    /// The signature is not this key's over this token.
    SignatureInvalid,
    /// The payload is not one JSON object with distinct members.
    ClaimsMalformed,
    /// A claim is not there.
    ClaimMissing(Claim),
    /// A claim is not of its type or shape.
    ClaimMistyped(Claim),
    /// `iss` is not ours.
    IssuerUnexpected,
    /// `aud` is not ours.
    AudienceUnexpected,
    /// `exp` has come.
    Expired,
    /// `exp` is further away than [`MAX_LIFETIME_S`](edgeward_wire::access_token::MAX_LIFETIME_S).
    ExpiryTooFar,
    /// `iat` has not come.
    IssuedInFuture,
    /// `nbf` has not come.
    NotYetValid,
    /// The token's session has ended.
    SessionEnded,
    /// The user's earlier tokens no longer count, as after a change of role.
    TokenOutdated,
    /// A new token would have let it pass, but the companion did not answer in time, or too many were waiting.
    RefreshUnavailable,
    /// By the clock of this machine, the time of a token that the companion has just made is over or has not come.
    ClocksApart,
    /// Another site's page sent it with our cookies.
    CrossSite,
    /// The user's role is none of the rule's.
    RoleInsufficient,
}

/// The claims that are judged (RFC 7519 §4.1, RFC 9068 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Issuer.
    Iss,
    /// Audience.
    Aud,
    /// Expiration time.
    Exp,
    /// Issued at.
    Iat,
    /// Not before.
    Nbf,
    /// Subject: the user's ID.
    Sub,
    /// The session's number.
    Sid,
    /// The user's role.
    Role,
}

impl Rejection {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MethodMalformed | Self::UpgradeUnexpected | Self::Path(_) | Self::TokenOversize => 400,
            Self::CrossSite | Self::RoleInsufficient => 403,
            Self::HostFailed
            | Self::KeysUnknown
            | Self::FeedStale
            | Self::RevocationsUnknown
            | Self::RefreshUnavailable
            | Self::ClocksApart => 503,
            _ => 401,
        }
    }

    /// Whether a new token of the same session would let the request pass.
    #[must_use]
    pub const fn calls_for_refresh(self) -> bool {
        // A token of the future is from before a clock was set back.
        matches!(
            self,
            Self::CookieMissing
                | Self::KeyUnknown
                | Self::Expired
                | Self::IssuedInFuture
                | Self::TokenOutdated
        )
    }

    /// The name in logs and metrics: `[a-z_]+`, one for each reason.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::HostFailed => "host_failed",
            Self::MethodMalformed => "method_malformed",
            Self::UpgradeUnexpected => "upgrade_unexpected",
            Self::Path(ambiguity) => path_label(ambiguity),
            Self::KeysUnknown => "keys_unknown",
            Self::FeedStale => "feed_stale",
            Self::RevocationsUnknown => "revocations_unknown",
            Self::CookieMissing => "cookie_missing",
            Self::CookieRepeated => "cookie_repeated",
            Self::TokenOversize => "token_oversize",
            Self::TokenMalformed => "token_malformed",
            Self::HeaderMalformed => "header_malformed",
            Self::AlgorithmUnexpected => "alg_unexpected",
            Self::TypUnexpected => "typ_unexpected",
            Self::CritPresent => "crit_present",
            Self::HeaderMemberUnexpected => "header_member_unexpected",
            Self::KidMissing => "kid_missing",
            Self::KidMalformed => "kid_malformed",
            Self::KeyUnknown => "kid_unknown",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimsMalformed => "claims_malformed",
            Self::ClaimMissing(claim) => claim_labels(claim).0,
            Self::ClaimMistyped(claim) => claim_labels(claim).1,
            Self::IssuerUnexpected => "iss_unexpected",
            Self::AudienceUnexpected => "aud_unexpected",
            Self::Expired => "exp_passed",
            Self::ExpiryTooFar => "exp_too_far",
            Self::IssuedInFuture => "iat_in_future",
            Self::NotYetValid => "nbf_in_future",
            Self::SessionEnded => "session_ended",
            Self::TokenOutdated => "token_outdated",
            Self::RefreshUnavailable => "refresh_unavailable",
            Self::ClocksApart => "clocks_apart",
            Self::CrossSite => "cross_site",
            Self::RoleInsufficient => "role_insufficient",
        }
    }
}

const fn path_label(ambiguity: Ambiguity) -> &'static str {
    match ambiguity {
        Ambiguity::NotAbsolute => "path_not_absolute",
        Ambiguity::ForbiddenByte => "path_forbidden_byte",
        Ambiguity::Backslash => "path_backslash",
        Ambiguity::Parameter => "path_parameter",
        Ambiguity::BrokenEscape => "path_broken_escape",
        Ambiguity::EscapedSlash => "path_escaped_slash",
        Ambiguity::EscapedControl => "path_escaped_control",
        Ambiguity::DoubleEscape => "path_double_escape",
        Ambiguity::NotUtf8 => "path_not_utf8",
        Ambiguity::EmptySegment => "path_empty_segment",
        Ambiguity::DotSegment => "path_dot_segment",
        Ambiguity::LetterCase => "path_letter_case",
        Ambiguity::Delimiter => "path_delimiter",
    }
}

/// A claim's labels when it is missing and when it is mistyped.
const fn claim_labels(claim: Claim) -> (&'static str, &'static str) {
    match claim {
        Claim::Iss => ("iss_missing", "iss_mistyped"),
        Claim::Aud => ("aud_missing", "aud_mistyped"),
        Claim::Exp => ("exp_missing", "exp_mistyped"),
        Claim::Iat => ("iat_missing", "iat_mistyped"),
        Claim::Nbf => ("nbf_missing", "nbf_mistyped"),
        Claim::Sub => ("sub_missing", "sub_mistyped"),
        Claim::Sid => ("sid_missing", "sid_mistyped"),
        Claim::Role => ("role_missing", "role_mistyped"),
    }
}

impl Claim {
    /// Its name in a token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Iat => "iat",
            Self::Nbf => "nbf",
            Self::Sub => "sub",
            Self::Sid => "sid",
            Self::Role => "role",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_has_its_status_and_a_label_of_its_own() {
        let mut labels: Vec<&str> = Vec::new();
        let mut check = |status: u16, rejections: &[Rejection]| {
            for rejection in rejections {
                assert_eq!(rejection.status(), status, "{rejection:?}");
                let label = rejection.label();
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(!label.is_empty() && label.bytes().all(plain), "{label}");
                assert!(!labels.contains(&label), "{label} stands for two rejections");
                labels.push(label);
            }
        };
        check(400, &[Rejection::MethodMalformed, Rejection::UpgradeUnexpected, Rejection::TokenOversize]);
        check(400, &AMBIGUITIES.map(Rejection::Path));
        check(403, &[Rejection::CrossSite, Rejection::RoleInsufficient]);
        check(503, &[Rejection::HostFailed, Rejection::KeysUnknown, Rejection::FeedStale]);
        check(503, &[Rejection::RevocationsUnknown, Rejection::RefreshUnavailable, Rejection::ClocksApart]);
        check(401, &[Rejection::CookieMissing, Rejection::CookieRepeated, Rejection::TokenMalformed]);
        check(401, &[Rejection::KidMissing, Rejection::KidMalformed, Rejection::KeyUnknown]);
        check(401, &[Rejection::SignatureMalformed, Rejection::SignatureInvalid, Rejection::ClaimsMalformed]);
        check(
            401,
            &[Rejection::Expired, Rejection::ExpiryTooFar, Rejection::IssuedInFuture, Rejection::NotYetValid],
        );
        check(401, &CLAIMS.map(Rejection::ClaimMissing));
        check(401, &CLAIMS.map(Rejection::ClaimMistyped));
    }

    const CLAIMS: [Claim; 8] =
        [Claim::Iss, Claim::Aud, Claim::Exp, Claim::Iat, Claim::Nbf, Claim::Sub, Claim::Sid, Claim::Role];

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
}
