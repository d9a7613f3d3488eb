//! `bench refresh`: how many refreshes a second the companion does with a Postgres that keeps its promises (fsync on,
//! synchronous commit), where the time goes, and what one costs at the edge; never how much that ought to be.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::runtime::Runtime;

use super::{Effort, machine};
use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::journey::VERSIONS;
use edgeward_kit::journey::held::{self, Added, Held};
use edgeward_kit::mint::Key;
use edgeward_stack::companion::Companion;
use edgeward_stack::ports::Ports;
use edgeward_stack::process::Process;
use edgeward_stack::{Postgres, http, paths, postgres, wait};

/// Number of clients. Each refreshes one session after the other, and waits for the response before the next request.
const CLIENTS: usize = 24;
/// Number of sessions of each client. Each is refreshed again about every second, where a browser does so every hour: it
/// depends on the grace period what is measured.
const SESSIONS: usize = 64;
/// Number of times that each step of a refresh is measured alone.
const STEPS: usize = 1000;
/// Postgres with its defaults, and without the cost of waiting for the disk; each with refreshes after the grace period,
/// as nearly all are, and within it, as those of a client in a hurry.
const CASES: [(&str, &[&str], &str); 4] = [
    ("as durable as it comes", &[], "0"),
    ("without waiting for the disk", &["-c", "synchronous_commit=off"], "0"),
    ("as durable as it comes, within the grace period", &[], "10"),
    ("without waiting for the disk, within the grace period", &["-c", "synchronous_commit=off"], "10"),
];
/// Requests that are held at once, and of how many sessions.
const HELD: [(usize, usize); 2] = [(1000, 100), (1000, 1000)];

/// Measures, and prints what came of it.
pub fn refresh(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    println!("{} processors: {}", machine::processors(), machine::processor_name());
    let sign = measure_signing()?;
    println!("processor time of signing one access token: {} µs", sign.as_micros());
    for (name, options, grace_s) in CASES {
        log(&format!("measuring the companion, its Postgres {name}"));
        let scene = Scene::set(options, grace_s)?;
        println!("{name}: {}", scene.measure_rate(Duration::from_secs(effort.seconds))?);
        println!("{name}, one client: {}", scene.measure_steps()?);
    }
    log("measuring at the edge");
    let runtime = Runtime::new()?;
    for (version, http2) in ["HTTP/1.1", "HTTP/2"].into_iter().zip(VERSIONS) {
        let Added { valid, refreshed } = runtime.block_on(held::added(http2, effort.requests / 16))?;
        let more = refreshed.saturating_sub(valid);
        println!("by {version}: {valid:.2?} with a valid token, {refreshed:.2?} refreshed: {more:.2?} more");
    }
    for (requests, sessions) in HELD {
        log(&format!("holding {requests} requests of {sessions} sessions"));
        let Held { held, connected, holding, drained } = runtime.block_on(held::hold(requests, sessions))?;
        println!(
            "{held} of {requests} requests held, of {sessions} sessions: {:.1} MiB more than with their connections; \
             all responses were there {drained:.1?} after the companion was resumed",
            mib(holding.saturating_sub(connected))
        );
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    u32::try_from(bytes >> 10).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// Figures of many clients at once.
struct Rate {
    /// Refreshes a second.
    per_second: f64,
    /// Median and 99th percentile of the times to a response.
    latency: [Duration; 2],
    /// Processor time of a refresh: in the companion, in Postgres and in the clients.
    cpu: [Duration; 3],
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [companion, postgres, clients] = self.cpu.map(|time| time.as_micros());
        let [median, slow] = self.latency.map(|time| time.as_secs_f64() * 1000.0);
        write!(
            f,
            "{:.0} refreshes/s by {CLIENTS} clients; {median:.1} ms, p99 {slow:.1} ms; processor time of each: \
             companion {companion} µs, Postgres {postgres} µs, clients {clients} µs",
            self.per_second
        )
    }
}

/// Median times of the steps of a refresh, each with all steps before it.
struct Steps {
    /// A request without a token: HTTP and the log.
    without_token: Duration,
    /// One whose session is over: the statement as well, a round trip that finds nothing.
    ended_session: Duration,
    /// A refresh: the rows are written, the transaction is committed, the tokens are signed.
    refreshed: Duration,
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [without_token, ended_session, refreshed] =
            [self.without_token, self.ended_session, self.refreshed].map(|time| time.as_micros());
        write!(
            f,
            "HTTP {without_token} µs; with the round trip to Postgres {ended_session} µs; with row, commit and signature {refreshed} µs"
        )
    }
}

struct Scene {
    ports: Ports,
    service: Process,
    postgres: Postgres,
}

impl Scene {
    fn set(options: &[&str], grace_s: &str) -> Result<Self> {
        let directory = paths::test_folder("refresh");
        postgres::erase(&directory.join("postgres"))?;
        fs::create_dir_all(&directory)?;
        let postgres = Postgres::start_with(&directory.join("postgres"), options, &mut |_| {})?;
        let companion = Companion {
            database_url: postgres.url("edgeward"),
            refresh_secret: "a secret of the tests that is long enough".to_owned(),
            certs: directory.join("certs"),
            settings: Vec::new(),
        };
        companion.generate_keys()?;
        companion.migrate()?;
        let ports = Ports::free()?;
        let service = serve(&companion, &ports, &directory, grace_s)?;
        Ok(Self { ports, service, postgres })
    }

    fn measure_rate(&self, time: Duration) -> Result<Rate> {
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            clients.push(Refresher::sign_in(self, number)?);
        }
        let before = self.cpu()?;
        let start = Instant::now();
        let latencies: Vec<Vec<Duration>> = thread::scope(|scope| {
            let running: Vec<_> =
                clients.iter_mut().map(|client| scope.spawn(|| client.run_until(start + time))).collect();
            running.into_iter().map(|client| client.join().expect("a client")).collect::<Result<_>>()
        })?;
        let elapsed = start.elapsed();
        let after = self.cpu()?;
        let mut latencies = latencies.concat();
        latencies.sort_unstable();
        let count = u32::try_from(latencies.len())?;
        let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
        Ok(Rate {
            per_second: f64::from(count) / elapsed.as_secs_f64(),
            latency: [at(50), at(99)],
            cpu: [0, 1, 2].map(|part: usize| after[part].saturating_sub(before[part]) / count.max(1)),
        })
    }

    fn measure_steps(&self) -> Result<Steps> {
        let mut client = Refresher::sign_in(self, CLIENTS)?;
        let ended = client.tokens.pop().context("no session")?;
        client.post("logout", &cookie(&ended))?;
        client.tokens.truncate(SESSIONS / 2);
        let mut times = [const { Vec::new() }; 3];
        for step in 0..STEPS {
            let at = step % client.tokens.len();
            let refresh = client.tokens[at].clone();
            for (times, (headers, status)) in
                times.iter_mut().zip([(String::new(), 401), (cookie(&ended), 401), (cookie(&refresh), 200)])
            {
                let start = Instant::now();
                let (actual, token) = client.post("refresh", &headers)?;
                times.push(start.elapsed());
                if actual != status {
                    bail!("the status of a refresh is {actual} instead of {status}");
                }
                if let Some(token) = token {
                    client.tokens[at] = token;
                }
            }
        }
        let [without_token, ended_session, refreshed] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        Ok(Steps { without_token, ended_session, refreshed })
    }

    /// The processor time of the companion, of Postgres and of ourselves.
    fn cpu(&self) -> Result<[Duration; 3]> {
        let mut servers = Duration::ZERO;
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let Some(process) = read_process(&path) else { continue };
            if process.parent == self.postgres.pid() || process.id == self.postgres.pid() {
                servers += process.cpu;
            }
        }
        let own =
            |id: u32| read_process(&PathBuf::from(format!("/proc/{id}"))).context("a process has ended");
        Ok([own(self.service.pid())?.cpu, servers, own(std::process::id())?.cpu])
    }
}

/// The companion as it runs in production, but for the cost of passwords, which are not what is measured.
fn serve(companion: &Companion, ports: &Ports, directory: &Path, grace_s: &str) -> Result<Process> {
    let mut command = Command::new(paths::edgeward());
    command.arg("serve").current_dir(directory).env_clear();
    command.env("APP_ENV", "test").env("BCRYPT_COST", "4").env("DATABASE_URL", &companion.database_url);
    command.env("REFRESH_JWT_SECRET", &companion.refresh_secret).env("CERTS_DIR", &companion.certs);
    command.env("PORT", ports.companion.to_string()).env("INTERNAL_PORT", ports.internal.to_string());
    command.env("REFRESH_GRACE_SECONDS", grace_s);
    let mut process = Process::spawn("The companion", &mut command, &directory.join("companion.log"))?;
    wait::until("the companion", Duration::from_secs(30), || {
        process.check_alive()?;
        Ok((http::status(ports.internal, "/readyz") == Some(200)).then_some(()))
    })?;
    Ok(process)
}

struct UsedProcess {
    id: u32,
    parent: u32,
    cpu: Duration,
}

/// A process by its folder in `/proc` (proc(5), `/proc/pid/stat`). Times are in hundredths of a second.
fn read_process(folder: &Path) -> Option<UsedProcess> {
    let id = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let cpu = Duration::from_millis(10 * (number(11)? + number(12)?));
    Some(UsedProcess { id, parent: u32::try_from(number(1)?).ok()?, cpu })
}

/// The processor time that a signature takes.
fn measure_signing() -> Result<Duration> {
    const TIMES: u32 = 500;
    let (key, message) = (Key::generate(""), "x".repeat(300));
    let ours = || machine::cpu_time(std::process::id());
    let start = ours()?;
    for _ in 0..TIMES {
        assert!(!key.seal(&message).is_empty(), "a key that signs");
    }
    Ok(ours()?.saturating_sub(start) / TIMES)
}

/// Refreshes sessions over one connection. It is written by hand: the clients run on the processors of the companion that
/// they measure, and the work of a client library would be part of the result.
struct Refresher {
    port: u16,
    connection: BufReader<TcpStream>,
    tokens: Vec<String>,
}

impl Refresher {
    /// Registers a user and logs in until there are enough sessions.
    fn sign_in(scene: &Scene, number: usize) -> Result<Self> {
        let port = scene.ports.companion;
        let mut client = Client::new(format!("127.0.0.1:{port}"), reqwest::Client::new());
        let email = format!("person{number}@example.com");
        let tokens = Runtime::new()?.block_on(async {
            let mut tokens = Vec::new();
            for index in 0..SESSIONS {
                let response = if index == 0 {
                    client.register(&email).await
                } else {
                    client.login(&email, PASSWORD).await
                };
                let token = client.cookies.remove("refresh_token");
                tokens.push(token.with_context(|| format!("no token in the response {response}"))?);
            }
            anyhow::Ok(tokens)
        })?;
        Ok(Self { port, connection: connect(port)?, tokens })
    }

    fn run_until(&mut self, end: Instant) -> Result<Vec<Duration>> {
        // The first to sign in has been silent while the others did.
        self.connection = connect(self.port)?;
        let mut latencies = Vec::new();
        for index in (0..SESSIONS).cycle() {
            let start = Instant::now();
            if start > end {
                break;
            }
            let (_, token) = self.post("refresh", &cookie(&self.tokens[index]))?;
            self.tokens[index] = token.context("a refresh gave no token")?;
            latencies.push(start.elapsed());
        }
        Ok(latencies)
    }

    /// Sends a request without a body, and returns the status and the refresh token of the response.
    fn post(&mut self, call: &str, headers: &str) -> Result<(u16, Option<String>)> {
        let request =
            format!("POST /api/auth/{call} HTTP/1.1\r\nhost: a\r\n{headers}content-length: 0\r\n\r\n");
        self.connection.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut token, mut length) = (String::new(), None, 0);
        self.connection.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        loop {
            line.clear();
            self.connection.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("set-cookie: refresh_token=") {
                token = value.split(';').next().map(str::to_owned);
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok((status, token))
    }
}

fn connect(port: u16) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn cookie(token: &str) -> String {
    format!("cookie: refresh_token={token}\r\n")
}
