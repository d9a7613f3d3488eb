//! The confirmation of a signed-in user by a passkey, which is both factors at once.

use super::prove;
use crate::domain::account::user_ref::UserRef;
use crate::domain::factor::challenge::{ChallengePurpose, owner};
use crate::domain::token::access_token::TokenSubject;
use crate::service::account::begin_change;
use crate::service::factor::{self, Challenge, Factors, PasskeyResponse};
use crate::service::{Context, Error, Tokens};

/// Asks the signed-in user for one of their passkeys.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::PasskeyWrong`] if the library fails; [`Error::NoRandomness`],
/// [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ask_to_confirm(
    context: &Context,
    factors: &Factors,
    by: TokenSubject,
) -> Result<Challenge, Error> {
    factor::ask(context, factors, ChallengePurpose::Confirm, Some(owner(by))).await
}

/// Verifies the response of a passkey, and makes it the authentication of the session. Returns the access token that tells of
/// it. It is charged to no limit: nobody guesses a signature.
///
/// # Errors
/// [`Error::PasskeysOff`] if the site has none; [`Error::ChallengeUnknown`] if the ticket is unknown, used, expired, or of another
/// session; [`Error::PasskeyUnknown`] if the user has no such passkey; [`Error::PasskeyWrong`] if it is no response to the
/// challenge; [`Error::NotSignedIn`] if the session has ended meanwhile; [`Error::Signing`], [`Error::Unavailable`] and
/// [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn confirm_with_passkey(
    context: &Context,
    tokens: &Tokens,
    factors: &Factors,
    by: TokenSubject,
    response: &PasskeyResponse,
) -> Result<String, Error> {
    let verified =
        factor::verify(context, factors, ChallengePurpose::Confirm, Some(owner(by)), response).await?;
    let (mut change, _) = begin_change(context, &UserRef::Id(by.user_id)).await?;
    verified.record(&mut change).await?;
    let proved = prove(&mut change, tokens, by, verified.proof()).await?;
    change.commit().await?;
    Ok(tokens.sign_access(&proved)?)
}
