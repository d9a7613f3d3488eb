//! A signing key as the database has it: its private half is sealed.

use secrecy::ExposeSecret;
use thiserror::Error;
use time::OffsetDateTime;

use super::invalid_key::InvalidKey;
use super::key_encryption::{KeyEncryptionKeys, SealError, Subject};
use super::rotation::Phase;
use super::rsa_key::{PrivateKey, PublicKey};
use super::stored_key::{PhasedKey, StoredKey};

/// Row of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// Key ID (`kid`): the thumbprint of the public half (RFC 7638).
    pub kid: String,
    /// Phase.
    pub phase: Phase,
    /// Time at which the phase began.
    pub since: OffsetDateTime,
    /// Public half, in PEM.
    pub public_key: String,
    /// Seal for the `kid`: of the private half in PEM, or of nothing for a retired key. Nobody without the key-encryption key
    /// can make either, so whoever can write to the database alone cannot add a key of its own. It can bring back a row that
    /// was sealed once, and change `since`, which no seal covers.
    pub sealed: Vec<u8>,
}

/// Fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidSealedKey {
    /// It cannot be opened.
    #[error(
        "the signing key {kid} cannot be opened: it was sealed by another key than KEY_ENCRYPTION_KEY, or its row was changed"
    )]
    NotOpened {
        /// Key ID.
        kid: String,
    },
    /// A half cannot be used.
    #[error("the signing key {kid} cannot be used: {fault}")]
    InvalidKey {
        /// Key ID.
        kid: String,
        /// Fault of the half.
        fault: InvalidKey,
    },
    /// The parts of the row are those of different keys, or of another phase.
    #[error("the row of the signing key {kid} was changed: its parts do not belong together")]
    Mixed {
        /// Key ID.
        kid: String,
    },
}

impl SealedKey {
    /// Seals a key. `None` if the library fails.
    #[must_use]
    pub fn seal(stored: &StoredKey, keys: &KeyEncryptionKeys) -> Option<Self> {
        let state = stored.state();
        let private = match stored.private() {
            Some(key) => Some(key.to_pem()?),
            None => None,
        };
        let content = private.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        let sealed = keys.seal(Subject::SigningKey(&state.kid), content.as_bytes()).ok()?;
        let public_key = stored.public().to_pem()?;
        Some(Self { kid: state.kid, phase: state.phase, since: state.since, public_key, sealed })
    }

    /// Opens the row.
    ///
    /// # Errors
    /// [`InvalidSealedKey::NotOpened`] under another key-encryption key, [`InvalidSealedKey::InvalidKey`] and
    /// [`InvalidSealedKey::Mixed`] if the row was changed by hand.
    pub fn open(&self, keys: &KeyEncryptionKeys) -> Result<StoredKey, InvalidSealedKey> {
        let Self { kid, since, .. } = self;
        let invalid = |fault| InvalidSealedKey::InvalidKey { kid: kid.clone(), fault };
        let mixed = || InvalidSealedKey::Mixed { kid: kid.clone() };
        let opened = keys.open(Subject::SigningKey(kid), &self.sealed);
        let content = opened.map_err(|SealError| InvalidSealedKey::NotOpened { kid: kid.clone() })?;
        let private = || PrivateKey::from_pem(&content).map_err(invalid);
        let key = match self.phase {
            Phase::Signing => PhasedKey::Signing(private()?),
            Phase::Announced => PhasedKey::Announced(private()?),
            Phase::Retired if content.is_empty() => {
                PhasedKey::Retired(PublicKey::from_pem(self.public_key.as_bytes()).map_err(invalid)?)
            }
            Phase::Retired => return Err(mixed()),
        };
        let stored = StoredKey { since: *since, key };
        if stored.public().kid() == kid { Ok(stored) } else { Err(mixed()) }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;

    use super::*;

    const KEY: &str = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
    const OTHER: &str = "c41f7ae95d3b08627e90d4b1f82a6c537de4190b3f68a2c57091ebd6482cf75a";
    const SINCE: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn keys(text: &str) -> KeyEncryptionKeys {
        KeyEncryptionKeys::parse(text).unwrap()
    }

    fn sealed(key: PhasedKey) -> SealedKey {
        SealedKey::seal(&StoredKey { since: SINCE, key }, &keys(KEY)).unwrap()
    }

    fn fault(row: &SealedKey, text: &str) -> Option<InvalidSealedKey> {
        row.open(&keys(text)).err()
    }

    #[test]
    fn row_opens_with_its_key_and_phase_and_holds_no_private_half_in_the_clear() {
        let private = || PrivateKey::generate(KeySize::Rsa2048).unwrap();
        let public = private().public().clone();
        for key in
            [PhasedKey::Signing(private()), PhasedKey::Announced(private()), PhasedKey::Retired(public)]
        {
            let stored = StoredKey { since: SINCE, key };
            let row = SealedKey::seal(&stored, &keys(KEY)).unwrap();
            assert_eq!(row.open(&keys(KEY)).unwrap().state(), stored.state());
            assert!(!format!("{row:?} {}", String::from_utf8_lossy(&row.sealed)).contains("PRIVATE"));
        }
    }

    // holds: promise 7
    #[test]
    fn changed_rows_are_rejected() {
        let private = PrivateKey::generate(KeySize::Rsa2048).unwrap();
        let foreign = PrivateKey::generate(KeySize::Rsa2048).unwrap();
        let (kid, public) = (private.public().kid().to_owned(), private.public().clone());
        let signing = sealed(PhasedKey::Signing(private));
        let retired = sealed(PhasedKey::Retired(public));
        let not_opened = |kid: &str| Some(InvalidSealedKey::NotOpened { kid: kid.to_owned() });
        let mixed = Some(InvalidSealedKey::Mixed { kid: kid.clone() });
        assert_eq!(fault(&signing, OTHER), not_opened(&kid));
        assert_eq!(fault(&SealedKey { phase: Phase::Retired, ..signing.clone() }, KEY), mixed);
        let none = InvalidSealedKey::InvalidKey { kid: kid.clone(), fault: InvalidKey::NotPem };
        assert_eq!(fault(&SealedKey { phase: Phase::Signing, ..retired.clone() }, KEY), Some(none));
        // A key of somebody who can write to the database, and has not the key-encryption key.
        let public_key = foreign.public().to_pem().unwrap();
        assert_eq!(fault(&SealedKey { public_key: public_key.clone(), ..retired.clone() }, KEY), mixed);
        let named = SealedKey { kid: foreign.public().kid().to_owned(), public_key, ..retired };
        assert_eq!(fault(&named, KEY), not_opened(foreign.public().kid()));
    }
}
