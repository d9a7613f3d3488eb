//! The generation of the signing key by an operator.

use std::path::Path;

use aws_lc_rs::rsa::KeySize;
use time::OffsetDateTime;

use super::{KeyStore, KeysError, generate_key, log, sealed};
use crate::clock::Clock;
use crate::db::signing_keys;
use crate::domain::audit::Event;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::rotation::Phase;
use crate::domain::token::stored_key::{PhasedKey, StoredKey};
use crate::keys::folder::{self, KeyFolderError};
use crate::service::Context;

/// Treatment of a signing key that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the command fails.
    Reject,
    /// It stays, and the command succeeds.
    Keep,
    /// It is replaced; in the database, all other keys are deleted too.
    Replace,
}

/// Key that signs after the generation.
pub struct Generated {
    /// ID of the key (`kid`).
    pub kid: String,
    /// `true` if it was generated; `false` if it existed.
    pub is_new: bool,
}

/// Generates the signing key of a store. Of several callers at once, one generates it.
///
/// # Errors
/// [`KeyFolderError::Exists`] and [`KeysError::Exists`] if there is a key and `existing` rejects that, [`KeysError`] if the
/// key cannot be generated or stored.
pub async fn generate(
    store: &KeyStore,
    size: KeySize,
    existing: Existing,
    clock: &dyn Clock,
) -> Result<Generated, KeysError> {
    match store {
        KeyStore::Folder(directory) => in_folder(directory, size, existing, clock.now()).await,
        KeyStore::Database(context, encryption) => in_database(context, encryption, size, existing).await,
    }
}

async fn in_folder(
    directory: &Path,
    size: KeySize,
    existing: Existing,
    now: OffsetDateTime,
) -> Result<Generated, KeysError> {
    let key = generate_key(size).await?;
    match folder::write(directory, &key, existing == Existing::Replace) {
        Err(KeyFolderError::Exists { .. }) if existing == Existing::Keep => {
            let kid = folder::read(directory)?.signing_kid().to_owned();
            return Ok(Generated { kid, is_new: false });
        }
        written => written?,
    }
    let kid = key.public().kid().to_owned();
    log(&Event::KeysGenerated(kid.clone()), now);
    Ok(Generated { kid, is_new: true })
}

async fn in_database(
    context: &Context,
    encryption: &KeyEncryptionKeys,
    size: KeySize,
    existing: Existing,
) -> Result<Generated, KeysError> {
    let key = generate_key(size).await?;
    let mut change = context.begin().await?;
    signing_keys::lock(change.connection()).await?;
    let now = context.now();
    let (_, rows) = signing_keys::list(change.connection()).await?;
    match (existing, rows.iter().find(|row| row.phase == Phase::Signing)) {
        (Existing::Keep, Some(row)) => return Ok(Generated { kid: row.kid.clone(), is_new: false }),
        (Existing::Reject, Some(_)) => return Err(KeysError::Exists),
        // A stolen key-encryption key has opened all of them, and of a lost one none can be opened.
        (Existing::Replace, _) => signing_keys::delete_all(change.connection()).await?,
        (Existing::Keep | Existing::Reject, None) => {}
    }
    let key = StoredKey { since: now, key: PhasedKey::Signing(key) };
    let row = sealed::seal(&key, encryption)?;
    signing_keys::insert(change.connection(), &row).await?;
    change.record_without_user(now, &Event::KeysGenerated(row.kid.clone()));
    change.commit().await?;
    Ok(Generated { kid: row.kid, is_new: true })
}
