//! The check of a session whose streams are open at a gateway. It changes nothing.

use edgeward_wire::EdgeSession;
use edgeward_wire::cookie::Repeated;
use time::Duration;

use crate::db::sessions;
use crate::service::{Context, Error, Tokens};

/// Checks that the session of a refresh token goes on, and says until when that counts.
///
/// A stream may be hours older than the live token, so a token of any generation counts, and an old one is no sign of a
/// theft. A rejection is not reported: the gateway logs the end of the stream.
///
/// # Errors
/// [`Error::NotSignedIn`] if there is no valid token or the session is over, [`Error::Unavailable`] and
/// [`Error::Database`] if the database fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn check_session(
    context: &Context,
    tokens: &Tokens,
    cookie: Result<Option<&str>, Repeated>,
) -> Result<EdgeSession, Error> {
    let token = cookie.ok().flatten().ok_or(Error::NotSignedIn)?;
    let presented = tokens.refresh.verify(token).map_err(|_| Error::NotSignedIn)?;
    let mut connection = context.connection().await?;
    let session = sessions::refresh::read(&mut connection, presented.session_id).await?;
    let session = session.ok_or(Error::NotSignedIn)?;
    let (lifetimes, now) = (&tokens.lifetimes, context.now());
    session.check_continues(presented, lifetimes, now).map_err(|_| Error::NotSignedIn)?;
    let end = session.expires_at.min(session.created_at + lifetimes.absolute);
    let until = (now + context.access_ttl).min(end);
    // Rounded up, as in the edge feed.
    let not_before = session.tokens_not_before.map(|at| at + Duration::SECOND - Duration::NANOSECOND);
    Ok(EdgeSession {
        until: until.unix_timestamp().unsigned_abs(),
        sid: presented.session_id.0.unsigned_abs(),
        not_before: not_before.map_or(0, |at| at.unix_timestamp().unsigned_abs()),
    })
}
