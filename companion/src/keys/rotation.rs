//! Rotation of the signing key by its files: announced → signing → retired → gone.
//!
//! Every process that reads the files, at any moment or after a crash, finds each key that it needs: the signing key
//! is retired before another signs, and that one was announced long before. The next rotation completes an
//! interrupted one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rsa::KeySize;
use edgeward_wire::edge_feed::DEFAULT_MAX_STALENESS_S;
use edgeward_wire::jwk::MAX_KEYS;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::file::{self, KeyFileError};
use super::folder::{self, KeyFolderError, NEXT, PRIVATE, PUBLIC, RETIRED};
use crate::domain::edge::revocation::{MAX_ACCESS_TTL, MAX_SKEW};
use crate::domain::time::format_seconds;
use crate::domain::token::key_set::MAX_CACHE_AGE_S;
use crate::domain::token::rsa_key::PrivateKey;

/// Time for which a key is announced before it signs. Chosen: twice the default of the filter's
/// `max_staleness_seconds`, for which a gateway may use an old feed, and longer than
/// [`MAX_CACHE_AGE_S`].
pub const ANNOUNCED_FOR: Duration = Duration::seconds(2 * DEFAULT_MAX_STALENESS_S as i64);
const _: () = assert!(ANNOUNCED_FOR.whole_seconds() > MAX_CACHE_AGE_S);
/// Time for which a key is accepted after it signed: the lifetime of its last token, by any clock. Chosen besides: five
/// minutes in which a companion may not have read the new files yet.
const RETIRED_FOR: Duration = MAX_ACCESS_TTL.saturating_add(MAX_SKEW).saturating_add(Duration::minutes(5));

/// Result of a rotation. Each key is given by its ID (`kid`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Keys that are no longer accepted.
    pub gone: Vec<String>,
    /// Key that signed until now, and is still accepted; `None` if the signing key stays.
    pub retired: Option<String>,
    /// Key that signs.
    pub signing: String,
    /// Key that signs after the next rotation.
    pub announced: String,
}

/// Failure of a rotation.
#[derive(Debug, Error)]
pub enum RotationError {
    /// The keys of the folder cannot be used.
    #[error(transparent)]
    Folder(#[from] KeyFolderError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// Some gateways may not know the next key yet.
    #[error(
        "{} was announced at {} and may sign {} minutes later, when every gateway knows it; with --force it signs now, and \
         gateways that do not know it reject its tokens",
        path.display(),
        format_seconds(*announced_at),
        ANNOUNCED_FOR.whole_minutes()
    )]
    TooSoon {
        /// Path of the announced key.
        path: PathBuf,
        /// Time at which it was announced.
        announced_at: OffsetDateTime,
    },
    /// Another process is rotating.
    #[error("another process is rotating the keys in {}", dir.display())]
    Busy {
        /// Path of the folder.
        dir: PathBuf,
    },
}

/// Makes the announced key the signing one, retires the former one, deletes retired keys whose last token has expired,
/// and announces a new key. If no key is announced, the signing key stays. With `force` the announced key signs even if
/// some gateways may not know it yet.
///
/// # Errors
/// [`RotationError::TooSoon`] without `force` until [`ANNOUNCED_FOR`] has passed, [`RotationError::Busy`] if another
/// process is rotating, [`RotationError::Folder`] and [`RotationError::File`] if the keys cannot be read or written.
pub fn rotate(dir: &Path, now: OffsetDateTime, force: bool) -> Result<Rotation, RotationError> {
    let _lock = lock(dir)?;
    let mut gone = Vec::new();
    let retired = dir.join(RETIRED);
    for file in folder::list(dir)?.into_iter().filter(|file| file.path.starts_with(&retired)) {
        if file.since + RETIRED_FOR <= now {
            file::remove(&file.path)?;
            gone.push(file.key.kid().to_owned());
        }
    }
    let signing = folder::read_signing(dir)?;
    let signing_kid = signing.public().kid().to_owned();
    let next_path = dir.join(NEXT);
    // The same key in both places is left of an interrupted rotation.
    let next =
        file::read(&next_path, PrivateKey::from_pem)?.filter(|next| next.public().kid() != signing_kid);
    let Some(next) = next else {
        file::write_public(&dir.join(PUBLIC), signing.public())?;
        let announced = announce(dir, &signing)?;
        return Ok(Rotation { gone, retired: None, signing: signing_kid, announced });
    };
    let announced_at = file::modified_at(&next_path)?;
    if !force && announced_at + ANNOUNCED_FOR > now {
        return Err(RotationError::TooSoon { path: next_path, announced_at });
    }
    // The rotation adds one.
    if folder::list(dir)?.len() >= MAX_KEYS {
        return Err(KeyFolderError::TooMany { dir: dir.to_owned() }.into());
    }
    retire(dir, &signing)?;
    // Without `public.pem` the two halves agree, whichever key signs.
    file::remove(&dir.join(PUBLIC))?;
    file::write_private(&dir.join(PRIVATE), &next)?;
    file::write_public(&dir.join(PUBLIC), next.public())?;
    let announced = announce(dir, &next)?;
    Ok(Rotation { gone, retired: Some(signing_kid), signing: next.public().kid().to_owned(), announced })
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

/// Announces a new key of the same size as the signing one. Returns its ID.
fn announce(dir: &Path, signing: &PrivateKey) -> Result<String, KeyFileError> {
    let size = if signing.public().bits() > 2048 { KeySize::Rsa3072 } else { KeySize::Rsa2048 };
    let key = PrivateKey::generate(size).ok_or(KeyFileError::NotGenerated)?;
    file::write_private(&dir.join(NEXT), &key)?;
    Ok(key.public().kid().to_owned())
}

#[cfg(test)]
mod tests;
