//! New recovery codes for a signed-in user.

use super::{Factors, begin_change_by, replace_recovery_codes};
use crate::db::factors;
use crate::domain::audit::Event;
use crate::domain::factor::recovery_code::RecoveryCode;
use crate::domain::token::access_token::TokenSubject;
use crate::service::{Context, Error};

/// Replaces the recovery codes of a user, and returns the new ones. They are shown once.
///
/// # Errors
/// [`Error::FactorUnknown`] if no factor is demanded of the user that they could replace; [`Error::NoRandomness`],
/// [`Error::Unavailable`] and [`Error::Database`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn create_recovery_codes(
    context: &Context,
    factors: &Factors,
    by: TokenSubject,
) -> Result<Vec<RecoveryCode>, Error> {
    let (mut change, user_id) = (begin_change_by(context, by).await?, by.user_id);
    if !factors::is_demanded(change.connection(), user_id).await? {
        return Err(Error::FactorUnknown);
    }
    let codes = replace_recovery_codes(&mut change, factors, by).await?;
    change.record(context.now(), &Event::RecoveryCodesCreated, user_id, Some(by.session_id));
    change.commit().await?;
    Ok(codes)
}
