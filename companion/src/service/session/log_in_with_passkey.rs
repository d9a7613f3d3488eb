//! The login with a passkey: possession of it and verification of its user, both factors at once.

use super::announce::announce;
use super::start;
use crate::db::users;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::factor::challenge::ChallengePurpose;
use crate::domain::session::device::Device;
use crate::service::factor::{self, Challenge, Factors, PasskeyResponse};
use crate::service::guard::{self, Guard};
use crate::service::mail::Recipient;
use crate::service::{Context, Error, IssuedTokens, Tokens};

/// Asks anybody for a passkey. These device tokens tell if a user of ours has signed in on the device before.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::TooManyAttempts`] if the client has asked too often;
/// [`Error::PasskeyWrong`] if the library fails; [`Error::NoRandomness`], [`Error::Unavailable`] and [`Error::Database`] if these
/// fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ask_to_log_in(
    context: &Context,
    guard: &Guard,
    factors: &Factors,
    device_tokens: &[String],
) -> Result<Challenge, Error> {
    factors.party()?;
    let permit = guard::admit(context, guard, guard.passkey_request(context, device_tokens)).await?;
    let asked = factor::ask(context, factors, ChallengePurpose::LogIn, None).await;
    permit.settle(context, asked).await
}

/// Verifies the response of a passkey, and starts a session. It is charged to no limit: nobody guesses a signature.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::ChallengeUnknown`] if the ticket is unknown, used or expired;
/// [`Error::PasskeyUnknown`] if no user has the passkey; [`Error::PasskeyWrong`] if it is no response to the challenge;
/// [`Error::Disabled`] if the user may not sign in; [`Error::Signing`], [`Error::Unavailable`] and [`Error::Database`] if these
/// fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn log_in_with_passkey(
    context: &Context,
    guard: &Guard,
    tokens: &Tokens,
    factors: &Factors,
    (response, device_tokens): (&PasskeyResponse, &[String]),
    device: &Device,
) -> Result<IssuedTokens, Error> {
    let verified = factor::verify(context, factors, ChallengePurpose::LogIn, None, response).await?;
    // From here on the caller has proved who they are.
    let (context, user_id) = (&context.as_user(), verified.user_id());
    let mut change = context.begin().await?;
    // Nobody changes the factors from here on.
    users::lock_shared(change.connection(), user_id).await?;
    verified.record(&mut change).await?;
    let proof = verified.proof();
    let granted = start(&mut change, tokens, user_id, device, proof, &Event::LoggedIn).await?;
    let user = users::find(change.connection(), &UserRef::Id(user_id)).await?.ok_or(Error::Disabled)?;
    let (to, session_id) =
        (Recipient { user_id: Some(user_id), email: &user.email }, granted.claims.session_id);
    announce(&mut change, guard, to, device_tokens, session_id, device).await?;
    change.commit().await?;
    let device = guard.device_token(context, &user.email, session_id, device_tokens)?;
    Ok(IssuedTokens { device: Some(device), ..tokens.sign(&granted)? })
}
