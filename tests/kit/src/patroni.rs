//! Three-node Patroni cluster with etcd and `HAProxy`, on free ports of this machine and as the user `postgres`.
//!
//! etcd and `HAProxy` are Debian's (`apt-get install etcd-server haproxy`); Patroni is installed into a folder of the target
//! directory, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use edgeward_stack::process::Process;
use edgeward_stack::{process, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::machine::{as_postgres, free_port, haproxy, install, own, write_file};

mod machine;

/// Maximum time of each step: a lost node is replaced after 20 s.
const LIMIT: Duration = Duration::from_mins(1);

/// Running cluster, stopped when dropped.
pub struct Cluster {
    folder: tempfile::TempDir,
    nodes: Vec<Node>,
    proxy_port: u16,
    bin: PathBuf,
    _etcd: Process,
    _proxy: Process,
}

/// One Patroni and its Postgres.
pub struct Node {
    /// Port of Postgres.
    pub port: u16,
    name: String,
    rest_port: u16,
    data: PathBuf,
    patroni: Option<Process>,
}

impl Cluster {
    /// Starts a cluster. `None`, with a message on standard error, if a program of it is missing here.
    #[must_use]
    pub fn start(is_synchronous: bool) -> Option<Self> {
        let (bin, postgres_bin) = match install() {
            Ok(installed) => installed,
            Err(missing) => {
                eprintln!("not tested: {missing}");
                return None;
            }
        };
        let folder = tempfile::Builder::new().prefix("edgeward-patroni-").tempdir().expect("a folder");
        own(folder.path(), 0o700);
        let [client_port, peer_port, proxy_port] = [(); 3].map(|()| free_port());
        let path = |name: &str| folder.path().join(name);
        let [client, peer] = [client_port, peer_port].map(|port| format!("http://127.0.0.1:{port}"));
        let mut command = as_postgres("etcd");
        command.args(["--name", "e1", "--data-dir"]).arg(path("etcd"));
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("e1={peer}")]);
        let etcd = Process::spawn("etcd", &mut command, &path("etcd.log")).expect("etcd");
        let nodes: Vec<Node> = (1..=3)
            .map(|number| Node {
                port: free_port(),
                name: format!("n{number}"),
                rest_port: free_port(),
                data: path(&format!("data{number}")),
                patroni: None,
            })
            .collect();
        for node in &nodes {
            let text = node.configuration(folder.path(), &postgres_bin, client_port, is_synchronous);
            write_file(&path(&format!("{}.yml", node.name)), &text);
        }
        write_file(&path("haproxy.cfg"), &haproxy(proxy_port, &nodes));
        let mut command = as_postgres("haproxy");
        command.arg("-f").arg(path("haproxy.cfg"));
        let proxy = Process::spawn("haproxy", &mut command, &path("haproxy.log")).expect("HAProxy");
        let mut cluster = Self { folder, nodes, proxy_port, bin, _etcd: etcd, _proxy: proxy };
        for index in 0..3 {
            cluster.start_node(index);
        }
        cluster.wait_until_complete();
        Some(cluster)
    }

    /// Address of a database, by `HAProxy`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:super@127.0.0.1:{}/{database}", self.proxy_port)
    }

    /// Address of a database, by all nodes.
    #[must_use]
    pub fn url_of_nodes(&self, database: &str) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("postgres://postgres:super@{}/{database}", hosts.join(","))
    }

    /// Ports of the nodes' Postgres.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port).collect()
    }

    /// Waits until one node leads and the two others stream from it.
    pub fn wait_until_complete(&self) {
        let is_complete = || {
            let states: Vec<String> = self.nodes.iter().map(Node::state).collect();
            let leaders = states.iter().filter(|state| state.contains("\"role\": \"primary\"")).count();
            let streaming =
                states.iter().filter(|state| state.contains("\"replication_state\": \"streaming\"")).count();
            Ok((leaders == 1 && streaming >= 2).then_some(()))
        };
        if let Err(error) = wait::until("three nodes of Patroni", LIMIT, is_complete) {
            let logs = self.nodes.iter().filter_map(|node| node.patroni.as_ref()).map(Process::last_lines);
            panic!("{error:#}\n{}", logs.collect::<Vec<_>>().join("\n"));
        }
    }

    /// Returns the index of the primary.
    #[must_use]
    pub fn primary(&self) -> usize {
        let found = || Ok(self.nodes.iter().position(|node| node.state().contains("\"role\": \"primary\"")));
        wait::until("a primary", LIMIT, found).expect("a primary")
    }

    /// Has another node lead, in an orderly way.
    pub fn switch_over(&self) {
        let leader = &self.nodes[self.primary()].name;
        let mut command = as_postgres(&self.bin.join("patronictl").display().to_string());
        command.arg("-c").arg(self.folder.path().join("n1.yml"));
        process::output(command.args(["switchover", "edgeward", "--leader", leader, "--force"]))
            .expect("a switchover");
    }

    /// Kills the Postgres of the primary. Its Patroni gives up the lead.
    pub fn kill_primary(&self) {
        self.nodes[self.primary()].kill_postgres();
    }

    /// Loses the node of the primary: Patroni and Postgres are killed. Returns its index.
    pub fn lose_node(&mut self) -> usize {
        let primary = self.primary();
        if let Some(patroni) = self.nodes[primary].patroni.take() {
            patroni.kill();
        }
        self.nodes[primary].kill_postgres();
        primary
    }

    /// Stops the processes that send the write-ahead log, so that acknowledged commits reach no standby.
    pub fn freeze_replication(&self) {
        for pid in self.nodes[self.primary()].walsenders() {
            kill(pid, Signal::SIGSTOP).expect("a process");
        }
    }

    /// Starts the Patroni of a node.
    pub fn start_node(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let mut command = as_postgres(&self.bin.join("patroni").display().to_string());
        command.arg(self.folder.path().join(format!("{}.yml", node.name)));
        let log = self.folder.path().join(format!("{}.log", node.name));
        node.patroni = Some(Process::spawn("Patroni", &mut command, &log).expect("Patroni"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(patroni) = node.patroni.take() {
                patroni.kill();
            }
            node.kill_postgres();
        }
    }
}

impl Node {
    fn configuration(&self, folder: &Path, bin: &Path, etcd: u16, is_synchronous: bool) -> String {
        let Self { port, name, rest_port, data, .. } = self;
        let (folder, bin, data) = (folder.display(), bin.display(), data.display());
        format!(
            r#"scope: edgeward
name: {name}
restapi: {{listen: "127.0.0.1:{rest_port}", connect_address: "127.0.0.1:{rest_port}"}}
etcd3: {{host: "127.0.0.1:{etcd}"}}
bootstrap:
  dcs: {{ttl: 20, loop_wait: 2, retry_timeout: 3, maximum_lag_on_failover: 1048576, check_timeline: true,
        primary_start_timeout: 0, synchronous_mode: {is_synchronous}, synchronous_mode_strict: {is_synchronous},
        postgresql: {{use_pg_rewind: true, use_slots: true, parameters: {{wal_log_hints: "on", max_connections: 100}}}}}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {data}
  bin_dir: {bin}
  pgpass: {folder}/pgpass-{name}
  authentication: {{superuser: {{username: postgres, password: super}}, replication: {{username: repl, password: repl}},
                   rewind: {{username: rewind, password: rewind}}}}
  pg_hba: ["host all all 127.0.0.1/32 scram-sha-256", "host replication repl 127.0.0.1/32 scram-sha-256",
           "local all all trust"]
  parameters: {{unix_socket_directories: {folder}}}
"#
        )
    }

    /// State as its Patroni reports it; empty if that does not respond.
    fn state(&self) -> String {
        let url = format!("http://127.0.0.1:{}/patroni", self.rest_port);
        let state = Command::new("curl").args(["-s", "-m", "2", &url]).output();
        let text =
            state.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        if self.patroni.is_some() { text } else { String::new() }
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        text.lines().next()?.parse().ok().map(Pid::from_raw)
    }

    fn children(&self) -> Vec<Pid> {
        let Some(postmaster) = self.postmaster() else { return Vec::new() };
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        let children = children.unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok().map(Pid::from_raw)).collect()
    }

    fn walsenders(&self) -> Vec<Pid> {
        let is_sender = |pid: &Pid| {
            fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|name| name.contains("walsender"))
        };
        self.children().into_iter().filter(is_sender).collect()
    }

    /// Kills the postmaster, and the processes that send the log: frozen ones would not see its end.
    fn kill_postgres(&self) {
        for pid in self.walsenders().into_iter().chain(self.postmaster()) {
            kill(pid, Signal::SIGKILL).ok();
        }
    }
}
