//! Reasons to reject a request, in the order of the checks, with the status that the client gets. The label and the
//! message are for the log and the metrics alone (invariant 7).

mod claim;
mod label;
mod remedy;

use edgeward_wire::Network;
use edgeward_wire::access_token::{ACCESS_TOKEN_TYP, ALGORITHM, MAX_LIFETIME_S};
use edgeward_wire::jwk::MAX_KID_BYTES;
use thiserror::Error;

pub use claim::Claim;

use crate::path::Ambiguity;

/// Reason to reject a request, with its evidence: numbers of a verified token and of the configuration, and nothing
/// that a client sent in other words. Its `Display` is one plain sentence for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The host did not return, or did not accept, data that a decision needs.
    #[error("a call of the proxy-wasm host failed")]
    HostFailed,
    /// The method has lower-case letters: methods are case-sensitive (RFC 9110 §9.1), and not for every server.
    #[error("the method has lower-case letters")]
    MethodMalformed,
    /// TRACE, which a server echoes with the fields that it got, cookies and identity included (RFC 9110 §9.3.8).
    #[error("TRACE, which a server echoes")]
    TraceUnexpected,
    /// An upgrade by another method than GET.
    #[error("an upgrade by another method than GET")]
    UpgradeUnexpected,
    /// The path has more than one reading.
    #[error("the path {0}")]
    Path(Ambiguity),
    /// The client's network is banned from requests of this kind, after too many that failed.
    #[error(
        "the client's network {network} is banned for another {} s (until {until})",
        .until.saturating_sub(*.now)
    )]
    NetworkBanned {
        /// Network that is banned.
        network: Network,
        /// End of the ban, in seconds since 1970.
        until: u64,
        /// Time of the decision, in seconds since 1970.
        now: u64,
    },
    /// No key is known yet, so no token can be verified.
    #[error("no signing key is known yet")]
    KeysUnknown,
    /// The last response of the feed is older than `max_staleness_seconds`.
    #[error("the last response of the edge feed is {age_s} s old, and at most {max_age_s} s are allowed")]
    FeedStale {
        /// Age of the last response, in seconds.
        age_s: u64,
        /// Maximum age, in seconds.
        max_age_s: u64,
    },
    /// The revocations from before the start are not known yet.
    #[error("the revocations are not known yet")]
    RevocationsUnknown,
    /// The request has no access token.
    #[error("there is no access token")]
    CookieMissing,
    /// The request has several access tokens that differ.
    #[error("there are several access tokens that differ")]
    CookieRepeated,
    /// The token is longer than `max_token_bytes`.
    #[error("the access token has {bytes} bytes, and at most {max_bytes} are allowed")]
    TokenOversize {
        /// Length of the token, in bytes.
        bytes: usize,
        /// Maximum length, in bytes.
        max_bytes: usize,
    },
    /// The token is not three segments of base64url without padding (RFC 7515 §3.1).
    #[error("the access token is not three segments of base64url")]
    TokenMalformed,
    /// The JOSE header is not one JSON object with distinct members (RFC 7515 §4).
    #[error("the JOSE header is not one JSON object with distinct members")]
    HeaderMalformed,
    /// `alg` is not [`ALGORITHM`].
    #[error("the algorithm (alg) is not {ALGORITHM}")]
    AlgorithmUnexpected,
    /// `typ` is not [`ACCESS_TOKEN_TYP`].
    #[error("the type (typ) is not {ACCESS_TOKEN_TYP}")]
    TypUnexpected,
    /// `crit` is present, and no extension is supported (RFC 7515 §4.1.11).
    #[error("the JOSE header has critical extensions (crit)")]
    CritPresent,
    /// The JOSE header has a member besides `alg`, `typ` and `kid`.
    #[error("the JOSE header has a member besides alg, typ and kid")]
    HeaderMemberUnexpected,
    /// There is no `kid`, and the key set does not have exactly one key.
    #[error("there is no key ID (kid), and the key set has not exactly one key")]
    KidMissing,
    /// `kid` is not a string of 1 to [`MAX_KID_BYTES`] bytes.
    #[error("the key ID (kid) is not a string of 1 to {MAX_KID_BYTES} bytes")]
    KidMalformed,
    /// `kid` names no key of the set.
    #[error("the key ID (kid) names no key of the set")]
    KeyUnknown,
    /// The signature is not base64url without padding.
    #[error("the signature is not base64url")]
    SignatureMalformed,
    /// The signature is not valid for this token and key (RFC 7515 §5.2).
    #[error("the signature is invalid")]
    SignatureInvalid,
    /// The payload is not one JSON object with distinct members (RFC 7519 §4).
    #[error("the claims are not one JSON object with distinct members")]
    ClaimsMalformed,
    /// A claim is missing.
    #[error("the claim {0} is missing")]
    ClaimMissing(Claim),
    /// A claim does not have its type or form.
    #[error("the claim {0} does not have its type or form")]
    ClaimMistyped(Claim),
    /// `iss` is not the configured issuer.
    #[error("the issuer (iss) is not the configured one")]
    IssuerUnexpected,
    /// `aud` does not contain the configured audience.
    #[error("the audience (aud) is not the configured one")]
    AudienceUnexpected,
    /// `exp` has passed, by more than the configured clock skew (RFC 7519 §4.1.4).
    #[error("the access token expired {} s ago (exp {expired_at})", .now.saturating_sub(*.expired_at))]
    Expired {
        /// `exp`, in seconds since 1970.
        expired_at: u64,
        /// Time of the decision, in seconds since 1970.
        now: u64,
    },
    /// `exp` is further away than [`MAX_LIFETIME_S`].
    #[error(
        "the access token expires in {} s (exp {expires_at}), and at most {MAX_LIFETIME_S} s are allowed",
        .expires_at.saturating_sub(*.now)
    )]
    ExpiryTooFar {
        /// `exp`, in seconds since 1970.
        expires_at: u64,
        /// Time of the decision, in seconds since 1970.
        now: u64,
    },
    /// `iat` is in the future.
    #[error("the access token was issued {} s in the future (iat {issued_at})", .issued_at.saturating_sub(*.now))]
    IssuedInFuture {
        /// `iat`, in seconds since 1970.
        issued_at: u64,
        /// Time of the decision, in seconds since 1970.
        now: u64,
    },
    /// `nbf` is in the future (RFC 7519 §4.1.5).
    #[error("the access token is valid in {} s only (nbf {not_before})", .not_before.saturating_sub(*.now))]
    NotYetValid {
        /// `nbf`, in seconds since 1970.
        not_before: u64,
        /// Time of the decision, in seconds since 1970.
        now: u64,
    },
    /// The token's session has ended.
    #[error("the session {session_id} has ended")]
    SessionEnded {
        /// `sid` of the token.
        session_id: u64,
    },
    /// The user's earlier tokens are revoked, as after a change of role.
    #[error(
        "the access token was issued at {issued_at}, and those of its user from before {not_before} are revoked"
    )]
    TokenOutdated {
        /// `iat` of the token, in seconds since 1970.
        issued_at: u64,
        /// Time from which on the user's tokens are valid, in seconds since 1970.
        not_before: u64,
    },
    /// A new token would let the request pass, but the companion did not respond in time, or too many requests were
    /// held.
    #[error("no new access token could be fetched")]
    RefreshUnavailable,
    /// By this machine's clock, a token that the companion has just issued is expired or not yet valid.
    #[error("a new access token is outside its time: the clocks of gateway and companion differ too much")]
    ClocksApart,
    /// A page of another site sent an unsafe request with the user's cookies.
    #[error("a page of another site sent an unsafe request")]
    CrossSite,
    /// The user's role is not among those of the rule.
    #[error("the user's role is not among those of the rule")]
    RoleInsufficient,
    /// The user's last authentication is older than the rule's `max_auth_age_seconds`, or the token does not tell its time.
    #[error("the user's last authentication {}, and at most {max_age_s} s are allowed", age(*.authenticated_at, *.now))]
    AuthenticationOutdated {
        /// `auth_time`, in seconds since 1970; `None` if the token has none.
        authenticated_at: Option<u64>,
        /// Maximum age, in seconds.
        max_age_s: u32,
        /// Time of the decision, in seconds since 1970.
        now: u64,
    },
    /// The user's last authentication lacks a method of the rule's `require`.
    #[error("the user's last authentication (amr) lacks {method}, which the rule requires")]
    AuthenticationInsufficient {
        /// First method that it lacks.
        method: &'static str,
    },
}

/// Describes the age of an authentication at `now`.
fn age(authenticated_at: Option<u64>, now: u64) -> String {
    match authenticated_at {
        None => "was at an unknown time".to_owned(),
        Some(at) if at > now => format!("is {} s in the future (auth_time {at})", at - now),
        Some(at) => format!("was {} s ago (auth_time {at})", now - at),
    }
}

impl Rejection {
    /// Returns the status of the local reply.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MethodMalformed
            | Self::TraceUnexpected
            | Self::UpgradeUnexpected
            | Self::Path(_)
            | Self::TokenOversize { .. } => 400,
            Self::CrossSite | Self::RoleInsufficient => 403,
            Self::NetworkBanned { .. } => 429,
            Self::HostFailed
            | Self::KeysUnknown
            | Self::FeedStale { .. }
            | Self::RevocationsUnknown
            | Self::RefreshUnavailable
            | Self::ClocksApart => 503,
            _ => 401,
        }
    }
}

#[cfg(test)]
mod tests;
