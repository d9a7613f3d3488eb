//! Gateway behind proxies: with their number in `xff_num_trusted_hops`, upstream and companion receive the client's own
//! address and scheme, and no values that the client has forged.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use edgeward_kit::client::PASSWORD;
use edgeward_kit::journey::{another_gateway, raw_response, registered, stack};
use edgeward_stack::envoy::Envoy;
use edgeward_stack::{http, wait};
use serde_json::{Value, json};

/// Address of the client as the outermost proxy sees it, and header fields that the client forges.
const CLIENT: &str = "203.0.113.7";
const FORGED: &str = "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Host: evil.example\r\nForwarded: for=198.51.100.1\r\n\
                      X-Real-IP: 198.51.100.1\r\n";

/// Starts a proxy that acts as nginx with `$proxy_add_x_forwarded_for`: it appends the peer's address, and sets the scheme.
fn proxy(gateway: u16, sees: &'static str, scheme: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // The client may have disconnected.
            drop(forward(stream.unwrap(), gateway, sees, scheme));
        }
    });
    port
}

fn forward(mut client: TcpStream, gateway: u16, sees: &str, scheme: Option<&str>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut lines, mut length) = (Vec::new(), 0);
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        length = line.strip_prefix("Content-Length: ").map_or(length, |value| value.parse().unwrap());
        lines.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (forwarded, mut rest): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.starts_with("X-Forwarded-For: "));
    let forwarded = forwarded.iter().map(|line| line.replace("X-Forwarded-For: ", "") + ", ");
    rest.push(format!("X-Forwarded-For: {}{sees}", forwarded.collect::<String>()));
    if let Some(scheme) = scheme {
        rest.retain(|line| !line.starts_with("X-Forwarded-Proto: "));
        rest.push(format!("X-Forwarded-Proto: {scheme}"));
    }
    let mut upstream = TcpStream::connect(("127.0.0.1", gateway))?;
    write!(upstream, "{}\r\n\r\n", rest.join("\r\n"))?;
    upstream.write_all(&body)?;
    let mut response = Vec::new();
    upstream.read_to_end(&mut response)?;
    client.write_all(&response)
}

/// Starts a gateway that trusts this number of proxies, and waits until it has keys.
fn trusting(hops: &str) -> (Envoy, u16) {
    let trusted = format!("xff_num_trusted_hops: {hops}");
    let (envoy, ports) = another_gateway(hops, &[("xff_num_trusted_hops: 0", &trusted)]).unwrap();
    let has_keys = || Ok(http::is_status_everywhere(ports.gateway, "/readyz", 200).then_some(()));
    wait::until("the first keys", Duration::from_secs(20), has_keys).unwrap();
    (envoy, ports.gateway)
}

/// Returns the body of the response to a signed-in `GET` with the forged header fields.
fn get(port: u16, path: &str, cookie: &str) -> Value {
    let response = raw_response(
        port,
        format!(
            "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nCookie: {cookie}\r\n{FORGED}\r\n"
        ),
    );
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{response}");
    let body = if head.contains("transfer-encoding: chunked") {
        &body[body.find('{').unwrap()..=body.rfind('}').unwrap()]
    } else {
        body
    };
    serde_json::from_str(body).unwrap()
}

fn check(seen: &Value, address: &str, scheme: &str) {
    assert_eq!(seen["headers"]["x-forwarded-for"], json!([address]));
    assert_eq!(seen["headers"]["x-forwarded-proto"], json!([scheme]));
    for name in ["x-forwarded-host", "forwarded", "x-real-ip"] {
        assert_eq!(seen["headers"][name], Value::Null, "{name}");
    }
    assert_eq!(seen["headers"]["x-user-role"], json!(["customer"]));
}

#[tokio::test]
async fn behind_a_load_balancer_the_client_s_address_is_forwarded() {
    let (_envoy, gateway) = trusting("1");
    let balancer = proxy(gateway, CLIENT, Some("https"));
    let mut user = registered(false).await;
    check(&get(balancer, "/orders", &user.cookie()), CLIENT, "https");
    let refresh = format!("refresh_token={}", user.cookies["refresh_token"]);
    check(&get(balancer, "/orders", &refresh), CLIENT, "https");

    // A login there is listed with the client's network.
    let body = json!({"email": user.email, "password": PASSWORD}).to_string();
    let login = raw_response(
        balancer,
        format!(
            "POST /api/auth/login HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n{FORGED}\r\n{body}",
            body.len()
        ),
    );
    for line in login.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
        user.keep(line);
    }
    let listed = get(balancer, "/api/auth/sessions", &user.cookie());
    let sessions = listed["sessions"].as_array().unwrap();
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(current["addressPrefix"], "203.0.113.0/24");
}

#[tokio::test]
async fn outermost_of_two_proxies_is_trusted() {
    let (_envoy, gateway) = trusting("2");
    let user = registered(false).await;
    let inner = proxy(gateway, "10.0.0.9", None);
    let outer = proxy(inner, CLIENT, Some("https"));
    check(&get(outer, "/orders", &user.cookie()), CLIENT, "https");
    for (sees, expected) in [
        ("2001:db8::7", "2001:db8::7"),
        ("unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
        // Envoy reads bare addresses alone: docs/guide/load-balancer.md.
        ("203.0.113.7:40000", "127.0.0.1"),
        ("[2001:db8::7]:40000", "127.0.0.1"),
    ] {
        let outer = proxy(inner, sees, Some("https"));
        check(&get(outer, "/orders", &user.cookie()), expected, "https");
    }
}

#[tokio::test]
async fn without_trusted_hops_the_peer_is_the_client() {
    let user = registered(false).await;
    let gateway = stack().ports().gateway;
    check(&get(gateway, "/orders", &user.cookie()), "127.0.0.1", "http");
    check(&get(proxy(gateway, CLIENT, Some("https")), "/orders", &user.cookie()), "127.0.0.1", "http");
}
