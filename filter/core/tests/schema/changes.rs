//! Systematic changes of the configuration that has every setting.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::{check, full};

/// Returns JSON pointers (RFC 6901) to all values within a value.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| pointers(value, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| pointers(value, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

/// Returns values that stand at the limits of the settings, or have another type.
fn replacements() -> Vec<Value> {
    let numbers = [
        -1_i64, 0, 1, 5, 9, 10, 99, 100, 255, 256, 300, 301, 4096, 16_384, 16_385, 60_000, 60_001, 86_400,
        86_401, 1_000_000, 1_000_001, 31_536_000, 31_536_001,
    ];
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a b",
        "é",
        "a\n",
        "GET",
        "/",
        "/x",
        "//",
        "/x/",
        "/a//b",
        "/a/../b",
        "/a/.",
        "/...",
        "/a;b",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/a%2Fb",
        "/a%2fb",
        "/%61",
        "/%25",
        "/%2541",
        "/%20x",
        "/a%C3%A9",
        "/%7F",
        "/%zz",
        "/a b",
        "/[",
        "/%5B",
        "/%3F",
        "/x-~!$&'()*+,=:@",
        "https://",
        "http://x",
        "https://x/y",
        "ftp://x",
        "https://a..b",
        "https://a.b.",
        "https://-a",
        "https://a_b:1",
        "https://x:0",
        "capacitor://localhost",
        "null",
        "*",
        "https://[::1]:8080",
        "public",
        "signed_in",
        "allow",
        "deny",
        "outlive",
        "end_with_session",
        "pwd",
        "mfa",
        "RSA",
        "RS256",
        "sig",
        "verify",
        "AQAB",
        "cookie",
        "x-envoy-a",
        "x_request-id",
        "content-",
        "te",
        "x-te",
        "-",
    ];
    let mut values =
        vec![json!(null), json!(true), json!(false), json!(1.5), json!(1e300), json!([]), json!({})];
    values.extend(numbers.map(|number| json!(number)));
    values.extend(texts.map(|text| json!(text)));
    values.extend(["", "a", "verify", "GET", "/x", "mfa"].map(|text| json!([text])));
    values.push(json!("r".repeat(64)));
    values.push(json!("r".repeat(65)));
    values.push(json!("r".repeat(129)));
    values.push(json!(vec!["GET"; 64]));
    values.push(json!(vec!["GET"; 65]));
    values
}

#[test]
fn every_value_and_every_replacement_of_it_is_judged_alike() {
    let full: Value = serde_json::from_str(&full()).unwrap();
    let mut found = Vec::new();
    pointers(&full, "", &mut found);
    let (mut good, mut bad) = (0, 0);
    let mut count = |value: &Value| {
        let counted = if check(&value.to_string()).is_empty() { &mut good } else { &mut bad };
        *counted += 1;
    };
    for pointer in found {
        let mut full = full.clone();
        if !pointer.starts_with("/keys") {
            // The compiler would parse them for each change.
            full["keys"]["inline"]["keys"] = json!([]);
        }
        for replacement in replacements() {
            let mut changed = full.clone();
            *changed.pointer_mut(&pointer).unwrap() = replacement;
            count(&changed);
        }
        let mut changed = full.clone();
        if let Some(object) = changed.pointer_mut(&pointer).unwrap().as_object_mut() {
            object.insert("other".to_owned(), json!(1));
            count(&changed);
        }
        let Some((parent, name)) = pointer.rsplit_once('/') else { continue };
        let mut changed = full.clone();
        match changed.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(name)),
            Value::Array(items) => drop(items.remove(name.parse().unwrap())),
            _ => continue,
        }
        count(&changed);
    }
    assert!(good > 200 && bad > 3000, "{good} {bad}");
}

/// Returns a number in base64url, big-endian, of this many bytes, with its first and last byte.
fn number(bytes: usize, first: u8, last: u8) -> String {
    let mut number = vec![0x5a; bytes];
    (number[0], number[bytes - 1]) = (first, last);
    URL_SAFE_NO_PAD.encode(number)
}

#[test]
fn numbers_of_a_key_are_judged_alike() {
    let full: Value = serde_json::from_str(&full()).unwrap();
    let mut good = 0;
    let mut count = |name: &str, number: String| {
        let mut changed = full.clone();
        changed["keys"]["inline"]["keys"][0][name] = number.into();
        good += usize::from(check(&changed.to_string()).is_empty());
    };
    for first in [0, 1, 0x0f, 0x7f, 0x80, 0xff] {
        for last in [0, 1, 2, 3, 4, 0x5f, 0x80, 0xfe, 0xff] {
            for bytes in [2, 255, 256, 257, 258, 384, 385, 386, 1023, 1024, 1025] {
                count("n", number(bytes, first, last));
            }
            for bytes in [2, 3, 4, 5] {
                count("e", number(bytes, first, last));
            }
        }
    }
    for text in ["AQAB=", "AQA+", "AQAB ", "AQABB", "AQABAR", "____Qw"] {
        count("e", text.to_owned());
    }
    assert!(good > 100, "{good}");
}
