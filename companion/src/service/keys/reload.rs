//! The reload of the signing keys while the service runs.

use std::path::PathBuf;

use crate::domain::audit::Event;
use crate::keys::folder::{self, Fingerprint};
use crate::service::{Context, Error, Tokens};

/// Puts the keys of a folder into use if the folder differs from `seen`, and returns its new fingerprint. Keys that cannot
/// be used are logged, and the former ones stay in use.
///
/// # Errors
/// [`Error::Panicked`] if the folder is not read to the end.
pub async fn reload(
    context: &Context,
    tokens: &Tokens,
    directory: PathBuf,
    seen: Fingerprint,
) -> Result<Option<Fingerprint>, Error> {
    let read = tokio::task::spawn_blocking(move || folder::read_if_changed(&directory, &seen)).await;
    let Some((fingerprint, keys)) = read.map_err(|_| Error::Panicked)? else { return Ok(None) };
    match keys {
        Ok(keys) => {
            let (kid, count) = (keys.signing_kid().to_owned(), keys.published().keys.len());
            tracing::info!(signing = kid, keys = count, "the keys have changed");
            tokens.keys.replace(keys);
            context.report(&Event::KeysChanged(kid), None, None);
            context.metrics.keys_changed(context.now());
        }
        // Logged once, until the folder changes again.
        Err(mistake) => {
            tracing::error!(%mistake, "the changed keys cannot be used; the former ones stay in use");
        }
    }
    Ok(Some(fingerprint))
}
