//! Failures of the use cases of signing keys.

use std::path::PathBuf;

use edgeward_wire::jwk::MAX_KEYS;
use thiserror::Error;

use crate::domain::token::rotation::RotationRejection;
use crate::domain::token::sealed_key::InvalidSealedKey;
use crate::keys::folder::{self, KeyFolderError};
use crate::keys::rotation::RotationError;
use crate::service;

/// Failure of a use case of signing keys.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The keys of the folder cannot be used.
    #[error(transparent)]
    Folder(#[from] KeyFolderError),
    /// The keys of the folder do not rotate.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The keys of the database do not rotate now.
    #[error(transparent)]
    Rejected(#[from] RotationRejection),
    /// A key of the database cannot be used.
    #[error(transparent)]
    Sealed(#[from] InvalidSealedKey),
    /// The database has no key that signs.
    #[error(
        "there is no signing key in the database; run: edgeward keys generate, or, to keep the keys of a folder: \
         edgeward keys import DIR"
    )]
    NoSigningKey,
    /// There is no folder of keys to import.
    #[error("there is no folder of keys at {}: {} is missing", dir.display(), folder::PRIVATE)]
    NoFolder {
        /// Path of the folder.
        dir: PathBuf,
    },
    /// The database has keys already.
    #[error(
        "the database has signing keys already: edgeward keys list; `keys generate --force` replaces them all"
    )]
    Exists,
    /// The database has more keys than the filter accepts.
    #[error(
        "the database has more than {MAX_KEYS} signing keys, and gateways accept no more; delete some retired rows"
    )]
    TooMany,
    /// A key could not be generated or sealed.
    #[error("the key could not be generated")]
    NotGenerated,
    /// The database is unreachable or has failed.
    #[error(transparent)]
    Database(#[from] service::Error),
}

impl From<sqlx::Error> for KeysError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}
