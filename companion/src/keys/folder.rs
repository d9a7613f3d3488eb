//! The folder of key files: names, phases, and reading. [`rsa_key`](crate::domain::token::rsa_key) reads one key.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use edgeward_wire::jwk::MAX_KEYS;
use thiserror::Error;

use super::file::{self, KeyFileError};
use crate::domain::token::key_set::KeySet;
use crate::domain::token::rotation::KeyState;
use crate::domain::token::rsa_key::{PrivateKey, PublicKey};
use crate::domain::token::stored_key::{PhasedKey, StoredKey};

/// Name of the file with the private key that signs.
pub const PRIVATE: &str = "private.pem";
/// Name of the file with the public half of the signing key, for other programs.
pub const PUBLIC: &str = "public.pem";
/// Name of the file with a private key that is announced and does not sign yet.
pub const NEXT: &str = "next.pem";
/// Name of the folder of public keys that are still accepted.
pub const RETIRED: &str = "retired";

/// Failure to read or write the keys of a folder.
#[derive(Debug, Error)]
pub enum KeyFolderError {
    /// There is no signing key at `path`.
    #[error("there is no signing key at {}; run: edgeward keys generate", path.display())]
    NoSigningKey {
        /// Path of the missing file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// `public.pem` is not the public half of `private.pem`.
    #[error("{} is not the public half of {PRIVATE}", path.display())]
    HalvesDiffer {
        /// Path of `public.pem`.
        path: PathBuf,
    },
    /// The folder holds more keys than the filter accepts.
    #[error("{} holds more than {MAX_KEYS} keys, and gateways accept no more; delete some of its {RETIRED} ones", dir.display())]
    TooMany {
        /// Path of the folder.
        dir: PathBuf,
    },
    /// There is a key already.
    #[error("{} exists; --force replaces it", path.display())]
    Exists {
        /// Path of the key.
        path: PathBuf,
    },
}

/// Key file of a folder, for a list.
pub struct KeyFile {
    /// State of the key.
    pub state: KeyState,
    /// Path of the file.
    pub path: PathBuf,
}

/// Fingerprint of a folder: paths, inodes, times and lengths of its files. It changes when a file is put in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, u64, (i64, i64), u64)>);

/// Reads the keys of a folder, and its fingerprint. The files do not change in between: of two keys that change places,
/// one would be missing. If the folder changes all the time, it is read as it is.
pub fn read_consistent(dir: &Path) -> (Fingerprint, Result<KeySet, KeyFolderError>) {
    /// Twice the number of files that a rotation changes.
    const TRIES: usize = 10;
    let mut before = take_fingerprint(dir);
    let mut keys = read(dir);
    for _ in 1..TRIES {
        let after = take_fingerprint(dir);
        if after == before {
            break;
        }
        before = after;
        keys = read(dir);
    }
    (before, keys)
}

/// Reads the keys of a folder like [`read_consistent`]. `None` if its fingerprint is still `seen`.
#[must_use]
pub fn read_if_changed(
    dir: &Path,
    seen: &Fingerprint,
) -> Option<(Fingerprint, Result<KeySet, KeyFolderError>)> {
    (take_fingerprint(dir) != *seen).then(|| read_consistent(dir))
}

/// Takes the fingerprint of a folder. Missing and unreadable files are left out.
fn take_fingerprint(dir: &Path) -> Fingerprint {
    let mut paths = vec![dir.join(PRIVATE), dir.join(PUBLIC), dir.join(NEXT)];
    paths.extend(list_retired(&dir.join(RETIRED)).unwrap_or_default());
    let describe = |path: PathBuf| {
        let file = fs::metadata(&path).ok()?;
        Some((path, file.ino(), (file.mtime(), file.mtime_nsec()), file.len()))
    };
    Fingerprint(paths.into_iter().filter_map(describe).collect())
}

/// Reads the keys of a folder as a set.
///
/// # Errors
/// [`KeyFolderError`] if a file cannot be used, if there is no signing key, or if there are more than [`MAX_KEYS`].
pub fn read(dir: &Path) -> Result<KeySet, KeyFolderError> {
    let signing = read_signing(dir)?;
    let others = read_others(dir)?.into_iter().map(|(_, key)| key.public().clone()).collect();
    Ok(KeySet::new(signing, others))
}

/// Lists the keys of a folder, the signing key first.
///
/// # Errors
/// The same as those of [`read`].
pub fn list(dir: &Path) -> Result<Vec<KeyFile>, KeyFolderError> {
    let files = read_files(dir)?;
    Ok(files.into_iter().map(|(path, key)| KeyFile { state: key.state(), path }).collect())
}

/// Reads the keys of a folder, the signing key first, for another store.
///
/// # Errors
/// The same as those of [`read`].
pub fn read_stored(dir: &Path) -> Result<Vec<StoredKey>, KeyFolderError> {
    Ok(read_files(dir)?.into_iter().map(|(_, key)| key).collect())
}

/// Lists the private keys that users other than their owner may read.
#[must_use]
pub fn list_exposed(dir: &Path) -> Vec<PathBuf> {
    let mut paths = vec![dir.join(PRIVATE), dir.join(NEXT)];
    paths.retain(|path| fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0));
    paths
}

/// Writes a signing key and its public half. Creates the folder if it is missing.
///
/// # Errors
/// [`KeyFolderError::Exists`] if there is a key and `overwrite` is `false`, [`KeyFolderError::File`] if a file cannot
/// be written.
pub fn write(dir: &Path, key: &PrivateKey, overwrite: bool) -> Result<(), KeyFolderError> {
    let (private_path, public_path) = (dir.join(PRIVATE), dir.join(PUBLIC));
    if let Some(path) = [&private_path, &public_path].into_iter().find(|path| path.exists() && !overwrite) {
        return Err(KeyFolderError::Exists { path: path.clone() });
    }
    fs::create_dir_all(dir).map_err(KeyFileError::io(dir))?;
    file::write_private(&private_path, key)?;
    Ok(file::write_public(&public_path, key.public())?)
}

pub(super) fn read_signing(dir: &Path) -> Result<PrivateKey, KeyFolderError> {
    let path = dir.join(PRIVATE);
    let Some(key) = file::read(&path, PrivateKey::from_pem)? else {
        return Err(KeyFolderError::NoSigningKey { path });
    };
    let path = dir.join(PUBLIC);
    match file::read(&path, PublicKey::from_pem)? {
        Some(public) if public.kid() != key.public().kid() => Err(KeyFolderError::HalvesDiffer { path }),
        _ => Ok(key),
    }
}

/// Reads all key files, that of the signing key first.
fn read_files(dir: &Path) -> Result<Vec<(PathBuf, StoredKey)>, KeyFolderError> {
    let key = PhasedKey::Signing(read_signing(dir)?);
    let path = dir.join(PRIVATE);
    let since = file::modified_at(&path)?;
    let mut files = vec![(path, StoredKey { since, key })];
    files.append(&mut read_others(dir)?);
    Ok(files)
}

/// Reads the announced key and the retired ones.
fn read_others(dir: &Path) -> Result<Vec<(PathBuf, StoredKey)>, KeyFolderError> {
    let mut files = Vec::new();
    let next = dir.join(NEXT);
    if let Some(key) = file::read(&next, PrivateKey::from_pem)? {
        let since = file::modified_at(&next)?;
        files.push((next, StoredKey { since, key: PhasedKey::Announced(key) }));
    }
    let retired = dir.join(RETIRED);
    for path in list_retired(&retired).map_err(KeyFileError::io(&retired))? {
        let Some(key) = file::read(&path, PublicKey::from_pem)? else {
            return Err(KeyFileError::io(&path)(io::ErrorKind::NotFound.into()).into());
        };
        let since = file::modified_at(&path)?;
        files.push((path, StoredKey { since, key: PhasedKey::Retired(key) }));
    }
    // The signing key makes one more.
    if files.len() >= MAX_KEYS { Err(KeyFolderError::TooMany { dir: dir.to_owned() }) } else { Ok(files) }
}

/// Lists the paths of the retired keys, sorted. The list is empty if there is no such folder.
fn list_retired(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pem")));
    paths.sort();
    Ok(paths)
}
