//! The source of the keys in use: their store, and the state of it at the last read.

use std::path::{Path, PathBuf};

use super::{KeysError, sealed};
use crate::db::connection::Connection;
use crate::db::signing_keys::KeysVersion;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::key_set::KeySet;
use crate::domain::token::stored_key::key_set;
use crate::keys::folder::{self, Fingerprint, KeyFolderError};

/// Store of the keys in use, and its state at the last read.
pub struct KeySource(pub(super) Seen);

pub(super) enum Seen {
    Folder(PathBuf, Fingerprint),
    Database(KeyEncryptionKeys, KeysVersion),
}

/// Reads the keys of a folder.
///
/// # Errors
/// [`KeyFolderError`] if a key cannot be used, or if no key signs.
pub fn open_folder(directory: &Path) -> Result<(KeySet, KeySource), KeyFolderError> {
    let (fingerprint, keys) = folder::read_consistent(directory);
    let keys = keys?;
    for path in folder::list_exposed(directory) {
        tracing::warn!(path = %path.display(), "a private key can be read by others; run: chmod 600");
    }
    Ok((keys, KeySource(Seen::Folder(directory.to_owned(), fingerprint))))
}

/// Reads the keys of a database.
///
/// # Errors
/// [`KeysError`] if a key cannot be opened, or if no key signs.
pub async fn open_database(
    connection: &mut Connection,
    encryption: &KeyEncryptionKeys,
) -> Result<(KeySet, KeySource), KeysError> {
    let (version, keys) = sealed::read(connection, encryption).await?;
    let keys = key_set(keys?).ok_or(KeysError::NoSigningKey)?;
    Ok((keys, KeySource(Seen::Database(encryption.clone(), version))))
}
