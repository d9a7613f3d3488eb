//! The signing keys on disk: which file means what, how they are read and written. What a key is, is in `keys`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use edgeward_wire::jwk::MAX_KEYS;
use secrecy::ExposeSecret;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::domain::token::invalid_key::InvalidKey;
use crate::domain::token::key_set::KeySet;
use crate::domain::token::rsa_key::{PrivateKey, PublicKey};

/// Signs.
pub const PRIVATE: &str = "private.pem";
/// The public half of the key that signs, for others to read.
pub const PUBLIC: &str = "public.pem";
/// A private key that is announced and does not sign yet.
pub const NEXT: &str = "next.pem";
/// A folder of public keys that are still accepted.
pub const RETIRED: &str = "retired";

/// Why the keys cannot be used.
#[derive(Debug)]
pub enum KeyFolderError {
    /// There is no key that signs.
    NoSigningKey(PathBuf),
    /// A file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A file is not a key.
    NotAKey(PathBuf, InvalidKey),
    /// `public.pem` is not the public half of `private.pem`.
    HalvesDiffer(PathBuf),
    /// There are more keys than the edge accepts.
    TooMany(PathBuf),
    /// A key is there already.
    Exists(PathBuf),
    /// A key could not be made.
    NotMade,
}

/// One key file, as it is listed.
pub struct KeyFile {
    /// How far the key is: `signing`, `announced` or `retired`.
    pub phase: &'static str,
    /// Since when.
    pub since: OffsetDateTime,
    /// Where it is.
    pub path: PathBuf,
    /// Its public half.
    pub key: PublicKey,
}

/// What a folder's files look like from outside: it differs once one was put in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, u64, (i64, i64), u64)>);

/// Reads the keys of a folder, and what they were read from, with no change in between: of two keys that change places
/// one would be missing. A folder that does not come to rest is taken as it is.
pub fn read_at_rest(dir: &Path) -> (Fingerprint, Result<KeySet, KeyFolderError>) {
    /// A rotation changes five files.
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

/// The same, if the folder looks different from when it was last read.
#[must_use]
pub fn read_changed(dir: &Path, seen: &Fingerprint) -> Option<(Fingerprint, Result<KeySet, KeyFolderError>)> {
    (take_fingerprint(dir) != *seen).then(|| read_at_rest(dir))
}

/// A file that is not there, or not to be looked at, is left out.
fn take_fingerprint(dir: &Path) -> Fingerprint {
    let mut paths = vec![dir.join(PRIVATE), dir.join(PUBLIC), dir.join(NEXT)];
    paths.extend(list_retired(&dir.join(RETIRED)).unwrap_or_default());
    let look = |path: PathBuf| {
        let file = fs::metadata(&path).ok()?;
        Some((path, file.ino(), (file.mtime(), file.mtime_nsec()), file.len()))
    };
    Fingerprint(paths.into_iter().filter_map(look).collect())
}

/// Reads the keys of a folder, as the service uses them.
pub fn read(dir: &Path) -> Result<KeySet, KeyFolderError> {
    let signing = read_signing(dir)?;
    let others = list_others(dir)?.into_iter().map(|file| file.key).collect();
    Ok(KeySet::new(signing, others))
}

/// Every key of a folder, the one that signs first.
pub fn list(dir: &Path) -> Result<Vec<KeyFile>, KeyFolderError> {
    let signing = read_signing(dir)?.public().clone();
    let path = dir.join(PRIVATE);
    let mut files = vec![KeyFile { phase: "signing", since: read_since(&path)?, path, key: signing }];
    files.append(&mut list_others(dir)?);
    Ok(files)
}

/// The private keys that others than their owner can read.
#[must_use]
pub fn list_exposed(dir: &Path) -> Vec<PathBuf> {
    let mut paths = vec![dir.join(PRIVATE), dir.join(NEXT)];
    paths.retain(|path| fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0));
    paths
}

/// Writes a signing key and its public half. The folder is made if it is missing.
pub fn write(dir: &Path, key: &PrivateKey, overwrite: bool) -> Result<(), KeyFolderError> {
    let (private_path, public_path) = (dir.join(PRIVATE), dir.join(PUBLIC));
    if let Some(path) = [&private_path, &public_path].into_iter().find(|path| path.exists() && !overwrite) {
        return Err(KeyFolderError::Exists(path.clone()));
    }
    fs::create_dir_all(dir).map_err(|error| KeyFolderError::Io(dir.to_owned(), error))?;
    let private_pem = key.to_pem().ok_or(KeyFolderError::NotMade)?;
    let public_pem = key.public().to_pem().ok_or(KeyFolderError::NotMade)?;
    // Readable by its owner alone.
    replace(&private_path, private_pem.expose_secret(), 0o600)?;
    replace(&public_path, &public_pem, 0o644)
}

pub(super) fn read_signing(dir: &Path) -> Result<PrivateKey, KeyFolderError> {
    let path = dir.join(PRIVATE);
    let Some(key) = read_with(&path, PrivateKey::from_pem)? else {
        return Err(KeyFolderError::NoSigningKey(path));
    };
    let path = dir.join(PUBLIC);
    match read_with(&path, PublicKey::from_pem)? {
        Some(public) if public.kid() != key.public().kid() => Err(KeyFolderError::HalvesDiffer(path)),
        _ => Ok(key),
    }
}

fn list_others(dir: &Path) -> Result<Vec<KeyFile>, KeyFolderError> {
    let mut files = Vec::new();
    let next = dir.join(NEXT);
    if let Some(key) = read_with(&next, PrivateKey::from_pem)? {
        let since = read_since(&next)?;
        files.push(KeyFile { phase: "announced", since, path: next, key: key.public().clone() });
    }
    let retired = dir.join(RETIRED);
    for path in list_retired(&retired).map_err(|error| KeyFolderError::Io(retired, error))? {
        let Some(key) = read_with(&path, PublicKey::from_pem)? else {
            return Err(KeyFolderError::Io(path, io::ErrorKind::NotFound.into()));
        };
        files.push(KeyFile { phase: "retired", since: read_since(&path)?, path, key });
    }
    // Beside the one that signs.
    if files.len() >= MAX_KEYS { Err(KeyFolderError::TooMany(dir.to_owned())) } else { Ok(files) }
}

/// The paths of the retired keys in order; none if there is no such folder.
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

/// Reads a key. `None`: there is no such file.
pub(super) fn read_with<T>(
    path: &Path,
    parse: fn(&[u8]) -> Result<T, InvalidKey>,
) -> Result<Option<T>, KeyFolderError> {
    match fs::read(path) {
        Ok(pem) => match parse(&pem) {
            Ok(key) => Ok(Some(key)),
            Err(mistake) => Err(KeyFolderError::NotAKey(path.to_owned(), mistake)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyFolderError::Io(path.to_owned(), error)),
    }
}

/// Since when a file is what it is.
pub(super) fn read_since(path: &Path) -> Result<OffsetDateTime, KeyFolderError> {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    modified.map(OffsetDateTime::from).map_err(|error| KeyFolderError::Io(path.to_owned(), error))
}

/// A time for people, to the second.
#[must_use]
pub fn write_time(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    time.to_offset(UtcOffset::UTC).format(&form).unwrap_or_default()
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), KeyFolderError> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| keep(path)),
    };
    removed.map_err(|error| KeyFolderError::Io(path.to_owned(), error))
}

/// Has a change of a folder survive a power cut before the next one is made.
fn keep(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Puts a file in place at once: a reader sees the old one or the new one, never a part.
pub(super) fn replace(path: &Path, content: &str, mode: u32) -> Result<(), KeyFolderError> {
    let unfinished = path.with_extension(format!("{}.new", process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        keep(path)
    };
    write().map_err(|error| KeyFolderError::Io(path.to_owned(), error))
}

impl fmt::Display for KeyFolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSigningKey(path) => {
                write!(f, "there is no signing key at {}; run: edgeward keys generate", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NotAKey(path, mistake) => write!(f, "{}: {mistake}", path.display()),
            Self::HalvesDiffer(path) => {
                write!(f, "{} is not the public half of {PRIVATE}", path.display())
            }
            Self::TooMany(dir) => {
                write!(f, "{} holds more than {MAX_KEYS} keys, which the edge refuses", dir.display())
            }
            Self::Exists(path) => write!(f, "{} exists; --force replaces it", path.display()),
            Self::NotMade => f.write_str("the key could not be made"),
        }
    }
}

impl std::error::Error for KeyFolderError {}
