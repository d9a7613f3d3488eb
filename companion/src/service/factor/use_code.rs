//! The use of a code, as a part of a change.

use super::Factors;
use crate::db::{factors, recovery_codes};
use crate::domain::audit::Event;
use crate::domain::factor::code::FactorCode;
use crate::domain::factor::totp::TotpSecret;
use crate::domain::token::key_encryption::Subject;
use crate::domain::{SessionId, UserId};
use crate::service::Error;
use crate::service::change::Change;

/// Uses a code of a user: a time step of an authenticator app, or a recovery code. Returns the event of a recovery code, which the
/// caller records with the session that it is used for; a rejection is reported with `session_id`.
///
/// # Errors
/// [`Error::WrongFactor`] if the code is wrong or was used; [`Error::Sealing`] if no key opens the secret of any app;
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub(in crate::service) async fn use_code(
    change: &mut Change<'_>,
    factors: &Factors,
    user_id: UserId,
    session_id: Option<SessionId>,
    code: &FactorCode,
) -> Result<Option<Event>, Error> {
    let used = match code {
        FactorCode::Totp(digits) => use_totp(change, factors, user_id, digits).await?.then_some(None),
        FactorCode::Recovery(code) => {
            let left = recovery_codes::use_up(change.connection(), user_id, &code.hash()).await?;
            left.map(|left| Some(Event::RecoveryCodeUsed { left }))
        }
    };
    used.ok_or_else(|| {
        change.context.report(&Event::LoginRejected("factor_wrong"), Some(user_id), session_id);
        Error::WrongFactor
    })
}

/// Returns `true` if the digits are of an authenticator app of the user, and of a step that was not used.
async fn use_totp(
    change: &mut Change<'_>,
    factors: &Factors,
    user_id: UserId,
    digits: &str,
) -> Result<bool, Error> {
    let now = change.context.now();
    let apps = factors::list_totp(change.connection(), user_id).await?;
    // A failure of ours is not counted as a guess, so it must not be one while there is a secret to compare with.
    let mut unmatched = if apps.is_empty() { Ok(false) } else { Err(Error::Sealing) };
    for app in apps {
        let opened = factors.keys.open(Subject::TotpSecret(user_id), &app.sealed);
        let Some(secret) = opened.ok().and_then(|opened| TotpSecret::new(&opened)) else {
            tracing::error!(user_id = user_id.0, factor_id = app.id.0, "no key opens the secret of an app");
            continue;
        };
        unmatched = Ok(false);
        if let Some(step) = secret.check(digits, app.last_step, now)
            && factors::use_step(change.connection(), app.id, step, now).await?
        {
            return Ok(true);
        }
    }
    unmatched
}
