//! Edits that follow from verdicts, rendered as lines.

use std::sync::Arc;

use super::*;
use crate::claims::Expected;
use crate::config;
use crate::rejection::Rejection;
use crate::reply::LocalReply;
use crate::token::Verified;

const OURS: &str = "access_token=a; refresh_token=r";

fn policy() -> Policy {
    config::compile(br#"{"issuer": "i", "feed": {"cluster": "c"}}"#).unwrap().policy
}

fn identity() -> Identity {
    let expected = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
    let claims = r#"{"iss":"i","aud":"a","exp":60,"iat":0,"sub":"42","sid":7,"role":"customer"}"#;
    Identity::judge(&Verified::for_test(claims), &expected, 0).unwrap()
}

fn renewed() -> Renewed {
    let set_cookies = ["access_token=new; Path=/", "refresh_token=next; Path=/"].map(str::to_owned).into();
    Renewed { access_token: "new".into(), set_cookies }
}

fn render(edit: HeaderEdit<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    match edit {
        HeaderEdit::Remove(name) => format!("- {}", text(name)),
        HeaderEdit::Set(name, value) => format!("= {}: {}", text(name), text(value)),
        HeaderEdit::Append(name, value) => format!("+ {}: {}", text(name), text(value)),
    }
}

fn fields<'a>(lines: &'a [(&'a str, &'a str)]) -> Vec<Field<'a>> {
    lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

fn check(verdict: &Verdict, lines: &[(&str, &str)], expected: &[&str]) {
    let (policy, mut scratch) = (policy(), Scratch::default());
    let request = Request::new(fields(lines), true);
    let edits: Vec<String> = of_request(&policy, verdict, &request, &mut scratch).map(render).collect();
    assert_eq!(edits, expected, "{verdict:?} {lines:?}");
}

fn pass(identity: Option<Identity>, our_cookies: OurCookies) -> Verdict {
    Verdict::Pass(Pass { identity, our_cookies, ends_with_session: false })
}

// holds: invariant 1, promise 1
#[test]
fn fields_that_could_pass_for_identity_headers_are_removed() {
    let fields = fields(&[
        ("x-user-id", "1"),
        ("x_user_role", "admin"),
        ("x-user-idea", "mine"),
        ("X-User-Id", "2"),
        ("x-auth-time", "3"),
        ("x_amr", "mfa"),
    ]);
    let edits: Vec<String> = forged(&policy(), fields).map(render).collect();
    assert_eq!(edits, ["- x-user-id", "- x_user_role", "- X-User-Id", "- x-auth-time", "- x_amr"]);
}

#[test]
fn upstreams_that_want_it_are_told_of_the_authentication() {
    let text = br#"{"issuer": "i", "feed": {"cluster": "c"}, "headers": {"auth_time": "X-Auth-Time", "amr": "x-amr"}}"#;
    let policy = config::compile(text).unwrap().policy;
    let forged_fields = fields(&[("x-auth-time", "9"), ("x_amr", "mfa"), ("x-amra", "mine")]);
    let edits: Vec<String> = forged(&policy, forged_fields).map(render).collect();
    assert_eq!(edits, ["- x-auth-time", "- x_amr"]);
    let check = |more: &str, expected: &[&str]| {
        let expected_claims = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
        let claims =
            format!(r#"{{"iss":"i","aud":"a","exp":60,"iat":0,"sub":"42","sid":7,"role":"customer"{more}}}"#);
        let identity = Identity::judge(&Verified::for_test(&claims), &expected_claims, 0).unwrap();
        let (verdict, mut scratch) = (pass(Some(identity), OurCookies::Removed), Scratch::default());
        let request = Request::new([], true);
        let edits: Vec<String> = of_request(&policy, &verdict, &request, &mut scratch).map(render).collect();
        let always = ["+ x-user-id: 42", "+ x-user-role: customer", "+ x-session-id: 7"];
        assert_eq!(edits, [&always, expected].concat(), "{more}");
    };
    check(r#","auth_time":5,"amr":["pwd","mfa"]"#, &["+ x-auth-time: 5", "+ x-amr: pwd,mfa"]);
    check(r#","amr":["pwd"]"#, &["+ x-amr: pwd"]);
    check(r#","amr":[]"#, &[]);
    check("", &[]);
}

#[test]
fn identity_becomes_headers_and_our_cookies_are_removed() {
    let identity_headers = ["+ x-user-id: 42", "+ x-user-role: customer", "+ x-session-id: 7"];
    let verdict = pass(Some(identity()), OurCookies::Removed);
    check(&verdict, &[("cookie", OURS)], &[&["- cookie"], &identity_headers[..]].concat());
    let mixed = [("cookie", "a=1; access_token=x; b=2")];
    check(&verdict, &mixed, &[&["= cookie: a=1; b=2"], &identity_headers[..]].concat());
    check(&pass(None, OurCookies::Removed), &[("cookie", "a=1")], &[]);
    check(&pass(None, OurCookies::Removed), &[], &[]);
}

#[test]
fn cookies_of_the_companion_reach_it_alone() {
    let removed = pass(None, OurCookies::Removed);
    let renewed = pass(None, OurCookies::Renewed(Arc::new(renewed())));
    for name in OF_COMPANION {
        let (cookie, mine) = (format!("{name}=d; a=1"), format!("my_{name}=d; {name}"));
        let both = [("cookie", cookie.as_str()), ("cookie", mine.as_str())];
        check(&removed, &both[..1], &["= cookie: a=1"]);
        check(&removed, &both, &["- cookie", "+ cookie: a=1", &format!("+ cookie: {mine}")]);
        check(&removed, &both[1..], &[]);
        check(&pass(None, OurCookies::Kept), &both, &[]);
        let forwarded = format!("+ cookie: {cookie}; access_token=new; refresh_token=next");
        check(&renewed, &both[..1], &["- cookie", &forwarded]);
    }
}

#[test]
fn several_cookie_fields_keep_what_is_not_ours() {
    let verdict = pass(None, OurCookies::Removed);
    let lines = [("cookie", "a=\"1\" ;b"), ("cookie", OURS), ("cookie", "c= 2")];
    check(&verdict, &lines, &["- cookie", "+ cookie: a=\"1\" ;b", "+ cookie: c= 2"]);
    check(&verdict, &[("cookie", "a=1"), ("cookie", "b=2")], &[]);
}

#[test]
fn forwarded_cookies_stay_or_are_the_renewed_ones() {
    check(&pass(None, OurCookies::Kept), &[("cookie", OURS)], &[]);
    let verdict = pass(None, OurCookies::Renewed(Arc::new(renewed())));
    for (cookie, expected) in [
        ("a=1; refresh_token=old", "+ cookie: a=1; access_token=new; refresh_token=next"),
        ("refresh_token=old", "+ cookie: access_token=new; refresh_token=next"),
    ] {
        check(&verdict, &[("cookie", cookie)], &["- cookie", expected]);
    }
}

// holds: invariant 1, promise 1
#[test]
fn upgrade_removes_none_of_our_headers_at_the_next_hop() {
    let verdict = pass(None, OurCookies::Kept);
    check(&verdict, &[("connection", "Upgrade, X-User-Id")], &["= connection: upgrade"]);
    check(&verdict, &[("connection", "Upgrade")], &[]);
}

#[test]
fn reply_gives_the_access_log_an_identity_and_changes_nothing_else() {
    let reply = LocalReply::reject(None, Rejection::RoleInsufficient);
    let known = Verdict::from(LocalReply { identity: Some(identity()), ..reply.clone() });
    let lines = [("cookie", OURS), ("connection", "x")];
    check(&known, &lines, &["+ x-user-id: 42", "+ x-user-role: customer", "+ x-session-id: 7"]);
    check(&Verdict::from(reply), &lines, &[]);
}

#[test]
fn renewed_cookies_come_behind_an_order_to_caches() {
    let lines = [
        ("cdn-cache-control", "max-age=60"),
        ("surrogate-control", "max-age=60"),
        ("set-cookie", "refresh_token=; Max-Age=0"),
        ("cache-control", "public"),
    ];
    let renewed = renewed();
    let edits: Vec<String> = append_renewed_cookies(&renewed, fields(&lines)).map(render).collect();
    assert_eq!(
        edits,
        [
            "- cdn-cache-control",
            "- surrogate-control",
            "= cache-control: no-store",
            "+ set-cookie: access_token=new; Path=/",
        ]
    );
}
