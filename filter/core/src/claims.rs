//! From verified claims to an [`Identity`], the only value that can become an identity header (invariant 2). The time
//! is an argument, and no claim is trusted before its type is checked.

use std::borrow::Cow;
use std::sync::OnceLock;

use edgeward_wire::authentication::{MAX_METHODS, is_method};
use edgeward_wire::role::is_role;
use edgeward_wire::{access_token, clock, user_id};

use crate::json::Json;
use crate::rejection::{Claim, Rejection};
use crate::token::Verified;

/// User and session of a verified token, and the token's times. Its parts are safe in a header: numbers, and words of
/// ASCII letters, digits, `_`, `-` and `,`. It takes 56 bytes; a clone allocates nothing, unless tokens have more than 128
/// combinations of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user_id: u64,
    session_id: u64,
    issued_at: u64,
    expires_at: u64,
    /// 0 if the token does not tell, which no rule takes for recent.
    authenticated_at: u64,
    words: Shared,
}

/// Words of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    role: Box<str>,
    /// With commas in between; empty if the token does not tell.
    methods: Box<str>,
}

/// Words that identities share, or some of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shared {
    Static(&'static Words),
    Own(Box<Words>),
}

/// Combinations of words that identities share, in the order in which they were first seen. Chosen: more than a service has.
static SHARED: [OnceLock<Words>; 128] = [const { OnceLock::new() }; _];

impl Shared {
    /// Returns the shared words, or `words` if there is no room. To pass shared ones on counts no references, which the workers
    /// of a process would contend for.
    fn new(words: Words) -> Self {
        let mut slots = SHARED.iter().map(|slot| slot.get_or_init(|| words.clone()));
        slots.find(|found| **found == words).map_or_else(|| Self::Own(Box::new(words)), Self::Static)
    }

    const fn get(&self) -> &Words {
        match self {
            Self::Static(words) => words,
            Self::Own(words) => words,
        }
    }
}

/// Expected values of the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The only issuer (`iss`).
    pub issuer: String,
    /// The audience that must be among the token's (`aud`).
    pub audience: String,
    /// Maximum difference between the clocks of issuer and gateway, in seconds.
    pub clock_skew_s: u64,
}

impl Identity {
    /// Checks the claims of a verified token at `now`, in seconds since 1970 (RFC 7519 §4.1, RFC 9068 §4).
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`], [`Rejection::ClaimMissing`] or [`Rejection::ClaimMistyped`] if the claims do not
    /// have their form; [`Rejection::IssuerUnexpected`] or [`Rejection::AudienceUnexpected`] if the token is not of the
    /// issuer or not for the audience of `expected`; [`Rejection::Expired`], [`Rejection::ExpiryTooFar`],
    /// [`Rejection::IssuedInFuture`] or [`Rejection::NotYetValid`] if `now` is outside the token's time.
    pub fn judge(token: &Verified, expected: &Expected, now: u64) -> Result<Self, Rejection> {
        let claims = Claims(token.claims()?);
        if claims.string(Claim::Iss)? != expected.issuer {
            return Err(Rejection::IssuerUnexpected);
        }
        if !claims.names_audience(&expected.audience)? {
            return Err(Rejection::AudienceUnexpected);
        }
        let (issued_at, expires_at) = claims.check_times(expected.clock_skew_s, now)?;
        let user_id =
            user_id::parse(claims.string(Claim::Sub)?).ok_or(Rejection::ClaimMistyped(Claim::Sub))?;
        let session_id = claims.integer(Claim::Sid)?;
        let role = claims.string(Claim::Role)?;
        if !is_role(role) {
            return Err(Rejection::ClaimMistyped(Claim::Role));
        }
        let authenticated_at = claims.optional_integer(Claim::AuthTime)?;
        let words = Words { role: role.into(), methods: claims.methods()?.into() };
        Ok(Self { user_id, session_id, issued_at, expires_at, authenticated_at, words: Shared::new(words) })
    }

    /// `true` if the token has expired at `now`, in seconds since 1970. A cached identity is checked again at every
    /// use.
    #[must_use]
    pub const fn has_expired(&self, expected: &Expected, now: u64) -> bool {
        now >= self.expires_at.saturating_add(expected.clock_skew_s)
    }

    /// Returns the user's ID, of at most [`user_id::MAX_DIGITS`] digits.
    #[must_use]
    pub const fn user_id(&self) -> u64 {
        self.user_id
    }

    /// Returns the session's number.
    #[must_use]
    pub const fn session_id(&self) -> u64 {
        self.session_id
    }

    /// Returns the user's role, by the grammar of [`is_role`].
    #[must_use]
    pub fn role(&self) -> &str {
        &self.words.get().role
    }

    /// Returns the time of the user's last authentication (`auth_time`), in seconds since 1970; `None` if the token does not
    /// tell.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<u64> {
        (self.authenticated_at > 0).then_some(self.authenticated_at)
    }

    /// Returns the methods of that authentication (`amr`), with commas in between; empty if the token does not tell.
    #[must_use]
    pub fn methods(&self) -> &str {
        &self.words.get().methods
    }

    /// Returns the token's time of issue (`iat`), in seconds since 1970.
    #[must_use]
    pub const fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// Returns the token's time of expiry (`exp`), in seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }
}

/// Members of the payload, distinct by their names.
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

    /// Returns an integer that may be absent: 0 then.
    fn optional_integer(&self, claim: Claim) -> Result<u64, Rejection> {
        let Some(value) = self.optional(claim) else { return Ok(0) };
        value.whole().ok_or(Rejection::ClaimMistyped(claim))
    }

    /// Returns the methods in `amr`, with commas in between: a list of words (RFC 8176 §1).
    fn methods(&self) -> Result<String, Rejection> {
        let word = |value: &Json<'_>| match value {
            Json::String(word) if is_method(word) => Some(word.to_string()),
            _ => None,
        };
        let methods = match self.optional(Claim::Amr) {
            None => Some(Vec::new()),
            Some(Json::Array(list)) => list.iter().map(word).collect::<Option<Vec<_>>>(),
            Some(_) => None,
        };
        let methods = methods.filter(|methods| methods.len() <= MAX_METHODS).map(|methods| methods.join(","));
        methods.ok_or(Rejection::ClaimMistyped(Claim::Amr))
    }

    /// `true` if `aud` is or contains `audience`: it is a string, or a list of strings (RFC 7519 §4.1.3).
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

    /// Checks `exp`, `iat` and `nbf` at `now`. Returns `iat` and `exp`.
    fn check_times(&self, skew_s: u64, now: u64) -> Result<(u64, u64), Rejection> {
        let expires_at = self.integer(Claim::Exp)?;
        let issued_at = self.integer(Claim::Iat)?;
        let not_before = self.optional_integer(Claim::Nbf)?;
        // A token from the future is harmless, so it passes if the feed of its companion is applied: the same maximum
        // difference of clocks. For expiry, only `clock_skew_seconds` counts.
        let latest = now.saturating_add(skew_s.max(clock::MAX_GAP_S.into()));
        if now >= expires_at.saturating_add(skew_s) {
            return Err(Rejection::Expired { expired_at: expires_at, now });
        }
        if expires_at > latest.saturating_add(access_token::MAX_LIFETIME_S.into()) {
            return Err(Rejection::ExpiryTooFar { expires_at, now });
        }
        if issued_at > latest {
            return Err(Rejection::IssuedInFuture { issued_at, now });
        }
        if not_before > latest {
            return Err(Rejection::NotYetValid { not_before, now });
        }
        Ok((issued_at, expires_at))
    }
}

impl Json<'_> {
    /// Returns an integer from 0 to 2^63 - 1, the range of a `bigint` and of a time.
    fn whole(&self) -> Option<u64> {
        match self {
            Self::Integer(value) => i64::try_from(*value).ok().and_then(|value| u64::try_from(value).ok()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
