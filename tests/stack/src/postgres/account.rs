//! User that Postgres runs as: Postgres does not run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use nix::unistd::{User, getegid, geteuid};

/// Current user, or `nobody` if that is root.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    switched: bool,
}

impl Account {
    pub(super) fn for_servers() -> Result<Self> {
        if !geteuid().is_root() {
            let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
            return Ok(Self { name: "this user".to_owned(), uid, gid, switched: false });
        }
        let nobody = User::from_name("nobody")?.context(
            "Postgres does not run as root, and there is no user `nobody`: run this as another user",
        )?;
        Ok(Self { name: nobody.name, uid: nobody.uid.as_raw(), gid: nobody.gid.as_raw(), switched: true })
    }

    /// Makes a command run as this user.
    pub(super) fn run(&self, command: &mut Command) {
        if self.switched {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Makes this user the owner of a file.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot change the owner of {} to {}", path.display(), self.name))
    }

    /// `true` if this user may enter every folder on the way to `path`.
    pub(super) fn can_reach(&self, path: &Path) -> bool {
        !self.switched || path.ancestors().all(|folder| self.can_pass(folder))
    }

    fn can_pass(&self, folder: &Path) -> bool {
        fs::metadata(folder).is_ok_and(|found| {
            let executable = if found.uid() == self.uid { 0o100 } else { 0o001 };
            found.permissions().mode() & executable != 0
        })
    }
}
