//! Servers behind Envoy in a measurement. They respond as cheaply as possible, and in this process, so that Envoy's
//! processor time does not contain theirs.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nok\n";
const ALLOWED: &[u8] =
    b"HTTP/1.1 200 OK\r\nx-user-id: 42\r\nx-user-role: customer\r\nx-session-id: 7\r\ncontent-length: 0\r\n\r\n";
const DENIED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";

/// User in the responses of the `ext_authz` server.
pub(super) const AUTHZ_USER: usize = 42;

/// Head of the last request that reached the upstream, while it is recorded.
pub(super) type Recorder = Arc<Mutex<Option<Vec<u8>>>>;

/// Ports of the servers.
#[derive(Clone, Copy)]
pub(super) struct Servers {
    pub(super) upstream: u16,
    pub(super) authz: u16,
    /// Edge feed.
    pub(super) feed: u16,
}

/// Starts the upstream and the `ext_authz` server, beside the edge feed. They run while this runtime runs.
pub(super) async fn start(recorder: Recorder, feed: u16) -> Result<Servers> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (upstream, authz) = (listen().await?, listen().await?);
    let servers =
        Servers { upstream: upstream.local_addr()?.port(), authz: authz.local_addr()?.port(), feed };
    tokio::spawn(accept(upstream, move |head| {
        let mut last = recorder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &mut *last {
            head.clone_into(last);
        }
        OK
    }));
    tokio::spawn(accept(authz, |head| {
        let has_token = head.windows(13).any(|window| window == b"access_token=");
        if has_token { ALLOWED } else { DENIED }
    }));
    Ok(servers)
}

async fn accept(listener: TcpListener, respond: impl Fn(&[u8]) -> &'static [u8] + Clone + Send + 'static) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, respond.clone()));
    }
}

/// Responds to request heads without bodies, one after the other.
async fn serve(mut stream: TcpStream, respond: impl Fn(&[u8]) -> &'static [u8]) {
    let mut head = Vec::with_capacity(8192);
    while let Ok(1..) = stream.read_buf(&mut head).await {
        if head.ends_with(b"\r\n\r\n") {
            if stream.write_all(respond(&head)).await.is_err() {
                return;
            }
            head.clear();
        }
    }
}
