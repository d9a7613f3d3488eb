//! One key file: read, replaced at once, and removed, so that a crash or a power cut leaves the old content or the
//! new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;

use secrecy::ExposeSecret;
use thiserror::Error;
use time::OffsetDateTime;

use crate::domain::token::invalid_key::InvalidKey;
use crate::domain::token::rsa_key::{PrivateKey, PublicKey};

/// Mode of a private key: its owner alone may read it.
const PRIVATE_MODE: u32 = 0o600;
/// Mode of a public key.
const PUBLIC_MODE: u32 = 0o644;

/// Failure to read or write one key file.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Failure of the operating system.
        cause: io::Error,
    },
    /// The file does not hold a usable key.
    #[error("{}: {fault}", path.display())]
    InvalidKey {
        /// Path of the file.
        path: PathBuf,
        /// Fault of its content.
        fault: InvalidKey,
    },
    /// A key could not be generated or encoded.
    #[error("the key could not be generated")]
    NotGenerated,
}

impl KeyFileError {
    /// Returns a conversion of failures at `path`.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |cause| Self::Io { path: path.to_owned(), cause }
    }
}

/// Reads a key. `None` if there is no such file.
///
/// # Errors
/// [`KeyFileError::Io`] if the file cannot be read, [`KeyFileError::InvalidKey`] if `parse` rejects its content.
pub(super) fn read<T>(
    path: &Path,
    parse: fn(&[u8]) -> Result<T, InvalidKey>,
) -> Result<Option<T>, KeyFileError> {
    match fs::read(path) {
        Ok(pem) => match parse(&pem) {
            Ok(key) => Ok(Some(key)),
            Err(fault) => Err(KeyFileError::InvalidKey { path: path.to_owned(), fault }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyFileError::io(path)(error)),
    }
}

/// Returns the time at which a file was put in place.
///
/// # Errors
/// [`KeyFileError::Io`] if the file's metadata cannot be read.
pub(super) fn modified_at(path: &Path) -> Result<OffsetDateTime, KeyFileError> {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    modified.map(OffsetDateTime::from).map_err(KeyFileError::io(path))
}

/// Writes a private key in place of any other file.
///
/// # Errors
/// [`KeyFileError::Io`] if the file cannot be written, [`KeyFileError::NotGenerated`] if the key cannot be encoded.
pub(super) fn write_private(path: &Path, key: &PrivateKey) -> Result<(), KeyFileError> {
    let pem = key.to_pem().ok_or(KeyFileError::NotGenerated)?;
    replace(path, pem.expose_secret(), PRIVATE_MODE)
}

/// Writes a public key in place of any other file.
///
/// # Errors
/// [`KeyFileError::Io`] if the file cannot be written, [`KeyFileError::NotGenerated`] if the key cannot be encoded.
pub(super) fn write_public(path: &Path, key: &PublicKey) -> Result<(), KeyFileError> {
    replace(path, &key.to_pem().ok_or(KeyFileError::NotGenerated)?, PUBLIC_MODE)
}

/// Replaces a file at once: a reader sees the old one or the new one, never a part.
fn replace(path: &Path, content: &str, mode: u32) -> Result<(), KeyFileError> {
    let unfinished = path.with_extension(format!("{}.new", process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        sync_folder(path)
    };
    write().map_err(KeyFileError::io(path))
}

/// Removes a file, if there is one.
///
/// # Errors
/// [`KeyFileError::Io`] if the file cannot be removed.
pub(super) fn remove(path: &Path) -> Result<(), KeyFileError> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync_folder(path)),
    };
    removed.map_err(KeyFileError::io(path))
}

/// Writes a change of a file's folder to the disk, so that changes survive a power cut in their order.
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
