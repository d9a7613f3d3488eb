//! The keys of the database, opened and sealed.

use edgeward_wire::jwk::MAX_KEYS;

use super::KeysError;
use crate::db::connection::Connection;
use crate::db::signing_keys::{self, KeysVersion};
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::sealed_key::SealedKey;
use crate::domain::token::stored_key::StoredKey;

/// Reads and opens all keys, in the order of the rotation, with the version of the table that they are of.
///
/// # Errors
/// [`KeysError::Sealed`] if a key cannot be opened, [`KeysError::TooMany`] if there are too many, [`KeysError::Database`] if
/// the database fails. With the first two, the version is known all the same.
pub(super) async fn read(
    connection: &mut Connection,
    encryption: &KeyEncryptionKeys,
) -> Result<(KeysVersion, Result<Vec<StoredKey>, KeysError>), sqlx::Error> {
    let (version, rows) = signing_keys::list(connection).await?;
    Ok((version, open_all(&rows, encryption)))
}

/// Opens all rows.
///
/// # Errors
/// [`KeysError::Sealed`] if one cannot be opened, [`KeysError::TooMany`] if there are too many.
pub(super) fn open_all(
    rows: &[SealedKey],
    encryption: &KeyEncryptionKeys,
) -> Result<Vec<StoredKey>, KeysError> {
    if rows.len() > MAX_KEYS {
        return Err(KeysError::TooMany);
    }
    Ok(rows.iter().map(|row| row.open(encryption)).collect::<Result<_, _>>()?)
}

/// Seals a key.
///
/// # Errors
/// [`KeysError::NotGenerated`] if the library fails.
pub(super) fn seal(key: &StoredKey, encryption: &KeyEncryptionKeys) -> Result<SealedKey, KeysError> {
    SealedKey::seal(key, encryption).ok_or(KeysError::NotGenerated)
}
