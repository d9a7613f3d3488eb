//! The confirmation of a signed-in user by the password, and by a code if the user has a second factor.

use secrecy::SecretString;
use time::OffsetDateTime;

use super::announce::announce_wrong_factor;
use super::prove;
use crate::db::{factors, passwords};
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::factor::code::FactorCode;
use crate::domain::guard::Authenticator;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::Proof;
use crate::domain::token::access_token::TokenSubject;
use crate::hashing::PasswordHasher;
use crate::service::account::{begin_change, compare_password};
use crate::service::factor::{Factors, use_code};
use crate::service::guard::{self, Guard, Permit};
use crate::service::mail::Recipient;
use crate::service::{Context, Error, Tokens};

/// Fresh proof of who a signed-in user is.
pub struct Confirmation {
    /// Password as it was typed.
    pub password: SecretString,
    /// Code, which a user with a second factor needs.
    pub code: Option<FactorCode>,
}

/// Checks the proof of the signed-in user, and makes it the authentication of their session. Returns the access token that
/// tells of it.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::WrongCredentials`] if the password is wrong;
/// [`Error::WrongFactor`] if the code is wrong or was used, or is missing and the user has a second factor;
/// [`Error::PasswordChanged`] if the password was changed meanwhile; [`Error::NotSignedIn`] if the session has ended meanwhile;
/// [`Error::Hashing`], [`Error::Sealing`], [`Error::Signing`], [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn confirm(
    context: &Context,
    hasher: &PasswordHasher,
    guard: &Guard,
    tokens: &Tokens,
    factors: &Factors,
    user: (&User, TokenSubject),
    Confirmation { password, code }: &Confirmation,
) -> Result<String, Error> {
    let permit = admit(context, guard, Authenticator::Password, user).await?;
    let proved = async {
        let changed_at = compare_password(context, hasher, user, password).await?;
        let Some(code) = code else {
            return prove_by(context, tokens, factors, &[&permit], user, changed_at, None).await;
        };
        // A guess at the code has limits of its own.
        let second = admit(context, guard, Authenticator::Factor, user).await?;
        let permits = [&permit, &second];
        let proved = prove_by(context, tokens, factors, &permits, user, changed_at, Some(code)).await;
        let to = Recipient { user_id: Some(user.0.id), email: &user.0.email };
        let proved = announce_wrong_factor(context, guard, to, proved).await;
        second.settle(context, proved).await
    };
    let proved = proved.await;
    Ok(tokens.sign_access(&permit.settle(context, proved).await?)?)
}

async fn admit(
    context: &Context,
    guard: &Guard,
    authenticator: Authenticator,
    (user, by): (&User, TokenSubject),
) -> Result<Permit, Error> {
    guard::admit(context, guard, guard.reauthentication(authenticator, &user.email, by.session_id)).await
}

/// Uses the code beside a password that was right, and renews the authentication.
async fn prove_by(
    context: &Context,
    tokens: &Tokens,
    factors: &Factors,
    permits: &[&Permit],
    (user, by): (&User, TokenSubject),
    password_changed_at: Option<OffsetDateTime>,
    code: Option<&FactorCode>,
) -> Result<TokenContent, Error> {
    let (mut change, user_id) = begin_change(context, &UserRef::Id(user.id)).await?;
    if !passwords::is_unchanged(change.connection(), user_id, password_changed_at).await? {
        return Err(Error::PasswordChanged);
    }
    let proof = match code {
        Some(code) => {
            let session = Some(by.session_id);
            if let Some(event) = use_code(&mut change, factors, user_id, session, code).await? {
                change.record(context.now(), &event, user_id, session);
            }
            Proof::PasswordAndCode
        }
        None if factors::is_demanded(change.connection(), user_id).await? => return Err(Error::WrongFactor),
        None => Proof::Password,
    };
    let proved = prove(&mut change, tokens, by, proof).await?;
    for permit in permits {
        permit.record_success(change.connection()).await?;
    }
    change.commit().await?;
    Ok(proved)
}
