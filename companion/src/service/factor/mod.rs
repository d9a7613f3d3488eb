//! Use cases of second factors: authenticator apps, passkeys and recovery codes.

mod add_totp;
mod create_recovery_codes;
mod list;
mod remove;
mod rename;
mod reseal;
mod reset;
mod use_code;

use secrecy::SecretString;

pub use self::add_totp::{Added, Enrolment, add_totp, begin_totp, read_totp};
pub use self::create_recovery_codes::create_recovery_codes;
pub use self::list::{is_demanded, list, list_of};
pub use self::remove::remove;
pub use self::rename::rename;
pub use self::reseal::reseal;
pub use self::reset::reset;

pub(super) use self::reset::delete_factors;
pub(super) use self::use_code::use_code;

use super::Error;
use super::change::Change;
use crate::db::recovery_codes;
use crate::domain::UserId;
use crate::domain::factor::recovery_code::{self, RecoveryCode};
use crate::domain::factor::ticket::{self, Ticket};
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::random::Random;

/// Purpose of the keys that are derived from secrets.
const SEAL_PURPOSE: &[u8] = b"edgeward totp secrets: seal";

/// Keys, randomness and name of the site: what factors are made with.
pub struct Factors {
    /// Keys that seal the secrets of authenticator apps: the key-encryption keys of the signing keys, if there are any, and one
    /// of each secret that signs refresh tokens. All open, so a key of either kind is replaced like any other.
    keys: KeyEncryptionKeys,
    random: Random,
    /// Name that authenticator apps show.
    site: String,
}

impl Factors {
    /// Takes the key-encryption keys and the secrets of refresh tokens, the newest of each first, and the name of the site.
    #[must_use]
    pub fn new(
        keys: Option<&KeyEncryptionKeys>,
        secrets: &[SecretString],
        random: Random,
        site: String,
    ) -> Self {
        Self { keys: KeyEncryptionKeys::with_derived(keys, secrets, SEAL_PURPOSE), random, site }
    }

    /// Returns the keys that seal secrets.
    #[must_use]
    pub fn keys(&self) -> &KeyEncryptionKeys {
        &self.keys
    }

    /// Draws a ticket.
    pub(super) fn ticket(&self) -> Result<Ticket, Error> {
        Ok(Ticket::new(self.draw::<{ ticket::RANDOM_BYTES }>()?))
    }

    fn draw<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
        Ok(bytes)
    }
}

/// Replaces the recovery codes of a user, and returns the new ones.
async fn replace_recovery_codes(
    change: &mut Change<'_>,
    factors: &Factors,
    user_id: UserId,
) -> Result<Vec<RecoveryCode>, Error> {
    let draw = |_| factors.draw::<{ recovery_code::RANDOM_BYTES }>().map(RecoveryCode::new);
    let codes = (0..recovery_code::COUNT).map(draw).collect::<Result<Vec<_>, Error>>()?;
    let hashes: Vec<_> = codes.iter().map(RecoveryCode::hash).collect();
    recovery_codes::replace(change.connection(), user_id, &hashes).await?;
    Ok(codes)
}
