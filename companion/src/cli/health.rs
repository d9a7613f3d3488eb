//! `edgeward health`: checks the running service, for a container's health check.

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

/// Maximum duration of the check. Chosen: the service waits 5 s for its database before it responds with 503.
const TIMEOUT: Duration = Duration::from_secs(6);

#[derive(Args)]
pub(super) struct Health {
    /// Port of the internal listener; `INTERNAL_PORT` by default
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Path of the check: /readyz or /healthz
    #[arg(long, default_value = "/readyz")]
    path: Uri,
}

impl Health {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let listener: InternalListener = read_settings()?;
        let port = self.port.unwrap_or(listener.port);
        if port == 0 {
            bail!("INTERNAL_PORT=0 lets the system choose a port; pass the chosen one with --port");
        }
        let address = SocketAddr::from((reachable(listener.bind_address), port));
        let url = format!("http://{address}{}", self.path);
        let status = timeout(TIMEOUT, get(address, self.path))
            .await
            .with_context(|| format!("{url}: no response within {} s", TIMEOUT.as_secs()))?
            .with_context(|| url.clone())?;
        if status != StatusCode::OK {
            bail!("{url}: {status}");
        }
        Ok(())
    }
}

/// Returns the address at which this machine reaches a listener.
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
