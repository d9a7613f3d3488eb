//! Follows the folder of keys: what is put there is in use within a second or two, without a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::auditing;
use crate::domain::audit::{Change, Entry, SYSTEM};
use crate::domain::key_files::{self, Fingerprint};
use crate::metrics::METRICS;

/// How often the folder of keys is looked at.
const KEYS_EVERY: Duration = Duration::from_secs(1);

/// Puts the keys of a folder in use as they change. `seen` is what the ones in use were read from.
pub async fn follow_keys(app: Arc<App>, dir: PathBuf, mut seen: Fingerprint) {
    METRICS.keys_changed(app.now());
    let mut ticks = interval(KEYS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (folder, known) = (dir.clone(), seen.clone());
        let read = tokio::task::spawn_blocking(move || key_files::read_changed(&folder, &known)).await;
        let Ok(Some((fingerprint, keys))) = read else { continue };
        seen = fingerprint;
        match keys {
            Ok(keys) => {
                tracing::info!(
                    signing = keys.signing_kid(),
                    keys = keys.published().keys.len(),
                    "the keys have changed"
                );
                let change = Change::KeysChanged(keys.signing_kid().to_owned());
                app.access_tokens.keys.replace(keys);
                auditing::report(&Entry::new(app.now(), SYSTEM, None, &change));
                METRICS.keys_changed(app.now());
            }
            // Told once: not again before the folder changes.
            Err(mistake) => {
                tracing::error!(%mistake, "the keys have changed and cannot be used, the former ones stay");
            }
        }
    }
}
