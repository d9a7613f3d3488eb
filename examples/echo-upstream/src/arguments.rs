//! Arguments of the command line.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "usage: echo-upstream [--bind ADDRESS] [--port PORT] [--health]";

/// Arguments of the command line.
pub(crate) struct Arguments {
    /// Address to listen on.
    pub(crate) address: SocketAddr,
    /// `true` to check a running instance, as a container's health check does.
    pub(crate) health: bool,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut bind = "127.0.0.1".to_owned();
        let mut port = "8081".to_owned();
        let mut health = false;
        while let Some(flag) = arguments.next() {
            let value = match flag.as_str() {
                "--bind" => &mut bind,
                "--port" => &mut port,
                "--health" => {
                    health = true;
                    continue;
                }
                _ => bail!("`{flag}` is not known\n{USAGE}"),
            };
            *value = arguments.next().with_context(|| format!("{flag} lacks its value\n{USAGE}"))?;
        }
        let ip: IpAddr = bind.parse().with_context(|| format!("`{bind}` is not an IP address"))?;
        let port: u16 = port.parse().with_context(|| format!("`{port}` is not a port"))?;
        Ok(Self { address: SocketAddr::new(ip, port), health })
    }
}
