//! Mails: what a change tells people, in its own transaction, and the way out of the outbox.

mod deliver;
mod list;
mod one_time;
mod retry;

pub use self::deliver::{Delivery, deliver};
pub use self::list::list;
pub use self::retry::retry;

pub(super) use self::one_time::{begin_use, issue, open};

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use secrecy::SecretString;
use time::OffsetDateTime;

use super::account::find_locked;
use super::change::Change;
use super::{Context, Error};
use crate::db::outbox::{self, NewMail};
use crate::db::sessions;
use crate::domain::account::email::Email;
use crate::domain::mail::{Details, MailKind, MailKinds, Notice, Secrets};
use crate::domain::token::key_encryption::{KeyEncryptionKeys, Subject};
use crate::domain::token::one_time::Origin;
use crate::domain::{SessionId, UserId};
use crate::random::Random;

pub use crate::db::outbox::GivenUpMail;

/// Writing of mails into the outbox.
pub struct Mailing {
    /// Mails that are sent.
    pub kinds: MailKinds,
    keys: KeyEncryptionKeys,
    random: Random,
}

/// Recipient of a mail.
#[derive(Clone, Copy)]
pub(super) struct Recipient<'a> {
    /// User; `None` for an address that nobody has, which gets no mail.
    pub(super) user_id: Option<UserId>,
    /// Address.
    pub(super) email: &'a Email,
}

impl Mailing {
    /// Takes the kinds that are sent, the secrets that all companions share, the newest first, and a source of tokens.
    #[must_use]
    pub fn new(kinds: MailKinds, secrets: &[SecretString], random: Random) -> Self {
        Self { kinds, keys: KeyEncryptionKeys::with_derived(None, secrets, b"edgeward outbox"), random }
    }

    /// Makes the writing of commands: they have no secrets, and write notices without links alone.
    #[must_use]
    pub fn of_commands(kinds: MailKinds) -> Self {
        Self::new(kinds, &[], Arc::new(SystemRandom::new()))
    }
}

impl Context {
    /// Requires that mails of a kind are sent: what begins with one is not offered otherwise.
    pub(super) fn require_mail(&self, kind: MailKind) -> Result<(), Error> {
        if self.mail.kinds.contain(kind) { Ok(()) } else { Err(Error::MailOff) }
    }
}

/// Writes the notice of a change, made in a session, to the user whom it concerns, unless its kind is off.
pub(super) async fn notify(
    change: &mut Change<'_>,
    user_id: UserId,
    session_id: Option<SessionId>,
    Notice { kind, details }: &Notice,
) -> Result<(), Error> {
    let mail = &change.context.mail;
    if !mail.kinds.contain(*kind) {
        return Ok(());
    }
    let has_link = kind.purpose().is_some() && mail.keys.can_seal();
    let user = find_locked(change, user_id).await?;
    let (to, now) = (Recipient { user_id: Some(user_id), email: &user.email }, change.context.now());
    if has_link {
        let origin = match session_id {
            Some(session_id) => sessions::find_origin(change.connection(), session_id).await?,
            None => Origin::default(),
        };
        issue(change, *kind, to, (None, origin), details, now).await?;
        return Ok(());
    }
    write(change, *kind, to, details, None, now).await
}

/// Writes a mail.
pub(super) async fn write(
    change: &mut Change<'_>,
    kind: MailKind,
    to: Recipient<'_>,
    details: &Details,
    secrets: Option<&Secrets>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let context = change.context;
    let details = serde_json::to_string(details).map_err(|_| Error::Sealing)?;
    let sealed = match secrets {
        Some(secrets) => {
            let text = serde_json::to_vec(secrets).map_err(|_| Error::Sealing)?;
            Some(
                context
                    .mail
                    .keys
                    .seal(Subject::Mail(to.email.as_str()), &text)
                    .map_err(|_| Error::Sealing)?,
            )
        }
        None => None,
    };
    let mail = NewMail {
        kind,
        user_id: to.user_id,
        to: to.email,
        language: context.caller.language(),
        details: &details,
        sealed: sealed.as_deref(),
    };
    Ok(outbox::insert(change.connection(), &mail, now).await?)
}
