//! Bodies that are no JSON, hardly JSON, or JSON that is meant to confuse: each gets the response that is meant for it, and
//! none is a failure of the service.

use edgeward_kit::api::Api;
use edgeward_kit::client::registration;
use edgeward_kit::raw::{exchange, head, post_json};

const LOGIN: &str = "/api/auth/login";
const REGISTER: &str = "/api/auth/register";
/// Login of a user that does not exist.
const UNKNOWN: &str = r#"{"email": "ada@example.com", "password": "correct horse battery"}"#;
const NO_OBJECT: &str = "400 body_not_object";
const REJECTED: &str = "401 credentials_wrong";

async fn check(api: &Api, body: impl AsRef<[u8]>, expected: &str) {
    let sent = post_json(LOGIN, body.as_ref());
    let start = String::from_utf8_lossy(&sent[..sent.len().min(200)]).into_owned();
    assert_eq!(exchange(api.public_address(), &sent).await, [expected], "{start}");
}

#[tokio::test]
async fn json_that_is_nested_too_deeply_is_rejected() {
    let api = Api::start().await;
    let nested = |levels: usize| format!("{{\"email\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    check(&api, nested(100), "400 not_text required").await;
    check(&api, nested(128), NO_OBJECT).await;
    check(&api, nested(30_000), NO_OBJECT).await;
    check(&api, "[".repeat(60_000), NO_OBJECT).await;
    check(&api, r#"{"a":"#.repeat(12_000), NO_OBJECT).await;
    check(&api, r#"{"a":"#.repeat(100_000), "413 body_too_large").await;
}

#[tokio::test]
async fn body_of_another_encoding_is_rejected() {
    let api = Api::start().await;
    let utf16 = |order: fn(u16) -> [u8; 2]| UNKNOWN.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let utf32: Vec<u8> = UNKNOWN.chars().flat_map(|char| u32::from(char).to_le_bytes()).collect();
    for body in [
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        [b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat(),
        utf32,
        b"{\"email\": \"\xff\xfe\", \"password\": \"x\"}".to_vec(),
        // An overlong form, and a surrogate (RFC 3629 §3).
        b"{\"email\": \"\xc0\xaf\", \"password\": \"x\"}".to_vec(),
        b"{\"email\": \"\xed\xa0\x80\", \"password\": \"x\"}".to_vec(),
        br#"{"email": "\ud800", "password": "x"}"#.to_vec(),
        br#"{"email": "\udc00\ud800", "password": "x"}"#.to_vec(),
        b"{\"email\": \"a\0b\", \"password\": \"x\"}".to_vec(),
        [UNKNOWN.as_bytes(), b"\0"].concat(),
    ] {
        check(&api, body, NO_OBJECT).await;
    }
}

#[tokio::test]
async fn value_of_any_type_or_character_is_no_failure() {
    let api = Api::start().await;
    let long = "\u{fdfa}".repeat(20_000);
    for (body, expected) in [
        (r#"{"email": 1e999999, "password": "x"}"#, NO_OBJECT),
        (r#"{"email": 1e308, "password": -0}"#, "400 not_text not_text"),
        (r#"{"email": NaN}"#, NO_OBJECT),
        (r#"{"email": {"$gt": ""}, "password": {"$ne": 1}}"#, "400 not_text not_text"),
        (r#"{"email": ["a"], "password": [1]}"#, "400 not_text not_text"),
        (r#"{"email": null, "password": true}"#, "400 required not_text"),
        (r#"{"email": "a\u0000@b.com", "password": "x"}"#, "400 email_malformed"),
        (r#"{"email": "ada@example.com", "password": "x\u0000y"}"#, REJECTED),
        (r#"{"email": "ada@example.com' or '1'='1", "password": "x"}"#, "400 email_malformed"),
        (r#"{"email": "ada@example.com", "password": "' or 1=1; drop table users --"}"#, REJECTED),
        (r#"{"email": "x", "email": "ada@example.com", "password": "x"}"#, NO_OBJECT),
        (
            r#"{"__proto__": {"email": "x"}, "constructor": {}, "email": "ada@example.com", "password": "x"}"#,
            REJECTED,
        ),
        (&format!(r#"{{"email": "ada@example.com", "password": "{long}"}}"#), REJECTED),
        (&format!(r#"{{"email": "{}@b.com", "password": "x"}}"#, "a".repeat(60_000)), "400 email_too_long"),
        ("null", NO_OBJECT),
        ("[{}]", NO_OBJECT),
        ("{}{}", NO_OBJECT),
        ("/**/{}", NO_OBJECT),
        ("{'email': 'a'}", NO_OBJECT),
        ("{\"email\": \"a\",}", NO_OBJECT),
    ] {
        check(&api, body, expected).await;
    }
    let many: Vec<String> = (0..6_000).map(|number| format!("\"a{number}\":1")).collect();
    check(&api, format!("{{{}}}", many.join(",")), "400 required required").await;
    // The database stores no NUL.
    for field in ["firstName", "lastName", "email", "password"] {
        let mut body = registration("ada@example.com");
        body[field] = "correct\0horse".into();
        let received = exchange(api.public_address(), &post_json(REGISTER, body.to_string())).await;
        assert!(received[0].starts_with("400 "), "{field}: {received:?}");
    }
    assert_eq!(api.count_users().await, 0);
}

#[tokio::test]
async fn type_and_coding_of_a_body_are_one_and_known() {
    let api = Api::start().await;
    let check = async |fields: &[u8], expected: &str| {
        let length = format!("content-length: {}\r\n", UNKNOWN.len());
        let sent =
            [&head("POST", LOGIN, [length.as_bytes(), fields].concat())[..], UNKNOWN.as_bytes()].concat();
        let received = exchange(api.public_address(), &sent).await;
        assert_eq!(received, [expected], "{}", String::from_utf8_lossy(fields));
    };
    for fields in [
        &b""[..],
        b"content-type:\r\n",
        b"content-type: text/plain\r\ncontent-type: application/json\r\n",
        b"content-type: application/json\r\ncontent-type: text/plain\r\n",
        b"content-type: text/plain, application/json\r\n",
        b"content-type: application/json, text/plain\r\n",
        b"content-type: application/json; x=\xff\r\n",
        b"content-type: application/json-patch+json\r\n",
        b"content-type: multipart/form-data; boundary=x\r\n",
    ] {
        check(fields, "415 content_type_not_json").await;
    }
    for (coding, expected) in [
        ("gzip", "415 content_encoded"),
        ("identity, gzip", "415 content_encoded"),
        ("identity\r\ncontent-encoding: br", "415 content_encoded"),
        ("Identity", REJECTED),
    ] {
        let fields = format!("content-type: application/json\r\ncontent-encoding: {coding}\r\n");
        check(fields.as_bytes(), expected).await;
    }
}

#[tokio::test]
async fn header_field_of_any_bytes_is_no_failure() {
    let api = Api::start().await;
    let long = "a".repeat(50_000);
    let many: Vec<String> = (0..100).map(|number| format!("access_token={number}")).collect();
    let cookies = [
        b"access_token=\"a".to_vec(),
        b"access_token=\x80\xff; refresh_token=\x80.\x80.\x80".to_vec(),
        b"\xff\xfe=\x80; =; ;;; access_token".to_vec(),
        b"access_token=a; access_token=b; refresh_token=a; refresh_token=b".to_vec(),
        b"$Version=1; access_token=a; $Path=/".to_vec(),
        format!("refresh_token={long}").into_bytes(),
        format!("refresh_token={}", "a.".repeat(20_000)).into_bytes(),
        many.join("; ").into_bytes(),
    ];
    let cookies = cookies.map(|cookie| [b"cookie: ", &cookie[..], b"\r\n"].concat());
    let fields = [
        &b"authorization: Bearer \xff\r\n"[..],
        b"authorization: Bearer a\r\nauthorization: Bearer b\r\n",
        b"authorization: Basic YTpi\r\n",
        b"x-request-id: \xff\r\nx-request-id: b\r\n",
        b"x-forwarded-for: \xff\xfe, fe80::1%eth0, [::1]:99999\r\n",
        b"user-agent: \xff\x80\xc3\r\n",
        b"origin: \xff\r\n",
        b"origin: null\r\norigin: https://app.example\r\n",
        b"host: \xff\r\n",
        b"connection: \xff\r\nupgrade: \xff\r\n",
        b"x-http-method-override: DELETE\r\n",
    ];
    for field in cookies.iter().map(Vec::as_slice).chain(fields) {
        for (method, path, expected) in [
            ("GET", "/api/auth/self", "401 not_signed_in"),
            ("POST", "/api/auth/refresh", "401 not_signed_in"),
            ("POST", "/api/auth/logout", "200"),
            ("GET", "/api/auth/sessions", "401 not_signed_in"),
        ] {
            let received = exchange(api.public_address(), &head(method, path, field)).await;
            assert_eq!(
                received,
                [expected],
                "{path} {}",
                String::from_utf8_lossy(&field[..field.len().min(60)])
            );
        }
    }
}
