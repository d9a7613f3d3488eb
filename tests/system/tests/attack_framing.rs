//! Raw requests that break the framing of HTTP/1.1, or stretch it, straight to the companion: each gets the response that is
//! meant for it, and no byte of a body becomes a second request.

use edgeward_kit::api::Api;
use edgeward_kit::raw::{exchange, head, post_json};

const LOGIN: &str = "/api/auth/login";
/// Head of a login without its end and the fields of its body.
const OPEN: &[u8] = b"POST /api/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
/// Body that is a request, for those who read it as one.
const SMUGGLED: &[u8] = b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: a\r\n\r\n";

async fn check(api: &Api, sent: &[u8], expected: &[&str]) {
    let start = String::from_utf8_lossy(&sent[..sent.len().min(300)]).into_owned();
    assert_eq!(exchange(api.public_address(), sent).await, expected, "{start}");
}

/// Checks a login with these lines of fields and this body.
async fn check_login(api: &Api, fields: &str, body: &[u8], expected: &str) {
    check(api, &[OPEN, fields.as_bytes(), b"connection: close\r\n\r\n", body].concat(), &[expected]).await;
}

#[tokio::test]
async fn body_of_ambiguous_length_smuggles_no_request() {
    let api = Api::start().await;
    let smuggled = &[b"0\r\n\r\n", SMUGGLED].concat()[..];
    let whole = "400 required required";
    for (fields, body, expected) in [
        // One response, and the connection is closed (RFC 9112 §6.1).
        ("content-length: 4\r\ntransfer-encoding: chunked\r\n", smuggled, "400 body_not_object"),
        ("transfer-encoding: chunked\r\ncontent-length: 4\r\n", smuggled, "400 body_not_object"),
        ("content-length: 2\r\ncontent-length: 50\r\n", SMUGGLED, "400"),
        ("content-length: 2\r\ncontent-length: 2\r\n", b"{}", whole),
        ("content-length: 2, 2\r\n", SMUGGLED, "400"),
        ("content-length: +2\r\n", b"{}", "400"),
        ("content-length: -1\r\n", b"{}", "400"),
        ("content-length: 0x2\r\n", b"{}", "400"),
        ("content-length: \r\n", SMUGGLED, "400"),
        ("content-length: 99999999999999999999999\r\n", b"{}", "400"),
        ("content-length: 18446744073709551615\r\n", b"{}", "431"),
        ("transfer-encoding: xchunked\r\n", smuggled, "400"),
        ("transfer-encoding: chunked, identity\r\n", smuggled, "400"),
        ("transfer-encoding : chunked\r\n", smuggled, "400"),
        ("transfer-encoding:\r\n chunked\r\n", smuggled, "400"),
        ("transfer-encoding: \x0bchunked\r\n", smuggled, "400"),
        ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n", whole),
    ] {
        check_login(&api, fields, body, expected).await;
    }
    let old = b"POST /api/auth/login HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n";
    check(&api, &[old, smuggled].concat(), &["400"]).await;
}

#[tokio::test]
async fn chunk_that_is_malformed_or_endless_is_rejected() {
    let api = Api::start().await;
    let chunked = async |body: &[u8], expected| {
        check_login(&api, "transfer-encoding: chunked\r\n", body, expected).await;
    };
    chunked(b"2\r\n{}\r\n0\r\n\r\n", "400 required required").await;
    for body in ["-2\r\n{}", "0x2\r\n{}", "fffffffffffffffff\r\n{}", "2\n{}\n0\n\n", "2\r\n{}0\r\n\r\n"] {
        chunked(body.as_bytes(), "400 body_not_object").await;
    }
    let extension = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "a".repeat(20_000));
    let trailer = format!("2\r\n{{}}\r\n0\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "x: y\r\n".repeat(2_000));
    for body in [extension, trailer, trailers] {
        chunked(body.as_bytes(), "400 body_not_object").await;
    }
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    chunked(chunk.repeat(300).as_bytes(), "413 body_too_large").await;
}

#[tokio::test]
async fn body_that_is_announced_as_too_large_is_not_awaited() {
    let api = Api::start().await;
    // None of the bodies is sent. A client that waits for `100 Continue` gets the rejection in its place.
    check_login(&api, "content-length: 65537\r\n", b"", "413 body_too_large").await;
    check_login(&api, "content-length: 10000000\r\nexpect: 100-continue\r\n", b"", "413 body_too_large")
        .await;
    check_login(&api, "content-length: 10000000\r\n", &vec![b' '; 10_000_000], "413 body_too_large").await;
    let body = b"{}";
    let expecting =
        [OPEN, b"content-length: 2\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n", body].concat();
    check(&api, &expecting, &["100", "400 required required"]).await;
}

#[tokio::test]
async fn body_nobody_reads_is_no_second_request() {
    let api = Api::start().await;
    for (method, path, expected) in [
        ("GET", "/api/auth/self", "401 not_signed_in"),
        ("POST", "/api/auth/logout", "200"),
        ("POST", "/api/auth/refresh", "401 not_signed_in"),
        ("GET", "/nowhere", "404 not_found"),
        ("PUT", LOGIN, "405 method_not_allowed"),
    ] {
        let large = [&head(method, path, "content-length: 1000000\r\n")[..], &vec![b'x'; 1_000_000]].concat();
        check(&api, &large, &[expected]).await;
        let length = format!("content-length: {}\r\n", SMUGGLED.len());
        check(&api, &[&head(method, path, length)[..], SMUGGLED].concat(), &[expected]).await;
    }
}

#[tokio::test]
async fn pipelined_requests_get_their_responses_in_order() {
    let api = Api::start().await;
    let one = b"GET /api/auth/self HTTP/1.1\r\nhost: a\r\n\r\n";
    let many = [&one.repeat(500)[..], &head("GET", "/nowhere", "")].concat();
    let mut expected = vec!["401 not_signed_in"; 500];
    expected.push("404 not_found");
    check(&api, &many, &expected).await;
}

#[tokio::test]
async fn another_protocol_is_rejected_without_a_body() {
    let api = Api::start().await;
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    check(&api, preface, &[]).await;
    for sent in [
        &b"GET /\r\n\r\n"[..],
        b"GET / HTTP/1.2\r\nhost: a\r\n\r\n",
        b"GET / HTTP/2.0\r\nhost: a\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0\0\0",
        b" / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"G\x01T / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx y: a\r\n\r\n",
    ] {
        check(&api, sent, &["400"]).await;
    }
    let upgrade =
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    check(&api, &head("GET", "/api/auth/self", upgrade), &["401 not_signed_in"]).await;
}

#[tokio::test]
async fn unusual_methods_and_targets_reach_no_other_route() {
    let api = Api::start().await;
    let long = "A".repeat(5_000);
    for (method, target, expected) in [
        ("GET", "http://evil.example/api/auth/self", "401 not_signed_in"),
        ("GET", "https://evil.example:99999/api/auth/self", "401 not_signed_in"),
        ("GET", "http://user:secret@evil.example/api/auth/self", "401 not_signed_in"),
        ("GET", "*", "404 not_found"),
        ("OPTIONS", "*", "200"),
        ("CONNECT", "evil.example:443", "404 not_found"),
        ("CONNECT", "/api/auth/self", "405 method_not_allowed"),
        ("TRACE", "/api/auth/self", "405 method_not_allowed"),
        ("get", "/api/auth/self", "405 method_not_allowed"),
        (&long, "/api/auth/self", "405 method_not_allowed"),
        ("!#$%&'*+-.^_`|~", "/api/auth/self", "405 method_not_allowed"),
        ("GET", "/api/auth/%73elf", "404 not_found"),
        ("GET", "/api/auth/%zz", "404 not_found"),
        ("GET", "/api/auth/../auth/self", "404 not_found"),
        ("GET", "//api/auth/self", "404 not_found"),
        ("GET", "/api/auth/self;x=y", "404 not_found"),
        ("GET", "/api/auth/self/", "404 not_found"),
        ("GET", "\\api\\auth\\self", "400"),
        ("GET", "api/auth/self", "400"),
        ("GET", "/api/a b", "400"),
        ("GET", "/api/\x01", "400"),
        ("GET", "/api/é", "404 not_found"),
        ("DELETE", "/api/auth/sessions/%00", "401 not_signed_in"),
    ] {
        check(&api, &head(method, target, ""), &[expected]).await;
    }
}

#[tokio::test]
async fn head_of_a_request_has_a_limit_on_its_size() {
    let api = Api::start().await;
    for (target, fields, expected) in [
        ("/api/auth/self".to_owned(), format!("x: {}\r\n", "a".repeat(60_000)), "401 not_signed_in"),
        ("/api/auth/self".to_owned(), format!("x: {}\r\n", "a".repeat(1_000_000)), "431"),
        ("/api/auth/self".to_owned(), "a: b\r\n".repeat(98), "401 not_signed_in"),
        ("/api/auth/self".to_owned(), "a: b\r\n".repeat(99), "431"),
        ("/api/auth/self".to_owned(), "a: b\r\n".repeat(5_000), "431"),
        (format!("/{}", "a".repeat(60_000)), String::new(), "404 not_found"),
        (format!("/{}", "a".repeat(100_000)), String::new(), "414"),
    ] {
        check(&api, &head("GET", &target, fields), &[expected]).await;
    }
    check(&api, &post_json(LOGIN, "{}"), &["400 required required"]).await;
}
