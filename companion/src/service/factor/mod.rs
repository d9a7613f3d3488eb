//! Use cases of second factors: authenticator apps, passkeys and recovery codes.

mod add_passkey;
mod add_totp;
mod create_recovery_codes;
mod list;
mod remove;
mod rename;
mod reseal;
mod reset;
mod use_code;
mod use_passkey;

use secrecy::SecretString;
use serde_json::Value;
use time::OffsetDateTime;

pub use self::add_passkey::{add_passkey, begin_passkey};
pub use self::add_totp::{Enrolment, add_totp, begin_totp, read_totp};
pub use self::create_recovery_codes::create_recovery_codes;
pub use self::list::{is_demanded, list, list_of};
pub use self::remove::remove;
pub use self::rename::rename;
pub use self::reseal::reseal;
pub use self::reset::{Reset, reset};
pub use self::use_passkey::PasskeyResponse;

pub(super) use self::reset::delete_factors;
pub(super) use self::use_code::use_code;
pub(super) use self::use_passkey::{ask, verify};

use super::account::begin_change;
use super::change::Change;
use crate::db::{passkeys, recovery_codes, sessions};
use crate::domain::FactorId;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::factor::passkey::RelyingParty;
use crate::domain::factor::recovery_code::{self, RecoveryCode};
use crate::domain::factor::ticket::{self, Ticket};
use crate::domain::factor::{FactorKind, FactorList, MAX_FACTORS};
use crate::domain::session::Ending;
use crate::domain::token::access_token::TokenSubject;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::random::Random;
use crate::service::session::end_each;
use crate::service::{Context, Error};

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
    /// Site that passkeys are made for; `None` if there are none.
    party: Option<RelyingParty>,
}

/// Factor that was added.
pub struct Added {
    /// Factor ID.
    pub id: FactorId,
    /// Recovery codes, if there were none before. They are shown once.
    pub recovery_codes: Option<Vec<RecoveryCode>>,
}

/// Request to a browser, to create or to use a passkey.
pub struct Challenge {
    /// Ticket for the response.
    pub ticket: Ticket,
    /// Options for the browser, in JSON.
    pub options: Value,
}

impl Factors {
    /// Takes the key-encryption keys and the secrets of refresh tokens, the newest of each first, the name of the site, and what
    /// its passkeys are made for.
    #[must_use]
    pub fn new(
        keys: Option<&KeyEncryptionKeys>,
        secrets: &[SecretString],
        random: Random,
        site: String,
        party: Option<RelyingParty>,
    ) -> Self {
        Self { keys: KeyEncryptionKeys::with_derived(keys, secrets, SEAL_PURPOSE), random, site, party }
    }

    /// Returns the keys that seal secrets.
    #[must_use]
    pub fn keys(&self) -> &KeyEncryptionKeys {
        &self.keys
    }

    /// Returns the site that passkeys are made for.
    ///
    /// # Errors
    /// [`Error::PasskeysOff`] if there are none.
    pub fn party(&self) -> Result<&RelyingParty, Error> {
        self.party.as_ref().ok_or(Error::PasskeysOff)
    }

    /// Returns the domain that passkeys are bound to; `None` if there are none.
    #[must_use]
    pub fn rp_id(&self) -> Option<&str> {
        self.party.as_ref().map(RelyingParty::id)
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

/// Begins a change by the user of a session, whose row is locked until it is committed. The session is looked at again: one that
/// was ended while the body of the request came must not change how its user signs in.
async fn begin_change_by(context: &Context, by: TokenSubject) -> Result<Change<'_>, Error> {
    let (mut change, _) = begin_change(context, &UserRef::Id(by.user_id)).await?;
    // Its maximum age was checked when the request began.
    let (now, oldest_start) = (context.now(), OffsetDateTime::UNIX_EPOCH);
    sessions::find_user(change.connection(), by, now, oldest_start).await?.ok_or(Error::NotSignedIn)?;
    Ok(change)
}

/// Records the addition of a factor by a user who had these before. With the first that is demanded, their other sessions end, and
/// passkeys go that browsers have created by themselves in these: a password alone has begun them. Without recovery codes, these
/// come with it.
async fn finish_addition(
    change: &mut Change<'_>,
    factors: &Factors,
    by: TokenSubject,
    list: &FactorList,
    (kind, is_demanded): (FactorKind, bool),
) -> Result<Option<Vec<RecoveryCode>>, Error> {
    if list.factors.len() >= MAX_FACTORS {
        return Err(Error::TooManyFactors);
    }
    let (now, user_id, session) = (change.context.now(), by.user_id, Some(by.session_id));
    change.record(now, &Event::FactorAdded(kind), user_id, session);
    if !is_demanded {
        return Ok(None);
    }
    if !list.is_demanded() {
        // They were begun by less than what signs in from now on, like those from before a change of the password.
        let others = Ending::others(user_id, by.session_id);
        end_each(change, [others].into_iter(), &Event::SessionEnded, now).await?;
        for _ in 0..passkeys::delete_automatic_of_others(change.connection(), by).await? {
            change.record(now, &Event::FactorRemoved(FactorKind::Passkey), user_id, session);
        }
    }
    if list.recovery_codes > 0 {
        return Ok(None);
    }
    change.record(now, &Event::RecoveryCodesCreated, user_id, session);
    replace_recovery_codes(change, factors, by).await.map(Some)
}

/// Replaces the recovery codes of a user, and returns the new ones.
async fn replace_recovery_codes(
    change: &mut Change<'_>,
    factors: &Factors,
    by: TokenSubject,
) -> Result<Vec<RecoveryCode>, Error> {
    let draw = |_| factors.draw::<{ recovery_code::RANDOM_BYTES }>().map(RecoveryCode::new);
    let codes = (0..recovery_code::COUNT).map(draw).collect::<Result<Vec<_>, Error>>()?;
    let hashes: Vec<_> = codes.iter().map(RecoveryCode::hash).collect();
    let now = change.context.now();
    recovery_codes::replace(change.connection(), by, &hashes, now).await?;
    Ok(codes)
}
