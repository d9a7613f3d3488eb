//! Rules that compile, and the mistakes of those that do not.

use super::{check, compile};
use crate::path::CanonicalPath;
use crate::rules::{Access, StepUp, Streams};

// holds: invariant 4
#[test]
fn rule_that_is_empty_or_never_matches_is_a_mistake() {
    check(
        r#"{"path": "/healthz", "access": "public"}"#,
        "{}",
        &[
            "rules[0] needs a path or a prefix",
            "rules[0] needs access (\"public\" or \"signed_in\") or roles",
        ],
    );
    check(
        r#""path": "/healthz""#,
        r#""path": "/healthz", "prefix": "/x""#,
        &["rules[0] has a path and a prefix, and may have only one of them"],
    );
    check("/healthz", "/a/../b", &["rules[0].path can never match: it has a segment of dots"]);
    check("/healthz", "healthz", &["rules[0].path can never match: it does not start with /"]);
    for wildcard in ["/a*", "/a/*", "/a/**/b", "/users/:id"] {
        check(
            "/healthz",
            wildcard,
            &["rules[0].path has a wildcard, and there are none: a prefix covers all paths below it"],
        );
    }
    check("/healthz", "/%61?b", &["rules[0].path can never match: it is matched as \"/a\""]);
    check(r#"["GET"]"#, "[]", &["rules[2].methods must not be empty"]);
    check(
        r#"["GET"]"#,
        r#"["get"]"#,
        &["rules[2].methods[0] must be a method such as \"GET\", in upper case"],
    );
    check(r#"["admin"]"#, "[]", &["rules[2].roles must not be empty"]);
    check(r#"["admin"]"#, r#"["Admin"]"#, &["rules[2].roles[0] must be a role: [a-z0-9][a-z0-9_-]{0,63}"]);
    check(
        r#"{"prefix": "/admin/","#,
        r#"{"prefix": "/api/auth/x","#,
        &["rules[2] can never match: rules[1] comes first"],
    );
    check(
        r#""public", "forward"#,
        r#""open", "forward"#,
        &["rules[1].access must be one of: public, signed_in"],
    );
}

/// Returns the treatment of streams by a rule with these members.
fn streams_of(members: &str) -> Streams {
    let text =
        format!(r#"{{"issuer": "i", "feed": {{"cluster": "c"}}, "rules": [{{"path": "/x", {members}}}]}}"#);
    let policy = compile(text.as_bytes()).unwrap().policy;
    policy.rules.find(&CanonicalPath::read(b"/x").unwrap(), b"GET").unwrap().streams
}

#[test]
fn streams_of_protected_rules_end_with_their_session_unless_they_outlive() {
    for (members, expected) in [
        (r#""access": "public""#, Streams::Outlive),
        (r#""access": "signed_in""#, Streams::EndWithSession),
        (r#""roles": ["admin"]"#, Streams::EndWithSession),
        (r#""access": "public", "streams": "end_with_session""#, Streams::EndWithSession),
        (r#""access": "signed_in", "streams": "outlive""#, Streams::Outlive),
        (r#""roles": ["admin"], "streams": "outlive""#, Streams::Outlive),
    ] {
        assert_eq!(streams_of(members), expected, "{members}");
    }
    check(
        r#"["admin"]}"#,
        r#"["admin"], "streams": "end"}"#,
        &["rules[2].streams must be one of: end_with_session, outlive"],
    );
}

/// Returns the demand and the access of a rule with these members.
fn step_up_of(members: &str) -> (StepUp, Access) {
    let text =
        format!(r#"{{"issuer": "i", "feed": {{"cluster": "c"}}, "rules": [{{"path": "/x", {members}}}]}}"#);
    let policy = compile(text.as_bytes()).unwrap().policy;
    let rule = policy.rules.find(&CanonicalPath::read(b"/x").unwrap(), b"GET").unwrap();
    (rule.step_up.clone(), rule.access.clone())
}

#[test]
fn rule_may_demand_a_recent_authentication_and_its_methods() {
    let admins = Access::Roles(vec!["admin".into()]);
    for (members, max_age_s, methods, access) in [
        (r#""access": "signed_in""#, None, &[][..], Access::SignedIn),
        (r#""max_auth_age_seconds": 300, "require": ["mfa"]"#, Some(300), &["mfa"], Access::SignedIn),
        (r#""max_auth_age_seconds": 1"#, Some(1), &[], Access::SignedIn),
        (r#""require": ["mfa", "pwd", "mfa"]"#, None, &["pwd", "mfa"], Access::SignedIn),
        (r#""roles": ["admin"], "require": ["pop"]"#, None, &["pop"], admins),
        (r#""access": "signed_in", "require": ["otp"]"#, None, &["otp"], Access::SignedIn),
    ] {
        let expected = StepUp { max_age_s, methods: methods.to_vec() };
        assert_eq!(step_up_of(members), (expected, access), "{members}");
    }
}

#[test]
fn demand_that_nobody_can_meet_is_a_mistake() {
    let rule = r#""roles": ["admin"]}"#;
    check(
        rule,
        r#""max_auth_age_seconds": 0}"#,
        &["rules[2].max_auth_age_seconds must be an integer from 1 to 31536000"],
    );
    check(rule, r#""require": []}"#, &["rules[2].require must not be empty"]);
    check(rule, r#""require": "mfa"}"#, &["rules[2].require must be a list, not a string"]);
    check(rule, r#""require": ["mfa", "MFA"]}"#, &["rules[2].require[1] must be one of: pwd, otp, pop, mfa"]);
    let public = r#""access": "public", "max_auth_age_seconds": 300, "require": ["mfa"]}"#;
    let demands = "demands something of users, and with access \"public\" there may be none";
    check(
        rule,
        public,
        &[&format!("rules[2].max_auth_age_seconds {demands}"), &format!("rules[2].require {demands}")],
    );
}
