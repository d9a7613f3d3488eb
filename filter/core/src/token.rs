//! From a cookie's value to claims with a valid signature: structure, JOSE header, signature (RFC 7515 §5.2). `claims`
//! judges the claims themselves.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::{ACCESS_TOKEN_TYP, ALGORITHM};
use edgeward_wire::jwk::MAX_KID_BYTES;
use jsonwebtoken::Algorithm;

use crate::json::{self, Json};
use crate::keys::KeySet;
use crate::rejection::Rejection;

/// Maximum number of members of a JOSE header. Chosen: the companion writes three, and eight are compared pairwise at
/// no cost.
const MAX_HEADER_MEMBERS: usize = 8;

/// Token in compact serialisation (RFC 7515 §3.1) with a JOSE header that asks for nothing else than RS256. It reveals
/// no claim before [`Unverified::verify`].
pub struct Unverified<'a> {
    kid: Option<String>,
    signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// Payload of a token with a valid signature. Its claims are not judged yet.
pub struct Verified {
    payload: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Splits a token and checks its JOSE header. The caller limits the token's length.
    ///
    /// # Errors
    /// [`Rejection::TokenMalformed`] if it is not three segments of base64url; [`Rejection::HeaderMalformed`],
    /// [`Rejection::HeaderMemberUnexpected`], [`Rejection::AlgorithmUnexpected`], [`Rejection::TypUnexpected`],
    /// [`Rejection::CritPresent`] or [`Rejection::KidMalformed`] for the first fault of its JOSE header.
    pub fn parse(token: &'a [u8]) -> Result<Self, Rejection> {
        let token = std::str::from_utf8(token).map_err(|_| Rejection::TokenMalformed)?;
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Rejection::TokenMalformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Rejection::TokenMalformed)?;
        if payload.contains('.') {
            return Err(Rejection::TokenMalformed);
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| Rejection::TokenMalformed)?;
        Ok(Self { kid: check_header(&header)?, signing_input, payload, signature })
    }

    /// Checks the signature with the key that the token names.
    ///
    /// # Errors
    /// [`Rejection::KidMissing`] or [`Rejection::KeyUnknown`] if `keys` has no key for the token;
    /// [`Rejection::TokenMalformed`] or [`Rejection::SignatureMalformed`] if the payload or the signature is not
    /// base64url; [`Rejection::SignatureInvalid`] if the signature does not match.
    pub fn verify(self, keys: &KeySet) -> Result<Verified, Rejection> {
        let key = keys.find(self.kid.as_deref())?;
        // Decoded before the signature is checked, only to distinguish a malformed token from a forged one.
        let payload = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| Rejection::TokenMalformed)?;
        match jsonwebtoken::crypto::verify(
            self.signature,
            self.signing_input.as_bytes(),
            key,
            Algorithm::RS256,
        ) {
            Ok(true) => Ok(Verified { payload }),
            Ok(false) => Err(Rejection::SignatureInvalid),
            Err(_) => Err(Rejection::SignatureMalformed),
        }
    }
}

/// Checks a JOSE header (RFC 7515 §4.1): exactly our `alg` and `typ`, and no unknown member. Returns its `kid`.
fn check_header(header: &[u8]) -> Result<Option<String>, Rejection> {
    let Ok(Json::Object(members)) = Json::parse(header) else { return Err(Rejection::HeaderMalformed) };
    // Before the search for repeated members, which takes quadratic time.
    if members.len() > MAX_HEADER_MEMBERS {
        return Err(Rejection::HeaderMemberUnexpected);
    }
    if json::repeated_names(&members).next().is_some() {
        return Err(Rejection::HeaderMalformed);
    }
    let member = |name: &str| members.iter().find(|(this, _)| this == name).map(|(_, value)| value);
    let is = |name: &str, expected: &'static str| matches!(member(name), Some(Json::String(value)) if value == expected);
    if !is("alg", ALGORITHM) {
        return Err(Rejection::AlgorithmUnexpected);
    }
    if !is("typ", ACCESS_TOKEN_TYP) {
        return Err(Rejection::TypUnexpected);
    }
    if member("crit").is_some() {
        return Err(Rejection::CritPresent);
    }
    if members.iter().any(|(name, _)| !matches!(name.as_ref(), "alg" | "typ" | "kid")) {
        return Err(Rejection::HeaderMemberUnexpected);
    }
    match member("kid") {
        None => Ok(None),
        Some(Json::String(kid)) if (1..=MAX_KID_BYTES).contains(&kid.len()) => {
            Ok(Some(kid.clone().into_owned()))
        }
        Some(_) => Err(Rejection::KidMalformed),
    }
}

impl Verified {
    /// Returns the claims as distinct members of one JSON object (RFC 7519 §4).
    ///
    /// # Errors
    /// [`Rejection::ClaimsMalformed`] if the payload is anything else.
    pub(crate) fn claims(&self) -> Result<Vec<(Cow<'_, str>, Json<'_>)>, Rejection> {
        let claims = Json::parse(&self.payload).map_err(|_| Rejection::ClaimsMalformed)?;
        if claims.has_repeated_member() {
            return Err(Rejection::ClaimsMalformed);
        }
        match claims {
            Json::Object(members) => Ok(members),
            _ => Err(Rejection::ClaimsMalformed),
        }
    }

    /// Returns a payload without a signature, for tests of its claims.
    #[cfg(test)]
    pub(crate) fn for_test(payload: &str) -> Self {
        Self { payload: payload.as_bytes().to_vec() }
    }
}

// Neither shows its content: a token is a secret as long as it is valid (invariant 8).
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Unverified")
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verified")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Result<Option<&str>, Rejection>) {
        let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
        let kid = Unverified::parse(token.as_bytes()).map(|token| token.kid);
        assert_eq!(kid, expected.map(|kid| kid.map(str::to_owned)), "{header}");
    }

    #[test]
    fn a_header_with_our_algorithm_type_and_key_is_read() {
        check(r#"{"alg":"RS256","typ":"at+jwt","kid":"a"}"#, Ok(Some("a")));
        check(r#" { "kid" : "\u0061", "typ":"at+jwt","alg":"RS256"} "#, Ok(Some("a")));
        check(r#"{"alg":"RS256","typ":"at+jwt"}"#, Ok(None));
    }

    #[test]
    fn any_other_header_is_rejected_for_its_first_fault() {
        for (header, expected) in [
            ("", Rejection::HeaderMalformed),
            ("[]", Rejection::HeaderMalformed),
            ("null", Rejection::HeaderMalformed),
            (r#"{"alg":"RS256","typ":"at+jwt"}x"#, Rejection::HeaderMalformed),
            (r#"{"alg":"none","alg":"RS256","typ":"at+jwt"}"#, Rejection::HeaderMalformed),
            (r#"{"typ":"at+jwt"}"#, Rejection::AlgorithmUnexpected),
            (r#"{"alg":["RS256"],"typ":"at+jwt"}"#, Rejection::AlgorithmUnexpected),
            (r#"{"alg":"rs256","typ":"at+jwt"}"#, Rejection::AlgorithmUnexpected),
            (r#"{"alg":"none","typ":"at+jwt"}"#, Rejection::AlgorithmUnexpected),
            (r#"{"alg":"HS256","typ":"rt+jwt"}"#, Rejection::AlgorithmUnexpected),
            (r#"{"alg":"RS256"}"#, Rejection::TypUnexpected),
            (r#"{"alg":"RS256","typ":"JWT"}"#, Rejection::TypUnexpected),
            (r#"{"alg":"RS256","typ":"rt+jwt"}"#, Rejection::TypUnexpected),
            (r#"{"alg":"RS256","typ":"at+jwt","crit":[]}"#, Rejection::CritPresent),
            (r#"{"alg":"RS256","typ":"at+jwt","jwk":{}}"#, Rejection::HeaderMemberUnexpected),
            (r#"{"a":1,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}"#, Rejection::HeaderMalformed),
            (r#"{"a":1,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}"#, Rejection::HeaderMemberUnexpected),
            (r#"{"alg":"RS256","typ":"at+jwt","kid":""}"#, Rejection::KidMalformed),
            (r#"{"alg":"RS256","typ":"at+jwt","kid":1}"#, Rejection::KidMalformed),
        ] {
            check(header, Err(expected));
        }
    }

    #[test]
    fn a_token_has_three_segments_of_base64url() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"at+jwt"}"#);
        for token in [
            "",
            ".",
            "..",
            "...",
            &header,
            &format!("{header}.e30"),
            &format!("{header}.e30.AA.AA"),
            &format!("{header}=.e30.AA"),
            " .e30.AA",
        ] {
            let rejection = Unverified::parse(token.as_bytes()).unwrap_err();
            assert!(
                matches!(rejection, Rejection::TokenMalformed | Rejection::HeaderMalformed),
                "{token}: {rejection:?}"
            );
        }
        assert_eq!(Unverified::parse(b"\xff.e30.AA").unwrap_err(), Rejection::TokenMalformed);
    }
}
