//! Job that reloads the signing keys within two seconds after their folder changes, without a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::domain::audit::{Entry, Event};
use crate::keys::folder::{self, Fingerprint};
use crate::service::{Context, Tokens};
use crate::telemetry::audit;

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
        let (directory, seen) = (self.directory.clone(), self.seen.clone());
        let read = tokio::task::spawn_blocking(move || folder::read_if_changed(&directory, &seen)).await?;
        let Some((fingerprint, keys)) = read else { return Ok(()) };
        self.seen = fingerprint;
        match keys {
            Ok(keys) => {
                tracing::info!(
                    signing = keys.signing_kid(),
                    keys = keys.published().keys.len(),
                    "the keys have changed"
                );
                let event = Event::KeysChanged(keys.signing_kid().to_owned());
                self.tokens.access.keys.replace(keys);
                let Context { metrics, caller, .. } = &self.context;
                let now = self.context.now();
                audit::report(metrics, &Entry::new(now, caller, &event, None, None), caller);
                metrics.keys_changed(now);
            }
            // Logged once, until the folder changes again.
            Err(mistake) => {
                tracing::error!(%mistake, "the changed keys cannot be used; the former ones stay in use");
            }
        }
        Ok(())
    }
}
