//! Rotation of the keys of a folder, as [`rotation`](crate::domain::token::rotation) plans it.
//!
//! Every process that reads the files, at any moment or after a crash, finds each key that it needs: the signing key
//! is retired before another signs, and that one was announced long before. The next rotation completes an
//! interrupted one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rsa::KeySize;
use thiserror::Error;
use time::OffsetDateTime;

use super::file::{self, KeyFileError};
use super::folder::{self, KeyFolderError, NEXT, PRIVATE, PUBLIC, RETIRED};
use crate::domain::token::rotation::{KeyState, Rotation, RotationRejection, plan};
use crate::domain::token::rsa_key::PrivateKey;

/// Failure to rotate the keys of a folder.
#[derive(Debug, Error)]
pub enum RotationError {
    /// The keys do not rotate now.
    #[error(transparent)]
    Rejected(#[from] RotationRejection),
    /// The keys of the folder cannot be used.
    #[error(transparent)]
    Folder(#[from] KeyFolderError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// Another process is rotating.
    #[error("another process is rotating the keys in {}", dir.display())]
    Busy {
        /// Path of the folder.
        dir: PathBuf,
    },
}

/// Makes the announced key the signing one, retires the former one, deletes retired keys whose last token has expired,
/// and announces a new key. With `force` the announced key signs even if some gateways may not know it yet.
///
/// # Errors
/// [`RotationError::Rejected`] as [`plan`] has it, [`RotationError::Busy`] if another process is rotating,
/// [`RotationError::Folder`] and [`RotationError::File`] if the keys cannot be read or written.
pub fn rotate(dir: &Path, now: OffsetDateTime, force: bool) -> Result<Rotation, RotationError> {
    let _lock = lock(dir)?;
    let files = folder::list(dir)?;
    let keys: Vec<KeyState> = files.iter().map(|file| file.state.clone()).collect();
    let plan = plan(&keys, now, force)?;
    for file in files.iter().filter(|file| file.state.is_gone(now)) {
        file::remove(&file.path)?;
    }
    let signing = folder::read_signing(dir)?;
    let next = file::read(&dir.join(NEXT), PrivateKey::from_pem)?.filter(|_| plan.retired.is_some());
    if let Some(next) = next {
        retire(dir, &signing)?;
        // Without `public.pem` the two halves agree, whichever key signs.
        file::remove(&dir.join(PUBLIC))?;
        file::write_private(&dir.join(PRIVATE), &next)?;
        file::write_public(&dir.join(PUBLIC), next.public())?;
    } else {
        file::write_public(&dir.join(PUBLIC), signing.public())?;
    }
    let announced = announce(dir, plan.size)?;
    Ok(Rotation { plan, announced })
}

/// Keeps other processes from rotating while the file is open.
fn lock(dir: &Path) -> Result<File, RotationError> {
    let folder = File::open(dir).map_err(KeyFileError::io(dir))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(RotationError::Busy { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(KeyFileError::io(dir)(error).into()),
    }
}

/// Writes the public half of a key to the retired ones.
fn retire(dir: &Path, key: &PrivateKey) -> Result<(), KeyFileError> {
    let folder = dir.join(RETIRED);
    fs::create_dir(&folder)
        .or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
        .map_err(KeyFileError::io(&folder))?;
    file::write_public(&folder.join(format!("{}.pem", key.public().kid())), key.public())
}

/// Announces a new key. Returns its ID.
fn announce(dir: &Path, size: KeySize) -> Result<String, KeyFileError> {
    let key = PrivateKey::generate(size).ok_or(KeyFileError::NotGenerated)?;
    file::write_private(&dir.join(NEXT), &key)?;
    Ok(key.public().kid().to_owned())
}

#[cfg(test)]
mod tests;
