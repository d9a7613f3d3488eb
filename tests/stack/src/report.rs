//! `stack.json`: addresses, paths and process IDs of a running stack, for other programs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Postgres, Stack, paths};

const FILE: &str = "stack.json";

/// Writes the file. A reader never sees a part of it.
pub(super) fn write(stack: &Stack) -> Result<()> {
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let ports = stack.ports();
    let report = json!({
        "gateway": at(ports.gateway),
        "envoy_admin": at(ports.envoy_admin),
        "companion": at(ports.companion),
        "companion_internal": at(ports.internal),
        "upstream": at(ports.upstream),
        "inbox": stack.plan.inbox.as_ref().map(|inbox| at(inbox.page)),
        "database_url": stack.companion.database_url,
        "filter_wasm": paths::filter_wasm(),
        "envoy_bin": stack.envoy_program,
        "pids": {
            "envoy": stack.envoy.pid(),
            "companion": stack.companion_pid(),
            "upstream": stack.upstream.pid(),
            "postgres": stack.postgres.as_ref().map(Postgres::pid),
        },
    });
    let (path, partial) = (stack.plan.directory.join(FILE), stack.plan.directory.join("stack.json.new"));
    // Only its owner may read it: the address of the database holds a password.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    writeln!(file, "{report:#}")?;
    fs::rename(&partial, &path).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads the address of the database.
pub(super) fn database_url(directory: &Path) -> Result<String> {
    let path = directory.join(FILE);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}: start the stack with `cargo xtask up`", path.display()))?;
    let report: Value = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
    let url = report.get("database_url").and_then(Value::as_str);
    url.map(str::to_owned).with_context(|| format!("{} has no database_url", path.display()))
}

pub(super) fn remove(directory: &Path) -> Result<()> {
    match fs::remove_file(directory.join(FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("cannot remove stack.json")
        }
        _ => Ok(()),
    }
}
