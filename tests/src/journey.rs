//! Journeys through a stack of the test process's own: its users, its clients, and bytes as they are. What
//! ought to come of them is for the tests to say.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::mint::Key;
use crate::stack::envoy::{self, Envoy};
use crate::stack::ports::Ports;
use crate::stack::{Plan, Stack, paths};

/// Every version of HTTP that a client may speak: 1.1, and 2 where true.
pub const VERSIONS: [bool; 2] = [false, true];

/// The stack's signing key and the one it has announced. Their names are those in its JWKS.
pub fn keys() -> &'static [Key; 2] {
    static KEYS: OnceLock<[Key; 2]> = OnceLock::new();
    KEYS.get_or_init(|| [Key::named_by_thumbprint(), Key::named_by_thumbprint()])
}

/// One stack for all tests of this process; each test has users of its own.
#[must_use]
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        let plan = Plan::for_tests(&paths::test_folder("stack")).unwrap();
        // An earlier run may have rotated its keys.
        fs::remove_dir_all(&plan.certs).ok();
        fs::create_dir_all(&plan.certs).unwrap();
        for (file, key) in ["private.pem", "next.pem"].iter().zip(keys()) {
            fs::write(plan.certs.join(file), key.private_pem()).unwrap();
        }
        Stack::start(plan, &mut |_| {}).unwrap()
    })
}

/// One more gateway of two workers before the stack's companion, with changes to its configuration.
pub fn another_gateway(name: &str, changes: &[(&str, &str)]) -> Result<(Envoy, Ports)> {
    gateway_before(stack().ports().upstream, name, changes)
}

/// The same, before an upstream at another port.
pub fn gateway_before(upstream: u16, name: &str, changes: &[(&str, &str)]) -> Result<(Envoy, Ports)> {
    let directory = paths::test_folder(name);
    fs::create_dir_all(&directory)?;
    let Ports { gateway, envoy_admin, .. } = Ports::free()?;
    let ports = Ports { gateway, envoy_admin, upstream, ..*stack().ports() };
    let mut replacements = envoy::local(&ports, &paths::filter_wasm());
    replacements.extend(changes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())));
    let configuration = envoy::render(&envoy::configuration()?, &replacements)?;
    let program = envoy::find_or_install(&mut |_| {})?;
    let envoy = Envoy::start(&program, &configuration, ports.envoy_admin, 2, &directory)?;
    Ok((envoy, ports))
}

/// A client that keeps no cookies by itself, follows no redirects, and speaks one version of HTTP.
#[must_use]
pub fn client(http2: bool) -> Client {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    if http2 { builder.http2_prior_knowledge() } else { builder.http1_only() }.build().unwrap()
}

/// The address of a path at the gateway.
#[must_use]
pub fn at(path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", stack().ports().gateway)
}

/// A user who is signed in, with the cookies as they stand.
pub struct User {
    /// How it speaks HTTP.
    pub client: Client,
    /// Its e-mail address, which nobody else has.
    pub email: String,
    /// Its cookies as they stand.
    pub cookies: BTreeMap<String, String>,
}

impl User {
    /// A new user, signed in.
    pub async fn register(client: &Client) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let email = format!("ann{}@shop.example", COUNT.fetch_add(1, Ordering::Relaxed));
        let body =
            json!({"firstName": "Ann", "lastName": "Lee", "email": email, "password": "correct horse"});
        let response = client.post(at("/api/auth/register")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let mut user = Self { client: client.clone(), email, cookies: BTreeMap::new() };
        user.keep_cookies(response.headers());
        let names: Vec<&str> = user.cookies.keys().map(String::as_str).collect();
        assert_eq!(names, ["access_token", "refresh_token"]);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["message"], "User registered successfully");
        assert!(answer["userId"].is_u64(), "{answer}");
        user
    }

    /// Keeps the cookies of an answer.
    pub fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Its cookies as one header.
    #[must_use]
    pub fn cookie(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Sends a request with its cookies and these headers, and keeps the cookies of the answer.
    pub async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method, at(path)).header("cookie", self.cookie());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        self.keep_cookies(response.headers());
        response
    }

    /// The status of a request without a body.
    pub async fn status(&mut self, method: Method, path: &str) -> u16 {
        self.send(method, path, &[]).await.status().as_u16()
    }
}

/// What the demo upstream received, header by header.
pub async fn received(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

/// Sends bytes as they are to a port and gives back everything that comes until the connection is closed.
#[must_use]
pub fn raw_response(port: u16, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8(response).unwrap()
}

/// Sends bytes as they are and gives back the status of the answer, 0 where the connection was just closed.
#[must_use]
pub fn raw(request: impl AsRef<[u8]>) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", stack().ports().gateway)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
}
