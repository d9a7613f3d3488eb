//! Companion as the stack runs it: its settings, its commands, its service.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::ports::{self, Ports};
use super::process::{self, Process};
use super::{Plan, http, paths, report, secret, wait};

const START_LIMIT: Duration = Duration::from_secs(30);

/// Settings of one companion.
#[derive(Debug, Clone)]
pub struct Companion {
    /// Address of its database.
    pub database_url: String,
    /// Secret that signs refresh tokens.
    pub refresh_secret: String,
    /// Folder of its signing keys.
    pub certs: PathBuf,
    /// Settings that are added to those of the stack, or replace them.
    pub settings: Vec<(String, String)>,
}

impl Companion {
    /// Returns the companion of the stack that runs by a plan, started by this process or another.
    ///
    /// # Errors
    /// If no stack is running.
    pub fn of_running(plan: &Plan) -> Result<Self> {
        Ok(Self {
            database_url: report::database_url(&plan.directory)?,
            refresh_secret: secret::keep(&plan.directory.join("refresh_secret"))?,
            certs: plan.certs.clone(),
            settings: plan.settings.clone(),
        })
    }

    /// Generates the signing keys if there are none.
    pub fn generate_keys(&self) -> Result<()> {
        if self.certs.join("private.pem").exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.certs)?;
        self.run(&["keys", "generate"]).map(drop).context("cannot generate the signing keys")
    }

    /// Migrates the schema to the newest version. Creates the database if it is missing.
    pub fn migrate(&self) -> Result<()> {
        // Creating a database needs more rights than using one, so this is tried first.
        if self.run(&["migrate", "run"]).is_ok() {
            return Ok(());
        }
        self.run(&["db", "create"]).context("cannot create the database")?;
        self.run(&["migrate", "run"]).map(drop).context("cannot migrate the database")
    }

    /// Drops the database with everything in it.
    pub fn drop_database(&self) -> Result<()> {
        self.run(&["db", "drop", "--yes"]).map(drop).context("cannot empty the database")
    }

    /// Runs one of its commands to its end. Returns the output.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        process::output(self.command().args(arguments))
    }

    /// Starts the service and waits until it is ready.
    pub fn serve(&self, ports: &Ports, directory: &Path) -> Result<Process> {
        let mut command = self.command();
        command.arg("serve");
        command.env("PORT", ports.companion.to_string()).env("INTERNAL_PORT", ports.internal.to_string());
        // Browsers take no passkeys for an address.
        let origin = format!("http://localhost:{}", ports.gateway);
        command.env("PASSKEY_RP_ID", "localhost").env("PASSKEY_ORIGINS", origin);
        let mut process = Process::spawn("The companion", &mut command, &directory.join("companion.log"))?;
        wait::until("the companion", START_LIMIT, || {
            process.check_alive()?;
            Ok((http::status(ports.internal, "/readyz") == Some(200)).then_some(()))
        })?;
        Ok(process)
    }

    /// Returns `edgeward` with its settings, without arguments.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(paths::edgeward());
        // Not the checkout: its .env files are for running `edgeward` by hand.
        command.current_dir(paths::target());
        // As in envoy/envoy.yaml. The name that `up` prints comes first: the other is another site.
        command.env("CLIENT_UI_DOMAIN", "http://127.0.0.1:5173,http://localhost:5173").env("APP_ENV", "dev");
        command.env("DATABASE_URL", &self.database_url).env("REFRESH_JWT_SECRET", &self.refresh_secret);
        // Nothing balances load in front of it.
        command.env("CERTS_DIR", &self.certs).env("DRAIN_DELAY_SECONDS", "0");
        // Settings of the stack, unknown to the companion.
        for name in ports::variables() {
            command.env_remove(name);
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}
