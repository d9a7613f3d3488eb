//! Rules that match, and paths that are ambiguous by them.

use super::*;

fn rule(pattern: Pattern, methods: &[&str], role: &str) -> Rule {
    Rule {
        pattern,
        methods: (!methods.is_empty()).then(|| methods.iter().map(|&method| method.to_owned()).collect()),
        access: Access::Roles(vec![role.to_owned()]),
        step_up: StepUp::NONE,
        forward_cookies: false,
        streams: Streams::EndWithSession,
    }
}

fn exact(path: &str) -> Pattern {
    Pattern::Exact(path.to_owned())
}

fn check(rules: &Rules, method: &str, path: &str, expected: Option<&str>) {
    let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), method.as_bytes()).unwrap();
    let expected = expected.map_or(Access::SignedIn, |role| Access::Roles(vec![role.to_owned()]));
    assert_eq!(found.access, expected, "{method} {path}");
}

// holds: invariant 4, promise 3
#[test]
fn first_match_applies_and_no_match_means_signed_in() {
    let rules = Rules::new(vec![
        rule(exact("/healthz"), &[], "health"),
        rule(Pattern::prefix("/admin/"), &["GET"], "reader"),
        rule(Pattern::prefix("/admin"), &[], "admin"),
        rule(exact("/caf%C3%A9/"), &[], "cafe"),
    ]);
    for (method, path, expected) in [
        ("GET", "/healthz", Some("health")),
        ("GET", "/healthz?x", Some("health")),
        ("GET", "/%68ealthz", Some("health")),
        ("GET", "/healthz/", None),
        ("GET", "/admin", Some("reader")),
        ("GET", "/admin/", Some("reader")),
        ("HEAD", "/admin/x/y", Some("reader")),
        ("POST", "/admin/x", Some("admin")),
        ("get", "/admin/x", Some("admin")),
        ("GET", "/administrator", None),
        ("GET", "/caf%c3%a9/", Some("cafe")),
        ("GET", "/", None),
    ] {
        check(&rules, method, path, expected);
    }
}

#[test]
fn index_finds_the_same_rule_as_a_linear_search() {
    let paths = ["", "/a", "/a/b", "/a/b/c", "/ab", "/a/", "/a/b/", "/b", "/b/a/c/d", "/"];
    let patterns = paths.iter().flat_map(|&path| {
        let whole = if path.is_empty() { exact("/a/b/c/d") } else { exact(path) };
        [Pattern::prefix(path), whole]
    });
    let rules: Vec<Rule> = patterns
        .enumerate()
        .map(|(at, pattern)| {
            let methods: &[&str] = match at % 3 {
                0 => &["GET"],
                1 => &["POST", "PUT"],
                _ => &[],
            };
            rule(pattern, methods, &at.to_string())
        })
        .collect();
    // Every turn of the list, so that each rule is the first once.
    for turn in 0..rules.len() {
        let mut rules = rules.clone();
        rules.rotate_left(turn);
        let index = Rules::new(rules.clone());
        for path in paths.iter().filter(|path| path.starts_with('/')) {
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let walk = rules
                    .iter()
                    .find(|rule| rule.pattern.matches(path) && rule.has_method(method.as_bytes()));
                let expected = walk.map_or(Access::SignedIn, |rule| rule.access.clone());
                let path = CanonicalPath::read(path.as_bytes()).unwrap();
                assert_eq!(
                    index.find(&path, method.as_bytes()).unwrap().access,
                    expected,
                    "{method} {path:?}"
                );
            }
        }
    }
}

// holds: invariant 4, promise 2
#[test]
fn path_that_matches_another_rule_after_folding_is_ambiguous() {
    fn check(rules: &[Rule], path: &str, expected: Result<&str, Ambiguity>) {
        let rules = Rules::new(rules.to_vec());
        let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), b"GET");
        let expected = expected.map(|role| match role {
            "" => Access::SignedIn,
            role => Access::Roles(vec![role.to_owned()]),
        });
        assert_eq!(found.map(|rule| rule.access.clone()), expected, "{path}");
    }
    let small = [rule(Pattern::prefix("/admin/"), &[], "admin")];
    check(&small, "/admin/X", Ok("admin"));
    check(&small, "/ADMIN/x", Err(Ambiguity::LetterCase));
    check(&small, "/%41dmin", Err(Ambiguity::LetterCase));
    check(&small, "/Orders", Ok(""));
    let large = [rule(Pattern::prefix("/API/"), &[], "api")];
    check(&large, "/API/x", Ok("api"));
    check(&large, "/api/x", Err(Ambiguity::LetterCase));
    let escaped = [rule(exact("/caf%C3%A9"), &[], "cafe")];
    check(&escaped, "/caf%c3%a9", Ok("cafe"));
    check(&escaped, "/caf%C3%89", Err(Ambiguity::LetterCase));
    check(&small, "/admin%C4%B1", Ok(""));
    let secret = [rule(Pattern::prefix("/secret/"), &[], "admin")];
    check(&secret, "/%C5%BFecret/x", Err(Ambiguity::LetterCase));
    check(&secret, "/secret/%20x", Ok("admin"));
    // Other widths, blanks at the end, characters that are not shown.
    check(&secret, "/%EF%BD%93ecret/x", Err(Ambiguity::LetterCase));
    check(&secret, "/secret%20/x", Err(Ambiguity::LetterCase));
    check(&secret, "/sec%C2%ADret/x", Err(Ambiguity::LetterCase));
    check(&secret, "/secret./x", Err(Ambiguity::LetterCase));
    check(&secret, "/secret.%20/x", Err(Ambiguity::LetterCase));
    check(&secret, "/secret.", Err(Ambiguity::LetterCase));
    check(&secret, "/secret/x.", Ok("admin"));
    check(&secret, "/.secret/x", Ok(""));
    check(&secret, "/se%20cret/x", Ok(""));
}

// holds: promise 2
// holds: promise 14
#[test]
fn path_that_meets_another_demand_after_folding_is_ambiguous() {
    let demand = StepUp { max_age_s: Some(300), methods: Vec::new() };
    let pattern = Pattern::prefix("/billing/");
    let rules = Rules::new(vec![Rule {
        access: Access::SignedIn,
        step_up: demand.clone(),
        ..rule(pattern, &[], "")
    }]);
    let check = |path: &str, expected: Result<StepUp, Ambiguity>| {
        let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), b"GET");
        assert_eq!(found.map(|rule| rule.step_up.clone()), expected, "{path}");
    };
    check("/billing/x", Ok(demand));
    check("/orders", Ok(StepUp::NONE));
    check("/Billing/x", Err(Ambiguity::LetterCase));
    check("/billing%3Fx", Err(Ambiguity::Delimiter));
}

#[test]
fn path_that_matches_another_rule_when_cut_is_ambiguous() {
    let rules = [rule(exact("/admin.php"), &[], "admin"), rule(Pattern::prefix("/files/"), &[], "files")];
    let rules = Rules::new(rules.to_vec());
    let check = |path: &str, expected: Result<(), Ambiguity>| {
        let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), b"GET");
        assert_eq!(found.map(|_| ()), expected, "{path}");
    };
    for path in
        ["/admin.php%3fx", "/admin.php%23x", "/admin.php%3F", "/admin.php%20%3fx", "/admin.php%EF%BC%9Fx"]
    {
        check(path, Err(Ambiguity::Delimiter));
    }
    check("/admin.php.%3Fx", Err(Ambiguity::Delimiter));
    check("/files%3F/x", Err(Ambiguity::Delimiter));
    check("/files/why%3F.txt", Ok(()));
    check("/other%3Fx", Ok(()));
    check("/admin.php?x", Ok(()));
}

#[test]
fn rule_whose_requests_all_match_earlier_rules_is_unreachable() {
    fn check(rules: Vec<Rule>, expected: &[(usize, usize)]) {
        assert_eq!(Rules::new(rules).unreachable().collect::<Vec<_>>(), expected);
    }
    let all = || rule(Pattern::prefix("/"), &[], "x");
    check(vec![all(), rule(exact("/a"), &[], "x")], &[(1, 0)]);
    check(vec![rule(exact("/a"), &[], "x"), all()], &[]);
    check(vec![rule(Pattern::prefix("/a"), &[], "x"), rule(Pattern::prefix("/a/"), &[], "x")], &[(1, 0)]);
    check(vec![rule(Pattern::prefix("/a"), &[], "x"), rule(Pattern::prefix("/ab"), &[], "x")], &[]);
    check(vec![rule(exact("/a"), &[], "x"), rule(Pattern::prefix("/a"), &[], "x")], &[]);
    check(vec![rule(exact("/a"), &["GET"], "x"), rule(exact("/a"), &[], "x")], &[]);
    check(vec![rule(exact("/a"), &["GET"], "x"), rule(exact("/a"), &["HEAD"], "x")], &[(1, 0)]);
    check(vec![rule(exact("/a"), &["GET"], "x"), rule(exact("/a"), &["GET", "POST"], "x")], &[]);
    check(
        vec![
            rule(exact("/a"), &["GET"], "x"),
            rule(Pattern::prefix("/"), &["POST"], "x"),
            rule(exact("/a"), &["GET", "POST"], "x"),
        ],
        &[(2, 0)],
    );
}

#[test]
fn streams_of_a_path_without_a_rule_end_with_their_session() {
    let path = CanonicalPath::read(b"/x").unwrap();
    assert_eq!(Rules::default().find(&path, b"GET").unwrap().streams, Streams::EndWithSession);
}
