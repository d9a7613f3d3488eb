//! `config.schema.json` and the compiler: they agree on every configuration that this repository has, and on systematic
//! changes of one that has every setting. The configurations of the compiler's own tests are checked where they stand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a failure by a panic"
)]

mod agreement;
mod changes;

use std::fs;
use std::path::{Path, PathBuf};

use agreement::{GAPS, SCHEMA, accepts};
use edgeward_filter::config;
use serde_json::{Value, json};

/// Returns a configuration that has every setting.
fn full() -> String {
    let modulus = format!("{}w", "_".repeat(341));
    format!(
        r#"{{
  "issuer": "i", "audience": "a", "clock_skew_seconds": 5,
  "keys": {{"inline": {{"keys": [
    {{"kty": "RSA", "kid": "a", "alg": "RS256", "use": "sig", "key_ops": ["verify"], "n": "{modulus}", "e": "AQAB"}},
    {{"kty": "RSA", "kid": "b", "n": "{modulus}", "e": "AQAB", "x5t": "other"}}
  ]}}}},
  "feed": {{"cluster": "c", "path": "/feed", "poll_ms": 1000, "timeout_ms": 1000, "secret": "s",
           "max_staleness_seconds": 300, "when_stale": "deny"}},
  "refresh": {{"cluster": "c", "path": "/refresh", "session_path": "/session", "timeout_ms": 2000, "secret": "s"}},
  "cookies": {{"access": "access_token", "refresh": "refresh_token"}},
  "headers": {{"user_id": "x-user-id", "role": "x-user-role", "session_id": "x-session-id", "auth_time": "x-auth-time", "amr": "x-amr"}},
  "rules": [
    {{"path": "/healthz", "access": "public", "forward_cookies": true}},
    {{"prefix": "/admin/", "methods": ["GET", "POST"], "roles": ["admin"], "streams": "outlive"}},
    {{"prefix": "/billing/", "max_auth_age_seconds": 300, "require": ["mfa"]}}
  ],
  "login_url": "/login", "allowed_origins": ["https://app.example"], "cross_site": "deny",
  "ready_path": "/readyz", "max_token_bytes": 4096, "memory_entries": 65536
}}"#
    )
}

/// Returns the mistakes of the compiler, and checks that the schema agrees.
fn check(text: &str) -> Vec<String> {
    let mistakes = mistakes(text);
    agreement::check(text.as_bytes(), &mistakes);
    mistakes
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = config::compile(text.as_bytes()).err().unwrap_or_default();
    mistakes.iter().map(ToString::to_string).collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the files of a folder of the repository that end so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

#[test]
fn schema_accepts_what_it_cannot_express_and_nothing_else() {
    assert_eq!(check(&full()), [""; 0]);
    for gap in GAPS {
        for (from, to) in gap.examples {
            assert!(full().contains(from), "{from}");
            let text = full().replacen(from, to, 1);
            let mistakes = mistakes(&text);
            assert!(!mistakes.is_empty(), "{to} is no mistake");
            let is_gap = |mistake: &String| gap.problem.is_none_or(|problem| mistake.contains(problem));
            assert!(mistakes.iter().all(is_gap), "{mistakes:?}");
            assert!(
                accepts(text.as_bytes()),
                "the schema rejects {to}: remove it from GAPS ({})",
                gap.reason
            );
        }
    }
}

#[test]
fn fuzz_seeds_and_configurations_of_this_repository_are_judged_alike() {
    let seeds = files("filter/fuzz/seeds/configuration", "");
    assert!(seeds.len() > 10, "{seeds:?}");
    for seed in seeds {
        check(&fs::read_to_string(seed).unwrap());
    }
    let mut count = 0;
    for path in files("envoy", ".json") {
        assert_eq!(check(&fs::read_to_string(path).unwrap()), [""; 0]);
        count += 1;
    }
    for path in files("envoy", ".yaml") {
        for text in string_values(&fs::read_to_string(path).unwrap()) {
            assert_eq!(check(&text), [""; 0]);
            count += 1;
        }
    }
    assert!(count >= 2, "{count}");
}

/// Returns the block scalars of the `StringValue`s in YAML.
fn string_values(yaml: &str) -> Vec<String> {
    let blocks = yaml.split("google.protobuf.StringValue\n").skip(1);
    let text = |block: &str| {
        let mut lines = block.lines();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let header =
            lines.next().filter(|line| line.trim() == "value: |").unwrap_or_else(|| panic!("{block}"));
        lines.take_while(|line| indent(line) > indent(header)).collect::<Vec<_>>().join("\n")
    };
    blocks.map(text).collect()
}

#[test]
fn configuration_without_a_feed_needs_a_key() {
    for (from, to) in [
        (r#""feed""#, r#""feeds""#),
        (
            r#""keys": {"inline": {"keys": ["#,
            r#""keys": {"inline": {"keys": []}}, "x": {"inline": {"keys": ["#,
        ),
    ] {
        check(&full().replacen(from, to, 1));
    }
    for keys in [json!({"inline": {"keys": []}}), json!({"inline": {}}), json!({}), json!(1)] {
        assert_ne!(check(&json!({"issuer": "i", "keys": keys}).to_string()), [""; 0]);
    }
    let key = serde_json::from_str::<Value>(&full()).unwrap()["keys"]["inline"]["keys"][0].clone();
    let text = json!({"issuer": "i", "keys": {"inline": {"keys": [key]}}}).to_string();
    assert_eq!(check(&text), [""; 0]);
}

#[test]
fn defaults_of_the_schema_are_those_of_the_compiler() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let with_defaults = |section: &Value, members: Value| {
        let mut members = members;
        for (name, setting) in section["properties"].as_object().unwrap() {
            if let Some(default) = setting.get("default") {
                members[name] = default.clone();
            }
        }
        members
    };
    let short = json!({"issuer": "i", "feed": {"cluster": "c"}, "refresh": {"cluster": "c"}});
    let mut long = with_defaults(&schema, short.clone());
    for name in ["feed", "refresh", "cookies", "headers"] {
        let members = if short[name].is_null() { json!({}) } else { short[name].clone() };
        long[name] = with_defaults(&schema["properties"][name], members);
    }
    assert!(long.to_string().len() > short.to_string().len() + 400, "{long}");
    let [short, long] = [short, long].map(|value| config::compile(value.to_string().as_bytes()).unwrap());
    assert_eq!(short.policy, long.policy);
    assert_eq!(short.feed, long.feed);
    assert_eq!(short.refresh, long.refresh);
    assert_eq!(short.token_cache_entries, long.token_cache_entries);
}
