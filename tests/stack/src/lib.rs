//! Whole product on this machine: its parts, the order of their starts, and their stops.

pub mod browser;
pub mod cargo;
pub mod companion;
pub mod envoy;
pub mod former;
pub mod http;
pub mod inbox;
pub mod paths;
pub mod plan;
pub mod ports;
pub mod postgres;
pub mod process;
mod reaper;
mod report;
pub mod secret;
pub mod shell;
pub mod wait;
pub mod wheels;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use companion::Companion;
use envoy::Envoy;
use inbox::Inbox;
pub use plan::Plan;
use ports::Ports;
pub use postgres::Postgres;
use process::Process;

/// Maximum time until the filter has its first keys. Chosen: it polls once a second.
const KEYS_LIMIT: Duration = Duration::from_secs(20);

/// Running stack. Dropping it stops the parts in the order of the fields, the last started first.
#[derive(Debug)]
pub struct Stack {
    /// Gateway.
    pub envoy: Envoy,
    /// `None` after it was killed.
    companion_process: Mutex<Option<Process>>,
    upstream: Process,
    postgres: Option<Postgres>,
    /// Settings of the companion, and its commands.
    pub companion: Companion,
    plan: Plan,
    envoy_program: PathBuf,
    /// Lock of the folder. The system releases it when this process ends, in whatever way.
    _lock: File,
}

impl Stack {
    /// Starts the parts, which must have been built. Returns when every part responds.
    pub fn start(plan: Plan, log: &mut dyn FnMut(&str)) -> Result<Self> {
        let lock = lock(&plan.directory)?;
        report::remove(&plan.directory)?;
        plan.ports.check_free()?;
        let envoy_program = envoy::find_or_install(log)?;
        let postgres = start_postgres(&plan, log)?;
        let companion = prepare_companion(&plan, postgres.as_ref(), log)?;
        log("starting the demo upstream");
        let upstream = start_upstream(&plan)?;
        log("starting the companion");
        let companion_process = companion.serve(&plan.ports, &plan.directory)?;
        log("starting Envoy");
        let envoy = start_envoy(&plan, &envoy_program)?;
        let mut stack = Self {
            envoy,
            companion_process: Mutex::new(Some(companion_process)),
            upstream,
            postgres,
            companion,
            plan,
            envoy_program,
            _lock: lock,
        };
        stack.await_gateway()?;
        report::write(&stack)?;
        Ok(stack)
    }

    /// Waits until a signal asks to stop.
    ///
    /// # Errors
    /// If a part ends by itself.
    pub fn watch(&mut self) -> Result<()> {
        while !wait::patiently(Duration::from_secs(1), wait::stop_requested) {
            self.check_alive()?;
        }
        Ok(())
    }

    /// Returns its ports.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.plan.ports
    }

    /// Returns its mail server, if there is one.
    #[must_use]
    pub fn inbox(&self) -> Option<&Inbox> {
        self.plan.inbox.as_ref()
    }

    /// Checks that no part has ended by itself.
    ///
    /// # Errors
    /// Names the part that has.
    pub fn check_alive(&mut self) -> Result<()> {
        self.envoy.check_alive()?;
        if let Some(process) = &mut *self.companion_process() {
            process.check_alive()?;
        }
        self.upstream.check_alive()?;
        self.postgres.as_mut().map_or(Ok(()), Postgres::check_alive)
    }

    /// Kills the companion without a warning.
    pub fn kill_companion(&self) {
        if let Some(process) = self.companion_process().take() {
            process.kill();
        }
    }

    /// Starts the companion if it was killed, and waits until it is ready.
    pub fn start_companion(&self) -> Result<()> {
        let mut process = self.companion_process();
        if process.is_none() {
            *process = Some(self.companion.serve(&self.plan.ports, &self.plan.directory)?);
        }
        Ok(())
    }

    /// Returns the companion's process ID, unless it was killed.
    #[must_use]
    pub fn companion_pid(&self) -> Option<u32> {
        self.companion_process().as_ref().map(Process::pid)
    }

    fn companion_process(&self) -> MutexGuard<'_, Option<Process>> {
        // A panic of another thread leaves a process or none.
        self.companion_process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the gateway forwards requests and its filter has keys.
    fn await_gateway(&mut self) -> Result<()> {
        let gateway = self.plan.ports.gateway;
        wait::until("the filter's first keys", KEYS_LIMIT, || {
            self.check_alive()?;
            Ok(http::is_status_everywhere(gateway, "/readyz", 200).then_some(()))
        })
        .with_context(|| {
            format!("the gateway is not ready. The end of its log:\n{}", self.envoy.last_lines())
        })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // stack.json describes running stacks alone.
        let _reported_already = report::remove(&self.plan.directory);
    }
}

fn lock(directory: &Path) -> Result<File> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let file = File::create(directory.join("lock"))
        .with_context(|| format!("cannot write to {}", directory.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("a stack of this checkout is running already: stop it first (Ctrl-C where it was started)")
        }
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the stack's folder"),
    }
}

fn start_postgres(plan: &Plan, log: &mut dyn FnMut(&str)) -> Result<Option<Postgres>> {
    if plan.database_url.is_some() {
        log("using the database of DATABASE_URL");
        return Ok(None);
    }
    let directory = plan.directory.join("postgres");
    if plan.fresh {
        postgres::erase(&directory)?;
    }
    log("starting Postgres");
    Postgres::start(&directory, log).map(Some)
}

fn prepare_companion(
    plan: &Plan,
    postgres: Option<&Postgres>,
    log: &mut dyn FnMut(&str),
) -> Result<Companion> {
    let own = postgres.map(|server| server.url("edgeward"));
    let companion = Companion {
        database_url: own.or_else(|| plan.database_url.clone()).context("there is no database")?,
        refresh_secret: secret::keep(&plan.directory.join("refresh_secret"))?,
        certs: plan.certs.clone(),
        settings: plan.settings.clone(),
    };
    log("generating keys and running the migrations");
    companion.generate_keys()?;
    if plan.fresh && postgres.is_none() {
        companion.drop_database()?;
    }
    companion.migrate()?;
    Ok(companion)
}

fn start_upstream(plan: &Plan) -> Result<Process> {
    let port = plan.ports.upstream;
    let mut command = Command::new(paths::program("echo-upstream"));
    command.args(["--port", &port.to_string()]);
    let mut process =
        Process::spawn("The demo upstream", &mut command, &plan.directory.join("upstream.log"))?;
    wait::until("the demo upstream", Duration::from_secs(10), || {
        process.check_alive()?;
        Ok((http::status(port, "/") == Some(200)).then_some(()))
    })?;
    Ok(process)
}

fn start_envoy(plan: &Plan, program: &Path) -> Result<Envoy> {
    let configuration = envoy::configuration(plan.shell, &plan.ports, plan.replacements.iter().cloned())?;
    Envoy::start(program, &configuration, plan.ports.envoy_admin, plan.workers, &plan.directory)
}

/// Returns a variable of the environment, `None` if it is empty.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the stack reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the names of all variables of the environment.
#[expect(clippy::disallowed_methods, reason = "the one place where the stack reads the environment")]
fn variables() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}
