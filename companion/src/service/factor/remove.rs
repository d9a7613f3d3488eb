//! The removal of a factor by a signed-in user.

use super::{Factors, begin_change_by};
use crate::db::{factors, recovery_codes};
use crate::domain::FactorId;
use crate::domain::audit::Event;
use crate::domain::factor::{FactorKind, TooFewWaysRejection};
use crate::domain::session::Ending;
use crate::domain::token::access_token::TokenSubject;
use crate::service::session::end_each;
use crate::service::{Context, Error};

/// Removes a factor of the user. With the last one that is demanded, the recovery codes go, too: they would replace nothing.
///
/// # Errors
/// [`Error::FactorUnknown`] if the user has no such factor; [`Error::TooFewWays`] if too few ways to sign in would be left;
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "remove_factor", level = "debug", skip_all)]
pub async fn remove(
    context: &Context,
    factors: &Factors,
    by: TokenSubject,
    id: FactorId,
) -> Result<(), Error> {
    let (mut change, user_id) = (begin_change_by(context, by).await?, by.user_id);
    let list = factors::list(change.connection(), user_id).await?;
    let factor = list.factors.iter().find(|factor| factor.id == id).ok_or(Error::FactorUnknown)?;
    list.may_remove(id, factors.rp_id()).map_err(|TooFewWaysRejection| Error::TooFewWays)?;
    factors::delete(change.connection(), user_id, id).await?;
    if factor.is_demanded && !list.factors.iter().any(|other| other.is_demanded && other.id != id) {
        recovery_codes::delete_all(change.connection(), user_id).await?;
    }
    let now = context.now();
    change.record(now, &Event::FactorRemoved(factor.kind), user_id, Some(by.session_id));
    if factor.kind == FactorKind::Passkey {
        // It signs in alone, and may be somebody else's: so do sessions that it has begun.
        let others = Ending::others(user_id, by.session_id);
        end_each(&mut change, [others].into_iter(), &Event::SessionEnded, now).await?;
    }
    change.commit().await
}
