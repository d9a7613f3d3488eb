//! The lists of a user's factors: the user's own, and the one for operators and administrators.

use crate::db::{factors, users};
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::factor::FactorList;
use crate::service::{Context, Error};

/// Lists the factors of the caller.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "list_factors", level = "debug", skip_all)]
pub async fn list(context: &Context, user_id: UserId) -> Result<FactorList, Error> {
    Ok(factors::list(&mut *context.connection().await?, user_id).await?)
}

/// Returns `true` if a password alone does not sign the caller in.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "is_factor_demanded", level = "debug", skip_all)]
pub async fn is_demanded(context: &Context, user_id: UserId) -> Result<bool, Error> {
    Ok(factors::is_demanded(&mut *context.connection().await?, user_id).await?)
}

/// Lists the factors of a user.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "list_factors_of_user", level = "debug", skip_all)]
pub async fn list_of(context: &Context, user: &UserRef) -> Result<(User, FactorList), Error> {
    let mut connection = context.connection().await?;
    let user = users::find(&mut connection, user).await?.ok_or(Error::UserUnknown)?;
    let list = factors::list(&mut connection, user.id).await?;
    Ok((user, list))
}
