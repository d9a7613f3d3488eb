//! Explanations of requests whose decisions are tested in `gate`.

use super::*;
use crate::config;
use crate::keys::KeySet;

const NOW: u64 = 1_800_000_000;

const CONFIGURATION: &[u8] = br#"{
    "issuer": "edgeward", "feed": {"cluster": "c"}, "refresh": {"cluster": "c"},
    "login_url": "/login", "ready_path": "/readyz",
    "rules": [{"prefix": "/public/", "access": "public"}, {"prefix": "/admin/", "roles": ["admin"]}]
}"#;

fn with_explanation(headers: &[(&str, &str)], check: impl FnOnce(Explanation<'_>)) {
    let policy = config::compile(CONFIGURATION).unwrap().policy;
    let fields = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = Request::new(fields, true);
    check(explain(&policy, &EdgeState::new(one_key(), NOW), &request, NOW));
}

fn one_key() -> KeySet {
    let jwk = edgeward_wire::Jwk {
        kty: "RSA".into(),
        n: Some(format!("{}w", "_".repeat(341))),
        e: Some("AQAB".into()),
        ..Default::default()
    };
    KeySet::read(&edgeward_wire::JwkSet { keys: vec![jwk] }).unwrap()
}

fn check_rule(method: &str, path: &str, expected: &str) {
    with_explanation(&[(":method", method), (":path", path)], |explanation| {
        let found = match explanation.rule {
            RuleMatch::Matched { index, .. } => index.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{method} {path}");
    });
}

#[test]
fn rule_that_decides_is_named_by_its_index() {
    check_rule("GET", "/public/x", "0");
    check_rule("GET", "/admin/x", "1");
    check_rule("GET", "/orders", "Unmatched");
    check_rule("GET", "/readyz", "ReadyPath");
    check_rule("GET", "/ADMIN/x", "Ambiguous(LetterCase)");
    check_rule("GET", "/a;b", "NotReached");
    check_rule("get", "/public/x", "NotReached");
}

#[test]
fn verdict_is_the_one_of_the_gate() {
    let check = |headers: &[(&str, &str)], expected: Option<&str>| {
        with_explanation(headers, |explanation| {
            let label = explanation.verdict.rejection().map(Rejection::label);
            assert_eq!(label, expected, "{headers:?}");
        });
    };
    check(&[(":method", "GET"), (":path", "/public/x")], None);
    check(&[(":method", "GET"), (":path", "/readyz")], None);
    check(&[(":method", "GET"), (":path", "/a;b")], Some("path_parameter"));
    let cookie = ("cookie", "refresh_token=x");
    check(&[(":method", "GET"), (":path", "/orders"), cookie], Some("cookie_missing"));
}

#[test]
fn token_is_shown_by_its_claims_and_never_as_a_whole() {
    let part = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    let header = part(r#"{"alg":"RS256","typ":"at+jwt","kid":"k1"}"#);
    let claims = part(
        "{\"iss\":\"edge\\u001bward\",\"aud\":[\"a\",\"b\"],\"exp\":1800000060,\"email\":\"ann@example.com\"}",
    );
    let token = format!("{header}.{claims}.c2VjcmV0");
    let cookie = format!("access_token={token}");
    with_explanation(&[(":method", "GET"), (":path", "/orders"), ("cookie", &cookie)], |explanation| {
        let TokenReport::Present(details) = &explanation.token else { panic!("{explanation:?}") };
        let shown = |members: &[Member]| -> Vec<String> {
            members.iter().map(|member| format!("{} {}", member.name, member.value)).collect()
        };
        assert_eq!(shown(&details.header), [r#"alg "RS256""#, r#"typ "at+jwt""#, r#"kid "k1""#]);
        assert_eq!(
            shown(&details.claims),
            [r#"iss "edge\u{1b}ward""#, r#"aud ["a", "b"]"#, "exp 1800000060"]
        );
        assert_eq!(details.judged, Err(Rejection::KeyUnknown));
        let all = format!("{explanation:?}");
        assert!(!all.contains("c2VjcmV0") && !all.contains(&claims) && !all.contains("ann@"), "{all}");
    });
    assert_eq!(unverified_kid(token.as_bytes()).as_deref(), Some("k1"));
    assert_eq!(unverified_kid(b"no.token"), None);
}
