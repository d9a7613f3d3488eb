//! Companion as a process of its own, on free ports and with a test's database.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::api::REFRESH_SECRET;
use crate::database::Database;
use edgeward_stack::paths;

/// Companion that runs until it is dropped.
pub struct Service {
    child: Child,
    /// Address of the API.
    pub public: String,
    /// Address of the edge feed.
    pub internal: String,
    log: Option<JoinHandle<Vec<Value>>>,
}

impl Service {
    /// Starts a companion with the keys of a folder.
    #[must_use]
    pub fn start(database: &Database, certs: &Path) -> Self {
        Self::start_with(database, certs, &[])
    }

    /// Starts a companion with these additional settings.
    #[must_use]
    pub fn start_with(database: &Database, certs: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = edgeward(certs);
        command.arg("serve").env("DATABASE_URL", &database.url).env("REFRESH_JWT_SECRET", REFRESH_SECRET);
        command.env("BCRYPT_COST", "4").env("PORT", "0").env("INTERNAL_PORT", "0").stdout(Stdio::piped());
        command.envs(settings.iter().copied());
        let mut child = command.spawn().expect("a service");
        let lines = BufReader::new(child.stdout.take().expect("a log")).lines();
        let mut lines =
            lines.map(|line| -> Value { serde_json::from_str(&line.expect("UTF-8")).expect("JSON") });
        let mut listening = || {
            // Warnings may come first.
            lines.by_ref().find_map(|line| line["address"].as_str().map(str::to_owned)).expect("an address")
        };
        let (public, internal) = (listening(), listening());
        // A full pipe would block the companion.
        let log = Some(thread::spawn(move || lines.collect()));
        Self { child, public, internal, log }
    }

    /// Stops the companion as Ctrl-C does, and returns its log from its start to its end.
    #[must_use]
    pub fn stop(mut self) -> Vec<Value> {
        let pid = Pid::from_raw(self.pid().try_into().expect("a process ID"));
        kill(pid, Signal::SIGINT).expect("a running service");
        assert!(self.child.wait().expect("an end").success());
        self.log.take().expect("a log").join().expect("JSON")
    }

    /// Returns the process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns the command line, with the keys of a folder.
#[must_use]
pub fn edgeward(certs: &Path) -> Command {
    let mut command = Command::new(paths::edgeward());
    command.env_clear().env("APP_ENV", "test").env("CERTS_DIR", certs).current_dir(std::env::temp_dir());
    command
}
