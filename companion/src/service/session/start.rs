//! The start of a session for an authenticated user.

use crate::db::sessions;
use crate::domain::UserId;
use crate::domain::account::role::Role;
use crate::domain::audit::Event;
use crate::domain::session::device::Device;
use crate::domain::token::refresh_token::RefreshClaims;
use crate::service::change::Change;
use crate::service::{Error, Tokens};

/// Starts a session as a part of a change, which records `event`. Returns the claims of the first refresh token, and the
/// user's role.
///
/// # Errors
/// [`Error::Disabled`] if the user was disabled or deleted meanwhile; [`Error::Unavailable`] and [`Error::Database`] if
/// the database fails.
pub(in crate::service) async fn start(
    change: &mut Change<'_>,
    tokens: &Tokens,
    user_id: UserId,
    device: &Device,
    event: &Event,
) -> Result<(RefreshClaims, Role), Error> {
    let context = change.context;
    let now = context.now();
    let expires_at = tokens.lifetimes.expiry(now, now);
    let Some((claims, role)) =
        sessions::insert(change.connection(), user_id, device, expires_at, now).await?
    else {
        context.report(&Event::LoginRejected("user_disabled"), Some(user_id), None);
        return Err(Error::Disabled);
    };
    change.record(now, event, user_id, Some(claims.session_id));
    Ok((claims, role))
}
