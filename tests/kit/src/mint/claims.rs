//! Payloads, good and bad: every claim missing, of every wrong type, and at every limit. All signatures are valid.

use super::{Bad, Key, NAME};

/// Returns the payload of a good token at `now`.
#[must_use]
pub fn payload(now: u64) -> String {
    payload_with(now, "", "")
}

/// Returns the same with one claim replaced or added. Its value is JSON; an empty one removes the claim.
#[must_use]
pub fn payload_with(now: u64, claim: &str, value: &str) -> String {
    let quoted = format!("\"{NAME}\"");
    let (iat, exp) = (now.to_string(), (now + 3600).to_string());
    let good = [
        ("iss", quoted.as_str()),
        ("aud", quoted.as_str()),
        ("sub", "\"42\""),
        ("role", "\"customer\""),
        ("sid", "7"),
        ("iat", &iat),
        ("exp", &exp),
    ];
    let changed = [(claim, value)];
    let members = good
        .iter()
        .filter(|(name, _)| *name != claim)
        .chain(changed.iter().filter(|(_, value)| !value.is_empty()));
    let members: Vec<String> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Returns payloads that are just within every limit, each with a name.
#[must_use]
pub fn good_payloads(now: u64) -> Vec<(String, String)> {
    let numbers = [
        ("exp", now - 4),
        ("exp", now + 1),
        ("exp", now + 86_400),
        ("exp", now + 86_460),
        ("iat", 0),
        ("iat", now + 60),
        ("nbf", 0),
        ("nbf", now),
        ("nbf", now + 60),
        ("auth_time", 0),
        ("auth_time", (1 << 63) - 1),
        ("sid", 0),
        ("sid", 1 << 53),
        ("sid", (1 << 63) - 1),
    ]
    .map(|(claim, value)| (claim, value.to_string()));
    let texts = [
        ("aud", format!("[\"other\",\"{NAME}\"]")),
        ("aud", format!("[\"{NAME}\",\"{NAME}\"]")),
        ("sub", "\"1\"".to_owned()),
        ("sub", "\"9223372036854775807\"".to_owned()),
        ("role", "\"a\"".to_owned()),
        ("role", "\"0_-\"".to_owned()),
        ("role", format!("\"{}\"", "r".repeat(64))),
        ("jti", "{\"any\":[1.5,null]}".to_owned()),
        ("amr", "[]".to_owned()),
        ("amr", "[\"pwd\",\"of_a_later_one\"]".to_owned()),
    ];
    let all = numbers.into_iter().chain(texts);
    all.map(|(claim, value)| (format!("{claim} {value}"), payload_with(now, claim, &value))).collect()
}

pub(super) fn bad(key: &Key, now: u64) -> Vec<Bad> {
    let mut all = Vec::new();
    for (claim, missing, mistyped, values) in WRONG_TYPES {
        let mut add = |name: String, value: &str, label| {
            all.push(Bad { name, token: key.good_with(now, claim, value), label });
        };
        if !missing.is_empty() {
            add(format!("no {claim}"), "", missing);
        }
        for value in values.iter().chain(NEVER_RIGHT) {
            add(format!("{claim} {value}"), value, mistyped);
        }
    }
    all.extend(beyond_limits(now).into_iter().map(|(claim, value, label)| Bad {
        name: format!("{claim} {value}"),
        token: key.good_with(now, claim, &value),
        label,
    }));
    all.extend(malformed(now).into_iter().map(|(name, payload)| Bad {
        name: name.to_owned(),
        token: key.token(&key.header(), &payload),
        label: "claims_malformed",
    }));
    all
}

/// Values that no claim may have.
const NEVER_RIGHT: &[&str] = &["null", "true", "false", "{}", "1.5", "-1", "1e3", "[[]]", "[null]", "[1]"];

/// Claims, each with its labels when missing and when mistyped, and with more wrong values.
const WRONG_TYPES: [(&str, &str, &str, &[&str]); 10] = [
    ("iss", "iss_missing", "iss_mistyped", &["1", "[\"edgeward\"]", "[]"]),
    (
        "aud",
        "aud_missing",
        "aud_mistyped",
        &["1", "[\"edgeward\",1]", "[1,\"edgeward\"]", "{\"edgeward\":1}"],
    ),
    ("exp", "exp_missing", "exp_mistyped", &TIMES),
    ("iat", "iat_missing", "iat_mistyped", &TIMES),
    ("nbf", "", "nbf_mistyped", &TIMES),
    ("auth_time", "", "auth_time_mistyped", &TIMES),
    (
        "amr",
        "",
        "amr_mistyped",
        &["\"mfa\"", "[\"\"]", "[\"m fa\"]", "[\"pwd,mfa\"]", "[\"MFA\"]", "[\"mfa\\r\\nx: 1\"]"],
    ),
    (
        "sub",
        "sub_missing",
        "sub_mistyped",
        &[
            "42",
            "\"\"",
            "\"0\"",
            "\"042\"",
            "\"-42\"",
            "\"+42\"",
            "\"4 2\"",
            "\" 42\"",
            "\"42\\u0000\"",
            "\"42\\r\\nx-user-role: admin\"",
            "\"4.2\"",
            "\"0x2a\"",
            "\"12345678901234567890\"",
            "\"\u{664}\u{662}\"",
            "\"\\ud83d\\ude00\"",
            "[\"42\"]",
        ],
    ),
    (
        "sid",
        "sid_missing",
        "sid_mistyped",
        &["\"7\"", "7.0", "70e-1", "9223372036854775808", "18446744073709551616"],
    ),
    (
        "role",
        "role_missing",
        "role_mistyped",
        &[
            "1",
            "\"\"",
            "\"Admin\"",
            "\"_a\"",
            "\"-a\"",
            "\"a b\"",
            "\"admin\\n\"",
            "\"admin\\u0000\"",
            "\"admin,customer\"",
            "\"\u{430}dmin\"",
            "[\"admin\"]",
            "\"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\"",
        ],
    ),
];

/// Values that are not times: texts, fractions, exponents, and numbers beyond 2^63 - 1.
const TIMES: [&str; 7] = [
    "\"1800000000\"",
    "1800000000.0",
    "18e8",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-0.0",
];

/// Returns values of the right type that are just beyond a limit.
fn beyond_limits(now: u64) -> Vec<(&'static str, String, &'static str)> {
    let texts = [("iss", "\"other\""), ("iss", "\"Edgeward\""), ("iss", "\"edgeward \""), ("iss", "\"\"")]
        .map(|(claim, value)| (claim, value.to_owned(), "iss_unexpected"));
    let audiences = ["\"other\"", "\"\"", "[]", "[\"other\"]", "\"edgeward,other\""]
        .map(|value| ("aud", value.to_owned(), "aud_unexpected"));
    let expired = [0, 1, now - 100_000, now - 6, now - 5].map(|at| ("exp", at.to_string(), "exp_passed"));
    let far =
        [now + 86_461, 1 << 31, 1 << 53, (1 << 63) - 1].map(|at| ("exp", at.to_string(), "exp_too_far"));
    let issued = [now + 61, 1 << 53].map(|at| ("iat", at.to_string(), "iat_in_future"));
    let later = [now + 61, (1 << 63) - 1].map(|at| ("nbf", at.to_string(), "nbf_in_future"));
    texts.into_iter().chain(audiences).chain(expired).chain(far).chain(issued).chain(later).collect()
}

/// Returns payloads that are not one JSON object with distinct members.
fn malformed(now: u64) -> Vec<(&'static str, String)> {
    let good = payload(now);
    vec![
        ("a payload that is no JSON", "x".to_owned()),
        ("a payload that is a list", "[]".to_owned()),
        ("a payload that is a text", "\"x\"".to_owned()),
        ("a payload that is null", "null".to_owned()),
        ("a claim twice", good.replacen('{', "{\"role\":\"admin\",", 1)),
        ("a claim twice, once escaped", good.replacen('{', "{\"\\u0072ole\":\"admin\",", 1)),
        ("a member twice, deep within", payload_with(now, "x", "[{\"a\":1,\"a\":1}]")),
        ("text behind the payload", format!("{good} x")),
        ("a second payload", format!("{good}{good}")),
        ("a comment", good.replacen('{', "{/**/", 1)),
        ("a comma too many", good.replacen('}', ",}", 1)),
        ("a byte-order mark", format!("\u{feff}{good}")),
        ("a lone surrogate", payload_with(now, "x", "\"\\udc00\"")),
        ("a deep payload", payload_with(now, "x", &format!("{}1{}", "[".repeat(200), "]".repeat(200)))),
        ("a number that is none", payload_with(now, "x", "NaN")),
        ("a number beyond all bounds", payload_with(now, "exp", "1e400")),
        ("a number with a zero before", payload_with(now, "sid", "07")),
        ("a control character in a text", payload_with(now, "x", "\"\u{1}\"")),
        ("an open object", good.trim_end_matches('}').to_owned()),
    ]
}
