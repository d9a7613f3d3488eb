//! The use of a passkey: to sign in, as the second step of a login, or to confirm.

use time::OffsetDateTime;
use webauthn_rs::prelude::{Passkey, PublicKeyCredential, WebauthnError};

use super::{Challenge, Factors};
use crate::db::connection::Connection;
use crate::db::{factor_challenges, passkeys, user_handles};
use crate::domain::audit::Event;
use crate::domain::factor::CHALLENGE_LIFETIME;
use crate::domain::factor::challenge::{ChallengeOwner, ChallengePurpose};
use crate::domain::factor::passkey::{Ceremony, InvalidPasskey, StoredPasskey};
use crate::domain::factor::ticket::Ticket;
use crate::domain::factor::user_handle::UserHandle;
use crate::domain::session::authentication::Proof;
use crate::domain::{FactorId, UserId};
use crate::service::change::Change;
use crate::service::{Context, Error};

/// Response of a passkey to a challenge.
pub struct PasskeyResponse {
    /// Ticket of the challenge.
    pub ticket: Ticket,
    /// Response, as the browser gives it.
    pub credential: PublicKeyCredential,
}

/// Passkey whose response is valid. It counts with [`VerifiedPasskey::record`].
pub(in crate::service) struct VerifiedPasskey {
    stored: StoredPasskey,
    used: Passkey,
    proof: Proof,
}

/// Asks for a passkey: for any, or for one of the owner's.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::PasskeyWrong`] if the library fails; [`Error::NoRandomness`],
/// [`Error::Unavailable`] and [`Error::Database`] if these fail.
pub(in crate::service) async fn ask(
    context: &Context,
    factors: &Factors,
    purpose: ChallengePurpose,
    owner: Option<ChallengeOwner>,
) -> Result<Challenge, Error> {
    let party = factors.party()?;
    let mut connection = context.connection().await?;
    let allowed = match owner {
        Some((user_id, _)) => passkeys::list_ids(&mut connection, user_id, party.id()).await?,
        None => Vec::new(),
    };
    let ceremony = party.begin_use(&allowed).map_err(|fault| reject(&fault))?;
    factors.challenge(&mut connection, purpose, owner, ceremony, context.now()).await
}

/// Verifies the response of a passkey. Its challenge is used up, whether it is valid or not.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::ChallengeUnknown`] if the ticket is unknown, used, expired, or for
/// another purpose or owner; [`Error::PasskeyUnknown`] if a user of ours had the passkey, and nobody has it now;
/// [`Error::PasskeyWrong`] if it is of another deployment or user, or no response to the challenge; [`Error::Unavailable`] and
/// [`Error::Database`] if the database fails.
pub(in crate::service) async fn verify(
    context: &Context,
    factors: &Factors,
    purpose: ChallengePurpose,
    owner: Option<ChallengeOwner>,
    PasskeyResponse { ticket, credential }: &PasskeyResponse,
) -> Result<VerifiedPasskey, Error> {
    let party = factors.party()?;
    let mut connection = context.connection().await?;
    let hash = ticket.hash();
    let state = factor_challenges::use_up(&mut connection, &hash, purpose, owner, context.now()).await?;
    let state = state.ok_or(Error::ChallengeUnknown)?;
    let found = passkeys::find(&mut connection, credential.get_credential_id(), party.id()).await?;
    let handle = credential.get_user_unique_id().and_then(UserHandle::read);
    let is_ours = match (&found, handle) {
        (None, Some(handle)) => user_handles::is_known(&mut connection, handle).await?,
        _ => found.is_some(),
    };
    drop(connection);
    let session_id = owner.and_then(|(_, session_id)| session_id);
    let report = |reason, user_id| context.report(&Event::LoginRejected(reason), user_id, session_id);
    let owner = owner.map(|(user_id, _)| user_id);
    let Some(stored) = found else {
        report("passkey_unknown", owner);
        return Err(if is_ours { Error::PasskeyUnknown } else { Error::PasskeyWrong });
    };
    if owner.is_some_and(|owner| owner != stored.user_id) {
        report("passkey_wrong", owner);
        return Err(Error::PasskeyWrong);
    }
    match party.finish_use(credential, &state, &stored, owner.is_some()) {
        Ok((used, proof)) => Ok(VerifiedPasskey { stored, used, proof }),
        Err(fault) => {
            let is_copied =
                matches!(fault, InvalidPasskey::Webauthn(WebauthnError::CredentialPossibleCompromise));
            report(if is_copied { "passkey_copied" } else { "passkey_wrong" }, Some(stored.user_id));
            Err(reject(&fault))
        }
    }
}

impl VerifiedPasskey {
    /// Returns the factor ID.
    pub(in crate::service) fn id(&self) -> FactorId {
        self.stored.id
    }

    /// Returns the user of the passkey.
    pub(in crate::service) fn user_id(&self) -> UserId {
        self.stored.user_id
    }

    /// Returns what the passkey proves.
    pub(in crate::service) fn proof(&self) -> Proof {
        self.proof
    }

    /// Records the use, as a part of a change that has locked the user's row.
    ///
    /// # Errors
    /// [`Error::PasskeyWrong`] if the passkey was removed or used meanwhile; [`Error::Unavailable`] and [`Error::Database`] if the
    /// database fails.
    pub(in crate::service) async fn record(&self, change: &mut Change<'_>) -> Result<(), Error> {
        let (stored, now) = (&self.stored, change.context.now());
        if passkeys::record_use(change.connection(), stored, &self.used, now).await? {
            return Ok(());
        }
        change.context.report(&Event::LoginRejected("passkey_wrong"), Some(stored.user_id), None);
        Err(Error::PasskeyWrong)
    }
}

impl Factors {
    /// Stores the challenge of a request to a browser.
    pub(super) async fn challenge(
        &self,
        connection: &mut Connection,
        purpose: ChallengePurpose,
        owner: Option<ChallengeOwner>,
        Ceremony { options, state }: Ceremony,
        now: OffsetDateTime,
    ) -> Result<Challenge, Error> {
        let (ticket, expires_at) = (self.ticket()?, now + CHALLENGE_LIFETIME);
        factor_challenges::insert(connection, &ticket.hash(), purpose, owner, &state, expires_at).await?;
        Ok(Challenge { ticket, options })
    }
}

/// Logs the fault of a response, which the client does not learn.
pub(super) fn reject(fault: &InvalidPasskey) -> Error {
    tracing::info!(%fault, "a passkey was rejected");
    Error::PasskeyWrong
}
