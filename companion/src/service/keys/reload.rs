//! The reload of the signing keys while the service runs.

use tokio::task::spawn_blocking;

use super::source::Seen;
use super::{KeySource, KeysError, sealed};
use crate::db::signing_keys;
use crate::domain::audit::Event;
use crate::domain::token::key_set::KeySet;
use crate::domain::token::stored_key::key_set;
use crate::keys::folder;
use crate::service::{Context, Error, Tokens};

/// Puts the keys of a source into use if it has changed since the last read. Keys that cannot be used are logged, and the
/// former ones stay in use.
///
/// # Errors
/// [`Error::Panicked`] if a folder is not read to the end, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails. The next call tries again.
pub async fn reload(context: &Context, tokens: &Tokens, source: &mut KeySource) -> Result<(), Error> {
    let keys = match &mut source.0 {
        Seen::Folder(directory, seen) => {
            let (directory, former) = (directory.clone(), seen.clone());
            let read = spawn_blocking(move || folder::read_if_changed(&directory, &former)).await;
            let Some((fingerprint, keys)) = read.map_err(|_| Error::Panicked)? else { return Ok(()) };
            *seen = fingerprint;
            keys.map_err(KeysError::from)
        }
        Seen::Database(encryption, seen) => {
            let mut connection = context.connection().await?;
            if signing_keys::version(&mut connection).await? == *seen {
                return Ok(());
            }
            let (version, keys) = sealed::read(&mut connection, encryption).await?;
            *seen = version;
            keys.and_then(|keys| key_set(keys).ok_or(KeysError::NoSigningKey))
        }
    };
    use_keys(context, tokens, keys);
    Ok(())
}

fn use_keys(context: &Context, tokens: &Tokens, keys: Result<KeySet, KeysError>) {
    match keys {
        Ok(keys) => {
            let (kid, count) = (keys.signing_kid().to_owned(), keys.published().keys.len());
            tracing::info!(signing = kid, keys = count, "the keys have changed");
            tokens.keys.replace(keys);
            context.report(&Event::KeysChanged(kid), None, None);
            context.metrics.keys_changed(context.now());
        }
        // Logged once, until the source changes again.
        Err(mistake) => {
            tracing::error!(%mistake, "the changed keys cannot be used; the former ones stay in use");
        }
    }
}
