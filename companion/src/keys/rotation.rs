//! Rotating the key that signs, by its files: announced → signing → retired → gone. How they are read is in
//! `key_files`.
//!
//! Nobody who reads the files at any moment in between, or after a crash, misses a key that is needed: a key is
//! retired before another signs, and announced long before it does. A rotation that was cut off is completed by the next.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use aws_lc_rs::rsa::KeySize;
use edgeward_wire::edge_feed::DEFAULT_MAX_STALENESS_S;
use edgeward_wire::jwk::MAX_KEYS;
use secrecy::ExposeSecret;
use time::{Duration, OffsetDateTime};

use super::folder::{self, KeyFolderError, NEXT, PRIVATE, PUBLIC, RETIRED};
use crate::domain::edge::revocation::{MAX_ACCESS_TTL, MAX_SKEW};
use crate::domain::token::rsa_key::PrivateKey;

/// How long a key is announced before it signs: longer than anyone may keep the JWKS (`http/jwks.rs`), and than an
/// edge goes by an old feed unless it is told otherwise (`max_staleness_seconds`), with as much to spare.
pub const ANNOUNCED_FOR: Duration = Duration::seconds(2 * DEFAULT_MAX_STALENESS_S as i64);
/// How long a key is accepted after it signed: as long as its last token, wherever that was made by a companion that
/// had not seen the new files yet.
const RETIRED_FOR: Duration = MAX_ACCESS_TTL.saturating_add(MAX_SKEW).saturating_add(Duration::minutes(5));

/// What a rotation did; each key by its name (kid).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// No longer accepted.
    pub gone: Vec<String>,
    /// Accepted, and does not sign any more.
    pub retired: Option<String>,
    /// Signs.
    pub signing: String,
    /// Signs after the next rotation.
    pub announced: String,
}

/// Why nothing was rotated.
#[derive(Debug)]
pub enum RotationError {
    /// The files cannot be used.
    Files(KeyFolderError),
    /// Not everyone can know the next key yet: it was announced at this time.
    TooSoon(PathBuf, OffsetDateTime),
    /// Somebody else is rotating.
    Busy(PathBuf),
}

/// Has the announced key sign, retires the one that did, deletes those whose last token has expired, and announces a
/// new one. If none is announced, it only announces one. `force`: sign with it even if not everyone can know it.
pub fn rotate(dir: &Path, now: OffsetDateTime, force: bool) -> Result<Rotation, RotationError> {
    let _alone = lock(dir)?;
    let mut gone = Vec::new();
    let retired = dir.join(RETIRED);
    for file in folder::list(dir)?.into_iter().filter(|file| file.path.starts_with(&retired)) {
        if file.since + RETIRED_FOR <= now {
            folder::remove(&file.path)?;
            gone.push(file.key.kid().to_owned());
        }
    }
    let signing = folder::read_signing(dir)?;
    let signing_kid = signing.public().kid().to_owned();
    let next_path = dir.join(NEXT);
    // The same key in both places is what a rotation left that did not come to its end.
    let next = folder::read_with(&next_path, PrivateKey::from_pem)?
        .filter(|next| next.public().kid() != signing_kid);
    let Some(next) = next else {
        write_public(dir, &signing)?;
        let announced = announce(dir, &signing)?;
        return Ok(Rotation { gone, retired: None, signing: signing_kid, announced });
    };
    let since = folder::read_since(&next_path)?;
    if !force && since + ANNOUNCED_FOR > now {
        return Err(RotationError::TooSoon(next_path, since));
    }
    // One more than now.
    if folder::list(dir)?.len() >= MAX_KEYS {
        return Err(KeyFolderError::TooMany(dir.to_owned()).into());
    }
    retire(dir, &signing)?;
    // Without it the two halves agree whichever key signs.
    folder::remove(&dir.join(PUBLIC))?;
    let pem = next.to_pem().ok_or(KeyFolderError::NotMade)?;
    folder::replace(&dir.join(PRIVATE), pem.expose_secret(), 0o600)?;
    write_public(dir, &next)?;
    let announced = announce(dir, &next)?;
    Ok(Rotation { gone, retired: Some(signing_kid), signing: next.public().kid().to_owned(), announced })
}

/// Keeps others from rotating as long as the file is open.
fn lock(dir: &Path) -> Result<File, RotationError> {
    let folder = File::open(dir).map_err(|error| KeyFolderError::Io(dir.to_owned(), error))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(RotationError::Busy(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(KeyFolderError::Io(dir.to_owned(), error).into()),
    }
}

fn retire(dir: &Path, key: &PrivateKey) -> Result<(), KeyFolderError> {
    let folder = dir.join(RETIRED);
    fs::create_dir(&folder)
        .or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
        .map_err(|error| KeyFolderError::Io(folder.clone(), error))?;
    let pem = key.public().to_pem().ok_or(KeyFolderError::NotMade)?;
    folder::replace(&folder.join(format!("{}.pem", key.public().kid())), &pem, 0o644)
}

fn write_public(dir: &Path, key: &PrivateKey) -> Result<(), KeyFolderError> {
    let pem = key.public().to_pem().ok_or(KeyFolderError::NotMade)?;
    folder::replace(&dir.join(PUBLIC), &pem, 0o644)
}

/// Announces a new key of the size of the one that signs. Gives its name.
fn announce(dir: &Path, signing: &PrivateKey) -> Result<String, KeyFolderError> {
    let size = if signing.public().bits() > 2048 { KeySize::Rsa3072 } else { KeySize::Rsa2048 };
    let key = PrivateKey::generate(size).ok_or(KeyFolderError::NotMade)?;
    let pem = key.to_pem().ok_or(KeyFolderError::NotMade)?;
    folder::replace(&dir.join(NEXT), pem.expose_secret(), 0o600)?;
    Ok(key.public().kid().to_owned())
}

impl From<KeyFolderError> for RotationError {
    fn from(mistake: KeyFolderError) -> Self {
        Self::Files(mistake)
    }
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(mistake) => mistake.fmt(f),
            Self::TooSoon(path, since) => write!(
                f,
                "{} is announced since {} and may sign {} minutes later, when everyone knows it; --force has it sign now, \
                 and those who do not know it refuse its tokens",
                path.display(),
                folder::write_time(*since),
                ANNOUNCED_FOR.whole_minutes()
            ),
            Self::Busy(dir) => write!(f, "somebody else is rotating the keys in {}", dir.display()),
        }
    }
}

impl std::error::Error for RotationError {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    const LATER: Duration = Duration::hours(1);

    fn now() -> OffsetDateTime {
        SystemClock.now()
    }

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        folder::write(folder.path(), &PrivateKey::generate(KeySize::Rsa2048).unwrap(), false).unwrap();
        folder
    }

    fn published(dir: &Path) -> BTreeSet<String> {
        let keys = folder::read(dir).unwrap();
        keys.published().keys.iter().filter_map(|key| key.kid.clone()).collect()
    }

    #[test]
    fn a_key_is_announced_then_signs_then_is_retired_then_gone() {
        let folder = folder();
        let dir = folder.path();
        let rotate = |at| rotate(dir, at, false).unwrap();
        let first = rotate(now());
        assert_eq!((first.retired.clone(), published(dir).len()), (None, 2));
        let second = rotate(now() + LATER);
        assert_eq!((second.retired.as_ref(), &second.signing), (Some(&first.signing), &first.announced));
        assert_eq!(published(dir).len(), 3);
        // By the time it was retired, not by the one that is to come.
        let third = rotate(now() + LATER);
        assert_eq!((third.gone.len(), published(dir).len()), (0, 4));
        let fourth = rotate(now() + RETIRED_FOR + Duration::MINUTE);
        assert_eq!(BTreeSet::from_iter(fourth.gone), BTreeSet::from([first.signing, first.announced]));
        let kept = [fourth.retired.unwrap(), fourth.signing, fourth.announced];
        assert_eq!(published(dir), BTreeSet::from(kept));
    }

    #[test]
    fn a_key_that_not_everyone_can_know_does_not_sign_unless_forced() {
        let folder = folder();
        let announced = rotate(folder.path(), now(), false).unwrap().announced;
        for early in [Duration::ZERO, ANNOUNCED_FOR - Duration::MINUTE, -LATER] {
            let refused = rotate(folder.path(), now() + early, false);
            assert!(matches!(refused, Err(RotationError::TooSoon(..))), "{refused:?}");
        }
        assert_eq!(rotate(folder.path(), now(), true).unwrap().signing, announced);
    }

    #[test]
    fn two_do_not_rotate_at_the_same_time() {
        let folder = folder();
        let _other = lock(folder.path()).unwrap();
        assert!(matches!(rotate(folder.path(), now(), false), Err(RotationError::Busy(_))));
    }

    /// Does by hand what a rotation does until it is cut off, then rotates again.
    fn check_cut_off(after: usize) {
        let folder = folder();
        let dir = folder.path();
        rotate(dir, now(), false).unwrap();
        let before = published(dir);
        let signing = folder::read_signing(dir).unwrap();
        let next = folder::read_with(&dir.join(NEXT), PrivateKey::from_pem).unwrap().unwrap();
        let steps: [&dyn Fn(); 4] = [
            &|| retire(dir, &signing).unwrap(),
            &|| folder::remove(&dir.join(PUBLIC)).unwrap(),
            &|| {
                let pem = next.to_pem().unwrap();
                folder::replace(&dir.join(PRIVATE), pem.expose_secret(), 0o600).unwrap();
            },
            &|| write_public(dir, &next).unwrap(),
        ];
        for step in &steps[..after] {
            step();
            assert_eq!(published(dir), before, "{after}");
        }
        rotate(dir, now() + LATER, false).unwrap();
        assert_eq!(folder::read_signing(dir).unwrap().public().kid(), next.public().kid(), "{after}");
        assert!(published(dir).is_superset(&before), "{after}");
        assert_eq!(published(dir).len(), 3, "{after}");
        assert!(dir.join(PUBLIC).exists(), "{after}");
    }

    #[test]
    fn a_rotation_that_was_cut_off_is_completed_by_the_next_and_no_key_is_missing_meanwhile() {
        for after in 0..=4 {
            check_cut_off(after);
        }
    }
}
