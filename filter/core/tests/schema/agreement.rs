//! Agreement of `config.schema.json` with the compiler, but for the rules that a schema cannot express. The unit tests of
//! `config` include this file too, so that it holds for each of their configurations.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The schema.
pub const SCHEMA: &str = include_str!("../../config.schema.json");

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&serde_json::from_str(SCHEMA).unwrap()).unwrap());

/// Rule of the compiler that the schema does not have.
pub struct Gap {
    /// Words of the mistake, if the schema accepts every configuration that has no other mistakes.
    pub problem: Option<&'static str>,
    /// Reason.
    pub reason: &'static str,
    /// Configurations that the compiler rejects and the schema accepts, as changes of the one that has every setting.
    pub examples: &'static [(&'static str, &'static str)],
}

/// Every rule of the compiler that the schema does not have.
pub const GAPS: &[Gap] = &[
    Gap {
        problem: Some("stands more than once"),
        reason: "to a schema, an object has each member once",
        examples: &[(r#""issuer": "i""#, r#""issuer": "i", "issuer": "i""#)],
    },
    Gap {
        problem: Some("bytes, and at most 1048576 are allowed"),
        reason: "a schema sees no text",
        examples: &[],
    },
    Gap {
        problem: None,
        reason: "to a schema, 1000.0 is an integer",
        examples: &[(r#""poll_ms": 1000"#, r#""poll_ms": 1000.0"#)],
    },
    Gap {
        problem: Some("comes first"),
        reason: "a schema does not compare the rules of a list",
        examples: &[(
            r#"{"path": "/healthz""#,
            r#"{"prefix": "/", "access": "signed_in"}, {"path": "/healthz""#,
        )],
    },
    Gap {
        problem: Some("must differ from"),
        reason: "a schema does not compare two members",
        examples: &[
            (r#""access": "access_token""#, r#""access": "refresh_token""#),
            (r#""role": "x-user-role""#, r#""role": "x_user_id""#),
        ],
    },
    Gap {
        problem: Some("has the kid of another key"),
        reason: "a schema does not compare members of different items",
        examples: &[(r#""kid": "b""#, r#""kid": "a""#)],
    },
    Gap {
        problem: None,
        reason: "a pattern has no switch for letter case, so the names that are reserved stand in lower case alone",
        examples: &[
            (r#""x-user-role""#, r#""Cookie""#),
            (r#""x-user-role""#, r#""X-Forwarded-User""#),
            ("https://app.example", "FILE://app.example"),
        ],
    },
    Gap {
        problem: None,
        reason: "a pattern does not fold the characters of Unicode, and does not trim segments",
        examples: &[
            ("/healthz", "/%C3%A9%FF"),
            ("/healthz", "/a%EF%BC%8Fb"),
            ("/healthz", "/%20"),
            ("/healthz", "/.%E2%80%8B."),
        ],
    },
    Gap {
        problem: None,
        reason: "a pattern does not compute with the numbers of addresses and ports",
        examples: &[
            ("https://app.example", "https://1.2.3"),
            ("https://app.example", "https://[::1::]"),
            ("https://app.example", "https://app.example:65536"),
        ],
    },
];

/// `true` if the schema accepts a text.
pub fn accepts(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok_and(|value| VALIDATOR.is_valid(&value))
}

/// Checks that the schema accepts a configuration if and only if it has no mistakes but those of [`GAPS`].
pub fn check(text: &[u8], mistakes: &[String]) {
    let is_gap = |mistake: &String| {
        GAPS.iter().any(|gap| gap.problem.is_some_and(|problem| mistake.contains(problem)))
    };
    let expected = mistakes.iter().all(is_gap);
    let shown = String::from_utf8_lossy(text.get(..4096).unwrap_or(text));
    assert_eq!(accepts(text), expected, "the schema disagrees with {mistakes:?} about {shown}");
}
