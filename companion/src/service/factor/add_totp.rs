//! The addition of an authenticator app by a signed-in user: the service makes a secret, the app takes it over, and its first
//! code proves that.

use super::{Added, Factors, begin_change_by, finish_addition};
use crate::db::{factor_challenges, factors};
use crate::domain::account::User;
use crate::domain::account::name::Name;
use crate::domain::account::user_ref::UserRef;
use crate::domain::factor::challenge::{ChallengePurpose, owner};
use crate::domain::factor::ticket::Ticket;
use crate::domain::factor::totp::{SECRET_BYTES, TotpKey, TotpSecret};
use crate::domain::factor::{CHALLENGE_LIFETIME, FactorKind};
use crate::domain::guard::Authenticator;
use crate::domain::token::access_token::TokenSubject;
use crate::domain::token::key_encryption::Subject;
use crate::service::account::begin_change;
use crate::service::guard::{self, Guard};
use crate::service::{Context, Error};

/// Authenticator app that is being added.
pub struct Enrolment {
    /// Ticket by which it is added.
    pub ticket: Ticket,
    /// Secret for the app.
    pub key: TotpKey,
}

/// Makes the secret of an authenticator app, which is added by its first code. One that the session has begun before ends: nobody
/// fills the table.
///
/// # Errors
/// [`Error::NoRandomness`], [`Error::Sealing`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn begin_totp(
    context: &Context,
    factors: &Factors,
    (user, by): (&User, TokenSubject),
) -> Result<Enrolment, Error> {
    let secret = TotpSecret::new(&factors.draw::<SECRET_BYTES>()?).ok_or(Error::Sealing)?;
    let key = secret.key(&factors.site, &user.email).ok_or(Error::Sealing)?;
    let sealed = factors.keys.seal(Subject::TotpSecret(user.id), secret.as_bytes());
    let (sealed, ticket) = (sealed.map_err(|_| Error::Sealing)?, factors.ticket()?);
    let (owner, expires_at) = (Some(owner(by)), context.now() + CHALLENGE_LIFETIME);
    let (hash, purpose) = (ticket.hash(), ChallengePurpose::AddTotp);
    // The lock keeps two of them apart.
    let (mut change, _) = begin_change(context, &UserRef::Id(user.id)).await?;
    factor_challenges::insert(change.connection(), &hash, purpose, owner, &sealed, expires_at).await?;
    change.commit().await?;
    Ok(Enrolment { ticket, key })
}

/// Returns an authenticator app that is being added, to show it again.
///
/// # Errors
/// [`Error::ChallengeUnknown`] if it is not, or not any more; [`Error::Sealing`], [`Error::Unavailable`] and
/// [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn read_totp(
    context: &Context,
    factors: &Factors,
    (user, by): (&User, TokenSubject),
    ticket: Ticket,
) -> Result<Enrolment, Error> {
    let (secret, _) = read(context, factors, (user, by), &ticket).await?;
    let key = secret.key(&factors.site, &user.email).ok_or(Error::Sealing)?;
    Ok(Enrolment { ticket, key })
}

/// Adds the authenticator app of a ticket by its first code. If a password alone has signed the user in so far, that ends
/// their other sessions.
///
/// # Errors
/// [`Error::ChallengeUnknown`] if the ticket is unknown, used or expired; [`Error::WrongFactor`] if the code is wrong;
/// [`Error::TooManyAttempts`] if a limit rejects it; [`Error::TooManyFactors`] if the user has too many;
/// [`Error::NoRandomness`], [`Error::Sealing`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn add_totp(
    context: &Context,
    guard: &Guard,
    factors: &Factors,
    (user, by): (&User, TokenSubject),
    ticket: &Ticket,
    code: &str,
    name: &Name,
) -> Result<Added, Error> {
    let (secret, sealed) = read(context, factors, (user, by), ticket).await?;
    let attempt = guard.reauthentication(Authenticator::Factor, &user.email, by.session_id);
    let permit = guard::admit(context, guard, attempt).await?;
    let added = async {
        let step = secret.check(code, 0, context.now()).ok_or(Error::WrongFactor)?;
        add(context, factors, by, ticket, (&sealed, step), name).await
    };
    let added = added.await;
    // No success is recorded: a new secret was proved, and the guesses at the others stay counted.
    permit.settle(context, added).await
}

async fn add(
    context: &Context,
    factors: &Factors,
    by: TokenSubject,
    ticket: &Ticket,
    (sealed, step): (&[u8], i64),
    name: &Name,
) -> Result<Added, Error> {
    let (mut change, user_id) = (begin_change_by(context, by).await?, by.user_id);
    let now = context.now();
    let (hash, purpose) = (ticket.hash(), ChallengePurpose::AddTotp);
    factor_challenges::use_up(change.connection(), &hash, purpose, Some(owner(by)), now)
        .await?
        .ok_or(Error::ChallengeUnknown)?;
    let list = factors::list(change.connection(), user_id).await?;
    let id = factors::insert_totp(change.connection(), by, name, sealed, step, now).await?;
    let recovery_codes = finish_addition(&mut change, factors, by, &list, (FactorKind::Totp, true)).await?;
    change.commit().await?;
    Ok(Added { id, recovery_codes })
}

/// Reads the secret of a ticket, and its seal.
async fn read(
    context: &Context,
    factors: &Factors,
    (user, by): (&User, TokenSubject),
    ticket: &Ticket,
) -> Result<(TotpSecret, Vec<u8>), Error> {
    let (hash, purpose, owner) = (ticket.hash(), ChallengePurpose::AddTotp, Some(owner(by)));
    let mut connection = context.connection().await?;
    let sealed = factor_challenges::read(&mut connection, &hash, purpose, owner, context.now()).await?;
    let sealed = sealed.ok_or(Error::ChallengeUnknown)?;
    let opened = factors.keys.open(Subject::TotpSecret(user.id), &sealed).map_err(|_| Error::Sealing)?;
    Ok((TotpSecret::new(&opened).ok_or(Error::Sealing)?, sealed))
}
