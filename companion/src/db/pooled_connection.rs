//! Connection of the pool.

use std::ops::{Deref, DerefMut};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::connection::Connection;
use super::pool::{Live, Pool};

/// Connection that returns to its pool when it is dropped. What is not committed is rolled back first.
pub struct PooledConnection {
    /// `None` only while it is dropped.
    live: Option<Live>,
    permit: Option<OwnedSemaphorePermit>,
    pool: Pool,
}

impl PooledConnection {
    pub(super) fn new(live: Live, permit: OwnedSemaphorePermit, pool: Pool) -> Self {
        Self { live: Some(live), permit: Some(permit), pool }
    }

    /// Takes a connection from the pool.
    ///
    /// # Errors
    /// [`sqlx::Error`] if none is free in time, or if none can be made.
    pub async fn acquire(pool: &Pool) -> Result<Self, sqlx::Error> {
        pool.acquire().await
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let Some(mut live) = self.live.take() else { return };
        live.connection.start_rollback();
        // Without a runtime it is closed.
        if let Ok(runtime) = Handle::try_current() {
            let (pool, permit) = (self.pool.clone(), self.permit.take());
            runtime.spawn(async move {
                pool.0.put_back(live).await;
                drop(permit);
            });
        }
    }
}

impl Deref for PooledConnection {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "it is taken by `drop` alone")]
    fn deref(&self) -> &Connection {
        &self.live.as_ref().expect("a connection until it is dropped").connection
    }
}

impl DerefMut for PooledConnection {
    #[expect(clippy::expect_used, reason = "it is taken by `drop` alone")]
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.live.as_mut().expect("a connection until it is dropped").connection
    }
}
