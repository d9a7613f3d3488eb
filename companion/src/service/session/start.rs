//! The start of a session for an authenticated user.

use crate::db::sessions;
use crate::domain::UserId;
use crate::domain::audit::Event;
use crate::domain::session::device::Device;
use crate::service::change::Change;
use crate::service::{Error, TokenPair, Tokens};

/// Starts a session, records `event` and commits the change. Fails if the user was disabled in the meantime.
pub(in crate::service) async fn start(
    mut change: Change<'_>,
    tokens: &Tokens,
    user_id: UserId,
    device: &Device,
    event: &Event,
) -> Result<TokenPair, Error> {
    let context = change.context;
    let now = context.now();
    let expires_at = tokens.lifetimes.expiry(now, now);
    let started = sessions::start::insert(change.connection(), user_id, device, expires_at, now).await?;
    let Some((claims, role)) = started else {
        context.report(&Event::LoginRefused("user_disabled"), Some(user_id), None);
        return Err(Error::Disabled);
    };
    change.record(now, event, user_id, Some(claims.session_id));
    change.commit().await?;
    Ok(tokens.sign(claims, &role)?)
}
