//! Job that reloads the signing keys within two seconds after their folder changes, without a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::keys::folder::Fingerprint;
use crate::service::{Context, Tokens, keys};

/// Key reloading job.
pub struct FollowKeys {
    /// Clock, metrics and caller of its audit events.
    pub context: Context,
    /// Holder of the keys in use.
    pub tokens: Arc<Tokens>,
    /// Folder of the keys.
    pub directory: PathBuf,
    /// Fingerprint of the folder at the last read.
    pub seen: Fingerprint,
}

impl Job for FollowKeys {
    const NAME: &'static str = "follow the folder of keys";

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        let reloaded =
            keys::reload(&self.context, &self.tokens, self.directory.clone(), self.seen.clone()).await?;
        if let Some(fingerprint) = reloaded {
            self.seen = fingerprint;
        }
        Ok(())
    }
}
