//! Changes of a user by an operator or an administrator.

use time::OffsetDateTime;

use super::last_admin::{LastAdmin, require_another};
use super::{begin_change, find_locked};
use crate::db::{revocations, users};
use crate::domain::UserId;
use crate::domain::account::role::Role;
use crate::domain::account::user_ref::UserRef;
use crate::domain::account::{User, UserChanges};
use crate::domain::audit::Event;
use crate::domain::session::Ending;
use crate::service::change::Change;
use crate::service::session::end_sessions;
use crate::service::{Context, Error};

/// Makes changes of a user, all or none, each with its event, also where the user has the new value already: somebody may
/// have set it in SQL, which ends nothing. Returns the user as they are then, and the number of sessions that ended.
///
/// With a new role, sessions go on with new tokens: the edge rejects those with the former role. A user who is disabled
/// loses all sessions.
///
/// # Errors
/// [`Error::UserUnknown`] if there is no such user, [`Error::LastAdmin`] if no administrator would be left and the last one
/// stays, [`Error::Unavailable`] and [`Error::Database`] if the database fails.
#[tracing::instrument(name = "update_user", level = "debug", skip_all)]
pub async fn update(
    context: &Context,
    user: &UserRef,
    changes: &UserChanges,
    last_admin: LastAdmin,
) -> Result<(User, usize), Error> {
    let (mut change, user_id) = begin_change(context, user).await?;
    if changes.remove_admin() {
        require_another(&mut change, user_id, last_admin).await?;
    }
    // After the locks: nobody makes a token of this user's between this moment and the commit.
    let now = context.now();
    if changes.rename() {
        let (first_name, last_name) = (changes.first_name.as_ref(), changes.last_name.as_ref());
        users::set_names(change.connection(), user_id, first_name, last_name, now).await?;
        change.record(now, &Event::NameChanged, user_id, None);
    }
    if let Some(role) = &changes.role {
        set_role(&mut change, user_id, role, now).await?;
    }
    let sessions_ended = match changes.disabled {
        Some(true) => disable(&mut change, user_id, now).await?,
        Some(false) => {
            users::set_disabled(change.connection(), user_id, false, now).await?;
            change.record(now, &Event::UserEnabled, user_id, None);
            0
        }
        None => 0,
    };
    let user = find_locked(&mut change, user_id).await?;
    change.commit().await?;
    Ok((user, sessions_ended))
}

async fn set_role(
    change: &mut Change<'_>,
    user_id: UserId,
    role: &Role,
    now: OffsetDateTime,
) -> Result<(), Error> {
    revocations::revoke_user(change.connection(), user_id, now).await?;
    users::set_role(change.connection(), user_id, role, now).await?;
    change.record(now, &Event::RoleChanged(role.clone()), user_id, None);
    Ok(())
}

async fn disable(change: &mut Change<'_>, user_id: UserId, now: OffsetDateTime) -> Result<usize, Error> {
    users::set_disabled(change.connection(), user_id, true, now).await?;
    let sessions_ended = end_sessions(change, Ending::all(user_id), now).await?.len();
    change.record(now, &Event::UserDisabled { sessions_ended }, user_id, None);
    Ok(sessions_ended)
}
