//! Needs of a Patroni cluster on the machine: programs, files of the user `postgres`, and free ports.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use edgeward_stack::{paths, process};
use nix::unistd::{User, geteuid};

use super::Node;

/// Version of Patroni, and of the driver that it uses.
const PACKAGES: [&str; 2] = ["patroni[etcd3,psycopg3]==4.1.5", "psycopg-binary==3.3.9"];
/// Programs that are not installed by this fixture.
const PROGRAMS: [&str; 4] = ["etcd", "haproxy", "setpriv", "/usr/bin/python3"];
/// Finds or installs the programs. Returns Patroni's folder and that of Postgres.
pub(super) fn install() -> Result<(PathBuf, PathBuf), String> {
    let exists =
        |name: &str| Command::new("which").arg(name).output().is_ok_and(|found| found.status.success());
    if let Some(missing) = PROGRAMS.iter().find(|name| !exists(name)) {
        return Err(format!("{missing} is missing; run: apt-get install etcd-server haproxy python3-venv"));
    }
    let user = User::from_name("postgres").ok().flatten();
    if !geteuid().is_root() || user.is_none() {
        return Err("Patroni's test needs root, and the user postgres of Debian's package".to_owned());
    }
    let versions = fs::read_dir("/usr/lib/postgresql").map_err(|_| "no /usr/lib/postgresql".to_owned())?;
    let postgres = versions.flatten().map(|version| version.path().join("bin")).max();
    let postgres = postgres.filter(|bin| bin.join("pg_rewind").exists()).ok_or("pg_rewind is missing")?;
    let venv = paths::tools().join("patroni");
    let bin = venv.join("bin");
    if !bin.join("patronictl").exists() {
        eprintln!("installing Patroni from PyPI into {}", venv.display());
        let run = |command: &mut Command| process::output(command).map_err(|error| format!("{error:#}"));
        run(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(bin.join("pip")).args(["install", "-q"]).args(PACKAGES))?;
    }
    Ok((bin, postgres))
}

/// Command that runs as `postgres`, without the environment of the test: an inherited `PGPASSWORD` would keep a node from
/// rejoining for ever.
pub(super) fn as_postgres(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("HOME", "/tmp").current_dir("/tmp");
    command
}

pub(super) fn write_file(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    own(path, 0o600);
}

pub(super) fn own(path: &Path, mode: u32) {
    let user = User::from_name("postgres").ok().flatten().expect("the user postgres");
    chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("a file of our own");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of our own");
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}

/// Configuration of `HAProxy`, whose port follows the primary.
pub(super) fn haproxy(port: u16, nodes: &[Node]) -> String {
    let mut text = format!(
        "defaults\n mode tcp\n timeout connect 2s\n timeout client 10m\n timeout server 10m\n\
         listen primary\n bind 127.0.0.1:{port}\n option httpchk\n http-check send meth GET uri /primary\n \
         http-check expect status 200\n default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n"
    );
    for Node { name, port, rest_port, .. } in nodes {
        writeln!(text, " server {name} 127.0.0.1:{port} check port {rest_port}").expect("a string");
    }
    text
}
