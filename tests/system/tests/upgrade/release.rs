//! Two companions and a gateway, each of either release.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use edgeward_kit::journey::client_at;
use edgeward_stack::former::Release;
use edgeward_stack::ports::Ports;
use edgeward_stack::process::{self, Process};
use edgeward_stack::shell::Shell;
use edgeward_stack::{envoy, http, paths, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_mins(1);

/// Parts that run.
pub(crate) struct Fleet {
    /// Port of the gateway that new requests go to, as a load balancer would choose it.
    pub(crate) gateway: Arc<AtomicU16>,
    folder: TempDir,
    database_url: String,
    envoy: PathBuf,
    companions: [(Ports, Option<Process>); 2],
    running: Option<(Ports, Process)>,
    upstream: (u16, Process),
    starts: u32,
}

impl Fleet {
    pub(crate) fn new(database_url: String, envoy: PathBuf, upstream: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let companions = [(); 2].map(|()| (Ports::free().expect("ports"), None));
        let mut command = Command::new(paths::program("echo-upstream"));
        command.args(["--port", &upstream.to_string()]);
        let log = folder.path().join("upstream.log");
        let process = Process::spawn("The upstream", &mut command, &log).expect("an upstream");
        let fleet = Self {
            gateway: Arc::default(),
            folder,
            database_url,
            envoy,
            companions,
            running: None,
            upstream: (upstream, process),
            starts: 0,
        };
        wait_for(upstream, "/", 200);
        fleet
    }

    /// Runs a command of a release to its end. Returns its output.
    pub(crate) fn run(&self, release: &Release, arguments: &[&str]) -> String {
        process::output(self.command(release).args(arguments)).expect("a command")
    }

    /// Reverts migrations until the schema is that of the former release, with the new one, which has them. Returns the lines.
    pub(crate) fn revert_to(&self, former: &Release, new: &Release) -> Vec<String> {
        let mut reverted = Vec::new();
        while self.run(former, &["migrate", "status"]).contains("by a newer version") {
            let output = self.run(new, &["migrate", "revert"]);
            reverted.extend(output.lines().next().map(str::to_owned));
        }
        reverted
    }

    /// Starts a companion, and waits until it is ready.
    pub(crate) fn start_companion(&mut self, release: &Release, index: usize) {
        let log = self.log("companion");
        let mut command = self.command(release);
        let (ports, process) = &mut self.companions[index];
        command.arg("serve").env("PORT", ports.companion.to_string());
        command.env("INTERNAL_PORT", ports.internal.to_string());
        *process = Some(Process::spawn("A companion", &mut command, &log).expect("a companion"));
        wait_for(ports.internal, "/readyz", 200);
    }

    /// Stops a companion by SIGTERM, which drains it, and starts one of a release in its place, until the gateway uses it.
    pub(crate) async fn replace_companion(&mut self, release: &Release, index: usize) {
        self.companions[index].1.take().expect("a companion").stop();
        self.start_companion(release, index);
        let Ports { companion, internal, .. } = self.companions[index].0;
        let healthy = [companion, internal].map(|port| format!("127.0.0.1:{port}::health_flags::healthy"));
        let admin = self.running.as_ref().expect("a gateway").0.envoy_admin;
        let mut clusters = String::new();
        for _ in 0..500 {
            clusters = client_at(admin, false).get("/clusters").await.text;
            if healthy.iter().all(|line| clusters.contains(line)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the gateway does not use the new companion:\n{clusters}");
    }

    /// Starts a gateway of a release beside the other one, and drains that as the container image does.
    pub(crate) async fn replace_gateway(&mut self, release: &Release) {
        let new = self.start_gateway(release);
        wait_for(new.0.gateway, "/readyz", 200);
        let old = self.running.replace(new);
        let port = self.running.as_ref().expect("a gateway").0.gateway;
        if let Some((ports, mut process)) = old {
            // The entry point alone: it tells Envoy.
            let pid = Pid::from_raw(process.pid().try_into().expect("a process ID"));
            kill(pid, Signal::SIGTERM).expect("a running gateway");
            wait_for(ports.gateway, "/readyz", 503);
            self.gateway.store(port, Ordering::SeqCst);
            for _ in 0..1500 {
                if process.check_alive().is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("the drained gateway does not end:\n{}", process.last_lines());
        }
        self.gateway.store(port, Ordering::SeqCst);
    }

    fn start_gateway(&mut self, release: &Release) -> (Ports, Process) {
        let log = self.log("gateway");
        let (directory, file) = (log.with_extension(""), log.with_extension("yaml"));
        fs::create_dir(&directory).expect("a folder");
        let [first, second] = self.companions.each_ref().map(|(ports, _)| *ports);
        let Ports { companion, internal, .. } = first;
        let ports = Ports { companion, internal, upstream: self.upstream.0, ..Ports::free().expect("ports") };
        // The operator's file.
        let template = Shell::Wasm.configuration().expect("a configuration");
        let mut replacements = envoy::local(&ports);
        replacements.push((Shell::Wasm.file_in_container().to_owned(), release.filter.display().to_string()));
        replacements.extend(envoy::another_companion(&second));
        // What the former filter does not know is for after the upgrade, as docs/guide/upgrades.md says.
        replacements.push((r#"{"prefix": "/billing/", "max_auth_age_seconds": 300},"#.into(), String::new()));
        let configuration = envoy::render(&template, &replacements).expect("a configuration");
        fs::write(&file, configuration).expect("a file");
        let mut command = Command::new(paths::root().join("docker/gateway"));
        command.args(["--concurrency", "2", "--disable-hot-restart"]).env("ENVOY_CONFIG", &file);
        command.env("TMPDIR", &directory).env("DRAIN_DELAY_SECONDS", "2");
        let path = edgeward_stack::variable("PATH").unwrap_or_default();
        let envoy = self.envoy.parent().expect("a folder").display();
        command.env("PATH", format!("{envoy}:{path}"));
        (ports, Process::spawn("A gateway", &mut command, &log).expect("a gateway"))
    }

    fn command(&self, release: &Release) -> Command {
        let mut command = Command::new(&release.edgeward);
        command.env_clear().current_dir(self.folder.path()).env("APP_ENV", "test").env("BCRYPT_COST", "4");
        command.env("DATABASE_URL", &self.database_url).env("CERTS_DIR", self.folder.path().join("certs"));
        command.env("REFRESH_JWT_SECRET", "a secret of the tests that is long enough");
        for limit in ["LIMIT_ACCOUNT", "LIMIT_ADDRESS", "LIMIT_REGISTRATION"] {
            command.env(limit, "10000/1m");
        }
        command
    }

    /// Returns the path of a new log.
    fn log(&mut self, name: &str) -> PathBuf {
        self.starts += 1;
        self.folder.path().join(format!("{name}-{}.log", self.starts))
    }
}

/// Waits until every worker at a port responds with a status.
fn wait_for(port: u16, path: &str, status: u16) {
    let what = format!("{status} of {path} at port {port}");
    wait::until(&what, LIMIT, || Ok(http::is_status_everywhere(port, path, status).then_some(())))
        .expect("a status");
}
