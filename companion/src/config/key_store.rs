//! The store of the signing keys: `KEY_ENCRYPTION_KEY` selects the database, and without it `CERTS_DIR` is the folder.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;

use super::{Problem, Reader, Section, settings};
use crate::domain::token::key_encryption::KeyEncryptionKeys;

/// Store of the signing keys.
pub enum KeyStore {
    /// The folder `CERTS_DIR`.
    Folder(PathBuf),
    /// The database, under `KEY_ENCRYPTION_KEY`.
    Database(KeyEncryptionKeys),
}

impl Section for KeyStore {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let setting = &settings::KEY_ENCRYPTION_KEY;
        let Some(keys) = reader.secret(setting)? else {
            return Some(Self::Folder(reader.text(&settings::CERTS_DIR).into()));
        };
        match KeyEncryptionKeys::parse(keys.expose_secret()) {
            Some(keys) => Some(Self::Database(keys)),
            None => reader.reject(setting.name, Problem::NotEncryptionKey),
        }
    }
}
