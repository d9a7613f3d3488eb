//! nginx as a cache of the edge feed, with the configuration that is shipped.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use edgeward_stack::process::Process;
use edgeward_stack::{paths, ports, wait};

use crate::feed_gateway::SECRET;
use crate::skipped::say_skipped;

/// Running cache, stopped when dropped.
pub struct FeedCache {
    _nginx: Process,
    /// Port that gateways poll.
    pub port: u16,
}

/// Returns `true` if there is an nginx. Otherwise prints that the test is skipped.
#[must_use]
pub fn is_available() -> bool {
    let found = Command::new("nginx").arg("-v").output().is_ok();
    if !found {
        say_skipped("there is no nginx; apt-get install nginx-light");
    }
    found
}

impl FeedCache {
    /// Starts a cache of two companions, given by the addresses of their internal listeners, which requires [`SECRET`].
    /// `folder` is for its files.
    #[must_use]
    pub fn start(folder: &Path, companions: [&str; 2]) -> Self {
        let [port] = ports::free().expect("a port");
        let shipped = paths::root().join("deploy/feed-cache/nginx.conf");
        let mut config = fs::read_to_string(shipped).expect("a configuration");
        for (from, to) in [
            ("companion-1:5502", companions[0]),
            ("companion-2:5502", companions[1]),
            ("listen 5503", &format!("listen 127.0.0.1:{port}")),
            ("/tmp/edgeward-feed-cache", &folder.join("cache").display().to_string()),
            ("THE_SECRET", SECRET),
        ] {
            assert!(config.contains(from), "{from}");
            config = config.replace(from, to);
        }
        let file = folder.join("nginx.conf");
        fs::write(&file, config).expect("a file");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).arg("-c").arg(&file);
        command.args(["-g", &format!("daemon off; pid {};", folder.join("pid").display())]);
        let mut nginx = Process::spawn("nginx", &mut command, &folder.join("nginx.log")).expect("a process");
        wait::until("nginx", Duration::from_secs(10), || {
            nginx.check_alive()?;
            Ok(ports::is_open(port).then_some(()))
        })
        .expect("nginx listens");
        Self { _nginx: nginx, port }
    }
}
