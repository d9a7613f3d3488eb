//! `edgeward health`: asks the running service how it is, for a container's health check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{Request, StatusCode, Uri};
use clap::Args;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::read_settings;
use crate::config::InternalListener;

/// Maximum duration of the whole check. Chosen: the service itself waits 5 s for its database before it says 503.
const LIMIT: Duration = Duration::from_secs(6);

#[derive(Args)]
pub(super) struct Health {
    /// Port to ask, instead of `INTERNAL_PORT`
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Path to ask for: /readyz or /healthz
    #[arg(long, default_value = "/readyz")]
    path: Uri,
}

impl Health {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let listener: InternalListener = read_settings()?;
        let port = self.port.unwrap_or(listener.port);
        if port == 0 {
            bail!("INTERNAL_PORT=0 is a free port of the system's choice; name the one it chose with --port");
        }
        let address = SocketAddr::from((reachable(listener.bind_address), port));
        let asked = format!("http://{address}{}", self.path);
        let answered = timeout(LIMIT, get(address, self.path)).await;
        let status = answered
            .with_context(|| format!("{asked}: no response within {} s", LIMIT.as_secs()))?
            .with_context(|| asked.clone())?;
        if status != StatusCode::OK {
            bail!("{asked}: {status}");
        }
        Ok(())
    }
}

/// The address at which this machine reaches a listener.
fn reachable(bind_address: IpAddr) -> IpAddr {
    match bind_address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

async fn get(address: SocketAddr, path: Uri) -> anyhow::Result<StatusCode> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get(path).header(HOST, address.to_string()).body(Body::empty())?;
    Ok(sender.send_request(request).await?.status())
}
