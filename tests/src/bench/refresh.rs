//! How many refreshes a second the companion does with a Postgres that keeps its promises (fsync on, synchronous
//! commit), and where the time goes; never how many there ought to be.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::api::{PASSWORD, mint, registration};
use crate::stack::companion::Companion;
use crate::stack::ports::Ports;
use crate::stack::process::Process;
use crate::stack::{Postgres, http, paths, postgres, wait};

/// Clients that refresh one session after the other, each with an answer before the next question.
const CLIENTS: usize = 24;
/// Sessions of each client: so many that hardly any is refreshed twice within the grace.
const SESSIONS: usize = 64;

/// What was measured.
pub struct Measured {
    /// Refreshes a second.
    pub rate: f64,
    /// The middle and the 99th percentile of the times to an answer.
    pub latency: [Duration; 2],
    /// What a refresh costs of processor time: in the companion, in Postgres and in the clients.
    pub cpu: [Duration; 3],
    /// What it costs to sign one access token.
    pub sign: Duration,
}

/// Measures the companion at this path for so long, with options for Postgres beside its defaults.
pub fn refresh(companion: &Path, time: Duration, options: &[&str]) -> Result<Measured> {
    let scene = Scene::set(companion, options)?;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::sign_in(&scene, number)?);
    }
    let before = scene.cpu()?;
    let start = Instant::now();
    let latencies: Vec<Vec<Duration>> = thread::scope(|scope| {
        let running: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(|| client.run_until(start + time))).collect();
        running.into_iter().map(|client| client.join().expect("a client")).collect::<Result<_>>()
    })?;
    let elapsed = start.elapsed();
    let after = scene.cpu()?;
    let mut latencies = latencies.concat();
    latencies.sort_unstable();
    let count = u32::try_from(latencies.len())?;
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
    Ok(Measured {
        rate: f64::from(count) / elapsed.as_secs_f64(),
        latency: [at(50), at(99)],
        cpu: [0, 1, 2].map(|part: usize| after[part].saturating_sub(before[part]) / count.max(1)),
        sign: measure_signing(),
    })
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [companion, postgres, clients] = self.cpu.map(|time| time.as_micros());
        let [median, slow] = self.latency.map(|time| time.as_secs_f64() * 1000.0);
        write!(
            f,
            "{:.0} refreshes/s; {median:.1} ms, p99 {slow:.1} ms; processor time of each: companion {companion} µs \
             (of which signing {} µs), Postgres {postgres} µs, clients {clients} µs",
            self.rate,
            self.sign.as_micros()
        )
    }
}

struct Scene {
    ports: Ports,
    service: Process,
    postgres: Postgres,
}

impl Scene {
    fn set(program: &Path, options: &[&str]) -> Result<Self> {
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
        let service = serve(program, &companion, &ports, &directory)?;
        Ok(Self { ports, service, postgres })
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
fn serve(program: &Path, companion: &Companion, ports: &Ports, directory: &Path) -> Result<Process> {
    let mut command = Command::new(program);
    command.arg("serve").current_dir(directory).env_clear();
    command.env("APP_ENV", "test").env("BCRYPT_COST", "4").env("DATABASE_URL", &companion.database_url);
    command.env("REFRESH_JWT_SECRET", &companion.refresh_secret).env("CERTS_DIR", &companion.certs);
    command.env("PORT", ports.companion.to_string()).env("INTERNAL_PORT", ports.internal.to_string());
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

fn measure_signing() -> Duration {
    const TIMES: u32 = 500;
    let (key, message) = (mint(), "x".repeat(300));
    let start = Instant::now();
    for _ in 0..TIMES {
        assert!(!key.seal(&message).is_empty(), "a key that signs");
    }
    start.elapsed() / TIMES
}

/// Refreshes sessions over one connection.
struct Client {
    connection: BufReader<TcpStream>,
    tokens: Vec<String>,
}

impl Client {
    fn sign_in(scene: &Scene, number: usize) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", scene.ports.companion))?;
        stream.set_nodelay(true)?;
        let mut client = Self { connection: BufReader::new(stream), tokens: Vec::new() };
        let email = format!("person{number}@example.com");
        let login = json!({"email": email, "password": PASSWORD}).to_string();
        let mut body = registration(&email).to_string();
        for index in 0..SESSIONS {
            let call = if index == 0 { "register" } else { "login" };
            let token = client.ask(call, "content-type: application/json\r\n", &body)?;
            client.tokens.push(token);
            body.clone_from(&login);
        }
        Ok(client)
    }

    fn run_until(&mut self, end: Instant) -> Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        for index in (0..SESSIONS).cycle() {
            let start = Instant::now();
            if start > end {
                break;
            }
            let cookie = format!("cookie: refresh_token={}\r\n", self.tokens[index]);
            self.tokens[index] = self.ask("refresh", &cookie, "")?;
            latencies.push(start.elapsed());
        }
        Ok(latencies)
    }

    /// Asks, and gives the refresh token of the answer.
    fn ask(&mut self, call: &str, headers: &str, body: &str) -> Result<String> {
        let length = body.len();
        let request = format!(
            "POST /api/auth/{call} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        self.connection.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut token, mut length) = (String::new(), None, 0);
        self.connection.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 20") {
            bail!("{call} was answered with {line}");
        }
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
        token.context("there is no refresh token in the answer")
    }
}
