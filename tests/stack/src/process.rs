//! Child processes that never outlive their starter, in whatever way it ends.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::reaper::Reaper;
use super::wait;

/// Maximum time that a process may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Chosen: several times what the first build takes on a slow machine, or the tests of `cargo xtask test --all`.
const LONGEST_RUN: Duration = Duration::from_hours(3);
const LINES_SHOWN: usize = 15;

/// Running program with a log file, stopped when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    group: Group,
}

impl Process {
    /// Starts `command`. Its output is written to a new file at `log`.
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        Self::spawn_stopped_by(Signal::SIGTERM, name, command, log)
    }

    /// Does the same for a program that another signal stops at once.
    pub fn spawn_stopped_by(signal: Signal, name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Self { name: name.to_owned(), log: log.to_owned(), group: Group::spawn(signal, command)? })
    }

    /// Returns the process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.group.child.id()
    }

    /// Checks that the program has not ended by itself.
    ///
    /// # Errors
    /// With the last lines of the log if it has.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.group.ended()? {
            bail!(
                "{} ended by itself ({status}); the end of {}:\n{}",
                self.name,
                self.log.display(),
                self.last_lines()
            );
        }
        Ok(())
    }

    /// Returns the end of the output.
    #[must_use]
    pub fn last_lines(&self) -> String {
        last_lines(&fs::read(&self.log).unwrap_or_default())
    }

    /// Returns the output.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Stops the program, and waits until it is gone.
    pub fn stop(mut self) {
        self.group.stop();
    }

    /// Kills the program without a warning, and waits until it is gone.
    pub fn kill(mut self) {
        self.group.kill();
    }
}

/// Runs a program to its end with the output of this process. A signal that stops this process stops it too.
pub fn run(command: &mut Command) -> Result<ExitStatus> {
    let mut group = Group::spawn(Signal::SIGTERM, command.stdin(Stdio::null()))?;
    wait::until(&program(command), LONGEST_RUN, || group.ended())
}

/// Runs a program to its end. Returns its output.
///
/// # Errors
/// With the end of the output if the program fails.
pub fn output(command: &mut Command) -> Result<String> {
    let mut captured = tempfile::tempfile().context("cannot create a temporary file")?;
    let status = run(command.stdout(captured.try_clone()?).stderr(captured.try_clone()?))?;
    let mut text = Vec::new();
    captured.rewind()?;
    captured.read_to_end(&mut text)?;
    if !status.success() {
        bail!("{} failed ({status}):\n{}", program(command), last_lines(&text));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `true` if there is a process with this ID, of any user.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

/// Returns the memory of a process that is in RAM, in bytes.
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let end = lines.iter().skip(lines.len().saturating_sub(LINES_SHOWN));
    end.map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Child with a process group of its own, so that its children stop with it.
#[derive(Debug)]
struct Group {
    child: Child,
    reaper: Option<Reaper>,
    stop_signal: Signal,
}

impl Group {
    fn spawn(stop_signal: Signal, command: &mut Command) -> Result<Self> {
        // The reaper starts first: a child never runs without one.
        let mut reaper = Reaper::start(stop_signal)?;
        match command.process_group(0).spawn() {
            Ok(child) => {
                reaper.watch(child.id())?;
                Ok(Self { child, reaper: Some(reaper), stop_signal })
            }
            Err(error) => {
                reaper.dismiss();
                Err(error).with_context(|| format!("cannot start {}", program(command)))
            }
        }
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            // From here on the ID may be that of another process.
            if let Some(reaper) = self.reaper.take() {
                reaper.dismiss();
            }
        }
        Ok(status)
    }

    fn stop(&mut self) {
        let ended = |group: &mut Self| group.ended().is_ok_and(|status| status.is_some());
        if ended(self) {
            return;
        }
        self.signal(self.stop_signal);
        if !wait::patiently(PATIENCE, || ended(self)) {
            self.kill();
        }
    }

    fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        wait::patiently(PATIENCE, || self.ended().is_ok_and(|status| status.is_some()));
    }

    fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            // It may have ended by itself, which is as good.
            let _gone = killpg(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
