//! Plan of a stack: its ports, its files and their folder.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::inbox::Inbox;
use super::ports::Ports;
use super::shell::Shell;
use super::{paths, report};

/// Plan of a stack; [`Plan::local`] and [`Plan::for_tests`] return the usual ones.
#[derive(Debug)]
pub struct Plan {
    /// Folder of its data, its logs and its `stack.json`.
    pub directory: PathBuf,
    /// Ports that it listens on.
    pub ports: Ports,
    /// Address of a database to use, instead of a Postgres of its own.
    pub database_url: Option<String>,
    /// `true` to erase the database first.
    pub fresh: bool,
    /// Folder of the signing keys. They are generated if there are none.
    pub certs: PathBuf,
    /// Mail server that its companion sends mails to; it sends none without one.
    pub inbox: Option<Inbox>,
    /// Settings of the companion, in addition to those of every stack.
    pub settings: Vec<(String, String)>,
    /// Replacements in the gateway's configuration, in addition to those of every stack.
    pub replacements: Vec<(String, String)>,
    /// Shell of the filter.
    pub shell: Shell,
    /// Number of Envoy's worker threads.
    pub workers: u32,
}

impl Plan {
    /// Returns the plan of `cargo xtask up`.
    pub fn local(fresh: bool) -> Result<Self> {
        Ok(Self {
            directory: paths::stack(),
            ports: Ports::from_environment(super::variable)?,
            database_url: super::variable("DATABASE_URL"),
            fresh,
            certs: paths::root().join("certs"),
            inbox: None,
            settings: Vec::new(),
            replacements: Vec::new(),
            shell: Shell::chosen()?,
            workers: 2,
        })
    }

    /// Adds a mail server, and the settings by which the companion sends its mails there.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Inbox) -> Self {
        // First, so that settings of a test replace them.
        self.settings.splice(0..0, inbox.settings(&format!("http://127.0.0.1:{}", self.ports.gateway)));
        Self { inbox: Some(inbox), ..self }
    }

    /// Checks that no stack is running in the folder, and that the ports are free.
    pub fn check(&self) -> Result<()> {
        let _lock = super::lock(&self.directory)?;
        // A stack that was killed leaves its stack.json.
        report::remove(&self.directory)?;
        self.ports.check_free()
    }

    /// Returns the plan of an empty stack on free ports. All its files are in `directory`.
    pub fn for_tests(directory: &Path) -> Result<Self> {
        Ok(Self {
            directory: directory.to_owned(),
            ports: Ports::free()?,
            database_url: None,
            fresh: true,
            certs: directory.join("certs"),
            inbox: None,
            settings: vec![("BCRYPT_COST".to_owned(), "4".to_owned())],
            replacements: Vec::new(),
            shell: Shell::chosen()?,
            workers: 2,
        })
    }
}
