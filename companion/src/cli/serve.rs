//! `edgeward serve`: the order in which the service starts and stops.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use clap::Args;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{sleep, timeout};

use super::config_::NO_MAIL;
use super::shutdown::Shutdown;
use super::{connect, read_settings};
use crate::clock::SystemClock;
use crate::config::{AuditRetention, Config, Database, KeyStore};
use crate::db::pool::{self, Pool, PoolError};
use crate::db::{self, edge_feed, pooler, schema};
use crate::domain::caller::Caller;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::key_set::KeySet;
use crate::http::routes;
use crate::http::server::{self, Protocol};
use crate::http::state::AppState;
use crate::jobs::Runner;
use crate::jobs::clean::Clean;
use crate::jobs::delete_old_entries::DeleteOldEntries;
use crate::jobs::follow_keys::FollowKeys;
use crate::jobs::report_audit::ReportAudit;
use crate::jobs::reseal_factors::ResealFactors;
use crate::jobs::send_mail::SendMail;
use crate::mail::Mailer;
use crate::random::Random;
use crate::service::keys::{self, KeySource};
use crate::service::mail::Delivery;
use crate::telemetry::log;
use crate::telemetry::traces::Traces;

/// Maximum number of connections that wait to be accepted; the system may allow fewer. With the usual 128, less than
/// the gateway opens at once, the system drops the others, and the gateway gives up after a second.
const LISTEN_BACKLOG: u32 = 4096;

/// Maximum time that requests in flight may take after the stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time that the pool may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(super) struct Serve {
    /// Apply pending migrations first
    #[arg(long)]
    migrate: bool,
}

/// Signing keys of the start.
enum Keys<'a> {
    /// Those of a folder.
    Read(Box<(KeySet, KeySource)>),
    /// Those of the database, under these key-encryption keys.
    InDatabase(&'a KeyEncryptionKeys),
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config: Config = read_settings()?;
        let traces = Traces::start(&config.traces)?;
        log::start(&config.log, traces.as_ref())?;
        // A mistake in a folder shows without a database.
        let keys = match &config.keys {
            KeyStore::Folder(directory) => Keys::Read(Box::new(keys::open_folder(directory)?)),
            KeyStore::Database(encryption) => Keys::InDatabase(encryption),
        };
        // Before the first wait: process 1 ignores signals that it has no handler for.
        let shutdown = Shutdown::on_signal(config.http.drain_delay)?;
        let (pool, (keys, source)) = tokio::select! {
            opened = self.open_database(&config.database, keys) => opened?,
            () = shutdown.clone().draining() => {
                tracing::info!("stopped");
                return Ok(());
            }
        };
        let mailer = Mailer::new(&config)?;
        if mailer.is_none() {
            tracing::info!("{NO_MAIL}");
        }
        let random: Random = Arc::new(SystemRandom::new());
        let state = AppState::new(&config, pool.clone(), keys, Arc::new(SystemClock), &random)?;
        let public = listen("public", config.http.bind_address, config.http.port)?;
        let internal = listen("internal", config.http.bind_address, config.http.internal_port)?;
        let jobs = start_jobs(&config, &state, source, random, mailer);

        // Jobs end while the requests in flight do, which do not need them.
        let end_jobs = async {
            shutdown.clone().stopping().await;
            jobs.stop().await;
        };
        tokio::join!(serve_until(shutdown.clone(), public, internal, state), end_jobs);

        // A connection in use must not block the end.
        _ = timeout(CLOSE_TIMEOUT, pool.close()).await;
        if let Some(traces) = traces {
            traces.stop().await;
        }
        tracing::info!("stopped");
        Ok(())
    }

    /// Opens a pool on a database that is up, has our schema, and holds no revocation of another server. Reads the keys that
    /// it has.
    async fn open_database(
        &self,
        database: &Database,
        keys: Keys<'_>,
    ) -> anyhow::Result<(Pool, (KeySet, KeySource))> {
        let on_retry = |cause: &dyn Display| tracing::warn!(%cause, "the database is not up yet");
        if self.migrate {
            let direct = &database.direct();
            pooler::require_session(direct)?;
            let mut connection = db::connect::connect(direct, database.wait, &on_retry).await?;
            pooler::require_unshared(direct, &mut connection).await?;
            schema::run(&mut connection).await?;
        }
        let mut connection = db::connect::connect(database, database.wait, &on_retry).await?;
        pooler::require_unshared(database, &mut connection).await?;
        connect::require_schema(&mut connection).await?;
        let restored = edge_feed::adopt_restored(&mut connection).await?;
        if restored > 0 {
            tracing::info!(restored, "adopted revocations that were restored from another server");
        }
        let keys = match keys {
            Keys::Read(keys) => *keys,
            Keys::InDatabase(encryption) => keys::open_database(&mut connection, encryption).await?,
        };
        // A pooler may allow no more connections than the pool has.
        drop(connection);
        let pool = Pool::new(database);
        match pool::fill(&pool).await {
            Ok(()) => {}
            Err(cause @ PoolError::Shared) => return Err(cause.into()),
            Err(cause) => tracing::warn!(%cause, "starting with an incomplete connection pool"),
        }
        Ok((pool, keys))
    }
}

fn listen(listener: &str, address: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((address, port));
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(LISTEN_BACKLOG)
    };
    let bound = bind().with_context(|| format!("cannot listen on {address} for the {listener} API"))?;
    tracing::info!(listener, address = %bound.local_addr()?, "listening");
    Ok(bound)
}

fn start_jobs(
    config: &Config,
    state: &AppState,
    source: KeySource,
    random: Random,
    mailer: Option<Mailer>,
) -> Runner {
    let context = state.context(Caller::SYSTEM);
    let mut jobs = Runner::new(Arc::clone(&state.metrics), Arc::clone(&state.clock));
    jobs.start(FollowKeys { context: context.clone(), tokens: Arc::clone(&state.tokens), source });
    jobs.start(ReportAudit { context: context.clone() });
    if let AuditRetention(Some(retention)) = config.audit_retention {
        jobs.start(DeleteOldEntries { context: context.clone(), retention });
    }
    if let Some(mailer) = mailer {
        jobs.start(SendMail { context: context.clone(), mailer, last: Delivery::Idle });
    }
    let factors = Arc::clone(&state.factors);
    jobs.start(ResealFactors { context: context.clone(), factors, has_run: false });
    jobs.start(Clean { context, random });
    jobs
}

/// Serves both listeners until the shutdown, and then until the requests in flight have their responses, for at most
/// [`STOP_TIMEOUT`].
async fn serve_until(shutdown: Shutdown, public: TcpListener, internal: TcpListener, state: AppState) {
    let (draining, drain) = (state.draining.clone(), shutdown.clone());
    tokio::spawn(async move {
        drain.draining().await;
        draining.start();
    });
    let stop = shutdown.stop();
    let served = async {
        tokio::join!(
            server::serve(public, Protocol::Http1, routes::public(state.clone()), stop.clone()),
            server::serve(internal, Protocol::Http1OrHttp2, routes::internal(state), stop.clone()),
        )
    };
    let timed_out = async {
        shutdown.stopping().await;
        sleep(STOP_TIMEOUT).await;
    };
    tokio::select! {
        _ = served => {}
        () = timed_out => tracing::warn!("requests in flight were cut off after {} s", STOP_TIMEOUT.as_secs()),
    }
}
