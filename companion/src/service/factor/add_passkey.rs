//! The addition of a passkey by a signed-in user.

use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::use_passkey::reject;
use super::{Added, Challenge, Factors, begin_change_by, finish_addition};
use crate::db::{factor_challenges, factors, passkeys, user_handles};
use crate::domain::account::User;
use crate::domain::account::name::Name;
use crate::domain::factor::FactorKind;
use crate::domain::factor::challenge::{ChallengePurpose, owner};
use crate::domain::factor::passkey::Creation;
use crate::domain::factor::ticket::Ticket;
use crate::domain::factor::user_handle::{self, UserHandle};
use crate::domain::token::access_token::TokenSubject;
use crate::service::{Context, Error};

/// Begins the creation of a passkey for the signed-in user.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::PasskeyWrong`] if the library fails; [`Error::NoRandomness`],
/// [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn begin_passkey(
    context: &Context,
    factors: &Factors,
    (user, by): (&User, TokenSubject),
    creation: Creation,
) -> Result<Challenge, Error> {
    let party = factors.party()?;
    let mut connection = context.connection().await?;
    let handle = UserHandle::new(factors.draw::<{ user_handle::RANDOM_BYTES }>()?);
    let handle = user_handles::find_or_insert(&mut connection, user.id, handle).await?;
    let existing = passkeys::list_ids(&mut connection, user.id, party.id()).await?;
    let ceremony =
        party.begin_creation((user, handle), existing, creation).map_err(|fault| reject(&fault))?;
    factors.challenge(&mut connection, purpose(creation), Some(owner(by)), ceremony, context.now()).await
}

/// Adds a passkey that a browser has created.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::ChallengeUnknown`] if the ticket is unknown, used or expired;
/// [`Error::PasskeyWrong`] if it is no response to it, or the passkey is there already; [`Error::TooManyFactors`] if the user
/// has too many; [`Error::NoRandomness`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn add_passkey(
    context: &Context,
    factors: &Factors,
    by: TokenSubject,
    ticket: &Ticket,
    response: RegisterPublicKeyCredential,
    (name, creation): (&Name, Creation),
) -> Result<Added, Error> {
    let party = factors.party()?;
    let (hash, purpose, owner) = (ticket.hash(), purpose(creation), Some(owner(by)));
    let mut connection = context.connection().await?;
    let state = factor_challenges::use_up(&mut connection, &hash, purpose, owner, context.now()).await?;
    drop(connection);
    let state = state.ok_or(Error::ChallengeUnknown)?;
    let passkey = party.finish_creation(response, &state, creation).map_err(|fault| reject(&fault))?;
    let (mut change, user_id) = (begin_change_by(context, by).await?, by.user_id);
    let now = context.now();
    let list = factors::list(change.connection(), user_id).await?;
    let is_demanded = creation == Creation::Deliberate;
    if !is_demanded && list.is_demanded() {
        // It would sign in alone, without the factor that the user has asked for.
        return Err(Error::PasskeyWrong);
    }
    let inserted =
        passkeys::insert(change.connection(), by, name, is_demanded, (&passkey, party.id()), now).await?;
    let id = inserted.ok_or(Error::PasskeyWrong)?;
    let kind = (FactorKind::Passkey, is_demanded);
    let recovery_codes = finish_addition(&mut change, factors, by, &list, kind).await?;
    change.commit().await?;
    Ok(Added { id, recovery_codes })
}

fn purpose(creation: Creation) -> ChallengePurpose {
    match creation {
        Creation::Deliberate => ChallengePurpose::AddPasskey,
        Creation::Automatic => ChallengePurpose::AddPasskeyAutomatically,
    }
}
