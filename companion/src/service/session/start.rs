//! The start of a session for an authenticated user.

use crate::db::sessions;
use crate::domain::UserId;
use crate::domain::audit::Event;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::{Authentication, Proof};
use crate::domain::session::device::Device;
use crate::service::change::Change;
use crate::service::{Error, Tokens};

/// Starts a session as a part of a change, which records `event`: the user has just given this proof. Returns the content of
/// the first tokens.
///
/// # Errors
/// [`Error::Disabled`] if the user was disabled or deleted meanwhile; [`Error::Unavailable`] and [`Error::Database`] if
/// the database fails.
pub(in crate::service) async fn start(
    change: &mut Change<'_>,
    tokens: &Tokens,
    user_id: UserId,
    device: &Device,
    proof: Proof,
    event: &Event,
) -> Result<TokenContent, Error> {
    let context = change.context;
    let now = context.now();
    let expires_at = tokens.lifetimes.expiry(now, now);
    let authentication = Authentication::new(now, proof);
    let proved = (&authentication, proof.passkey());
    let Some((claims, role)) =
        sessions::insert(change.connection(), user_id, device, proved, expires_at, now).await?
    else {
        context.report(&Event::LoginRejected("user_disabled"), Some(user_id), None);
        return Err(Error::Disabled);
    };
    change.record(now, event, user_id, Some(claims.session_id));
    Ok(TokenContent { claims, role, authentication })
}
