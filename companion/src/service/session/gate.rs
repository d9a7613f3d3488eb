//! The gate of every sign-in by a password: it starts the session, or a pending login if a second factor is demanded.
//!
//! A registration has no factors, and starts its session without the gate. Nothing else starts one but this module, a pending
//! login that is completed, and a passkey, which is both factors at once.

use time::OffsetDateTime;

use super::start;
use crate::db::{factors, pending_logins};
use crate::domain::UserId;
use crate::domain::audit::Event;
use crate::domain::factor::ticket::Ticket;
use crate::domain::factor::{PENDING_LOGIN_LIFETIME, Way};
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::Proof;
use crate::domain::session::device::Device;
use crate::service::change::Change;
use crate::service::factor::Factors;
use crate::service::{Error, Tokens};

/// Login whose password was right, and that waits for a factor.
pub struct PendingLogin {
    /// Ticket by which it is completed.
    pub ticket: Ticket,
    /// Time from which on it has expired.
    pub expires_at: OffsetDateTime,
    /// Ways to complete it.
    pub ways: Vec<Way>,
}

/// Outcome of a password that was right.
pub(super) enum Passed {
    /// A session has started.
    Session(TokenContent),
    /// A factor is needed.
    Pending(PendingLogin),
}

/// Starts a session of a user whose password was right, or a pending login, as a part of a change. The user's row is locked, so
/// that no factor is added meanwhile.
pub(super) async fn pass(
    change: &mut Change<'_>,
    tokens: &Tokens,
    factors: &Factors,
    user_id: UserId,
    password_changed_at: Option<OffsetDateTime>,
    device: &Device,
) -> Result<Passed, Error> {
    if !factors::is_demanded(change.connection(), user_id).await? {
        let granted = start(change, tokens, user_id, device, Proof::Password, &Event::LoggedIn).await?;
        return Ok(Passed::Session(granted));
    }
    let ways = factors::list(change.connection(), user_id).await?.ways(factors.rp_id());
    let (ticket, expires_at) = (factors.ticket()?, change.context.now() + PENDING_LOGIN_LIFETIME);
    let (hash, device) = (ticket.hash(), device.name.as_deref());
    pending_logins::insert(change.connection(), &hash, user_id, password_changed_at, device, expires_at)
        .await?;
    Ok(Passed::Pending(PendingLogin { ticket, expires_at, ways }))
}
