//! The second step of a login.

use super::announce::{announce, announce_wrong_factor};
use super::start;
use crate::db::pending_logins::{self, PendingLogin};
use crate::db::{factors, users};
use crate::domain::audit::Event;
use crate::domain::factor::Way;
use crate::domain::factor::challenge::{ChallengeOwner, ChallengePurpose};
use crate::domain::factor::code::FactorCode;
use crate::domain::factor::ticket::Ticket;
use crate::domain::guard::Authenticator;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::Proof;
use crate::domain::session::device::Device;
use crate::service::factor::{self, Challenge, Factors, PasskeyResponse, use_code};
use crate::service::guard::{self, Guard, Permit};
use crate::service::mail::Recipient;
use crate::service::{Context, Error, IssuedTokens, Tokens};

/// Second step of a login.
pub struct Completion {
    /// Ticket of the pending login.
    pub ticket: Ticket,
    /// Proof of the factor.
    pub factor: FactorProof,
    /// Device tokens of the request.
    pub device_tokens: Vec<String>,
}

/// Proof of a second factor.
pub enum FactorProof {
    /// Code of an authenticator app, or a recovery code.
    Code(FactorCode),
    /// Response of a passkey.
    Passkey(Box<PasskeyResponse>),
}

/// Completes a pending login by a factor, and starts its session. A wrong code leaves it pending, and so does a wrong passkey.
///
/// # Errors
/// [`Error::PendingLoginUnknown`] if it is unknown, used, expired, of another device, or of a password that has changed;
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::WrongFactor`] if the code is wrong or was used;
/// [`Error::PasskeysOff`], [`Error::ChallengeUnknown`], [`Error::PasskeyUnknown`] and [`Error::PasskeyWrong`] for a passkey;
/// [`Error::Disabled`] if the user may not sign in; [`Error::Sealing`], [`Error::Signing`], [`Error::Unavailable`] and
/// [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn complete_log_in(
    context: &Context,
    guard: &Guard,
    tokens: &Tokens,
    factors: &Factors,
    completion: &Completion,
    device: &Device,
) -> Result<IssuedTokens, Error> {
    let Completion { ticket, factor, device_tokens } = completion;
    let context = &context.as_user();
    let pending = find(context, ticket, device).await?;
    let attempt = guard.login(context, Authenticator::Factor, &pending.email, device_tokens);
    let attempt = match factor {
        FactorProof::Code(FactorCode::Totp(_)) => attempt,
        FactorProof::Code(FactorCode::Recovery(_)) | FactorProof::Passkey(_) => attempt.spare_account(),
    };
    let permit = guard::admit(context, guard, attempt).await?;
    let started =
        use_and_start(context, tokens, factors, (guard, &permit), &pending, completion, device).await;
    let to = Recipient { user_id: Some(pending.user_id), email: &pending.email };
    let started = announce_wrong_factor(context, guard, to, started).await;
    let granted = permit.settle(context, started).await?;
    let session_id = granted.claims.session_id;
    let device = guard.device_token(context, &pending.email, session_id, device_tokens)?;
    Ok(IssuedTokens { device: Some(device), ..tokens.sign(&granted)? })
}

/// Asks for a passkey that completes a pending login.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::PendingLoginUnknown`] as for [`complete_log_in`];
/// [`Error::TooManyAttempts`] if the login has asked too often; [`Error::PasskeyWrong`] if the library fails;
/// [`Error::NoRandomness`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ask_to_complete(
    context: &Context,
    guard: &Guard,
    factors: &Factors,
    ticket: &Ticket,
    device: &Device,
) -> Result<Challenge, Error> {
    let owner = owner(&find(context, ticket, device).await?);
    let permit = guard::admit(context, guard, guard.completion_request(ticket)).await?;
    let asked = factor::ask(context, factors, ChallengePurpose::CompleteLogIn, Some(owner)).await;
    permit.settle(context, asked).await
}

/// Returns the ways to complete a pending login.
///
/// # Errors
/// [`Error::PendingLoginUnknown`] as for [`complete_log_in`]; [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ways_to_complete(
    context: &Context,
    factors: &Factors,
    ticket: &Ticket,
    device: &Device,
) -> Result<Vec<Way>, Error> {
    let pending = find(context, ticket, device).await?;
    let list = factors::list(&mut *context.connection().await?, pending.user_id).await?;
    Ok(list.ways(factors.rp_id()))
}

async fn find(context: &Context, ticket: &Ticket, device: &Device) -> Result<PendingLogin, Error> {
    let (mut connection, device) = (context.connection().await?, device.name.as_deref());
    let found = pending_logins::find(&mut connection, &ticket.hash(), device, context.now()).await?;
    found.ok_or(Error::PendingLoginUnknown)
}

fn owner(pending: &PendingLogin) -> ChallengeOwner {
    (pending.user_id, None)
}

/// Uses the factor and the pending login of an admitted attempt, and starts a session. Returns the content of its first tokens.
async fn use_and_start(
    context: &Context,
    tokens: &Tokens,
    factors: &Factors,
    (guard, permit): (&Guard, &Permit),
    pending: &PendingLogin,
    Completion { ticket, factor, device_tokens }: &Completion,
    device: &Device,
) -> Result<TokenContent, Error> {
    let PendingLogin { user_id, email, .. } = pending;
    let user_id = *user_id;
    let passkey = match factor {
        FactorProof::Code(_) => None,
        FactorProof::Passkey(response) => {
            let purpose = ChallengePurpose::CompleteLogIn;
            Some(factor::verify(context, factors, purpose, Some(owner(pending)), response).await?)
        }
    };
    let mut change = context.begin().await?;
    // Before the time is read: nobody changes the password or the factors from here on.
    users::lock_shared(change.connection(), user_id).await?;
    let recovery_code_used = match factor {
        FactorProof::Code(code) => use_code(&mut change, factors, user_id, None, code).await?,
        FactorProof::Passkey(_) => None,
    };
    if let Some(passkey) = &passkey {
        passkey.record(&mut change).await?;
    }
    let proof = passkey.map_or(Proof::PasswordAndCode, |passkey| Proof::PasswordAndPasskey(passkey.id()));
    if !pending_logins::use_up(change.connection(), &ticket.hash(), context.now()).await? {
        return Err(Error::PendingLoginUnknown);
    }
    let started = start(&mut change, tokens, user_id, device, proof, &Event::LoggedIn).await?;
    let session_id = started.claims.session_id;
    // The session did not exist before.
    if let Some(event) = recovery_code_used {
        change.record(context.now(), &event, user_id, Some(session_id));
    }
    permit.record_success(change.connection()).await?;
    let to = Recipient { user_id: Some(user_id), email };
    announce(&mut change, guard, to, device_tokens, session_id, device).await?;
    change.commit().await?;
    Ok(started)
}
