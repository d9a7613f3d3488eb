//! `edgeward filter check`.

use crate::{Run, assert_in_guide, folder_with, repository, run};

const GOOD: &str = r#"{"issuer": "edgeward", "feed": {"cluster": "companion"}}"#;
const BAD: &str =
    r#"{"issuer": 7, "feed": {"cluster": "companion"}, "rules": [{"path": "/a;b", "access": "public"}]}"#;

/// Mistakes of [`BAD`], as the plugin logs them.
const MISTAKES: [&str; 2] =
    ["issuer must be a string, not an integer", "rules[0].path can never match: it has a semicolon"];

/// Returns an Envoy configuration with a plugin for each of these messages.
fn envoy(plugins: &[(&str, &str)]) -> String {
    let plugins = plugins.iter().map(|(name, configuration)| {
        format!(
            "    - name: {name}\n      typed_config:\n        config:\n          root_id: edgeward\n          \
             vm_config: {{runtime: envoy.wasm.runtime.v8}}\n          configuration:\n            {configuration}\n"
        )
    });
    format!(
        "static_resources:\n  listeners:\n  - name: gateway\n    filters:\n{}",
        plugins.collect::<String>()
    )
}

fn string_value(json: &str) -> String {
    format!("{{\"@type\": type.googleapis.com/google.protobuf.StringValue, value: '{json}'}}")
}

fn check(name: &str, text: &str) -> Run {
    run(folder_with(name, text).path(), &["check", name])
}

#[test]
fn configurations_of_this_repository_are_good() {
    for file in ["envoy/envoy.yaml", "envoy/envoy-native.yaml", "envoy/filter.example.json"] {
        let Run { code, stdout, stderr } = run(repository(), &["check", file]);
        assert_eq!(code, 0, "{file}: {stdout}{stderr}");
        assert!(stdout.starts_with(file) && stdout.contains(" good: "), "{stdout}");
        // Without the line, which any change of the file moves.
        if let Some((_, summary)) = stdout.trim_end().split_once(" plugin ") {
            assert_in_guide(summary);
        }
    }
}

#[test]
fn mistakes_of_plain_json_are_those_that_the_plugin_logs() {
    let good = check("good.json", GOOD);
    assert_eq!(
        (good.code, good.stdout.as_str()),
        (
            0,
            "good.json: good: 0 rules (0 public, 0 signed in, 0 for roles); feed of companion every 1000 ms; no refresh\n"
        )
    );
    let bad = check("bad.json", BAD);
    let expected = MISTAKES.map(|mistake| format!("bad.json: {mistake}\n")).concat();
    assert_eq!((bad.code, bad.stdout), (1, expected));
    assert_eq!(bad.stderr, "edgeward: 2 mistakes: the plugin does not load this configuration\n");
}

#[test]
fn text_that_is_no_json_is_a_mistake_with_its_line() {
    for (text, expected) in [
        ("", "the configuration is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{\n\"issuer\": }", "the configuration is not JSON: expected value at line 2 column 11"),
        (r#"{"issuer": "a", "issuer": "b", "feed": {"cluster": "c"}}"#, "issuer stands more than once"),
    ] {
        let Run { code, stdout, .. } = check("filter.json", text);
        assert_eq!((code, stdout), (1, format!("filter.json: {expected}\n")), "{text}");
    }
}

#[test]
fn every_plugin_of_an_envoy_configuration_is_checked_at_its_line() {
    let text = envoy(&[("one", &string_value(GOOD)), ("two", &string_value(BAD))]);
    let Run { code, stdout, .. } = check("envoy.yaml", &text);
    assert_eq!(code, 1, "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    let [good, first, second] = lines.as_slice() else { panic!("{stdout}") };
    assert!(good.starts_with("envoy.yaml:11: plugin \"one\": good: "), "{good}");
    let expected = MISTAKES.map(|mistake| format!("envoy.yaml:18: plugin \"two\": {mistake}"));
    assert_eq!([*first, *second], [expected[0].as_str(), expected[1].as_str()]);
}

#[test]
fn envoy_configuration_in_json_is_read_too() {
    let json = serde_json::json!({"static_resources": {"listeners": [{
        "name": "edgeward",
        "typed_config": {"config": {"vmConfig": {}, "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue", "value": BAD,
        }}},
    }]}});
    let Run { code, stdout, .. } = check("envoy.json", &json.to_string());
    let expected = MISTAKES.map(|mistake| format!("envoy.json:1: plugin \"edgeward\": {mistake}\n")).concat();
    assert_eq!((code, stdout), (1, expected));
}

#[test]
fn configuration_of_the_native_module_is_checked_too() {
    for (line, expected) in [
        (format!("filter_config: {}", string_value(BAD)), MISTAKES[0]),
        ("filter_confg: {}".to_owned(), "there is no `filter_config` beside `dynamic_module_config`"),
    ] {
        let text = format!(
            "resources:\n- name: ours\n  typed_config:\n    dynamic_module_config: {{name: edgeward}}\n    {line}\n"
        );
        let Run { code, stdout, .. } = check("listener.yaml", &text);
        assert!(code == 1 && stdout.contains("plugin \"ours\": ") && stdout.contains(expected), "{stdout}");
    }
}

#[test]
fn message_that_envoy_would_not_pass_as_text_is_a_mistake() {
    let bytes = "{\"@type\": type.googleapis.com/google.protobuf.BytesValue, value: eyJ9}";
    let structure = format!("{{\"@type\": type.googleapis.com/google.protobuf.Struct, value: {GOOD}}}");
    for (configuration, expected) in [
        (
            structure.as_str(),
            "configuration must be {\"@type\": type.googleapis.com/google.protobuf.StringValue",
        ),
        (GOOD, "configuration must be {\"@type\": type.googleapis.com/google.protobuf.StringValue"),
        (bytes, "the configuration is not JSON: EOF while parsing a string at line 1 column 3"),
    ] {
        let Run { code, stdout, .. } = check("envoy.yaml", &envoy(&[("edgeward", configuration)]));
        assert!(code == 1 && stdout.contains(expected), "{configuration}: {stdout}");
    }
}

#[test]
fn plugin_below_a_yaml_tag_is_checked_too() {
    let text = envoy(&[("edgeward", &string_value(BAD))]).replace("filters:", "filters: !list");
    let Run { code, stdout, .. } = check("envoy.yaml", &text);
    assert!(code == 1 && MISTAKES.iter().all(|mistake| stdout.contains(mistake)), "{stdout}");
}

#[test]
fn bytes_are_checked_as_the_plugin_gets_them() {
    // {"issuer": "\xff", "feed": {"cluster": "companion"}}
    let bytes = "eyJpc3N1ZXIiOiAi/yIsICJmZWVkIjogeyJjbHVzdGVyIjogImNvbXBhbmlvbiJ9fQ==";
    let message = format!("{{\"@type\": type.googleapis.com/google.protobuf.BytesValue, value: '{bytes}'}}");
    let Run { code, stdout, .. } = check("envoy.yaml", &envoy(&[("edgeward", &message)]));
    assert!(code == 1 && stdout.contains("is not JSON: invalid unicode"), "{stdout}");
}

#[test]
fn file_without_a_configuration_is_an_error_that_names_it() {
    let other = envoy(&[("other", &string_value(GOOD))]).replace("edgeward", "other");
    for (name, text, expected) in [
        ("envoy.yaml", other.as_str(), "envoy.yaml has no configuration of Edgeward's plugin"),
        ("empty.yaml", "a: 1\n", "empty.yaml has no configuration of Edgeward's plugin"),
        ("broken.yaml", "a: [\nb", "broken.yaml:2: is not YAML: "),
        ("deep.yaml", &format!("a:\n {}x", "- ".repeat(4000)), "deep.yaml:2: is nested too deeply"),
        (
            "long.yaml",
            &format!("a: {}", "x".repeat(5 << 20)),
            "long.yaml:1: has 5242883 bytes, and at most 4194304 are read",
        ),
    ] {
        let Run { code, stdout, stderr } = check(name, text);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
    let missing = run(repository(), &["check", "nowhere.json"]);
    assert!(
        missing.code == 1 && missing.stderr.contains("nowhere.json cannot be read"),
        "{}",
        missing.stderr
    );
    assert_eq!(run(repository(), &["check"]).code, 2);
}
