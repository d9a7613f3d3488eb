//! The companion as a process of its own, on free ports and with a database of a test's; never what it ought to answer.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::api::REFRESH_SECRET;
use crate::database::Database;
use crate::stack::paths;

/// A companion that runs until it is dropped.
pub struct Service {
    child: Child,
    /// Where its API is.
    pub public: String,
    /// Where its edge feed is.
    pub internal: String,
}

impl Service {
    /// Starts it with the keys of a folder.
    #[must_use]
    pub fn start(database: &Database, certs: &Path) -> Self {
        let mut command = edgeward(certs);
        command.arg("serve").env("DATABASE_URL", &database.url).env("REFRESH_JWT_SECRET", REFRESH_SECRET);
        command.env("BCRYPT_COST", "4").env("PORT", "0").env("INTERNAL_PORT", "0").stdout(Stdio::piped());
        let mut child = command.spawn().expect("a service");
        let mut lines = BufReader::new(child.stdout.take().expect("a log")).lines();
        let mut listening = || {
            // It may warn of something before.
            let address = |line: std::io::Result<String>| {
                let said: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
                said["address"].as_str().map(str::to_owned)
            };
            lines.by_ref().find_map(address).expect("an address")
        };
        let (public, internal) = (listening(), listening());
        // Nobody may have to wait for the rest to be read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, public, internal }
    }

    /// Its process ID.
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

/// The command line, with the keys of a folder.
#[must_use]
pub fn edgeward(certs: &Path) -> Command {
    let mut command = Command::new(paths::edgeward());
    command.env_clear().env("APP_ENV", "test").env("CERTS_DIR", certs).current_dir(std::env::temp_dir());
    command
}
