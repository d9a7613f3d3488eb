//! A fresh proof of who the user of a session is. Every way to give one ends here.

use crate::db::sessions;
use crate::domain::audit::Event;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::Proof;
use crate::domain::token::access_token::TokenSubject;
use crate::service::change::Change;
use crate::service::{Error, Tokens};

/// Replaces the authentication of a session as a part of a change, which has locked the user's row and records the event:
/// the user has just given this proof. Returns the content of the access token that tells of it, for
/// [`Tokens::sign_access`]. The refresh token that the client has stays good.
///
/// # Errors
/// [`Error::NotSignedIn`] if the session has ended meanwhile, [`Error::Contended`] if it changed despite the lock,
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub(in crate::service) async fn prove(
    change: &mut Change<'_>,
    tokens: &Tokens,
    by: TokenSubject,
    proof: Proof,
) -> Result<TokenContent, Error> {
    let (lifetimes, session_id) = (&tokens.lifetimes, by.session_id);
    // Nobody else writes to the session between this moment and the commit.
    let now = change.context.now();
    let oldest_start = lifetimes.oldest_start(now);
    sessions::find_user(change.connection(), by, now, oldest_start).await?.ok_or(Error::NotSignedIn)?;
    let session =
        sessions::refresh::read(change.connection(), session_id).await?.ok_or(Error::NotSignedIn)?;
    let proved = session.clone().authenticate(proof, lifetimes, now);
    let written = sessions::refresh::write(change.connection(), session_id, &session, proved).await?;
    let session = written.ok_or(Error::Contended)?;
    if let Some(passkey) = proof.passkey() {
        sessions::set_passkey(change.connection(), session_id, passkey).await?;
    }
    let event = Event::Reauthenticated(session.authentication.methods.clone());
    change.record(now, &event, by.user_id, Some(session_id));
    Ok(session.into_token_content(session_id))
}
