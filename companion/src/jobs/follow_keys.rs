//! Job that reloads the signing keys within two seconds after their store changes, without a restart.

use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::service::keys::{self, KeySource};
use crate::service::{Context, Tokens};

/// Key reloading job.
pub struct FollowKeys {
    /// Clock, connections, metrics and caller of its audit events.
    pub context: Context,
    /// Holder of the keys in use.
    pub tokens: Arc<Tokens>,
    /// Store of the keys, and its state at the last read.
    pub source: KeySource,
}

impl Job for FollowKeys {
    const NAME: &'static str = "follow the signing keys";

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        Ok(keys::reload(&self.context, &self.tokens, &mut self.source).await?)
    }
}
