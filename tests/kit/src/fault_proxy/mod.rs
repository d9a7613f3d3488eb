//! Stands between a companion and Postgres, reads what they say message by message, and does harm at exactly one of
//! the messages; never why, nor what ought to come of it.

mod plan;
mod pump;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use reqwest::Url;
use tokio::net::{TcpListener, TcpStream};

use plan::Plan;
pub use plan::{Fault, Harm, Message, Side};

/// A running proxy. It ends with its runtime.
pub struct FaultProxy {
    address: SocketAddr,
    server: Arc<AtomicU16>,
    plan: Arc<Plan>,
}

impl FaultProxy {
    /// A proxy to the server at this port of the loopback.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (server, plan) = (Arc::new(AtomicU16::new(server)), Arc::new(Plan::default()));
        tokio::spawn(accept(listener, Arc::clone(&server), Arc::clone(&plan)));
        Self { address, server, plan }
    }

    /// The port of a database's server, and its address by way of a proxy of its own.
    pub async fn before(url: &str) -> (Self, String) {
        let proxy = Self::start(Url::parse(url).ok().and_then(|url| url.port()).expect("a port")).await;
        let url = proxy.lead_through(url);
        (proxy, url)
    }

    /// A database's address, by way of here.
    #[must_use]
    pub fn lead_through(&self, url: &str) -> String {
        let mut url = Url::parse(url).expect("the address of a database");
        url.set_port(Some(self.address.port())).expect("a port");
        url.into()
    }

    /// Leads to another server from the next connection on.
    pub fn lead_to(&self, server: u16) {
        self.server.store(server, Ordering::Relaxed);
    }

    /// Counts messages anew, and does harm at one of them.
    pub fn arm(&self, fault: Option<Fault>) {
        self.plan.arm(fault);
    }

    /// The messages that came since it was armed, the one included at which harm was done.
    #[must_use]
    pub fn seen(&self) -> Vec<Message> {
        self.plan.seen()
    }

    /// Waits until harm is done.
    pub async fn harmed(&self) {
        self.plan.harmed().await;
    }

    /// Lets the message go on that is held.
    pub fn release(&self) {
        self.plan.release();
    }
}

async fn accept(listener: TcpListener, server: Arc<AtomicU16>, plan: Arc<Plan>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, plan) = (server.load(Ordering::Relaxed), Arc::clone(&plan));
        tokio::spawn(async move {
            // With no server there, the client's connection just ends.
            if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await {
                pump::join(client, server, &plan).await;
            }
        });
    }
}
