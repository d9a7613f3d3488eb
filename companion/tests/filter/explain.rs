//! `edgeward filter explain`.

use std::fs;

use crate::{Run, folder_with, repository, run};

/// Time of the requests, in seconds since 1970.
const NOW: &str = "1800000000";

/// Explains a request to the gateway of this repository.
fn explain(arguments: &[&str]) -> String {
    let Run { code, stdout, stderr } =
        run(repository(), &[&["explain", "envoy/envoy.yaml", "--now", NOW], arguments].concat());
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    stdout
}

/// Returns the lines of one part, such as `verdict`.
fn part<'o>(output: &'o str, name: &str) -> Vec<&'o str> {
    let mut lines = output.lines().skip_while(|line| !line.starts_with(name));
    let first = lines.next().into_iter();
    first.chain(lines.take_while(|line| line.starts_with(' '))).filter_map(|line| line.get(11..)).collect()
}

fn check_verdict(arguments: &[&str], expected: &[&str]) {
    assert_eq!(part(&explain(arguments), "verdict"), expected, "{arguments:?}");
}

#[test]
fn rule_token_and_verdict_are_shown_for_a_user() {
    let output = explain(&["--path", "/admin/users?page=2", "--as", "role=customer,user=42,session=7"]);
    assert_eq!(part(&output, "request"), ["GET /admin/users?page=2"]);
    assert_eq!(part(&output, "path"), ["/admin/users"]);
    assert_eq!(part(&output, "rule"), [r#"rules[13] {"prefix": "/admin/", "roles": ["admin"]}"#]);
    let token = part(&output, "token");
    assert_eq!(token[0], "cookie access_token");
    assert!(token[1].starts_with(r#"alg "RS256", typ "at+jwt", kid ""#), "{output}");
    assert_eq!(
        token[2],
        r#"iss "edgeward", aud "edgeward", sub "42", sid 7, role "customer", iat 1800000000 (now), exp 1800003600 (in 60 min), auth_time 1800000000 (now), amr ["pwd"]"#
    );
    assert_eq!(
        part(&output, "verdict"),
        ["reply 403 (role_insufficient)", "the user's role is not among those of the rule"]
    );
    assert_eq!(part(&output, "upstream"), [""; 0]);
}

#[test]
fn header_fields_of_the_upstream_are_shown_without_the_cookies_values() {
    let output = explain(&[
        "--method",
        "POST",
        "--path",
        "/orders",
        "--as",
        "role=admin,user=42,session=7,refresh",
        "-H",
        "cookie: theme=dark",
        "-H",
        "X_User_Role: root",
    ]);
    assert_eq!(
        part(&output, "verdict"),
        ["pass", "the user is signed in; a stream that lasts ends with the session"]
    );
    assert_eq!(
        part(&output, "upstream"),
        [
            "without x_user_role, as only the filter sets it",
            "cookie: theme (ours removed)",
            "x-user-id: 42",
            "x-user-role: admin",
            "x-session-id: 7"
        ]
    );
    assert!(!output.contains("dark"), "{output}");
}

#[test]
fn cookie_without_a_name_is_not_shown() {
    let cookies = "cookie: a=1; secret1; access_token=x; b=\"y;secret2\"";
    let output = explain(&["--path", "/public/x", "--header", cookies, "--skip-signature"]);
    assert_eq!(
        part(&output, "upstream"),
        ["cookie: a, one without a name, b, one without a name (ours removed)"]
    );
    assert!(!output.contains("secret"), "{output}");
}

#[test]
fn every_kind_of_verdict_has_its_reason() {
    check_verdict(&["--path", "/public/x"], &["pass", "the rule is public"]);
    check_verdict(&["--path", "/readyz"], &["reply 200 (ready)"]);
    check_verdict(
        &["--path", "/orders?a=1", "-H", "accept: text/html"],
        &[
            "reply 302 (cookie_missing), Location: /login?return_to=/orders%3Fa%3D1",
            "there is no access token",
            "not held for a new access token: there is no cookie refresh_token",
        ],
    );
    check_verdict(
        &["--path", "/orders", "--as", "role=customer,expired,refresh"],
        &[
            "held (exp_passed)",
            "the companion is asked for a new access token, and then it is decided again",
            "the access token expired 82800 s ago (exp 1799917200)",
        ],
    );
    check_verdict(
        &["--method", "POST", "--path", "/x", "--as", "refresh", "-H", "sec-fetch-site: cross-site"],
        &[
            "reply 401 (cookie_missing)",
            "there is no access token",
            "not held for a new access token: another site's page may have sent it",
        ],
    );
    check_verdict(
        &["--path", "/public/%2e%2e;/admin"],
        &["reply 400 (path_parameter)", "the path has a semicolon"],
    );
    check_verdict(
        &["--path", "/ADMIN/x", "--as", "role=admin"],
        &[
            "reply 400 (path_letter_case)",
            "the path is for another rule without regard to letter case, width and hidden characters",
        ],
    );
    let preflight = ["-H", "origin: https://a.example", "-H", "access-control-request-method: PUT"];
    check_verdict(
        &[&["--method", "OPTIONS", "--path", "/orders"], &preflight[..]].concat(),
        &["pass", "browsers send preflights without a token"],
    );
}

#[test]
fn demand_of_a_rule_and_the_way_to_meet_it_are_shown() {
    let page = ["-H", "sec-fetch-mode: navigate"];
    let old = ["--path", "/billing/a", "--as", "role=customer,auth_age=301"];
    let expected = [
        "reply 401 (authentication_outdated)",
        "the user's last authentication was 301 s ago (auth_time 1799999699), and at most 300 s are allowed",
        "a fresh proof of the user lets it pass; a new access token does not",
    ];
    check_verdict(&old, &expected);
    check_verdict(
        &[&old[..], &page].concat(),
        &[
            "reply 302 (authentication_outdated), Location: /login?return_to=/billing/a&max_age=300",
            expected[1],
            expected[2],
        ],
    );
    check_verdict(
        &["--path", "/billing/a", "--as", "role=customer,auth_age=300,amr=pop+mfa"],
        &[
            "pass",
            "the user is signed in; the last authentication is as the rule demands; a stream that lasts ends with the session",
        ],
    );
    let rules = r#"[{"prefix": "/x/", "require": ["mfa"]}]"#;
    let json = format!(r#"{{"issuer": "i", "feed": {{"cluster": "c"}}, "rules": {rules}}}"#);
    let folder = folder_with("filter.json", &json);
    let arguments = ["explain", "filter.json", "--path", "/x/", "--as", "role=customer"];
    let Run { stdout, .. } = run(folder.path(), &arguments);
    assert_eq!(
        part(&stdout, "verdict")[..2],
        [
            "reply 401 (authentication_insufficient)",
            "the user's last authentication (amr) lacks mfa, which the rule requires"
        ]
    );
}

#[test]
fn request_that_no_rule_matches_must_be_signed_in() {
    let folder = folder_with("filter.json", r#"{"issuer": "i", "feed": {"cluster": "c"}}"#);
    let Run { code, stdout, .. } = run(folder.path(), &["explain", "filter.json", "--path", "/x"]);
    assert_eq!(code, 0);
    assert_eq!(part(&stdout, "rule"), ["none matches, so the user must be signed in"]);
    assert_eq!(
        part(&stdout, "verdict"),
        [
            "reply 401 (cookie_missing)",
            "there is no access token",
            "not held for a new access token: the configuration has no refresh"
        ]
    );
}

/// Header `{"alg":"RS256","typ":"at+jwt","kid":"k1"}`, claims `{"iss":"edgeward","aud":"edgeward","sub":"42","sid":7,
/// "role":"customer","email":"ann@example.com","iat":1799999000,"exp":1800002600}`, and bytes that are no signature.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJpc3MiOiJlZGdld2FyZCIsImF1ZCI6ImVkZ2V3YXJkIiwic3ViIjoiNDIiLCJzaWQiOjcsInJvbGUiOiJjdXN0b21lciIsImVtYWlsIjoiYW5uQGV4YW1wbGUuY29tIiwiaWF0IjoxNzk5OTk5MDAwLCJleHAiOjE4MDAwMDI2MDB9.c2VjcmV0c2VjcmV0";

fn curl() -> String {
    format!("curl 'https://shop.example/orders' -H 'accept: */*' -b 'theme=dark; access_token={TOKEN}'")
}

#[test]
fn token_of_a_curl_command_is_shown_by_its_claims_alone() {
    let output = explain(&["--curl", &curl(), "--skip-signature"]);
    assert_eq!(
        part(&output, "token"),
        [
            "cookie access_token",
            r#"alg "RS256", typ "at+jwt", kid "k1""#,
            r#"iss "edgeward", aud "edgeward", sub "42", sid 7, role "customer", iat 1799999000 (16 min ago), exp 1800002600 (in 43 min)"#,
            "signature NOT CHECKED, taken for valid; revocations, which the feed has, are not checked",
        ]
    );
    assert_eq!(part(&output, "verdict")[0], "pass");
    for secret in TOKEN.split('.').chain(["dark", "ann@example.com"]) {
        assert!(!output.contains(secret), "{output}");
    }
}

#[test]
fn signature_is_checked_with_the_keys_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_edgeward"));
        let output = command.arg("keys").args(arguments).env_clear().current_dir(folder.path()).output();
        output.expect("an output").stdout
    };
    keys(&["generate"]);
    let path = folder.path().join("jwks.json");
    let jwks = keys(&["jwk"]);
    fs::write(&path, &jwks).expect("a file");
    let path = path.to_str().expect("UTF-8");
    let output = explain(&["--curl", &curl(), "--keys", path]);
    let unknown = "the key ID (kid) names no key of the set";
    assert_eq!(part(&output, "token")[3], "signature not checked by the keys of --keys");
    assert_eq!(part(&output, "verdict")[..2], ["reply 401 (kid_unknown)", unknown]);

    let mut set: serde_json::Value = serde_json::from_slice(&jwks).expect("JSON");
    set["keys"][0]["kid"] = "k1".into();
    fs::write(path, set.to_string()).expect("a file");
    let output = explain(&["--curl", &curl(), "--keys", path]);
    assert_eq!(part(&output, "token")[3], "signature not valid by the keys of --keys");
    assert_eq!(part(&output, "verdict")[..2], ["reply 401 (signature_invalid)", "the signature is invalid"]);
}

#[test]
fn arguments_that_do_not_suffice_are_errors_that_repeat_no_secret() {
    for (arguments, code, expected) in [
        (
            &["--curl", &curl()][..],
            1,
            "give the companion's keys by --keys (`edgeward keys jwk` prints them)",
        ),
        (
            &["--curl", "curl https://a.example --oauth2-bearer hunter2"],
            1,
            "the option --oauth2-bearer is not",
        ),
        (&["--path", "/x", "-H", "hunter2"], 1, "--header number 1 is not \"name: value\""),
        (
            &["--path", "/x", "--as", "admin"],
            2,
            "is none of role=…, user=…, session=…, auth_age=…, amr=…, expired, refresh",
        ),
        (&["--path", "/x", "--as", "role=a", "--skip-signature"], 2, "cannot be used with"),
        (
            &["--path", "/x", "--keys", "envoy/envoy.yaml"],
            1,
            "envoy/envoy.yaml is not a JWK set (RFC 7517 §5)",
        ),
        (&["--path", "/x", "--plugin", "other"], 1, "envoy/envoy.yaml has no such plugin"),
        (&[], 2, "--path <PATH>"),
    ] {
        let run = run(repository(), &[&["explain", "envoy/envoy.yaml"], arguments].concat());
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(!run.stderr.contains("hunter2") && !run.stderr.contains(TOKEN), "{}", run.stderr);
    }
}
