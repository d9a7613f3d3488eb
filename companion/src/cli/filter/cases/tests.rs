//! Files of cases: what they say, and every mistake with its line.

use super::*;

const GOOD: &str = r"
configuration: edgeward.json
cases:
  - name: customers cannot open the admin area
    request: GET /admin/users
    headers: {accept: text/html, x-list: [a, b]}
    as: {role: customer, user: 42, session: 7, auth_age: 600, amr: [pwd, mfa], expired: true, refresh: true}
    expect: 403 role_insufficient
  - name: nobody logs in
    curl: curl -d a=1 https://shop.example/login
    as: nobody
    expect: pass as nobody
";

#[test]
fn file_of_cases_is_read_as_it_is_written() {
    let cases = read(GOOD, Path::new("rules")).unwrap();
    assert_eq!(cases.configuration, Path::new("rules/edgeward.json"));
    let [first, second] = cases.list.as_slice() else { panic!("{cases:?}") };
    assert_eq!((first.line, first.name.as_str()), (4, "customers cannot open the admin area"));
    let headers: Vec<String> =
        first.head.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["accept: text/html", "x-list: a", "x-list: b"]);
    let expected: TestUser =
        "role=customer,user=42,session=7,auth_age=600,amr=pwd+mfa,expired,refresh".parse().unwrap();
    assert_eq!(first.user, Some(expected));
    assert_eq!(first.expectation.to_string(), "403 role_insufficient");
    assert_eq!((second.head.method.as_str(), second.head.has_body), ("POST", true));
    assert_eq!(second.user, None);
}

fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(GOOD.contains(from), "{from}");
    let mistakes = read(&GOOD.replacen(from, to, 1), Path::new("")).unwrap_err();
    let mistakes: Vec<String> = mistakes.iter().map(|(line, what)| format!("{line} {what}")).collect();
    assert_eq!(mistakes, expected, "{from} -> {to}");
}

#[test]
fn every_mistake_has_its_line_and_path() {
    check(
        "configuration: edgeward.json",
        "config: x",
        &["2 configuration is required", "2 config is not known"],
    );
    check(
        "expect: 403",
        "expects: 403",
        &["4 cases[0].expect is required", "8 cases[0].expects is not known"],
    );
    check(
        "GET /admin/users",
        "/admin",
        &["5 cases[0].request must be a method and a path, such as GET /orders"],
    );
    check(
        "curl: curl",
        "curl: fetch",
        &["10 cases[1].curl is not understood: the command must begin with curl"],
    );
    check(
        "curl: curl -d a=1 https://shop.example/login\n    ",
        "",
        &["9 cases[1].request or curl is required"],
    );
    check("as: nobody", "request: GET /", &["9 cases[1].request and curl exclude each other"]);
    check(
        "as: nobody",
        "as: admin",
        &["11 cases[1].as must be nobody, or a mapping such as {role: customer}"],
    );
    check(
        "role: customer",
        "role: Customer",
        &[
            "7 cases[0].as.role is no role: a role is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit",
        ],
    );
    check("auth_age: 600", "auth_age: 5m", &["7 cases[0].as.auth_age must be a number of seconds"]);
    for wrong in ["amr: pwd", "amr: []", "amr: [sms]"] {
        check("amr: [pwd, mfa]", wrong, &["7 cases[0].as.amr must be a list of pwd, otp, pop, mfa"]);
    }
    check("user: 42", "users: -1", &["7 cases[0].as.users is not known"]);
    check("user: 42", "user: -1", &["7 cases[0].as.user must be a positive number"]);
    check("expired: true", "expired: 1", &["7 cases[0].as.expired must be true or false"]);
    check("nobody logs in", "customers cannot open the admin area", &["9 cases[1].name is that of line 4"]);
    check("[a, b]", "[a, {}]", &["6 cases[0].headers.x-list must be a text or a list of texts"]);
    check(
        "as: nobody",
        "as: {user: 1}",
        &["11 cases[1].as needs a role, or refresh for a request with a refresh token alone"],
    );
}

#[test]
fn file_without_cases_is_a_mistake() {
    for (text, expected) in [
        ("", "must be one YAML document"),
        ("[]", "the file must be a mapping"),
        ("configuration: a\ncases: []", "cases must be a list of at least one case"),
        ("configuration: a\nconfiguration: b", "is not YAML: duplicated key"),
        ("a: 1\nb: [\n- c", "is not YAML"),
    ] {
        let mistakes = read(text, Path::new("")).unwrap_err();
        assert!(mistakes.iter().any(|(_, what)| what.starts_with(expected)), "{text}: {mistakes:?}");
    }
    assert_eq!(read("a: 1\nb: [\n- c", Path::new("")).unwrap_err()[0].0, 3);
}
