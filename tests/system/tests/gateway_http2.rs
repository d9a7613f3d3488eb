//! Hand-written HTTP/2 through the real Envoy: requests that no client library sends are rejected, or reach the upstream as
//! the filter has checked them.

use std::thread;

use edgeward_kit::http2::{Field, Response, exchange};
use edgeward_kit::journey::{registered, stack};
use serde_json::Value;

/// Outcome of a request that reaches no upstream: the stream or the connection has ended without a response.
const ENDED: &str = "ended";
const PASSED: &str = "200 GET /orders";

/// Request head, and the expected outcome.
type Case<'a> = (Vec<Field<'a>>, &'a str);

const METHOD: Field<'static> = (b":method", b"GET");
const SCHEME: Field<'static> = (b":scheme", b"http");
const AUTHORITY: Field<'static> = (b":authority", b"shop.example");
const PATH: Field<'static> = (b":path", b"/orders");

/// Returns a good head with an additional field.
fn with(field: Field<'static>) -> Vec<Field<'static>> {
    vec![METHOD, SCHEME, AUTHORITY, PATH, field]
}

/// Returns a good head with the field of this name replaced.
fn instead(field: Field<'static>) -> Vec<Field<'static>> {
    let pick = |own: Field<'static>| if own.0 == field.0 { field } else { own };
    [METHOD, SCHEME, AUTHORITY, PATH].map(pick).to_vec()
}

/// Sends every case with a customer's cookies, all at once: Envoy takes a second to close a connection.
async fn check(cases: &[Case<'_>]) {
    let user = registered(false).await;
    let cookies = user.cookie();
    let send = |head: &[Field<'_>]| {
        let head = [head, &[(b"cookie", cookies.as_bytes())]].concat();
        exchange(stack().ports().gateway, &head, None).unwrap()
    };
    let (plain, identity) = describe(send(&[METHOD, SCHEME, AUTHORITY, PATH]));
    assert_eq!(plain, PASSED);
    thread::scope(|scope| {
        let threads: Vec<_> = cases.iter().map(|(head, _)| scope.spawn(|| describe(send(head)))).collect();
        for ((head, expected), thread) in cases.iter().zip(threads) {
            let (outcome, upstream) = thread.join().unwrap();
            assert_eq!(outcome, *expected, "{}", show(head));
            assert!(upstream.is_none() || upstream == identity, "{}: {upstream:?}", show(head));
        }
    });
}

/// Describes a response: its status and, from the upstream, method and path; and the identity that the upstream received.
fn describe(response: Response) -> (String, Option<Vec<Value>>) {
    match response {
        None => (ENDED.to_owned(), None),
        Some((200, body)) => {
            let seen: Value = serde_json::from_slice(&body).unwrap();
            let text = |name: &str| seen[name].as_str().unwrap().to_owned();
            let names = ["host", "x-user-id", "x-user-role", "x-session-id"];
            let identity = names.map(|name| seen["headers"][name].clone()).to_vec();
            (format!("200 {} {}", text("method"), text("path")), Some(identity))
        }
        Some((status, _)) => (status.to_string(), None),
    }
}

fn show(head: &[Field<'_>]) -> String {
    let lines = head.iter().map(|(name, value)| format!("{}: {}", name.escape_ascii(), value.escape_ascii()));
    lines.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn a_field_that_http_2_does_not_allow_ends_the_request() {
    let allowed: [Field<'_>; 9] = [
        (b"x-note", b"1"),
        (b"x-note", b" padded "),
        (b"x-note", b"\xff"),
        (b"te", b"trailers"),
        (b"content-length", b"0"),
        (b"host", b"shop.example"),
        // The upstream receives `:authority`, which was checked.
        (b"host", b"evil.example"),
        (b"x-user-id", b"1"),
        (b"http2-settings", b"AAMAAABkAAQAAP__"),
    ];
    let ended: [Field<'_>; 37] = [
        (b"X-User-Id", b"1"),
        (b"X-Note", b"1"),
        (b"x_user_id", b"1"),
        (b"x user id", b"1"),
        (b"x-user-id ", b"1"),
        (b" x-user-id", b"1"),
        (b"x-user-id\t", b"1"),
        (b"x-user-id\r\n", b"1"),
        (b"x-note: 1\r\nx-user-id", b"1"),
        (b"x-user-id\0", b"1"),
        (b"x-user-id\x7f", b"1"),
        (b"x-user-id:", b"1"),
        (b"x-user-id\"", b"1"),
        (b"x-user-\xc3\xa9", b"1"),
        (b"", b"1"),
        (b"x-note", b"1\r\nx-user-id: 1"),
        (b"x-note", b"1\nx-user-id: 1"),
        (b"x-note", b"1\rx-user-id: 1"),
        (b"x-note", b"1\0"),
        (b"x-note", b"\x01"),
        (b"x-note", b"\x7f"),
        (b"connection", b"x-user-id"),
        (b"connection", b"close"),
        (b"proxy-connection", b"keep-alive"),
        (b"keep-alive", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"websocket"),
        (b"te", b"gzip"),
        (b"te", b"trailers, gzip"),
        (b"content-length", b"5"),
        (b"content-length", b"-1"),
        (b":x-user-id", b"1"),
        (b":status", b"200"),
        (b":protocol", b"websocket"),
        (b":path ", b"/admin/"),
        (b":Path", b"/admin/"),
        (b":", b"1"),
    ];
    let cases = allowed.map(|field| (with(field), PASSED)).into_iter();
    check(&cases.chain(ended.map(|field| (with(field), ENDED))).collect::<Vec<_>>()).await;
}

// holds: promise 2
#[tokio::test]
async fn path_reaches_the_upstream_as_it_was_checked_or_not_at_all() {
    let paths: [(&[u8], &str); 34] = [
        (b"/orders", PASSED),
        (b"/caf\xc3\xa9", "200 GET /caf%C3%A9"),
        (b"/admin/", "403"),
        (b"//admin/", "403"),
        (b"/\\admin/", "403"),
        (b"/public/../admin/", "403"),
        (b"/%2fadmin/", "400"),
        (b"/%c0%afadmin/", "400"),
        (b"/\xc0\xafadmin/", "400"),
        (b"/public%c0%af..%c0%afadmin/", "400"),
        (b"/public/%c0%ae%c0%ae/admin/", "400"),
        (b"/public/\xc0\xae\xc0\xae/admin/", "400"),
        (b"/%e0%80%afadmin/", "400"),
        (b"/public/..%00/admin/", "400"),
        (b"/orders#/x", "400"),
        (b"/public/#/../../admin/", "400"),
        (b"/public/\0", ENDED),
        (b"/orders\0/../admin/", ENDED),
        (b"/or ders", ENDED),
        (b"/orders HTTP/1.1", ENDED),
        (b"/orders\r\nx-user-id: 1", ENDED),
        (b"/orders\n", ENDED),
        (b"/orders\t", ENDED),
        (b" /admin/", ENDED),
        (b"\\admin/", ENDED),
        (b"admin/", ENDED),
        (b"orders", ENDED),
        (b"?x", ENDED),
        (b"#", ENDED),
        (b"", ENDED),
        (b"*", ENDED),
        (b"http://shop.example/orders", ENDED),
        (b"http://shop.example/admin/", ENDED),
        (b"http://evil.example/orders", ENDED),
    ];
    check(&paths.map(|(path, expected)| (instead((b":path", path)), expected))).await;
}

#[tokio::test]
async fn pseudo_headers_stand_first_once_and_complete_or_end_the_request() {
    let head = [METHOD, SCHEME, AUTHORITY, PATH];
    let mut cases: Vec<Case<'_>> = head.map(|field| (with(field), ENDED)).to_vec();
    cases.extend(head.map(|gone| (head.into_iter().filter(|field| *field != gone).collect(), ENDED)));
    cases.extend([
        (with((b":path", b"/admin/")), ENDED),
        (with((b":method", b"OPTIONS")), ENDED),
        (with((b":authority", b"evil.example")), ENDED),
        (vec![METHOD, SCHEME, AUTHORITY, (b"x-note", b"1"), PATH], ENDED),
        (vec![METHOD, SCHEME, AUTHORITY, PATH, (b"x-note", b"1"), (b":path", b"/admin/")], ENDED),
        (vec![], ENDED),
    ]);
    let instead_of = [
        ((&b":method"[..], &b"get"[..]), "400"),
        ((b":method", b""), ENDED),
        ((b":method", b"GET /admin/ HTTP/1.1\r\n\r\n"), ENDED),
        ((b":method", b"GET "), ENDED),
        ((b":method", b"G\0T"), ENDED),
        ((b":scheme", b""), ENDED),
        ((b":scheme", b"http\r\n"), ENDED),
        ((b":authority", b""), ENDED),
        ((b":authority", b"shop.example/admin/"), ENDED),
        ((b":authority", b"ann@shop.example"), ENDED),
        ((b":authority", b"shop.example\r\nx-user-id: 1"), ENDED),
        ((b":authority", b"shop.example\0"), ENDED),
        ((b":authority", b"shop example"), ENDED),
    ];
    cases.extend(instead_of.map(|(field, expected)| (instead(field), expected)));
    check(&cases).await;
}

#[tokio::test]
async fn no_tunnel_is_opened() {
    const CONNECT: Field<'_> = (b":method", b"CONNECT");
    const PROTOCOL: Field<'_> = (b":protocol", b"websocket");
    check(&[
        (vec![CONNECT, (b":authority", b"shop.example:80")], "400"),
        (vec![CONNECT, SCHEME, AUTHORITY, PATH], ENDED),
        // RFC 8441 §4, which the gateway has not offered.
        (vec![CONNECT, PROTOCOL, SCHEME, AUTHORITY, PATH], ENDED),
        (vec![CONNECT, (b":protocol", b"connect-udp"), SCHEME, AUTHORITY, PATH], ENDED),
        (vec![(b":method", b"OPTIONS"), SCHEME, AUTHORITY, (b":path", b"*")], "404"),
    ])
    .await;
}
