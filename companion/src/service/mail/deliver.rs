//! The delivery of one mail of the outbox.

use time::OffsetDateTime;

use crate::db::outbox::{self, ClaimedMail, Waiting};
use crate::domain::language::Language;
use crate::domain::mail::{Mail, MailKind, next_attempt};
use crate::domain::token::key_encryption::Subject;
use crate::mail::{Mailer, SendError};
use crate::service::{Context, Error};

/// Outcome of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// No mail is due.
    Idle,
    /// A mail was sent, or another attempt follows, or it was given up.
    Done,
}

/// Takes the mail that has waited longest, and sends it. Every mail is sent at least once: if this process ends between the
/// server's reply and the deletion, another attempt follows in a minute, with the same `Message-ID`.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn deliver(context: &Context, mailer: &Mailer) -> Result<Delivery, Error> {
    let now = context.now();
    let mut connection = context.connection().await?;
    let Some(claimed) = outbox::claim(&mut connection, now).await? else {
        let Waiting { waiting, oldest, given_up } = outbox::count(&mut connection).await?;
        context.metrics.set_mails(waiting, oldest, given_up);
        return Ok(Delivery::Idle);
    };
    let kind = MailKind::parse(&claimed.kind).ok_or(Error::Sealing)?;
    let id = claimed.id;
    if claimed.user_id.is_none() {
        outbox::delete(&mut connection, id).await?;
        return Ok(Delivery::Done);
    }
    if claimed.is_repeated {
        context.metrics.count_repeated_mail(kind.as_str());
        tracing::warn!(
            mail = id,
            kind = kind.as_str(),
            "a mail is sent again: its last attempt left no result"
        );
    }
    let (attempts, expires_at) = (claimed.attempts, claimed.expires_at);
    // It takes its time.
    drop(connection);
    let sent = match read(context, kind, claimed, now) {
        Ok(mail) => mailer.send(&mail).await,
        Err(error) => Err(error),
    };
    let mut connection = context.connection().await?;
    match sent {
        Ok(()) => {
            outbox::delete(&mut connection, id).await?;
            context.metrics.count_sent_mail(kind.as_str());
        }
        Err(error) => {
            let now = context.now();
            let next = next_after(&error, attempts, expires_at, now);
            let reason = error.to_string();
            // The reply of a mail server may hold the address, which no log has.
            let cause = matches!(error, SendError::Unreachable(_)).then_some(reason.as_str());
            outbox::record_failure(&mut connection, id, next, &reason, now).await?;
            context.metrics.count_failed_mail(kind.as_str());
            let (kind, given_up) = (kind.as_str(), next.is_none());
            tracing::warn!(
                mail = id,
                kind,
                attempts,
                given_up,
                cause,
                "a mail was not sent: edgeward mail list"
            );
        }
    }
    Ok(Delivery::Done)
}

/// Returns the time of the next attempt; `None` if there is none.
fn next_after(
    error: &SendError,
    attempts: i32,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Option<OffsetDateTime> {
    match error {
        SendError::Permanent(_) => None,
        SendError::Transient(_) | SendError::Unreachable(_) => {
            Some(next_attempt(attempts, now)).filter(|next| *next < expires_at)
        }
    }
}

/// Reads a mail of the outbox. A failure is one for good: the row stays as it is.
fn read(
    context: &Context,
    kind: MailKind,
    claimed: ClaimedMail,
    now: OffsetDateTime,
) -> Result<Mail, SendError> {
    if claimed.expires_at <= now {
        return Err(SendError::Permanent("it is of no use any more".to_owned()));
    }
    let unreadable = |what: &str| SendError::Permanent(format!("the outbox has {what} that cannot be read"));
    let details = serde_json::from_str(&claimed.details).map_err(|_| unreadable("details"))?;
    let secrets = match claimed.sealed {
        Some(sealed) => {
            let opened = context.mail.keys.open(Subject::Mail(claimed.recipient.as_str()), &sealed);
            let text = opened.map_err(|_| unreadable("a link of another REFRESH_JWT_SECRET"))?;
            Some(serde_json::from_slice(&text).map_err(|_| unreadable("a link"))?)
        }
        None if kind.requires_token() => return Err(unreadable("no link")),
        None => None,
    };
    Ok(Mail {
        id: claimed.id,
        kind,
        to: claimed.recipient,
        language: claimed.language.as_deref().and_then(Language::parse),
        details,
        secrets,
        created_at: claimed.created_at,
    })
}
