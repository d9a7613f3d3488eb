//! The keys of a store, for people and for other verifiers.

use std::path::PathBuf;

use super::{KeyStore, KeysError, sealed};
use crate::domain::token::key_set::KeySet;
use crate::domain::token::rotation::KeyState;
use crate::domain::token::stored_key::{StoredKey, key_set};
use crate::keys::folder;

/// Key of a store.
pub struct ListedKey {
    /// State of the key.
    pub state: KeyState,
    /// Path of its file; `None` if the database has it.
    pub path: Option<PathBuf>,
}

/// Lists the keys of a store, the signing key first.
///
/// # Errors
/// [`KeysError`] if a key cannot be used, or if no key signs.
pub async fn list(store: &KeyStore) -> Result<Vec<ListedKey>, KeysError> {
    match store {
        KeyStore::Folder(directory) => {
            let files = folder::list(directory)?.into_iter();
            Ok(files.map(|file| ListedKey { state: file.state, path: Some(file.path) }).collect())
        }
        KeyStore::Database(context, encryption) => {
            let (_, keys) = sealed::read(&mut *context.connection().await?, encryption).await?;
            let keys = keys?;
            if keys.is_empty() {
                return Err(KeysError::NoSigningKey);
            }
            Ok(keys.iter().map(|key| ListedKey { state: StoredKey::state(key), path: None }).collect())
        }
    }
}

/// Reads the keys of a store as a set.
///
/// # Errors
/// [`KeysError`] if a key cannot be used, or if no key signs.
pub async fn read(store: &KeyStore) -> Result<KeySet, KeysError> {
    match store {
        KeyStore::Folder(directory) => Ok(folder::read(directory)?),
        KeyStore::Database(context, encryption) => {
            let (_, keys) = sealed::read(&mut *context.connection().await?, encryption).await?;
            key_set(keys?).ok_or(KeysError::NoSigningKey)
        }
    }
}
