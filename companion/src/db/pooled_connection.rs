//! Connection of the pool, with a time limit on its return.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgTransactionManager;
use sqlx::{PgConnection, PgPool, Postgres};
use sqlx_core::transaction::TransactionManager as _;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Maximum time for the return of a connection: sqlx pings the server first, without a limit of its own. A cancelled
/// request leaves its connection in the middle of a statement, and an unreachable host never responds: such a connection
/// must not occupy the pool. If the server was merely slow, this costs a new connection.
const RETURN_TIMEOUT: Duration = Duration::from_secs(1);

/// Connection that returns to its pool when it is dropped. What is not committed is rolled back first.
pub struct PooledConnection(PoolConnection<Postgres>);

impl PooledConnection {
    /// Takes a connection from the pool.
    ///
    /// # Errors
    /// [`sqlx::Error`] if none is free in time, or if none can be made.
    pub async fn acquire(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self(pool.acquire().await?))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the statement fails.
    pub async fn begin(&mut self) -> Result<(), sqlx::Error> {
        PgTransactionManager::begin(self, None).await
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the statement fails. Then it is unknown whether the transaction is committed.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        PgTransactionManager::commit(self).await
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        PgTransactionManager::start_rollback(self);
        // Without a runtime, or too late, it is closed.
        let returned = self.0.return_to_pool();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async { timeout(RETURN_TIMEOUT, returned).await });
        }
    }
}

impl Deref for PooledConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
