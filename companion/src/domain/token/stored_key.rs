//! A signing key with its place in the rotation, as a store has it.

use time::OffsetDateTime;

use super::key_set::KeySet;
use super::rotation::{KeyState, Phase};
use super::rsa_key::{PrivateKey, PublicKey};

/// Key of a store.
pub struct StoredKey {
    /// Time at which the phase began.
    pub since: OffsetDateTime,
    /// Phase, and the half that the phase needs.
    pub key: PhasedKey,
}

/// Key by its phase. A retired key has no private half: nothing signs with it any more.
pub enum PhasedKey {
    /// It signs.
    Signing(PrivateKey),
    /// It is announced, and signs after the next rotation.
    Announced(PrivateKey),
    /// It signed, and is still accepted.
    Retired(PublicKey),
}

impl StoredKey {
    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        match &self.key {
            PhasedKey::Signing(key) | PhasedKey::Announced(key) => key.public(),
            PhasedKey::Retired(key) => key,
        }
    }

    /// Returns the private half, unless the key is retired.
    #[must_use]
    pub fn private(&self) -> Option<&PrivateKey> {
        match &self.key {
            PhasedKey::Signing(key) | PhasedKey::Announced(key) => Some(key),
            PhasedKey::Retired(_) => None,
        }
    }

    /// Returns the state of the key, for lists and rotations.
    #[must_use]
    pub fn state(&self) -> KeyState {
        let phase = match self.key {
            PhasedKey::Signing(_) => Phase::Signing,
            PhasedKey::Announced(_) => Phase::Announced,
            PhasedKey::Retired(_) => Phase::Retired,
        };
        let key = self.public();
        KeyState { phase, since: self.since, kid: key.kid().to_owned(), bits: key.bits() }
    }
}

/// Makes the set that is in use of the keys of a store. `None` if no key signs.
#[must_use]
pub fn key_set(keys: impl IntoIterator<Item = StoredKey>) -> Option<KeySet> {
    let (mut signing, mut others) = (None, Vec::new());
    for StoredKey { key, .. } in keys {
        match key {
            PhasedKey::Signing(key) => signing = Some(key),
            PhasedKey::Announced(key) => others.push(key.public().clone()),
            PhasedKey::Retired(key) => others.push(key),
        }
    }
    Some(KeySet::new(signing?, others))
}
