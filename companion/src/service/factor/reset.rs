//! The removal of all factors of a user by an operator or an administrator, for somebody who has lost them.

use crate::db::{attempts, factors, recovery_codes};
use crate::domain::UserId;
use crate::domain::account::User;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Event;
use crate::domain::factor::Removed;
use crate::domain::guard::Authenticator;
use crate::domain::session::Ending;
use crate::service::account::{begin_change, find_locked};
use crate::service::change::Change;
use crate::service::session::end_sessions;
use crate::service::{Context, Error};

/// Factors that were removed from a user.
pub struct Reset {
    /// User.
    pub user: User,
    /// Number of factors.
    pub factors_removed: u64,
    /// Number of sessions that ended.
    pub sessions_ended: usize,
}

/// Removes all factors and recovery codes of a user, who signs in by the password alone then, and ends all sessions: whoever
/// has begun one may be the reason for the reset.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "reset_factors", level = "debug", skip_all)]
pub async fn reset(context: &Context, user: &UserRef) -> Result<Reset, Error> {
    let (mut change, user_id) = begin_change(context, user).await?;
    let now = context.now();
    let removed = delete_factors(&mut change, user_id).await?;
    let sessions_ended = end_sessions(&mut change, Ending::all(user_id), now).await?.len();
    change.record(now, &Event::FactorsReset { removed, sessions_ended }, user_id, None);
    let user = find_locked(&mut change, user_id).await?;
    change.commit().await?;
    Ok(Reset { user, factors_removed: removed.factors, sessions_ended })
}

/// Deletes all factors and recovery codes of a user. Returns their numbers.
pub(in crate::service) async fn delete_factors(
    change: &mut Change<'_>,
    user_id: UserId,
) -> Result<Removed, Error> {
    let factors = factors::delete_all(change.connection(), user_id).await?;
    let recovery_codes = recovery_codes::delete_all(change.connection(), user_id).await?;
    // Other factors are other authenticators: nobody has failed to guess them.
    attempts::clear_of_user(change.connection(), user_id, &[Authenticator::Factor]).await?;
    Ok(Removed { factors, recovery_codes })
}
