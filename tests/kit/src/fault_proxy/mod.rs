//! Proxy between a companion and Postgres. It reads their messages one by one, and injects a fault at exactly one of them.

mod plan;
mod pump;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use reqwest::Url;
use tokio::net::{TcpListener, TcpStream};

use plan::Plan;
pub use plan::{Fault, FaultKind, Message, Side};

/// Running proxy. It ends with its runtime.
pub struct FaultProxy {
    address: SocketAddr,
    server: Arc<AtomicU16>,
    plan: Arc<Plan>,
}

impl FaultProxy {
    /// Starts a proxy to the server at a port of the loopback.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (server, plan) = (Arc::new(AtomicU16::new(server)), Arc::new(Plan::default()));
        tokio::spawn(accept(listener, Arc::clone(&server), Arc::clone(&plan)));
        Self { address, server, plan }
    }

    /// Starts a proxy before the server of a database. Returns it with the database's address through it.
    pub async fn start_before(url: &str) -> (Self, String) {
        let proxy = Self::start(Url::parse(url).ok().and_then(|url| url.port()).expect("a port")).await;
        let url = proxy.url_through(url);
        (proxy, url)
    }

    /// Returns a database's address through the proxy.
    #[must_use]
    pub fn url_through(&self, url: &str) -> String {
        let mut url = Url::parse(url).expect("the address of a database");
        url.set_port(Some(self.address.port())).expect("a port");
        url.into()
    }

    /// Forwards to another server from the next connection on.
    pub fn set_server(&self, server: u16) {
        self.server.store(server, Ordering::Relaxed);
    }

    /// Counts messages from zero, and arms a fault, if there is one.
    pub fn arm(&self, fault: Option<Fault>) {
        self.plan.arm(fault);
    }

    /// Returns the messages since the last [`Self::arm`], including the one with the fault.
    #[must_use]
    pub fn seen(&self) -> Vec<Message> {
        self.plan.seen()
    }

    /// Waits until the fault is injected.
    pub async fn wait_for_fault(&self) {
        self.plan.wait_for_fault().await;
    }

    /// Forwards the message that is held.
    pub fn release(&self) {
        self.plan.release();
    }
}

async fn accept(listener: TcpListener, server: Arc<AtomicU16>, plan: Arc<Plan>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, plan) = (server.load(Ordering::Relaxed), Arc::clone(&plan));
        tokio::spawn(async move {
            // Without a server, the client's connection is closed.
            if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await {
                pump::join(client, server, &plan).await;
            }
        });
    }
}
