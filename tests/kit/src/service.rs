//! Companion as a process of its own, on free ports and with a test's database.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

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
}

impl Service {
    /// Starts a companion with the keys of a folder.
    #[must_use]
    pub fn start(database: &Database, certs: &Path) -> Self {
        let mut command = edgeward(certs);
        command.arg("serve").env("DATABASE_URL", &database.url).env("REFRESH_JWT_SECRET", REFRESH_SECRET);
        command.env("BCRYPT_COST", "4").env("PORT", "0").env("INTERNAL_PORT", "0").stdout(Stdio::piped());
        let mut child = command.spawn().expect("a service");
        let mut lines = BufReader::new(child.stdout.take().expect("a log")).lines();
        let mut listening = || {
            // Warnings may come first.
            let address = |line: std::io::Result<String>| {
                let line: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
                line["address"].as_str().map(str::to_owned)
            };
            lines.by_ref().find_map(address).expect("an address")
        };
        let (public, internal) = (listening(), listening());
        // A full pipe would block the companion.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, public, internal }
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
