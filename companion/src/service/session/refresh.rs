//! The refresh of a session. `domain::session` decides what a token is worth; docs/design/refresh.md has the rule and
//! the reasons.

use edgeward_wire::cookie::Repeated;

use super::end::end_and_record;
use crate::db::sessions;
use crate::domain::audit::Event;
use crate::domain::session::{Ending, RefreshRejection, Session, Step};
use crate::domain::token::refresh_token::RefreshClaims;
use crate::service::guard::{self, Guard};
use crate::service::{Context, Error, IssuedTokens, Tokens, detached};

/// Maximum number of decisions on one refresh. Another one is due when the session has changed between the reading and the
/// writing. That happens once for each other refresh that writes, of which a session takes 16 within the grace period.
const MAX_ATTEMPTS: usize = 20;

/// Refreshes the session of the refresh token in a request's cookie. A rejection leaves the cookies alone: another tab
/// may just have got better ones.
///
/// # Errors
/// [`Error::NotSignedIn`] if the token is rejected, for a reason that the log has; [`Error::Signing`],
/// [`Error::Database`] and [`Error::Panicked`] if these fail.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn refresh(
    context: &Context,
    guard: &Guard,
    tokens: &Tokens,
    cookie: Result<Option<&str>, Repeated>,
) -> Result<IssuedTokens, Error> {
    let reject = |reason| {
        context.report(&Event::RefreshRejected(reason), None, None);
        Err(Error::NotSignedIn)
    };
    let token = match cookie {
        Ok(Some(token)) => token,
        Ok(None) => return reject("token_missing"),
        Err(Repeated) => return reject("token_repeated"),
    };
    let presented = match tokens.refresh.verify(token) {
        Ok(presented) => presented,
        Err(rejection) => {
            if rejection.is_made_up() {
                guard::count_made_up_token(context, guard, token).await;
            }
            return reject("token_invalid");
        }
    };
    let (user_id, session_id) = (Some(presented.user_id), Some(presented.session_id));
    match present(context, tokens, presented).await? {
        Ok(session) => {
            // The role of now, not the one that the session began with.
            let issued = tokens.sign(&session.into_token_content(presented.session_id))?;
            context.as_user().report(&Event::Refreshed, user_id, session_id);
            Ok(issued)
        }
        Err(rejection) => {
            if rejection == RefreshRejection::TokenReused {
                // For both parties that hold its tokens.
                let ending = Ending::of_token(presented.subject());
                detached(context, end_and_record(context.clone(), vec![ending], Event::RefreshTokenReused))
                    .await?;
            }
            context.report(&Event::RefreshRejected(rejection.label()), user_id, session_id);
            Err(Error::NotSignedIn)
        }
    }
}

/// Presents a token to its session, and returns the session as it is then. A client that does not receive the response
/// presents the same token again, and gets the same tokens.
async fn present(
    context: &Context,
    tokens: &Tokens,
    presented: RefreshClaims,
) -> Result<Result<Session, RefreshRejection>, Error> {
    let RefreshClaims { session_id, generation, .. } = presented;
    let (lifetimes, mut connection) = (&tokens.lifetimes, context.connection().await?);
    // The time after each wait: by then others may have refreshed.
    let rotated =
        sessions::refresh::rotate_live(&mut connection, presented, lifetimes, context.now()).await?;
    if let Some(session) = rotated {
        return Ok(Ok(session));
    }
    for _ in 0..MAX_ATTEMPTS {
        let Some(session) = sessions::refresh::read(&mut connection, session_id).await? else {
            return Ok(Err(RefreshRejection::SessionUnknown));
        };
        let now = context.now();
        let step = match session.decide_refresh(presented, lifetimes, now) {
            Ok(Step::Repeat) => return Ok(Ok(session)),
            Ok(step) => step,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let next = session.clone().apply(step, generation, lifetimes, now);
        if let Some(session) = sessions::refresh::write(&mut connection, session_id, &session, next).await? {
            return Ok(Ok(session));
        }
    }
    Err(Error::Contended)
}
