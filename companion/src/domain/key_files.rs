//! The signing keys on disk: which file means what, how they are read and written. What a key is, is in `keys`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::{fmt, process};

use secrecy::ExposeSecret;

use super::key_set::KeySet;
use super::keys::{KeyMistake, PrivateKey, PublicKey};

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
pub enum KeyFileMistake {
    /// There is no key that signs.
    NoSigningKey(PathBuf),
    /// A file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A file is not a key.
    NotAKey(PathBuf, KeyMistake),
    /// `public.pem` is not the public half of `private.pem`.
    HalvesDiffer(PathBuf),
    /// A key is there already.
    Exists(PathBuf),
    /// A key could not be made.
    NotMade,
}

/// One key file, as it is listed.
pub struct KeyFile {
    /// What the key is for: `signs`, `next` or `retired`.
    pub state: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Its public half.
    pub key: PublicKey,
}

/// Reads the keys of a folder, as the service uses them.
pub fn read(dir: &Path) -> Result<KeySet, KeyFileMistake> {
    let signing = read_signing(dir)?;
    let others = list_others(dir)?.into_iter().map(|file| file.key).collect();
    Ok(KeySet::new(signing, others))
}

/// Every key of a folder, the one that signs first.
pub fn list(dir: &Path) -> Result<Vec<KeyFile>, KeyFileMistake> {
    let signing = read_signing(dir)?.public().clone();
    let mut files = vec![KeyFile { state: "signs", path: dir.join(PRIVATE), key: signing }];
    files.append(&mut list_others(dir)?);
    Ok(files)
}

/// Writes a signing key and its public half. The folder is made if it is missing.
pub fn write(dir: &Path, key: &PrivateKey, overwrite: bool) -> Result<(), KeyFileMistake> {
    let (private_path, public_path) = (dir.join(PRIVATE), dir.join(PUBLIC));
    if let Some(path) = [&private_path, &public_path].into_iter().find(|path| path.exists() && !overwrite) {
        return Err(KeyFileMistake::Exists(path.clone()));
    }
    fs::create_dir_all(dir).map_err(|error| KeyFileMistake::Io(dir.to_owned(), error))?;
    let private_pem = key.to_pem().ok_or(KeyFileMistake::NotMade)?;
    let public_pem = key.public().to_pem().ok_or(KeyFileMistake::NotMade)?;
    // Readable by its owner alone.
    replace(&private_path, private_pem.expose_secret(), 0o600)?;
    replace(&public_path, &public_pem, 0o644)
}

fn read_signing(dir: &Path) -> Result<PrivateKey, KeyFileMistake> {
    let path = dir.join(PRIVATE);
    if !path.exists() {
        return Err(KeyFileMistake::NoSigningKey(path));
    }
    let key = read_with(&path, PrivateKey::from_pem)?;
    let public_path = dir.join(PUBLIC);
    if public_path.exists() && read_with(&public_path, PublicKey::from_pem)?.kid() != key.public().kid() {
        return Err(KeyFileMistake::HalvesDiffer(public_path));
    }
    Ok(key)
}

fn list_others(dir: &Path) -> Result<Vec<KeyFile>, KeyFileMistake> {
    let mut files = Vec::new();
    let next = dir.join(NEXT);
    if next.exists() {
        let key = read_with(&next, PrivateKey::from_pem)?.public().clone();
        files.push(KeyFile { state: "next", path: next, key });
    }
    let retired = dir.join(RETIRED);
    if !retired.exists() {
        return Ok(files);
    }
    let io = |error| KeyFileMistake::Io(retired.clone(), error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(&retired).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    paths.sort();
    for path in paths {
        let key = read_with(&path, PublicKey::from_pem)?;
        files.push(KeyFile { state: "retired", path, key });
    }
    Ok(files)
}

fn read_with<T>(path: &Path, parse: fn(&[u8]) -> Result<T, KeyMistake>) -> Result<T, KeyFileMistake> {
    let pem = fs::read(path).map_err(|error| KeyFileMistake::Io(path.to_owned(), error))?;
    parse(&pem).map_err(|mistake| KeyFileMistake::NotAKey(path.to_owned(), mistake))
}

/// Puts a file in place at once: a reader sees the old one or the new one, never a part.
fn replace(path: &Path, content: &str, mode: u32) -> Result<(), KeyFileMistake> {
    let unfinished = path.with_extension(format!("{}.new", process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|error| KeyFileMistake::Io(path.to_owned(), error))
}

impl fmt::Display for KeyFileMistake {
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
            Self::Exists(path) => write!(f, "{} exists; --force replaces it", path.display()),
            Self::NotMade => f.write_str("the key could not be made"),
        }
    }
}

impl std::error::Error for KeyFileMistake {}
