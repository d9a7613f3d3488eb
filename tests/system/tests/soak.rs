//! Two million requests, good and bad, through the real Envoy while its configuration is reloaded: each gets the expected
//! response, no VM of the filter is restarted, and memory does not grow.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use edgeward_kit::journey::{keys, stack};
use edgeward_kit::mint::{self, Key};
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{http, paths, process, variable, wait};

const THREADS: usize = 8;
/// Chosen: twenty reloads on a machine with two processors.
const RELOAD_EVERY: Duration = Duration::from_secs(4);
/// Maximum difference between the second half of the run and the first, in MiB. Chosen: what the allocator keeps varies by less,
/// and a configuration that is not released takes half of one.
const MAX_GROWTH_MIB: u64 = 4;

/// Request, and the expected status of its response.
struct Case {
    request: String,
    status: u16,
}

#[test]
#[ignore = "takes minutes: cargo xtask test --test soak -- --ignored --nocapture"]
fn two_million_requests_and_reloads_leave_the_gateway_as_it_was() {
    let total: usize = variable("SOAK_REQUESTS").map_or(2_000_000, |count| count.parse().unwrap());
    let directory = paths::test_folder("soak");
    fs::create_dir_all(&directory).unwrap();
    let ports = Ports::free().unwrap();
    let listeners = Listeners::new(&directory, &ports);
    let program = envoy::find_or_install(&mut |_| {}).unwrap();
    let envoy = Envoy::start(&program, &listeners.bootstrap, ports.envoy_admin, 4, &directory).unwrap();
    wait::until("the first keys", Duration::from_secs(20), || {
        Ok(http::is_status_everywhere(ports.gateway, "/orders", 401).then_some(()))
    })
    .unwrap();

    let sent = AtomicUsize::new(0);
    let mut memory = Vec::new();
    let mut reloads = 0;
    let start = Instant::now();
    let wrong: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| run(ports.gateway, total / THREADS, &sent))).collect();
        let finished = || clients.iter().all(thread::ScopedJoinHandle::is_finished);
        while !wait::patiently(RELOAD_EVERY, finished) {
            memory.push((sent.load(Ordering::Relaxed), process::resident(envoy.pid()).unwrap() >> 20));
            reloads += 1;
            listeners.reload(reloads);
        }
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    memory.push((sent.load(Ordering::Relaxed), process::resident(envoy.pid()).unwrap() >> 20));

    let stats =
        fetch(ports.envoy_admin, "/stats?filter=vm_reload|lds.update_success|downstream_rq_5xx|rejected");
    println!(
        "{} requests in {:.0} s, {reloads} reloads\nMiB after: {memory:?}\n{stats}",
        memory.last().unwrap().0,
        start.elapsed().as_secs_f32()
    );
    let (early, late) = memory.split_at(memory.len() / 2);
    let most = |part: &[(usize, u64)]| part.iter().map(|(_, memory)| *memory).max().unwrap_or_default();
    assert!(most(late) <= most(early) + MAX_GROWTH_MIB, "memory grows: {memory:?}");
    assert!(wrong.is_empty(), "{} wrong responses, the first: {:?}", wrong.len(), wrong.first());
    for line in stats.lines().filter(|line| line.contains("vm_reload") || line.contains("rejected")) {
        assert!(line.ends_with(": 0"), "{line}");
    }
}

/// Sends a number of requests, one after the other over one connection at a time, and returns the wrong responses.
fn run(port: u16, count: usize, sent: &AtomicUsize) -> Vec<String> {
    let cases = cases();
    let mut wrong = Vec::new();
    let mut connection = None;
    for case in cases.iter().cycle().take(count) {
        // A connection that is being drained may be closed before a response: the request is repeated on a new one.
        let response = (0..3).find_map(|_| {
            let connect = || BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
            let stream = connection.get_or_insert_with(connect);
            let response =
                stream.get_mut().write_all(case.request.as_bytes()).ok().and_then(|()| read_response(stream));
            if response.is_none_or(|(_, closes)| closes) {
                connection = None;
            }
            response
        });
        let status = response.map_or(0, |(status, _)| status);
        if status != case.status {
            wrong.push(format!("{status} instead of {} for {}", case.status, case.request));
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
    wrong
}

/// Reads the status of a response. The flag is `true` if the connection ends with it.
fn read_response(stream: &mut BufReader<TcpStream>) -> Option<(u16, bool)> {
    let (mut head, mut line) = (String::new(), String::new());
    while stream.read_line(&mut line).ok()? > 0 && line != "\r\n" {
        head.push_str(&line.to_ascii_lowercase());
        line.clear();
    }
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length: usize = value("content-length: ").map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).ok()?;
    Some((head.split(' ').nth(1)?.parse().ok()?, value("connection: ") == Some("close")))
}

#[expect(clippy::disallowed_methods, reason = "Envoy validates tokens by the wall clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns requests as a gateway receives them. In the one with a body, the blank line after the head is the body.
fn cases() -> Vec<Case> {
    let now = now();
    let [key, next] = keys();
    let stranger = Key::generate(&key.kid);
    let lives_long = (now + 80_000).to_string();
    let good = key.good_with(now, "exp", &lives_long);
    let other = next.good_with(now, "exp", &lives_long);
    let case = |target: &str, token: &str, more: &str, status| Case {
        request: format!(
            "{target} HTTP/1.1\r\nhost: shop.example\r\ncookie: a=1; access_token={token}; b=2\r\n{more}\r\n"
        ),
        status,
    };
    let mut cases = vec![
        case("GET /orders", &good, "", 200),
        case("GET /orders?page=2", &other, "x-user-id: 1\r\nx-user-role: admin\r\n", 200),
        case("POST /orders", &good, "content-length: 2\r\n\r\n", 200),
        case("GET /public/page", "", "", 200),
        case("GET /public/page", "junk", "", 200),
        case("GET /healthz", "", "", 200),
        case("GET /admin/", &good, "", 403),
        case("POST /orders", &good, "origin: https://evil.example\r\ncontent-length: 0\r\n", 403),
        case("GET /orders", "", "", 401),
        case("GET /orders", "", "accept: text/html\r\n", 302),
        case("GET /orders", &format!("{good}; access_token=x"), "", 401),
        case("GET /a;b", &good, "", 400),
        case("GET /ADMIN/", &good, "", 400),
    ];
    cases.extend(
        mint::bad_tokens(key, &stranger, now)
            .into_iter()
            .filter(|bad| !bad.becomes_good_soon(now))
            .map(|bad| case("GET /orders", &bad.token, "", 401)),
    );
    cases
}

/// Gateway with its listener in a file, which Envoy reloads whenever it is replaced.
struct Listeners {
    bootstrap: String,
    listener: String,
    directory: std::path::PathBuf,
}

impl Listeners {
    fn new(directory: &Path, ports: &Ports) -> Self {
        let beside = stack().ports();
        let local = Ports { gateway: ports.gateway, envoy_admin: ports.envoy_admin, ..*beside };
        let whole = envoy::configuration(Shell::chosen().unwrap(), &local, []).unwrap();
        let (before, rest) = whole.split_once("  listeners:\n").unwrap();
        let (listener, clusters) = rest.split_once("\n  clusters:\n").unwrap();
        let file = directory.join("listeners.yaml");
        let mut dynamic =
            String::from("node: { id: soak, cluster: soak }\ndynamic_resources:\n  lds_config:\n");
        writeln!(dynamic, "    path_config_source: {{ path: {} }}", file.display()).unwrap();
        let bootstrap = format!("{dynamic}{before}  clusters:\n{clusters}");
        let this = Self { bootstrap, listener: listener.to_owned(), directory: directory.to_owned() };
        this.reload(0);
        this
    }

    /// Replaces the listener by one with another rule, for a path that no request has.
    fn reload(&self, number: usize) {
        const KIND: &str =
            "    - \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n      name: gateway";
        const FIRST: &str = r#"{"path": "/healthz", "access": "public"},"#;
        let rule = format!(r#"{FIRST} {{"path": "/reload-{number}", "access": "public"}},"#);
        let listener = self.listener.replacen("    - name: gateway", KIND, 1).replacen(FIRST, &rule, 1);
        assert!(listener.contains(&rule));
        let (new, file) = (self.directory.join("listeners.new"), self.directory.join("listeners.yaml"));
        fs::write(&new, format!("resources:\n{listener}\n")).unwrap();
        fs::rename(new, file).unwrap();
    }
}

fn fetch(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.split_once("\r\n\r\n").unwrap().1.to_owned()
}
