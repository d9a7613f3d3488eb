//! From verified claims to an `Identity`, the only thing that can become a header (invariant 2). It
//! takes the time as an argument and trusts nothing that is not of its type.

use std::borrow::Cow;
use std::rc::Rc;

use edgeward_wire::role::is_role;
use edgeward_wire::{access_token, clock, user_id};

use crate::json::Json;
use crate::rejection::{Claim, Rejection};
use crate::token::Verified;

/// Who is calling, and for how long that holds. What stands in headers is safe to: numbers, and the bytes of a
/// role. It is made for keeping: a copy allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user_id: u64,
    session_id: u64,
    issued_at: u64,
    expires_at: u64,
    role: Rc<str>,
}

/// What the claims must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The only issuer.
    pub issuer: String,
    /// The audience that must be among the token's.
    pub audience: String,
    /// How far the clocks of issuer and edge may be apart, in seconds.
    pub clock_skew_s: u64,
}

impl Identity {
    /// Reads and judges the claims of a verified token at `now`, in seconds since 1970.
    pub fn judge(token: &Verified, expected: &Expected, now: u64) -> Result<Self, Rejection> {
        let claims = Claims(token.claims()?);
        if claims.string(Claim::Iss)? != expected.issuer {
            return Err(Rejection::IssuerUnexpected);
        }
        if !claims.names_audience(&expected.audience)? {
            return Err(Rejection::AudienceUnexpected);
        }
        let (issued_at, expires_at) = claims.judge_times(expected.clock_skew_s, now)?;
        let user_id =
            user_id::parse(claims.string(Claim::Sub)?).ok_or(Rejection::ClaimMistyped(Claim::Sub))?;
        let session_id = claims.integer(Claim::Sid)?;
        let role = claims.string(Claim::Role)?;
        if !is_role(role) {
            return Err(Rejection::ClaimMistyped(Claim::Role));
        }
        Ok(Self { user_id, session_id, issued_at, expires_at, role: role.into() })
    }

    /// Whether its time has come. Whoever keeps an identity asks again at every use.
    #[must_use]
    pub const fn has_expired(&self, expected: &Expected, now: u64) -> bool {
        now >= self.expires_at.saturating_add(expected.clock_skew_s)
    }

    /// The same with a role that others share, where it is the same role.
    pub(crate) fn with_shared_role(mut self, roles: &[Rc<str>]) -> Self {
        if let Some(shared) = roles.iter().find(|shared| **shared == self.role) {
            self.role = Rc::clone(shared);
        }
        self
    }

    pub(crate) fn shared_role(&self) -> Rc<str> {
        Rc::clone(&self.role)
    }

    /// The user's ID, of [`user_id::MAX_DIGITS`] at most.
    #[must_use]
    pub const fn user_id(&self) -> u64 {
        self.user_id
    }

    /// When the token was made, in seconds since 1970.
    #[must_use]
    pub const fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// Time of expiry, in seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The user's role, by the grammar of [`is_role`].
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The session's number.
    #[must_use]
    pub const fn session_id(&self) -> u64 {
        self.session_id
    }
}

struct Claims<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Claims<'a> {
    fn optional(&self, claim: Claim) -> Option<&Json<'a>> {
        self.0.iter().find(|(name, _)| name == claim.name()).map(|(_, value)| value)
    }

    fn required(&self, claim: Claim) -> Result<&Json<'a>, Rejection> {
        self.optional(claim).ok_or(Rejection::ClaimMissing(claim))
    }

    fn string(&self, claim: Claim) -> Result<&str, Rejection> {
        match self.required(claim)? {
            Json::String(text) => Ok(text),
            _ => Err(Rejection::ClaimMistyped(claim)),
        }
    }

    fn integer(&self, claim: Claim) -> Result<u64, Rejection> {
        self.required(claim)?.whole().ok_or(Rejection::ClaimMistyped(claim))
    }

    /// `aud` is a string, or a list of strings (RFC 7519 §4.1.3).
    fn names_audience(&self, audience: &str) -> Result<bool, Rejection> {
        let mistyped = Rejection::ClaimMistyped(Claim::Aud);
        let one = |value: &Json<'_>| match value {
            Json::String(text) => Ok(text == audience),
            _ => Err(mistyped),
        };
        match self.required(Claim::Aud)? {
            Json::Array(list) => list.iter().try_fold(false, |found, value| Ok(found | one(value)?)),
            value => one(value),
        }
    }

    /// `iat` and `exp`, where it is their time.
    fn judge_times(&self, skew_s: u64, now: u64) -> Result<(u64, u64), Rejection> {
        let expires = self.integer(Claim::Exp)?;
        let issued = self.integer(Claim::Iat)?;
        let not_before = match self.optional(Claim::Nbf) {
            Some(value) => value.whole().ok_or(Rejection::ClaimMistyped(Claim::Nbf))?,
            None => 0,
        };
        // A token that is dated ahead harms nobody, so it passes wherever the feed of its companion is applied. One that
        // has expired is judged by `clock_skew_seconds` alone.
        let latest = now.saturating_add(skew_s.max(clock::MAX_GAP_S.into()));
        if now >= expires.saturating_add(skew_s) {
            return Err(Rejection::Expired);
        }
        if expires > latest.saturating_add(access_token::MAX_LIFETIME_S.into()) {
            return Err(Rejection::ExpiryTooFar);
        }
        if issued > latest {
            return Err(Rejection::IssuedInFuture);
        }
        if not_before > latest {
            return Err(Rejection::NotYetValid);
        }
        Ok((issued, expires))
    }
}

impl Json<'_> {
    /// An integer from 0 to 2^63 - 1, which is what a `bigint` and a time can be.
    fn whole(&self) -> Option<u64> {
        match self {
            Self::Integer(value) => i64::try_from(*value).ok().and_then(|value| u64::try_from(value).ok()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn check(payload: &str, expected: Result<(), Rejection>) {
        let ours = Expected { issuer: "edgeward".into(), audience: "shop".into(), clock_skew_s: 5 };
        let judged = Identity::judge(&Verified::for_test(payload), &ours, NOW);
        assert_eq!(judged.map(|_| ()), expected, "{payload}");
    }

    /// The good claims, with one of them replaced (or left out, where `value` is empty).
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
        };
        check(&serde_json::to_string(&claims).unwrap(), Ok(()));
    }

    #[test]
    fn good_claims_are_an_identity() {
        let ours = Expected { issuer: "edgeward".into(), audience: "shop".into(), clock_skew_s: 5 };
        let identity = Identity::judge(&Verified::for_test(&with("", "")), &ours, NOW).unwrap();
        assert_eq!((identity.user_id(), identity.role(), identity.session_id()), (42, "customer", 7));
        assert_eq!(identity.issued_at(), NOW);
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
        }
    }

    #[test]
    fn times_are_judged_to_the_second_with_what_clocks_may_differ() {
        for (claim, value, expected) in [
            ("exp", NOW - 4, Ok(())),
            ("exp", NOW - 5, Err(Rejection::Expired)),
            ("exp", 0, Err(Rejection::Expired)),
            ("exp", NOW + 86_460, Ok(())),
            ("exp", NOW + 86_461, Err(Rejection::ExpiryTooFar)),
            ("exp", u64::MAX >> 1, Err(Rejection::ExpiryTooFar)),
            ("iat", NOW + 60, Ok(())),
            ("iat", NOW + 61, Err(Rejection::IssuedInFuture)),
            ("iat", 0, Ok(())),
            ("nbf", NOW + 60, Ok(())),
            ("nbf", NOW + 61, Err(Rejection::NotYetValid)),
        ] {
            check(&with(claim, &value.to_string()), expected);
        }
    }

    #[test]
    fn another_issuer_or_audience_is_refused() {
        check(&with("iss", r#""Edgeward""#), Err(Rejection::IssuerUnexpected));
        check(&with("aud", r#""other""#), Err(Rejection::AudienceUnexpected));
        check(&with("aud", "[]"), Err(Rejection::AudienceUnexpected));
    }

    #[test]
    fn a_payload_that_is_not_one_object_with_distinct_members_is_refused() {
        for payload in ["", "[]", "\"x\"", "{", "{} {}", r#"{"iss":"edgeward","iss":"edgeward"}"#] {
            check(payload, Err(Rejection::ClaimsMalformed));
        }
    }
}
