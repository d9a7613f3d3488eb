//! Requests through the stack of the test process: of users, of other clients, and as raw bytes.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::client::{Client, Response};
use crate::mint::Key;
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::inbox::Inbox;
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{Plan, Stack, paths};

pub mod held;
#[cfg(feature = "system")]
pub mod load;

/// Versions of HTTP that a client may speak: `true` for HTTP/2, `false` for HTTP/1.1.
pub const VERSIONS: [bool; 2] = [false, true];

/// Returns the stack's signing key and its announced key, with their names in the key set.
pub fn keys() -> &'static [Key; 2] {
    static KEYS: OnceLock<[Key; 2]> = OnceLock::new();
    KEYS.get_or_init(|| [Key::named_by_thumbprint(), Key::named_by_thumbprint()])
}

/// Returns the stack for all tests of this process. Each test has users of its own.
#[must_use]
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        let plan = Plan::for_tests(&paths::test_folder("stack")).unwrap();
        let plan = plan.with_inbox(Inbox::start(0).unwrap());
        // An earlier run may have rotated its keys.
        fs::remove_dir_all(&plan.certs).ok();
        fs::create_dir_all(&plan.certs).unwrap();
        for (file, key) in ["private.pem", "next.pem"].iter().zip(keys()) {
            fs::write(plan.certs.join(file), key.private_pem()).unwrap();
        }
        Stack::start(plan, &mut |_| {}).unwrap()
    })
}

/// `true` if the tests run with this shell of the filter. If not, says on the terminal that the test of this thread does not run.
#[must_use]
pub fn runs_with(shell: Shell) -> bool {
    let chosen = Shell::chosen().unwrap();
    if chosen != shell {
        let test = thread::current().name().unwrap_or_default().to_owned();
        // Past the capture of tests' output.
        let line =
            format!("NOT RUN: {test} is about the shell `{}`, not `{}`\n", shell.name(), chosen.name());
        io::stderr().write_all(line.as_bytes()).unwrap();
    }
    chosen == shell
}

/// Starts another gateway of two workers before the stack's companion, with changes to its configuration.
pub fn another_gateway(name: &str, changes: &[(&str, &str)]) -> Result<(Envoy, Ports)> {
    gateway_before(stack().ports().upstream, name, changes)
}

/// Starts the same before an upstream at another port.
pub fn gateway_before(upstream: u16, name: &str, changes: &[(&str, &str)]) -> Result<(Envoy, Ports)> {
    let directory = paths::test_folder(name);
    fs::create_dir_all(&directory)?;
    let Ports { gateway, envoy_admin, .. } = Ports::free()?;
    let ports = Ports { gateway, envoy_admin, upstream, ..*stack().ports() };
    let changes = changes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
    let configuration = envoy::configuration(Shell::chosen()?, &ports, changes)?;
    let program = envoy::find_or_install(&mut |_| {})?;
    let envoy = Envoy::start(&program, &configuration, ports.envoy_admin, 2, &directory)?;
    Ok((envoy, ports))
}

/// Returns a client without cookies at the stack's gateway. It follows no redirects, speaks one version of HTTP, and
/// waits for a response for a minute.
#[must_use]
pub fn client(http2: bool) -> Client {
    client_at(stack().ports().gateway, http2)
}

/// Returns the same at another port.
#[must_use]
pub fn client_at(port: u16, http2: bool) -> Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    let builder = builder.timeout(Duration::from_mins(1));
    let builder = if http2 { builder.http2_prior_knowledge() } else { builder.http1_only() };
    Client::new(format!("127.0.0.1:{port}"), builder.build().unwrap())
}

/// Returns the client of a new user, with the cookies of the registration.
pub async fn registered(http2: bool) -> Client {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut user = client(http2);
    let response = user.register(&format!("ada{}@shop.example", COUNT.fetch_add(1, Ordering::Relaxed))).await;
    assert_eq!(response.status, 201, "{response}");
    assert_eq!(response.body["message"], "User registered successfully");
    assert!(response.body["userId"].is_u64(), "{response}");
    let names: Vec<&str> = user.cookies.keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "refresh_token"]);
    user
}

/// Returns the request that the demo upstream received, from its response.
#[must_use]
pub fn received(response: Response) -> Value {
    assert_eq!(response.status, 200, "{response}");
    response.body
}

/// Sends bytes to a port, and returns all that arrives until the connection is closed.
#[must_use]
pub fn raw_response(port: u16, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8(response).unwrap()
}

/// Sends bytes to the gateway, and returns the status of the response; 0 if the connection was closed without one.
#[must_use]
pub fn raw(request: impl AsRef<[u8]>) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", stack().ports().gateway)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
}
