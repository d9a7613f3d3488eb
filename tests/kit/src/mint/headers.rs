//! JOSE headers that must be rejected: algorithms, types, extensions and key names. All signatures are valid.

use serde_json::{Value, json};

use super::{Bad, Key, payload};

pub(super) fn bad(key: &Key, now: u64) -> Vec<Bad> {
    let claims = payload(now);
    let good: Value = serde_json::from_str(&key.header()).unwrap();
    let with = |member: &str, value: Value| {
        let mut header = good.clone();
        header[member] = value;
        key.token(&header.to_string(), &claims)
    };
    let without = |member: &str| {
        let mut header = good.clone();
        header.as_object_mut().unwrap().remove(member);
        key.token(&header.to_string(), &claims)
    };
    let mut all = Vec::new();
    let mut add = |name: String, token: String, label| all.push(Bad { name, token, label });

    let algorithms = [
        "none", "None", "NONE", "nOnE", "", "rs256", "Rs256", "RS256 ", " RS256", "RS256\0", "RS384",
        "RS512", "PS256", "PS384", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512", "RSA-OAEP", "dir",
    ];
    for value in algorithms.map(Value::from).into_iter().chain([
        json!(null),
        json!(256),
        json!(["RS256"]),
        json!({}),
        json!(true),
    ]) {
        add(format!("alg {value}"), with("alg", value), "alg_unexpected");
    }
    add("no alg".to_owned(), without("alg"), "alg_unexpected");

    let types = [
        "JWT",
        "jwt",
        "rt+jwt",
        "AT+JWT",
        "at+JWT",
        "application/at+jwt",
        "at+jwt ",
        "",
        "JWE",
        "secevent+jwt",
    ];
    for value in types.map(Value::from).into_iter().chain([json!(null), json!(1), json!(["at+jwt"])]) {
        add(format!("typ {value}"), with("typ", value), "typ_unexpected");
    }
    add("no typ".to_owned(), without("typ"), "typ_unexpected");

    for value in [json!([]), json!(["exp"]), json!(["b64"]), json!(null), json!("exp")] {
        add(format!("crit {value}"), with("crit", value), "crit_present");
    }
    for (member, value) in [
        ("jwk", key.jwk()),
        ("jku", json!("http://127.0.0.1/jwks.json")),
        ("x5u", json!("http://127.0.0.1/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("cty", json!("JWT")),
        ("cty", json!("at+jwt")),
        ("enc", json!("A128GCM")),
        ("zip", json!("DEF")),
        ("Alg", json!("none")),
        ("", json!("")),
    ] {
        add(format!("{member} {value}"), with(member, value), "header_member_unexpected");
    }

    add("no kid among several keys".to_owned(), without("kid"), "kid_missing");
    for value in [json!(""), json!("k".repeat(129)), json!(null), json!(1), json!([&key.kid])] {
        add(format!("kid {value}"), with("kid", value), "kid_malformed");
    }
    for kid in [
        "../../etc/passwd",
        "/dev/null",
        "http://127.0.0.1/key",
        "' OR 1=1 --",
        "a\0",
        "*",
        "kid; x-user-id: 1",
    ] {
        add(format!("kid {kid:?}"), with("kid", json!(kid)), "kid_unknown");
    }
    add("kid in another case".to_owned(), with("kid", json!(format!("{}A", key.kid))), "kid_unknown");

    for (name, header) in [
        ("alg twice", r#"{"alg":"none","alg":"RS256","typ":"at+jwt"}"#),
        ("alg twice, once escaped", r#"{"alg":"RS256","\u0061lg":"RS256","typ":"at+jwt"}"#),
        ("kid twice", r#"{"alg":"RS256","typ":"at+jwt","kid":"a","kid":"b"}"#),
        ("empty header", ""),
        ("a header that is no JSON", "RS256"),
        ("a header that is a list", "[]"),
        ("a header that is null", "null"),
        ("a header with a comment", r#"{"alg":"RS256",/**/"typ":"at+jwt"}"#),
        ("a header with a comma too many", r#"{"alg":"RS256","typ":"at+jwt",}"#),
        ("a header with text behind it", r#"{"alg":"RS256","typ":"at+jwt"}{}"#),
        ("a header with a byte-order mark", "\u{feff}{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}"),
        ("a header with single quotes", "{'alg':'RS256','typ':'at+jwt'}"),
        ("a header with a lone surrogate", r#"{"alg":"RS256","typ":"at+jwt","kid":"\ud800"}"#),
    ] {
        add(name.to_owned(), key.token(header, &claims), "header_malformed");
    }
    let deep = format!(r#"{{"alg":"RS256","typ":"at+jwt","x":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    add("a deep header".to_owned(), key.token(&deep, &claims), "header_malformed");
    all
}
