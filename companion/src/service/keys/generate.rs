//! The generation of the signing key by an operator.

use std::path::Path;

use aws_lc_rs::rsa::KeySize;
use time::OffsetDateTime;

use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Caller;
use crate::domain::token::rsa_key::PrivateKey;
use crate::keys::file::KeyFileError;
use crate::keys::folder::{self, KeyFolderError};
use crate::telemetry::audit;

/// Generates the signing key of a folder, and returns its ID (`kid`). `overwrite` replaces a key that is there.
///
/// # Errors
/// [`KeyFolderError::Exists`] if there is a key and `overwrite` is `false`, [`KeyFolderError::File`] if the key cannot
/// be generated or written.
pub fn generate(
    directory: &Path,
    size: KeySize,
    overwrite: bool,
    now: OffsetDateTime,
) -> Result<String, KeyFolderError> {
    let key = PrivateKey::generate(size).ok_or(KeyFileError::NotGenerated)?;
    folder::write(directory, &key, overwrite)?;
    let kid = key.public().kid().to_owned();
    let (caller, event) = (&Caller::COMMAND_LINE, Event::KeysGenerated(kid.clone()));
    audit::log(&Entry::new(now, caller, &event, None, None), caller);
    Ok(kid)
}
