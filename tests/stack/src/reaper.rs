//! Shell process that stops a child when its starter is gone.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

/// Reads the child's ID, then waits for a word. The word means that the child has been stopped. The end of the input means
/// that the starter is gone: the system closes the input in whatever way the starter ends.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r child || exit 0
read -r word && exit 0
kill -s "$1" -- "-$child" 2>/dev/null || exit 0
tries=50
while [ "$tries" -gt 0 ] && kill -s 0 -- "-$child" 2>/dev/null; do
    sleep 0.1
    tries=$((tries - 1))
done
kill -s KILL -- "-$child" 2>/dev/null
"#;

#[derive(Debug)]
pub(super) struct Reaper {
    shell: Child,
}

impl Reaper {
    pub(super) fn start(stop_signal: Signal) -> Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "reaper", stop_signal.as_str().trim_start_matches("SIG")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // A signal to the group of its starter must not end it.
            .process_group(0)
            .spawn()
            .context("cannot start /bin/sh")?;
        Ok(Self { shell })
    }

    pub(super) fn watch(&mut self, child: u32) -> Result<()> {
        let mut input = self.shell.stdin.as_ref().context("the reaper has no input")?;
        writeln!(input, "{child}").context("the reaper is gone")
    }

    /// Ends the reaper of a child that has ended.
    pub(super) fn dismiss(mut self) {
        if let Some(mut input) = self.shell.stdin.take() {
            // It may be gone already.
            let _gone = writeln!(input, "done");
        }
        let _status = self.shell.wait();
    }
}
