//! The replacement of the key-encryption key.

use super::{KeysError, sealed};
use crate::db::signing_keys;
use crate::domain::audit::Event;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::service::{Context, factor};

/// Seals all keys anew by the newest key-encryption key, and the secrets of authenticator apps, and returns the number of keys.
/// Then the former one is not needed any more.
///
/// # Errors
/// [`KeysError::Sealed`] if a key cannot be opened, [`KeysError::Database`] if the database fails.
pub async fn reseal(context: &Context, encryption: &KeyEncryptionKeys) -> Result<usize, KeysError> {
    let mut change = context.begin().await?;
    signing_keys::lock(change.connection()).await?;
    let (_, rows) = signing_keys::list(change.connection()).await?;
    let keys = sealed::open_all(&rows, encryption)?;
    if keys.is_empty() {
        return Err(KeysError::NoSigningKey);
    }
    for key in &keys {
        signing_keys::update(change.connection(), &sealed::seal(key, encryption)?).await?;
    }
    change.record_without_user(context.now(), &Event::KeysResealed);
    change.commit().await?;
    factor::reseal(context, encryption).await?;
    Ok(keys.len())
}
