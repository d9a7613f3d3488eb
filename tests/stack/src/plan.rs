//! Plan of a stack: its ports, its files and their folder.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::ports::Ports;
use super::{paths, report};

/// Plan of a stack; [`Plan::local`] and [`Plan::for_tests`] return the usual ones.
#[derive(Debug)]
pub struct Plan {
    /// Where its data, its logs and its `stack.json` go.
    pub directory: PathBuf,
    /// Where it listens.
    pub ports: Ports,
    /// A database to use, instead of starting a Postgres.
    pub database_url: Option<String>,
    /// `true` to erase the database first.
    pub fresh: bool,
    /// Where the signing keys are, or are made.
    pub certs: PathBuf,
    /// Settings of the companion beside those of every stack.
    pub settings: Vec<(String, String)>,
    /// Changes to the gateway's configuration beside those of every stack.
    pub replacements: Vec<(String, String)>,
    /// Number of Envoy's worker threads.
    pub workers: u32,
}

impl Plan {
    /// The stack of `cargo xtask up`.
    pub fn local(fresh: bool) -> Result<Self> {
        Ok(Self {
            directory: paths::stack(),
            ports: Ports::from_environment(super::variable)?,
            database_url: super::variable("DATABASE_URL"),
            fresh,
            certs: paths::root().join("certs"),
            settings: Vec::new(),
            replacements: Vec::new(),
            workers: 2,
        })
    }

    /// An error if a stack is running here already, or a port is somebody else's.
    pub fn check(&self) -> Result<()> {
        let _lock = super::lock(&self.directory)?;
        // One that was killed has left its description.
        report::remove(&self.directory)?;
        self.ports.check_free()
    }

    /// A stack beside all others, on free ports, with everything it keeps under `directory`, empty at first.
    pub fn for_tests(directory: &Path) -> Result<Self> {
        Ok(Self {
            directory: directory.to_owned(),
            ports: Ports::free()?,
            database_url: None,
            fresh: true,
            certs: directory.join("certs"),
            settings: vec![("BCRYPT_COST".to_owned(), "4".to_owned())],
            replacements: Vec::new(),
            workers: 2,
        })
    }
}
