//! `edgeward filter test`.

use std::fs;

use crate::{Run, assert_in_guide, folder_with, repository, run};

const CONFIGURATION: &str = r#"{
    "issuer": "edgeward", "feed": {"cluster": "companion"}, "login_url": "/login",
    "rules": [
        {"prefix": "/admin/", "roles": ["admin"]},
        {"prefix": "/public/", "access": "public"}
    ]
}"#;

/// Runs a file of cases beside [`CONFIGURATION`].
fn test(cases: &str) -> Run {
    let folder = folder_with("filter.json", CONFIGURATION);
    fs::write(folder.path().join("cases.yaml"), cases).expect("a file");
    run(folder.path(), &["test", "cases.yaml"])
}

#[test]
fn cases_of_this_repository_pass() {
    let Run { code, stdout, stderr } = run(repository(), &["test", "examples/filter-cases/cases.yaml"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.ends_with(" cases passed\n"), "{stdout}");
    stdout.lines().take(2).chain(stdout.lines().last()).for_each(assert_in_guide);
}

#[test]
fn case_that_fails_shows_what_came_and_why() {
    let Run { code, stdout, stderr } = test(
        "configuration: filter.json\ncases:\n\
         - {name: news are public, request: GET /public/news, expect: pass as nobody}\n\
         - {name: customers see users, request: GET /admin/users, as: {role: customer}, expect: pass}\n\
         - {name: orders are public, request: GET /orders, expect: pass as nobody}\n\
         - {name: the path is read, request: GET /a;b, expect: 400 path_backslash}\n",
    );
    assert_eq!(code, 1);
    assert_eq!(stderr, "edgeward: 3 of 4 cases failed\n");
    assert_eq!(
        stdout,
        r#"ok      news are public
FAILED  customers see users
        case      cases.yaml:4
        request   GET /admin/users
        expected  pass
        got       403 role_insufficient
        reason    the user's role is not among those of the rule
        rule      rules[0] {"prefix": "/admin/", "roles": ["admin"]}
FAILED  orders are public
        case      cases.yaml:5
        request   GET /orders
        expected  pass as nobody
        got       401 cookie_missing
        reason    there is no access token
        rule      none matches, so the user must be signed in
FAILED  the path is read
        case      cases.yaml:6
        request   GET /a;b
        expected  400 path_backslash
        got       400 path_parameter
        reason    the path has a semicolon
        rule      none: the request is rejected before rules are searched
"#
    );
}

#[test]
fn mistakes_of_the_file_are_named_by_line_before_any_case_runs() {
    let Run { code, stdout, stderr } = test(
        "configuration: filter.json\ncases:\n- name: one\n  request: GET /\n  expect: 200\n- name: two\n  expct: pass\n",
    );
    assert_eq!(code, 1);
    assert_eq!(
        stdout,
        "cases.yaml:5: cases[0].expect must be a status that the filter replies with: 400, 401, 403 or 503\n\
         cases.yaml:6: cases[1].request or curl is required\n\
         cases.yaml:6: cases[1].expect is required\n\
         cases.yaml:7: cases[1].expct is not known\n"
    );
    assert_eq!(stderr, "edgeward: no case has run: correct cases.yaml first\n");
}

#[test]
fn configuration_with_mistakes_is_named_before_any_case_runs() {
    let case = "- {name: one, request: GET /, expect: 401}\n";
    let folder = folder_with("filter.json", r#"{"issuer": "i"}"#);
    let run_cases = |configuration: &str| {
        let cases = format!("configuration: {configuration}\ncases:\n{case}");
        fs::write(folder.path().join("cases.yaml"), cases).expect("a file");
        run(folder.path(), &["test", "cases.yaml"])
    };
    for (configuration, expected) in [
        (
            "filter.json",
            "edgeward: the configuration does not load:\n  filter.json: the configuration needs `keys` or `feed`: without them no token could ever be verified\n",
        ),
        ("other.json", "edgeward: other.json cannot be read: No such file or directory (os error 2)\n"),
    ] {
        let Run { code, stdout, stderr } = run_cases(configuration);
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, "", expected));
    }
    assert_eq!(run(folder.path(), &["test"]).code, 2);
}

#[test]
fn one_plugin_of_several_is_chosen_by_its_name_or_line() {
    let plugin = |name: &str, roles: &str| {
        format!(
            "- name: {name}\n  config:\n    vm_config: {{}}\n    configuration:\n      \"@type\": \
             type.googleapis.com/google.protobuf.StringValue\n      value: '{}'\n",
            CONFIGURATION.replace('\n', " ").replace("admin\"", &format!("{roles}\""))
        )
    };
    let envoy = [plugin("edgeward-a", "boss"), plugin("edgeward-b", "root")].concat();
    let folder = folder_with("envoy.yaml", &envoy);
    let run_cases = |choice: &str| {
        let case = "cases: [{name: one, request: GET /admin/, as: {role: root}, expect: pass as root}]";
        fs::write(folder.path().join("cases.yaml"), format!("configuration: envoy.yaml\n{choice}\n{case}\n"))
            .expect("a file");
        run(folder.path(), &["test", "cases.yaml"])
    };
    let Run { code, stderr, .. } = run_cases("");
    assert!(code == 1 && stderr.contains("choose a plugin by its name or line"), "{stderr}");
    assert_eq!(run_cases("plugin: edgeward-b").stdout, "ok      one\n1 case passed\n");
    assert_eq!(run_cases("plugin: edgeward-a").code, 1);
    let line = envoy.lines().position(|line| line.contains("edgeward-b")).expect("a line") + 5;
    assert_eq!(run_cases(&format!("plugin: {line}")).code, 0);
    let Run { code, stderr, .. } = run_cases("plugin: edgeward-c");
    assert!(code == 1 && stderr.contains("has no such plugin"), "{stderr}");
}
