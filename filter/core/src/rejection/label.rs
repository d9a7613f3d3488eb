//! Labels of the rejections. Dashboards and alert rules hold them, so they never change.

use super::{Claim, Rejection};
use crate::path::Ambiguity;

impl Rejection {
    /// Returns the label in the access log and in metrics: `[a-z0-9_]+`, one for each reason.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::HostFailed => "host_failed",
            Self::MethodMalformed => "method_malformed",
            Self::TraceUnexpected => "trace_unexpected",
            Self::UpgradeUnexpected => "upgrade_unexpected",
            Self::Path(ambiguity) => path_label(ambiguity),
            Self::NetworkBanned { .. } => "network_banned",
            Self::KeysUnknown => "keys_unknown",
            Self::FeedStale { .. } => "feed_stale",
            Self::RevocationsUnknown => "revocations_unknown",
            Self::CookieMissing => "cookie_missing",
            Self::CookieRepeated => "cookie_repeated",
            Self::TokenOversize { .. } => "token_oversize",
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
            Self::Expired { .. } => "exp_passed",
            Self::ExpiryTooFar { .. } => "exp_too_far",
            Self::IssuedInFuture { .. } => "iat_in_future",
            Self::NotYetValid { .. } => "nbf_in_future",
            Self::SessionEnded { .. } => "session_ended",
            Self::TokenOutdated { .. } => "token_outdated",
            Self::RefreshUnavailable => "refresh_unavailable",
            Self::ClocksApart => "clocks_apart",
            Self::CrossSite => "cross_site",
            Self::RoleInsufficient => "role_insufficient",
            Self::AuthenticationOutdated { .. } => "authentication_outdated",
            Self::AuthenticationInsufficient { .. } => "authentication_insufficient",
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

/// Returns a claim's labels: for a missing and for a mistyped claim.
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
        Claim::AuthTime => ("auth_time_missing", "auth_time_mistyped"),
        Claim::Amr => ("amr_missing", "amr_mistyped"),
    }
}
