//! The move of keys from a folder into the database.

use std::collections::BTreeSet;
use std::path::Path;

use super::{KeysError, sealed};
use crate::db::signing_keys;
use crate::domain::audit::Event;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::rotation::{KeyState, Phase};
use crate::keys::folder::{self, KeyFolderError};
use crate::service::Context;

/// Imports the keys of a folder with their phases and times, so that every token stays good. Returns them, the signing key
/// first. The folder is left as it is.
///
/// # Errors
/// [`KeysError::NoFolder`] if there is no folder of keys, [`KeysError::Folder`] if one cannot be used,
/// [`KeysError::Exists`] if the database has keys already, [`KeysError::Database`] if it fails.
pub async fn import(
    context: &Context,
    encryption: &KeyEncryptionKeys,
    directory: &Path,
) -> Result<Vec<KeyState>, KeysError> {
    let mut keys = match folder::read_stored(directory) {
        Err(KeyFolderError::NoSigningKey { .. }) => {
            return Err(KeysError::NoFolder { dir: directory.to_owned() });
        }
        keys => keys?,
    };
    // An interrupted rotation leaves a key in two places. The first counts: it signs.
    let mut seen = BTreeSet::new();
    keys.retain(|key| seen.insert(key.public().kid().to_owned()));

    let mut change = context.begin().await?;
    signing_keys::lock(change.connection()).await?;
    let (_, rows) = signing_keys::list(change.connection()).await?;
    if !rows.is_empty() {
        return Err(KeysError::Exists);
    }
    let mut states = Vec::new();
    for key in keys {
        signing_keys::insert(change.connection(), &sealed::seal(&key, encryption)?).await?;
        states.push(key.state());
    }
    let now = context.now();
    for signing in states.iter().filter(|key| key.phase == Phase::Signing) {
        change.record_without_user(now, &Event::KeysImported(signing.kid.clone()));
    }
    change.commit().await?;
    Ok(states)
}
