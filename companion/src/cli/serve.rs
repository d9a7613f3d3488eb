//! `edgeward serve`: the order in which the service starts and stops.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use clap::Args;
use sqlx::PgPool;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{connect, read_settings};
use crate::clock::SystemClock;
use crate::config::{Config, Database};
use crate::db::pool::{self, PoolError};
use crate::db::{edge_feed, schema};
use crate::domain::caller::Caller;
use crate::http::routes;
use crate::http::server::{self, Protocol};
use crate::http::state::AppState;
use crate::jobs::Runner;
use crate::jobs::clean::Clean;
use crate::jobs::follow_keys::FollowKeys;
use crate::jobs::report_audit::ReportAudit;
use crate::keys::folder;
use crate::random::Random;
use crate::telemetry::log;

/// How many connections may wait to be accepted; the system may allow less. With fewer than the gateway opens at once
/// (the usual 128), those beyond are not heard, and given up after a second.
const WAITING_CONNECTIONS: u32 = 4096;

/// How long requests in flight may take to finish.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct Serve {
    /// Apply pending migrations first
    #[arg(long)]
    migrate: bool,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config: Config = read_settings()?;
        log::start(&config.log)?;
        let (fingerprint, keys) = folder::read_consistent(&config.keys.0);
        let keys = keys?;
        for path in folder::list_exposed(&config.keys.0) {
            tracing::warn!(path = %path.display(), "a private key can be read by others");
        }
        // Before the first wait: the system ends process 1 by no signal that it does not listen for.
        let (mut drain, stop) = watch_for_stop(config.http.drain_delay)?;
        let mut stopped = stop.clone();
        let pool = tokio::select! {
            pool = self.open_database(&config.database) => pool?,
            _ = drain.wait_for(|drain| *drain) => {
                tracing::info!("stopped");
                return Ok(());
            }
        };
        let random: Random = Arc::new(SystemRandom::new());
        let state = AppState::new(&config, pool.clone(), keys, Arc::new(SystemClock), &random)?;
        let public = listen("public", config.http.bind_address, config.http.port)?;
        let internal = listen("internal", config.http.bind_address, config.http.internal_port)?;

        let context = state.context(Caller::SYSTEM);
        let mut jobs = Runner::default();
        jobs.start(FollowKeys {
            context: context.clone(),
            tokens: Arc::clone(&state.tokens),
            directory: config.keys.0.clone(),
            seen: fingerprint,
        });
        jobs.start(ReportAudit { context: context.clone() });
        jobs.start(Clean { context, random });

        let draining = state.draining.clone();
        tokio::spawn(async move {
            // The sender lives as long as the process.
            _ = drain.wait_for(|drain| *drain).await;
            draining.begin();
        });
        let served = async {
            tokio::join!(
                server::serve(public, Protocol::Http1, routes::public(state.clone()), stop.clone()),
                server::serve(internal, Protocol::Http1OrHttp2, routes::internal(state), stop.clone()),
            )
        };
        let too_late = async {
            // The sender lives as long as the process.
            _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = served => {}
            () = too_late => tracing::warn!("requests in flight were cut off"),
        }
        jobs.stop().await;
        // A connection that somebody still holds must not hold the end.
        _ = tokio::time::timeout(Duration::from_secs(1), pool.close()).await;
        tracing::info!("stopped");
        Ok(())
    }
}

impl Serve {
    /// Connections to a database that is up, has our schema, and knows every revocation as its own.
    async fn open_database(&self, database: &Database) -> anyhow::Result<PgPool> {
        let tell = |cause: &dyn Display| tracing::warn!(%cause, "the database is not up yet");
        let mut connection = connect::wait_until_up(database, database.wait, &tell).await?;
        connect::refuse_shared(database, &mut connection).await?;
        if self.migrate {
            schema::run(&mut connection).await?;
        }
        connect::require_schema(&mut connection).await?;
        let restored = edge_feed::adopt_restored(&mut connection).await?;
        if restored > 0 {
            tracing::info!(restored, "revocations of another server are taken over");
        }
        // A pooler may have no more for us than the pool takes.
        drop(connection);
        let pool = pool::make(database);
        match pool::fill(&pool).await {
            Ok(()) => {}
            Err(cause @ PoolError::Shared) => return Err(cause.into()),
            Err(cause) => tracing::warn!(%cause, "the service starts all the same"),
        }
        Ok(pool)
    }
}

fn listen(listener: &str, address: std::net::IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((address, port));
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(WAITING_CONNECTIONS)
    };
    let bound = bind().with_context(|| format!("cannot listen on {address} for the {listener} API"))?;
    tracing::info!(listener, address = %bound.local_addr()?, "listening");
    Ok(bound)
}

/// Two moments, each told by a value that turns true: when the service is no longer to be asked, and when it is to stop.
///
/// SIGTERM comes from whoever also asks `/readyz` and balances load, and needs `delay` to notice; until then the service
/// accepts connections as before. SIGINT comes from a person, and a second signal from one in a hurry: neither waits.
fn watch_for_stop(delay: Duration) -> anyhow::Result<(watch::Receiver<bool>, watch::Receiver<bool>)> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let ((drain, draining), (stop, stopping)) = (watch::channel(false), watch::channel(false));
    tokio::spawn(async move {
        let delay = tokio::select! {
            _ = terminate.recv() => delay,
            _ = interrupt.recv() => Duration::ZERO,
        };
        tracing::info!("stopping");
        drain.send_replace(true);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
        stop.closed().await;
    });
    Ok((draining, stopping))
}
