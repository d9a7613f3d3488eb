//! The removal of all factors of a user by an operator or an administrator, for somebody who has lost them.

use crate::db::{attempts, factors, recovery_codes};
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::guard::Authenticator;
use crate::service::account::{begin_change, find_locked};
use crate::service::change::Change;
use crate::service::{Context, Error};

/// Removes all factors and recovery codes of a user, who signs in by the password alone then. Returns the user and the number
/// of factors.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "reset_factors", level = "debug", skip_all)]
pub async fn reset(context: &Context, user: &UserRef) -> Result<(User, u64), Error> {
    let (mut change, user_id) = begin_change(context, user).await?;
    let factors_removed = delete_factors(&mut change, user_id).await?;
    change.record(context.now(), &Event::FactorsReset { factors_removed }, user_id, None);
    let user = find_locked(&mut change, user_id).await?;
    change.commit().await?;
    Ok((user, factors_removed))
}

/// Deletes all factors and recovery codes of a user. Returns the number of factors.
pub(in crate::service) async fn delete_factors(
    change: &mut Change<'_>,
    user_id: UserId,
) -> Result<u64, Error> {
    let factors_removed = factors::delete_all(change.connection(), user_id).await?;
    recovery_codes::delete_all(change.connection(), user_id).await?;
    // Other factors are other authenticators: nobody has failed to guess them.
    attempts::clear_of_user(change.connection(), user_id, &[Authenticator::Factor]).await?;
    Ok(factors_removed)
}
