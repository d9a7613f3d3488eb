//! Database cluster of one Postgres server: its folder, and the start of a server in it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use super::account::Account;
use super::programs::Programs;
use super::{Postgres, USER};
use crate::process::{self, Process};
use crate::{paths, ports, secret, wait};

const START_LIMIT: Duration = Duration::from_secs(30);
/// Maximum time that a server may take to end after its starter was killed.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(10);

/// Folder of one server: its data, its password, its log.
pub(super) struct Cluster {
    directory: PathBuf,
    account: Account,
    password: String,
}

impl Cluster {
    pub(super) fn open(directory: &Path, account: Account, log: &mut dyn FnMut(&str)) -> Result<Self> {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let mut place = directory.canonicalize()?;
        if !account.can_reach(&place) {
            let stand_in = paths::stand_in(&place)?;
            log(&format!(
                "{} cannot enter {}: using {} instead",
                account.name,
                place.display(),
                stand_in.display()
            ));
            place = stand_in;
        }
        let password = secret::keep(&place.join("password"))?;
        Ok(Self { directory: place, account, password })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }

    pub(super) fn initialise(&self, programs: &Programs, log: &mut dyn FnMut(&str)) -> Result<()> {
        let data = self.data();
        if let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) {
            return self.check_reusable(programs, version.trim());
        }
        log("creating a database cluster");
        let (fresh, password) = (self.directory.join("data.new"), self.directory.join("password.new"));
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir(&fresh)?;
        fs::copy(self.directory.join("password"), &password)?;
        self.account.own(&fresh)?;
        self.account.own(&password)?;
        let mut command = self.command(&programs.initdb);
        command.arg("--pgdata").arg(&fresh).arg("--pwfile").arg(&password);
        command.arg("--username").arg(USER);
        command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        process::output(&mut command)?;
        fs::remove_file(&password)?;
        // A cluster whose initialisation was interrupted is never used.
        fs::rename(&fresh, &data).context("cannot rename the new database cluster")
    }

    fn check_reusable(&self, programs: &Programs, made_by: &str) -> Result<()> {
        let data = self.data();
        if made_by != programs.major.to_string() {
            bail!(
                "{} was created by PostgreSQL {made_by}, and {} is PostgreSQL {}: \
                 start from an empty database with `cargo xtask up --fresh`",
                data.display(),
                programs.postgres.display(),
                programs.major
            );
        }
        let owner = fs::metadata(&data)?.uid();
        if owner != self.account.uid {
            bail!("{} belongs to the user with the ID {owner}: remove it as that user", data.display());
        }
        Ok(())
    }

    /// Starts a server on a port that was free a moment ago. `None` if another process has taken the port.
    pub(super) fn serve(&self, programs: &Programs, options: &[&str]) -> Result<Option<Postgres>> {
        let port = ports::free::<1>()?[0];
        let mut command = self.command(&programs.postgres);
        command.arg("-D").arg(self.data()).arg("-p").arg(port.to_string());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]).args(options);
        let mut process = Process::spawn_stopped_by(Signal::SIGINT, "Postgres", &mut command, &self.log())?;
        let pid = process.pid();
        let ready = wait::until("Postgres", START_LIMIT, || {
            process.check_alive()?;
            Ok(PidFile::read(&self.data()).filter(|file| file.pid == pid && file.ready))
        });
        match ready {
            Ok(_) => Ok(Some(Postgres { process, port, password: self.password.clone() })),
            Err(_) if process.log().contains("could not create any TCP/IP sockets") => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Without the user's settings of the client library, and in a folder that the account can enter.
        command.current_dir(&self.directory).env_clear().env("LC_ALL", "C");
        self.account.run(&mut command);
        command
    }
}

/// Waits for the end of another server that uses the same data. The file of one that has ended does not count.
pub(super) fn await_predecessor(data: &Path) -> Result<()> {
    let alive =
        || PidFile::read(data).is_some_and(|file| process::is_alive(file.pid) && ports::is_open(file.port));
    if wait::patiently(PREDECESSOR_LIMIT, || !alive()) {
        return Ok(());
    }
    let pid = PidFile::read(data).map_or(0, |file| file.pid);
    bail!("another Postgres (process {pid}) is using {}: stop it first", data.display())
}

/// Content of a server's `postmaster.pid`.
struct PidFile {
    pid: u32,
    port: u16,
    /// `true` if the server accepts connections.
    ready: bool,
}

impl PidFile {
    fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let line = |number: usize| text.lines().nth(number).map(str::trim);
        Some(Self {
            pid: line(0)?.parse().ok()?,
            port: line(3)?.parse().ok()?,
            ready: line(7) == Some("ready"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_started_again_finds_its_data_and_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = Vec::new();
        let mut start = || Postgres::start(folder.path(), &mut |line| lines.push(line.to_owned())).unwrap();
        let first = start();
        assert!(ports::is_open(first.port));
        let (pid, password) = (first.pid(), first.password.clone());
        drop(first);
        assert!(!process::is_alive(pid));
        assert_eq!(start().password, password);
        assert_eq!(
            lines.iter().filter(|line| line.contains("creating a database cluster")).count(),
            1,
            "{lines:?}"
        );
        crate::postgres::erase(folder.path()).unwrap();
    }

    #[test]
    fn pid_file_shows_when_the_server_is_ready() {
        let lines = "7\n/data\n1700000000\n5432\n\n127.0.0.1\n  1 2\n";
        for (text, expected) in [
            (format!("{lines}ready   \n"), Some(true)),
            (format!("{lines}starting\n"), Some(false)),
            (lines.to_owned(), Some(false)),
            ("7\n/data\n".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(PidFile::parse(&text).map(|file| file.ready), expected, "{text}");
        }
    }
}
