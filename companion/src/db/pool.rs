//! Pool of connections to Postgres, and the time limits of its use.
//!
//! It is not sqlx's: that one connects to a single server, waits as long as a server that is gone does not respond, and
//! replaces an old connection in the request that needs it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Connection as _;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::connect::ACQUIRE_TIMEOUT;
use super::connection::Connection;
use super::fault::{self, ConnectFault};
use super::pooled_connection::PooledConnection;
use super::servers::Servers;
use crate::config::{Database, PoolerMode};

mod fill;

pub use self::fill::{PoolError, fill};

/// Idle time up to which a connection is used without a ping. Every connection is pinged when it is released; a round
/// trip before every statement would cost a good part of what a refresh does.
const MAX_UNCHECKED_IDLE: Duration = Duration::from_secs(1);

/// Maximum time of a ping, and of the farewell to a server: neither has a limit of its own. A cancelled request leaves its
/// connection in the middle of a statement, and an unreachable host never responds: such a connection must not occupy
/// the pool. If the server was merely slow, this costs a new connection.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// Pause after the first failed attempt to connect. Each pause is twice as long as the one before, up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(10);
/// Maximum pause between two attempts to connect. Chosen: a small part of the time that a failover takes.
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// Age at which a connection is replaced, less a fifth to plus a fifth of it. Chosen: a server process does not grow for
/// ever, and connections through a proxy follow a change of its servers.
const AGE: Duration = Duration::from_mins(30);

/// Pool of connections, made as they are needed.
///
/// A lost connection is replaced by the request that needs it, for at most [`ACQUIRE_TIMEOUT`]. An old one is replaced
/// when it comes back, by a task of its own: one at a time, and each at another age, so that the pool is never short of
/// more than one.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Inner>);

pub(super) struct Inner {
    servers: Servers,
    mode: PoolerMode,
    size: u32,
    /// A permit for each connection in use.
    permits: Arc<Semaphore>,
    idle: Mutex<VecDeque<Idle>>,
    /// Number of connections made so far, which spreads their ages.
    made: AtomicU32,
    /// Held by the one replacement at a time.
    replacement: AsyncMutex<()>,
}

/// Connection with what the pool knows of it.
pub(super) struct Live {
    pub(super) connection: Connection,
    server: usize,
    old_at: Instant,
}

struct Idle {
    live: Live,
    since: Instant,
}

impl Pool {
    /// Makes a pool of at most `database.pool_size` connections, which connects as needed.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        let size = database.pool_size;
        Self(Arc::new(Inner {
            servers: Servers::new(database, true),
            mode: database.pooler_mode,
            size,
            permits: Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
            made: AtomicU32::new(0),
            replacement: AsyncMutex::new(()),
        }))
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// [`sqlx::Error::PoolTimedOut`] if none is free and none can be made within 5 s, [`sqlx::Error::PoolClosed`] after
    /// [`Pool::close`], any other if no server will accept a connection later either.
    pub(super) async fn acquire(&self) -> Result<PooledConnection, sqlx::Error> {
        timeout(ACQUIRE_TIMEOUT, self.take()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn take(&self) -> Result<PooledConnection, sqlx::Error> {
        let inner = &self.0;
        let permit = Arc::clone(&inner.permits).acquire_owned().await;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(Idle { mut live, since }) = inner.pop_idle() {
            let is_good = live.server == inner.servers.current()
                && (since.elapsed() <= MAX_UNCHECKED_IDLE || ping(&mut live.connection).await);
            if is_good {
                return Ok(PooledConnection::new(live, permit, self.clone()));
            }
        }
        let mut pause = MIN_PAUSE;
        loop {
            match inner.connect().await {
                Ok(live) => return Ok(PooledConnection::new(live, permit, self.clone())),
                Err(error) if fault::classify_connect(&error) != ConnectFault::Temporary => {
                    return Err(error);
                }
                Err(_) => sleep(pause).await,
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Closes the idle connections now and the others when they come back. Nothing is acquired any more.
    pub async fn close(&self) {
        self.0.permits.close();
        let idle = std::mem::take(&mut *self.0.lock_idle());
        for Idle { live, .. } in idle {
            close(live).await;
        }
    }

    /// Returns the number of connections, including those that are being made.
    #[must_use]
    pub fn size(&self) -> u32 {
        let free = u32::try_from(self.0.permits.available_permits()).unwrap_or(u32::MAX);
        let idle = u32::try_from(self.num_idle()).unwrap_or(u32::MAX);
        self.0.size.saturating_sub(free).saturating_add(idle).min(self.0.size)
    }

    /// Returns the number of idle connections.
    #[must_use]
    pub fn num_idle(&self) -> usize {
        self.0.lock_idle().len()
    }
}

impl Inner {
    fn lock_idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Idle>> {
        // No code that panics runs under the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop_idle(&self) -> Option<Idle> {
        self.lock_idle().pop_front()
    }

    async fn connect(&self) -> Result<Live, sqlx::Error> {
        let (connection, server) = self.servers.connect().await?;
        let old_at = Instant::now() + age_of(self.made.fetch_add(1, Ordering::Relaxed));
        Ok(Live { connection, server, old_at })
    }

    /// Takes back a connection, unless it is of no more use. The caller holds its permit until then.
    pub(super) async fn put_back(&self, mut live: Live) {
        if live.connection.is_faulty()
            || live.server != self.servers.current()
            || self.permits.is_closed()
            || !ping(&mut live.connection).await
        {
            close(live).await;
            return;
        }
        if live.old_at <= Instant::now()
            && let Ok(_one_at_a_time) = self.replacement.try_lock()
        {
            close(live).await;
            match timeout(ACQUIRE_TIMEOUT, self.connect()).await {
                Ok(Ok(new)) => live = new,
                _ => return,
            }
        }
        self.lock_idle().push_back(Idle { live, since: Instant::now() });
    }
}

/// Returns the age at which the connection of a number is replaced: 24 to 36 minutes. Multiples of the golden ratio spread
/// evenly, however many there are (Knuth, The Art of Computer Programming, volume 3, §6.4).
fn age_of(number: u32) -> Duration {
    /// 2³² divided by the golden ratio.
    const STEP: u32 = 0x9e37_79b9;
    let fraction = f64::from(number.wrapping_mul(STEP)) / f64::from(u32::MAX);
    AGE.mul_f64(0.8 + 0.4 * fraction)
}

/// Returns `true` if the server responds in time. What is left of an abandoned statement is read before.
async fn ping(connection: &mut Connection) -> bool {
    matches!(timeout(PING_TIMEOUT, connection.raw().ping()).await, Ok(Ok(())))
}

async fn close(live: Live) {
    // The socket is closed in any case.
    timeout(PING_TIMEOUT, live.connection.close()).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_of_connections_differ_and_stay_within_a_fifth() {
        let mut ages: Vec<Duration> = (0..20).map(age_of).collect();
        ages.sort();
        assert!(ages[0] >= AGE.mul_f64(0.8) && ages[19] <= AGE.mul_f64(1.2), "{ages:?}");
        let closest = ages.windows(2).map(|pair| pair[1].abs_diff(pair[0])).min();
        assert!(closest > Some(Duration::from_secs(10)), "{closest:?}");
    }
}
