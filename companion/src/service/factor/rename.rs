//! The change of a factor's name by a signed-in user.

use super::begin_change_by;
use crate::db::factors;
use crate::domain::FactorId;
use crate::domain::account::name::Name;
use crate::domain::audit::Event;
use crate::domain::token::access_token::TokenSubject;
use crate::service::{Context, Error};

/// Renames a factor of the user.
///
/// # Errors
/// [`Error::FactorUnknown`] if the user has no such factor; [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails.
#[tracing::instrument(name = "rename_factor", level = "debug", skip_all)]
pub async fn rename(context: &Context, by: TokenSubject, id: FactorId, name: &Name) -> Result<(), Error> {
    let (mut change, user_id) = (begin_change_by(context, by).await?, by.user_id);
    if !factors::rename(change.connection(), user_id, id, name).await? {
        return Err(Error::FactorUnknown);
    }
    change.record(context.now(), &Event::FactorRenamed, user_id, Some(by.session_id));
    change.commit().await
}
