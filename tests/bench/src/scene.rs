//! Companion and Postgres that are measured, and their processor time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use edgeward_stack::companion::Companion;
use edgeward_stack::ports::Ports;
use edgeward_stack::process::Process;
use edgeward_stack::{Postgres, http, paths, postgres, wait};

/// Running companion and Postgres.
pub(super) struct Scene {
    pub(super) ports: Ports,
    companion: Companion,
    service: Process,
    postgres: Postgres,
}

impl Scene {
    /// Starts Postgres with these options, and a companion with these settings.
    pub(super) fn start(options: &[&str], settings: &[(&str, &str)]) -> Result<Self> {
        let directory = paths::test_folder("scene");
        postgres::erase(&directory.join("postgres"))?;
        fs::create_dir_all(&directory)?;
        let postgres = Postgres::start_with(&directory.join("postgres"), options, &mut |_| {})?;
        let companion = Companion {
            database_url: postgres.url("edgeward"),
            refresh_secret: "a secret of the tests that is long enough".to_owned(),
            certs: directory.join("certs"),
            settings: Vec::new(),
        };
        companion.generate_keys()?;
        companion.migrate()?;
        let ports = Ports::free()?;
        let service = serve(&companion, &ports, &directory, settings)?;
        Ok(Self { ports, companion, service, postgres })
    }

    /// Disables the user with an e-mail address.
    pub(super) fn disable(&self, email: &str) -> Result<()> {
        self.companion.run(&["user", "disable", email]).map(drop)
    }

    /// Returns the processor time of the companion, of Postgres and of this process.
    pub(super) fn cpu(&self) -> Result<[Duration; 3]> {
        let mut servers = Duration::ZERO;
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let Some(process) = read_process(&path) else { continue };
            if process.parent == self.postgres.pid() || process.id == self.postgres.pid() {
                servers += process.cpu;
            }
        }
        let own =
            |id: u32| read_process(&PathBuf::from(format!("/proc/{id}"))).context("a process has ended");
        Ok([own(self.service.pid())?.cpu, servers, own(std::process::id())?.cpu])
    }
}

/// Starts the companion as it runs in production, with cheap password hashes unless the settings say
/// otherwise.
fn serve(
    companion: &Companion,
    ports: &Ports,
    directory: &Path,
    settings: &[(&str, &str)],
) -> Result<Process> {
    let mut command = Command::new(paths::edgeward());
    command.arg("serve").current_dir(directory).env_clear();
    command.env("APP_ENV", "test").env("BCRYPT_COST", "4").env("DATABASE_URL", &companion.database_url);
    command.env("REFRESH_JWT_SECRET", &companion.refresh_secret).env("CERTS_DIR", &companion.certs);
    command.env("PORT", ports.companion.to_string()).env("INTERNAL_PORT", ports.internal.to_string());
    command.envs(settings.iter().copied());
    let mut process = Process::spawn("The companion", &mut command, &directory.join("companion.log"))?;
    wait::until("the companion", Duration::from_secs(30), || {
        process.check_alive()?;
        Ok((http::status(ports.internal, "/readyz") == Some(200)).then_some(()))
    })?;
    Ok(process)
}

/// Process with the processor time that it has used.
struct UsedProcess {
    id: u32,
    parent: u32,
    cpu: Duration,
}

/// Reads a process from its folder in `/proc` (proc(5), `/proc/pid/stat`). Times there are in hundredths of a second.
fn read_process(folder: &Path) -> Option<UsedProcess> {
    let id = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let cpu = Duration::from_millis(10 * (number(11)? + number(12)?));
    Some(UsedProcess { id, parent: u32::try_from(number(1)?).ok()?, cpu })
}
