//! A sentence for each label of a rejection: what is wrong with the request, for the person who reads an explanation.

use std::borrow::Cow;

/// Sentence about a rejection, by its [`label`](crate::rejection::Rejection::label); `None` if there is no such label.
#[must_use]
pub fn sentence(label: &str) -> Option<Cow<'static, str>> {
    of_request(label)
        .or_else(|| of_path(label))
        .or_else(|| of_token(label))
        .map(Cow::Borrowed)
        .or_else(|| of_claim(label).map(Cow::Owned))
}

fn of_request(label: &str) -> Option<&'static str> {
    Some(match label {
        "host_failed" => "Envoy did not hand over, or did not take, what the decision needs",
        "method_malformed" => {
            "the method has lower-case letters, which servers read differently (RFC 9110 §9.1)"
        }
        "upgrade_unexpected" => "an upgrade such as a WebSocket's begins with GET (RFC 6455 §4.1)",
        "keys_unknown" => "no key is known yet, so no token can be verified",
        "feed_stale" => "the last response of the feed is older than feed.max_staleness_seconds",
        "revocations_unknown" => "the feed has not yet said what was revoked before the start",
        "refresh_unavailable" => {
            "the companion did not respond in time with a new token, or too many requests wait"
        }
        "clocks_apart" => "by this machine's clock, a token that the companion has just issued is not valid",
        "cross_site" => {
            "another site's page sent it, and it may change something; see allowed_origins and cross_site"
        }
        "role_insufficient" => "the user's role is none of the rule's",
        _ => return None,
    })
}

fn of_path(label: &str) -> Option<&'static str> {
    Some(match label {
        "path_not_absolute" => "the path does not start with /",
        "path_forbidden_byte" => {
            "the path has a byte that must be percent-encoded: a control, a space, # or one beyond ASCII"
        }
        "path_backslash" => "some servers read the path's backslash, or what passes for one, as a slash",
        "path_parameter" => "some servers cut the segment at the path's semicolon",
        "path_broken_escape" => {
            "a % in the path is not followed by two hexadecimal digits; a percent sign is %25"
        }
        "path_escaped_slash" => "some servers split the path at its escaped slash, or at what passes for one",
        "path_escaped_control" => "servers cut, drop or replace the path's escaped control characters",
        "path_double_escape" => "servers that decode twice read another path; encode it once",
        "path_not_utf8" => "the path's escapes are not UTF-8",
        "path_empty_segment" => "the path has an empty segment (//), or one that servers trim to nothing",
        "path_dot_segment" => "the path has a segment . or .., or one that servers read as such",
        "path_letter_case" => {
            "in other letters the path has a rule with another access, and many servers do not tell the two apart"
        }
        "path_delimiter" => "ended at its escaped ? or #, the path has a rule with another access",
        _ => return None,
    })
}

fn of_token(label: &str) -> Option<&'static str> {
    Some(match label {
        "cookie_missing" => "the request has no access-token cookie, or an empty one",
        "cookie_repeated" => "the request has two different cookies with the access token's name",
        "token_oversize" => "the token is longer than max_token_bytes",
        "token_malformed" => "the token is not three segments of base64url without padding",
        "header_malformed" => "the token's header is not one JSON object with distinct members",
        "alg_unexpected" => "the token's alg is not RS256",
        "typ_unexpected" => "the token's typ is not at+jwt: it is no access token",
        "crit_present" => "the token's header has crit, and no extension is supported",
        "header_member_unexpected" => "the token's header has members besides alg, typ and kid",
        "kid_missing" => "the token names no key, and there is not exactly one",
        "kid_malformed" => "the token's kid is not a string of 1 to 128 bytes",
        "kid_unknown" => "no known key has the token's kid",
        "signature_malformed" => "the token's signature is not base64url without padding",
        "signature_invalid" => "the token's signature is not of the key that the token names",
        "claims_malformed" => "the token's payload is not one JSON object with distinct members",
        "iss_unexpected" => "the token is from another issuer than the configuration's issuer",
        "aud_unexpected" => "the token is for another audience than the configuration's audience",
        "exp_passed" => "the token has expired",
        "exp_too_far" => "the token expires later than any token of the companion",
        "iat_in_future" => "the token was issued in the future by this clock",
        "nbf_in_future" => "the token is not valid yet by this clock",
        "session_ended" => "the token's session has ended",
        "token_outdated" => "the user's role or state has changed since the token was issued",
        _ => return None,
    })
}

fn of_claim(label: &str) -> Option<String> {
    let (claim, state) = label.rsplit_once('_')?;
    if !matches!(claim, "iss" | "aud" | "exp" | "iat" | "nbf" | "sub" | "sid" | "role") {
        return None;
    }
    match state {
        "missing" => Some(format!("the token has no claim {claim}")),
        "mistyped" => Some(format!("the token's claim {claim} is not of its type")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn every_label_has_a_sentence() {
        let source = include_str!("../rejection.rs").split("#[cfg(test)]").next().unwrap();
        let is_label = |text: &&str| {
            text.contains('_')
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let labels: Vec<&str> = source.split('"').skip(1).step_by(2).filter(is_label).collect();
        assert!(labels.len() > 60, "{labels:?}");
        for label in labels {
            assert!(sentence(label).is_some(), "{label}");
        }
        for other in ["", "pass", "role", "role_unknown", "exp"] {
            assert_eq!(sentence(other), None, "{other}");
        }
    }
}
