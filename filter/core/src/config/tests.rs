//! Configurations that compile, and the mistakes of those that do not.

#[expect(dead_code, reason = "the examples are for the schema's own tests")]
#[path = "../../tests/schema/agreement.rs"]
mod agreement;
mod rules;

use super::*;
use crate::origin::Origins;
use crate::path::CanonicalPath;
use crate::rules::Access;

const CONTRACT: &str = r#"{
  "issuer": "edgeward", "audience": "edgeward",
  "cookies": {"access": "access_token", "refresh": "refresh_token"},
  "headers": {"user_id": "x-user-id", "role": "x-user-role", "session_id": "x-session-id"},
  "keys": {"inline": {"keys": []}},
  "feed": {"cluster": "companion_internal", "path": "/internal/edge-feed", "poll_ms": 1000, "timeout_ms": 1000,
           "max_staleness_seconds": 300, "when_stale": "allow"},
  "refresh": {"cluster": "companion_internal", "path": "/internal/edge-refresh", "session_path": "/internal/edge-session",
              "timeout_ms": 2000},
  "rules": [
    {"path": "/healthz", "access": "public"},
    {"prefix": "/api/auth/", "access": "public", "forward_cookies": true},
    {"prefix": "/admin/", "methods": ["GET"], "roles": ["admin"]},
    {"prefix": "/", "access": "signed_in"}
  ],
  "login_url": "/login", "allowed_origins": ["http://localhost:5173"],
  "clock_skew_seconds": 5, "max_token_bytes": 4096, "memory_entries": 65536
}"#;

/// Compiles a configuration, and checks that the schema agrees.
fn compile(text: &[u8]) -> Result<Configuration, Vec<Mistake>> {
    let compiled = super::compile(text);
    let mistakes = compiled.as_ref().err().into_iter().flatten();
    agreement::check(text, &mistakes.map(ToString::to_string).collect::<Vec<_>>());
    compiled
}

#[test]
fn documented_configuration_compiles_to_its_values() {
    let configuration = compile(CONTRACT.as_bytes()).unwrap();
    let policy = configuration.policy;
    let access = |method: &str, path: &str| {
        policy
            .rules
            .find(&CanonicalPath::read(path.as_bytes()).unwrap(), method.as_bytes())
            .unwrap()
            .access
            .clone()
    };
    assert_eq!(access("GET", "/healthz"), Access::Public);
    assert_eq!(access("POST", "/api/auth/login"), Access::Public);
    assert_eq!(access("GET", "/admin/x"), Access::Roles(vec!["admin".into()]));
    assert_eq!(access("POST", "/admin/x"), Access::SignedIn);
    assert_eq!(policy.login_url.as_deref(), Some("/login"));
    assert_eq!(configuration.feed.unwrap().poll, Duration::from_secs(1));
    let refresh = configuration.refresh.unwrap();
    assert_eq!(
        (refresh.cluster.as_str(), refresh.path.as_str()),
        ("companion_internal", "/internal/edge-refresh")
    );
    assert_eq!(refresh.session_path, "/internal/edge-session");
    assert_eq!((refresh.timeout, refresh.secret), (Duration::from_secs(2), None));
    assert!(policy.refresh_enabled);
    assert_eq!(configuration.token_cache_entries, 65_536);
}

#[test]
fn absent_settings_have_the_documented_defaults() {
    let short = compile(br#"{"issuer": "edgeward", "feed": {"cluster": "companion_internal"}}"#).unwrap();
    let Configuration { policy, feed, .. } = compile(CONTRACT.as_bytes()).unwrap();
    assert_eq!(
        short.policy,
        Policy {
            rules: crate::rules::Rules::default(),
            origins: Origins::default(),
            login_url: None,
            refresh_enabled: false,
            ..policy
        }
    );
    assert_eq!(short.feed, feed);
}

#[test]
fn stale_feeds_and_other_sites_are_allowed_or_denied() {
    let compile = |from: &str, to: &str| compile(CONTRACT.replacen(from, to, 1).as_bytes()).unwrap().policy;
    assert_eq!(compile("", "").max_staleness_s, None);
    assert_eq!(compile(r#""allow""#, r#""deny""#).max_staleness_s, Some(300));
    assert!(compile(r#""login_url""#, r#""cross_site": "deny", "login_url""#).cross_site_denied);
    let open = compile(r#""login_url""#, r#""cross_site": "allow", "login_url""#);
    assert!(!open.cross_site_denied);
    assert_ne!(open.origins, Origins::default(), "these origins may still read replies");
    assert_eq!(
        compile(r#""login_url""#, r#""ready_path": "/readyz", "login_url""#).ready_path.as_deref(),
        Some("/readyz")
    );
    let elsewhere = compile(r#""/login""#, r#""https://login.example/in""#);
    assert_eq!(elsewhere.login_url.as_deref(), Some("https://login.example/in"));
}

/// Checks that a change of the documented configuration is rejected with exactly these mistakes.
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(CONTRACT.contains(from), "{from}");
    let mistakes = compile(CONTRACT.replacen(from, to, 1).as_bytes()).unwrap_err();
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(mistakes, expected, "{from} -> {to}");
}

// holds: invariant 4, promise 3
#[test]
fn every_mistake_is_named_with_its_json_path() {
    check(r#""issuer": "edgeward", "#, "", &["issuer is required"]);
    check(r#""issuer": "edgeward""#, r#""issuer": 7"#, &["issuer must be a string, not an integer"]);
    check(r#""audience""#, r#""audiences""#, &["audiences is not known"]);
    check(r#""audience": "edgeward""#, r#""issuer": "other""#, &["issuer stands more than once"]);
    check(
        r#""access": "access_token""#,
        r#""access": "a b""#,
        &["cookies.access may hold letters, digits and !#$%&'*+-.^_`|~ only"],
    );
    check(
        r#""refresh": "refresh_token""#,
        r#""refresh": "access_token""#,
        &["cookies.refresh must differ from access"],
    );
    check(
        "x-user-role",
        "X_User_Id",
        &["headers.role must differ from the other headers (`_` and `-` are the same)"],
    );
    check("x-user-id", "cookie", &["headers.user_id must not be a header that HTTP or a proxy uses"]);
    check(r#"{"inline": {"keys": []}}"#, "{}", &["keys.inline is required"]);
    check(r#"{"keys": []}"#, "{}", &["keys.inline.keys is required"]);
    check("[]}}", r#"[{"kty":"EC"}, 5]}}"#, &["keys.inline.keys[1] must be an object, not an integer"]);
    check("[]}}", r#"[{"kty":"EC"}]}}"#, &["keys.inline.keys[0] has a kty other than \"RSA\""]);
    check(
        "[]}}",
        r#"[{"kty":"RSA","d":"AQAB"}]}}"#,
        &[
            "keys.inline.keys[0] has the private member d: replace the key, which was shown, and give its public half alone",
            "keys.inline.keys[0] has no n",
        ],
    );
    check(
        "[]}}",
        r#"[{"kty":"RSA","n":"AQAB","e":"AQAB","dp":"AQAB","kid":""}]}}"#,
        &[
            "keys.inline.keys[0] has the private member dp: replace the key, which was shown, and give its public half alone",
            "keys.inline.keys[0].kid must not be empty",
            "keys.inline.keys[0] has an n of fewer than 2,048 or more than 8,192 bits",
        ],
    );
    check(
        r#"{"keys": []}"#,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        &["keys.inline is a single key: write {\"keys\": [ … ]} around it (a JWK set, RFC 7517 §5)"],
    );
    check(
        "[]}}",
        r#"[{"kty":"RSA","key_ops":["encrypt"]}]}}"#,
        &["keys.inline.keys[0] has key_ops without \"verify\""],
    );
    check(r#""poll_ms": 1000"#, r#""poll_ms": 5"#, &["feed.poll_ms must be an integer from 100 to 60000"]);
    check(r#""allow""#, r#""maybe""#, &["feed.when_stale must be one of: allow, deny"]);
    check(
        r#""/login""#,
        r#""//evil""#,
        &["login_url must be a path or an http(s) URL, without query and fragment"],
    );
    check(
        "http://localhost:5173",
        "*",
        &[
            "allowed_origins[0] is not an origin such as \"https://app.example\": it does not start with a scheme that pages have, such as https:// or capacitor://",
        ],
    );
    check(
        r#""max_token_bytes": 4096"#,
        r#""max_token_bytes": 4096.5"#,
        &["max_token_bytes must be an integer from 256 to 16384"],
    );
}

#[test]
fn list_has_a_maximum_length() {
    let many = |count: usize| format!("[{}]", vec![r#""GET""#; count].join(","));
    check(r#"["GET"]"#, &many(65), &["rules[2].methods has 65 entries, and at most 64 are allowed"]);
    assert!(compile(CONTRACT.replacen(r#"["GET"]"#, &many(64), 1).as_bytes()).is_ok());
}

#[test]
fn login_url_has_one_target_for_every_browser() {
    for url in ["https://", "http://", "ftp://x", "login", "//evil", "/a?b", "/a#b", "/a b", r"/\\evil"] {
        let expected = "login_url must be a path or an http(s) URL, without query and fragment";
        check(r#""/login""#, &format!("\"{url}\""), &[expected]);
    }
}

#[test]
fn session_path_is_a_path_of_its_own() {
    let text =
        br#"{"issuer": "i", "feed": {"cluster": "c"}, "refresh": {"cluster": "c", "session_path": "/s"}}"#;
    assert_eq!(compile(text).unwrap().refresh.unwrap().session_path, "/s");
    let text = br#"{"issuer": "i", "feed": {"cluster": "c"}, "refresh": {"cluster": "c"}}"#;
    assert_eq!(compile(text).unwrap().refresh.unwrap().session_path, "/internal/edge-session");
    check(
        "/internal/edge-session",
        "/a?b",
        &["refresh.session_path can never match: it is matched as \"/a\""],
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let mistakes = compile(br#"{"audience": "", "rules": [{"path": 1, "roles": []}], "x": 1}"#).unwrap_err();
    let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
    assert_eq!(paths, ["issuer", "audience", "", "rules[0].path", "rules[0].roles", "x"]);
}

#[test]
fn text_that_is_no_json_object_is_a_mistake() {
    for (text, expected) in [
        ("", "the configuration is not JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "the configuration must be an object, not an array"),
        ("{\n\"issuer\": }", "the configuration is not JSON: expected value at line 2 column 11"),
    ] {
        assert_eq!(compile(text.as_bytes()).unwrap_err()[0].to_string(), expected);
    }
    let largest = format!("{CONTRACT}{}", " ".repeat((1 << 20) - CONTRACT.len()));
    assert!(compile(largest.as_bytes()).is_ok());
    let huge =
        CONTRACT.replacen(r#""issuer": "edgeward""#, &format!(r#""issuer": "{}""#, "x".repeat(1 << 20)), 1);
    assert!(compile(huge.as_bytes()).unwrap_err()[0].problem.contains("at most 1048576 are allowed"));
}
